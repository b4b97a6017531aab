//! A document that an app is given: what it is called, where it comes from, and what it says. Checked once, at the door.

use contracts::ids::SourceId;
use contracts::knowledge::IngestRequest;
use contracts::rpc::RpcError;

use super::chunks::chunks;
use super::query::{AppId, invalid};

/// The longest text that is given, in bytes.
const LONGEST_TEXT: usize = 102_400;
/// The longest address, in characters.
const LONGEST_URL: usize = 2_048;
/// The longest title, in characters.
const LONGEST_TITLE: usize = 300;

/// A document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) app: AppId,
    pub(crate) id: SourceId,
    pub(crate) url: Option<String>,
    pub(crate) title: String,
    /// Without what no text has: NUL, and what is there to be read but not to be seen.
    text: String,
}

impl Document {
    /// The chunks, each with the title and the heading that it stands under.
    pub(crate) fn chunks(&self) -> Vec<(String, String)> {
        let headed = |range: std::ops::Range<usize>| {
            let heading = match heading(&self.text[..range.start]) {
                Some(heading) if heading != self.title => format!("{}\n{heading}", self.title),
                _ => self.title.clone(),
            };
            (heading, self.text[range].to_owned())
        };
        chunks(&self.text).into_iter().map(headed).collect()
    }
}

impl TryFrom<IngestRequest> for Document {
    type Error = RpcError;

    fn try_from(request: IngestRequest) -> Result<Self, RpcError> {
        let app = AppId::parse(&request.app_id)?;
        let id = request.source_id.parse().map_err(|e| invalid("source_id", format!("{e}")))?;
        if request.text.len() > LONGEST_TEXT {
            let problem = format!("has {} bytes: give at most {LONGEST_TEXT}", request.text.len());
            return Err(invalid("text", problem));
        }
        let text = visible(&request.text);
        if text.trim().is_empty() {
            return Err(invalid("text", "is empty: give what is to be known"));
        }
        let url = bounded("url", &request.url, LONGEST_URL)?;
        let title = bounded("title", &request.title, LONGEST_TITLE)?;
        let title = title.unwrap_or_else(|| first_line(&text));
        Ok(Self { app, id, url, title, text })
    }
}

fn bounded(field: &str, text: &str, most: usize) -> Result<Option<String>, RpcError> {
    let text = visible(text).trim().to_owned();
    let length = text.chars().count();
    if length > most {
        return Err(invalid(field, format!("has {length} characters: give at most {most}")));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Without control characters, and without characters of no width, in which orders to a model may hide from people.
fn visible(text: &str) -> String {
    let hidden = |c: char| {
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
            || (c.is_control() && !matches!(c, '\n' | '\t'))
    };
    text.replace("\r\n", "\n").chars().filter(|c| !hidden(*c)).collect()
}

fn first_line(text: &str) -> String {
    let line = text.lines().map(|line| line.trim_start_matches('#').trim()).find(|line| !line.is_empty());
    line.unwrap_or_default().chars().take(80).collect()
}

/// The last heading of a text in Markdown.
fn heading(text: &str) -> Option<&str> {
    let title = |line: &'_ str| line.starts_with('#') && line.trim_start_matches('#').starts_with(' ');
    let line = text.lines().rev().find(|line| title(line))?;
    Some(line.trim_start_matches('#').trim()).filter(|heading| !heading.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(title: &str, text: &str) -> Result<Document, RpcError> {
        Document::try_from(IngestRequest {
            app_id: "app".to_owned(),
            source_id: SourceId::new().to_string(),
            url: String::new(),
            title: title.to_owned(),
            text: text.to_owned(),
        })
    }

    #[test]
    fn a_document_without_a_title_has_its_first_line() {
        assert_eq!(given("", "\n## Opening hours\n9 to 5").unwrap().title, "Opening hours");
        assert_eq!(given(" Hours ", "# Opening hours").unwrap().title, "Hours");
    }

    #[test]
    fn a_chunk_stands_under_the_title_and_the_heading_before_it() {
        let text = format!("# Shop\n{}\n\n# Returns\n{}", "word ".repeat(190), "more ".repeat(300));
        let headings: Vec<_> = given("Shop", &text).unwrap().chunks().into_iter().map(|(h, _)| h).collect();
        assert_eq!(headings, ["Shop", "Shop", "Shop\nReturns"]);
    }

    #[test]
    fn what_nobody_sees_is_left_out() {
        let document = given("", "Visible\0\u{200b} text\r\nand \u{202e}more\u{feff}").unwrap();
        assert_eq!(document.text, "Visible text\nand more");
    }

    #[test]
    fn a_text_of_nothing_or_of_too_much_is_refused() {
        for text in ["", " \n", "\u{200b}", &"x".repeat(LONGEST_TEXT + 1)] {
            let refused = given("", text);
            assert!(matches!(refused, Err(RpcError::Invalid { ref field, .. }) if field == "text"));
        }
        assert!(given("", &"x".repeat(LONGEST_TEXT)).is_ok());
        assert!(given(&"x".repeat(301), "text").is_err());
    }
}
