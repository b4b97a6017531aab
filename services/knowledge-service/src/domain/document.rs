//! A document that an app is given: what it is called, where it comes from, and what it says. Checked once, at the door.

use contracts::ids::SourceId;
use contracts::knowledge::{IngestRequest, IngestUrlRequest};
use contracts::rpc::RpcError;
use url::Url;

use super::chunks::chunks;
use super::extract::Page;
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
        let mut headings = headings(&self.text).into_iter().peekable();
        let mut last = None;
        let mut headed = |range: std::ops::Range<usize>| {
            while let Some((_, heading)) = headings.next_if(|(at, _)| *at < range.start) {
                last = heading;
            }
            let heading = match last {
                Some(heading) if heading != self.title => format!("{}\n{heading}", self.title),
                _ => self.title.clone(),
            };
            (heading, self.text[range].to_owned())
        };
        chunks(&self.text).into_iter().map(&mut headed).collect()
    }
}

/// An address that is to be read, and what its document will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    app: AppId,
    id: SourceId,
    /// As it was given: the same again stands for the same document.
    given: String,
    pub(crate) url: Url,
}

impl Address {
    /// The document that was found there. One that does not say what it is called has its first line; what it is called is cut
    /// to the longest title.
    pub(crate) fn document(self, page: &Page) -> Result<Document, RpcError> {
        let text = visible(&page.text);
        if text.trim().is_empty() {
            return Err(invalid("url", "leads to a page without any text that can be seen"));
        }
        let title = page.title.as_deref().map(visible).unwrap_or_default();
        let title: String =
            title.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST_TITLE).collect();
        let title = Some(title).filter(|title| !title.is_empty()).unwrap_or_else(|| first_line(&text));
        Ok(Document { app: self.app, id: self.id, url: Some(self.given), title, text })
    }
}

impl TryFrom<IngestUrlRequest> for Address {
    type Error = RpcError;

    fn try_from(request: IngestUrlRequest) -> Result<Self, RpcError> {
        let app = AppId::parse(&request.app_id)?;
        let id = request.source_id.parse().map_err(|e| invalid("source_id", format!("{e}")))?;
        let given = bounded("url", &request.url, LONGEST_URL)?;
        let given = given.ok_or_else(|| invalid("url", "is empty: give the address of a page"))?;
        let no_url = |e| invalid("url", format!("is no address such as https://example.com/page ({e})"));
        let mut url = Url::parse(&given).map_err(no_url)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid(
                "url",
                "holds a user name or a password, which would be shown with every answer",
            ));
        }
        url.set_fragment(None);
        Ok(Self { app, id, given, url })
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

/// The headings of a text in Markdown, each with the byte at which its line begins; an empty one takes back the one before. What
/// stands between fences is code.
fn headings(text: &str) -> Vec<(usize, Option<&str>)> {
    let (mut at, mut in_code, mut found) = (0, false, Vec::new());
    for line in text.split_inclusive('\n') {
        if line.starts_with("```") || line.starts_with("~~~") {
            in_code = !in_code;
        } else if !in_code && line.starts_with('#') && line.trim_start_matches('#').starts_with(' ') {
            let heading = line.trim_start_matches('#').trim();
            found.push((at, Some(heading).filter(|heading| !heading.is_empty())));
        }
        at += line.len();
    }
    found
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
    fn a_line_of_code_is_no_heading() {
        let text = format!("# Shop\n```\n# a comment\n```\n{}", "word ".repeat(300));
        let headings: Vec<_> = given("Title", &text).unwrap().chunks().into_iter().map(|(h, _)| h).collect();
        assert_eq!(headings, ["Title", "Title\nShop"]);
    }

    #[test]
    fn a_page_is_called_what_it_says_and_else_has_its_first_line() {
        let read = |title: Option<&str>, text: &str| {
            let request = IngestUrlRequest {
                app_id: "app".to_owned(),
                source_id: SourceId::new().to_string(),
                url: " https://a.example/x#y ".to_owned(),
            };
            let page = Page { title: title.map(str::to_owned), text: text.to_owned() };
            Address::try_from(request).unwrap().document(&page)
        };
        let document = read(Some(" A \n title\u{200b}"), "text").unwrap();
        assert_eq!(
            (document.title.as_str(), document.url.as_deref()),
            ("A title", Some("https://a.example/x#y"))
        );
        assert_eq!(read(None, "\n# First\nline").unwrap().title, "First");
        assert_eq!(read(Some(&"x".repeat(400)), "text").unwrap().title.len(), LONGEST_TITLE);
        assert!(read(Some("title"), "\u{200b}").is_err());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("https://a.example/{}", "x".repeat(LONGEST_URL));
        for url in [
            "",
            "  ",
            "a.example/page",
            "https://",
            "https://user:secret@a.example/",
            "https://me@a.example/",
            &long,
        ] {
            let (app_id, source_id) = ("app".to_owned(), SourceId::new().to_string());
            let refused = Address::try_from(IngestUrlRequest { app_id, source_id, url: url.to_owned() });
            assert!(matches!(refused, Err(RpcError::Invalid { ref field, .. }) if field == "url"), "{url}");
        }
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
