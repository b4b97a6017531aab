//! The documents behind an answer, as the header `x-echo-sources` names them: JSON in ASCII, short enough for every proxy on the way.

use contracts::knowledge::AnswerSource;
use serde_json::{Value, json};

/// Longest value, in bytes.
const LONGEST: usize = 4096;
/// Most sources that are named. An answer draws from a handful.
const MOST: usize = 20;

/// The header's value: `[{"id","title","url","score"}]`, best first. `[n]` in the answer is the n-th of them, so none is left out
/// where all of them together are too long: titles are cut then, and addresses that are too long themselves left out.
pub(crate) fn header(sources: &[AnswerSource]) -> String {
    let sources = sources.get(..MOST).unwrap_or(sources);
    let whole = list(sources.iter().map(|source| element(&source.title, &source.url, source)));
    if whole.len() <= LONGEST {
        return whole;
    }
    // The brackets, and a comma for each.
    let room = (LONGEST - 2) / sources.len() - 1;
    list(sources.iter().map(|source| fitting(source, room)))
}

fn list(elements: impl Iterator<Item = String>) -> String {
    format!("[{}]", elements.collect::<Vec<_>>().join(","))
}

/// A source in at most `room` bytes.
fn fitting(source: &AnswerSource, room: usize) -> String {
    let url = if element("", &source.url, source).len() <= room { source.url.as_str() } else { "" };
    let mut title = source.title.clone();
    loop {
        let element = element(&title, url, source);
        if element.len() <= room || title.pop().is_none() {
            return element;
        }
    }
}

fn element(title: &str, url: &str, source: &AnswerSource) -> String {
    let url = if url.is_empty() { Value::Null } else { json!(url) };
    let score = (f64::from(source.score) * 1000.0).round() / 1000.0;
    ascii(&json!({"id": source.id, "title": title, "url": url, "score": score}).to_string())
}

/// JSON with everything but printable ASCII escaped (RFC 8259, section 7).
fn ascii(json: &str) -> String {
    let mut written = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            ' '..='~' => written.push(c),
            _ => {
                let mut units = [0; 2];
                written.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
            }
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(title: &str, url: &str) -> AnswerSource {
        let id = "a1b2c3d4-e5f6-7890-abcd-ef1234567890".to_owned();
        let (title, url) = (title.to_owned(), url.to_owned());
        AnswerSource { id, title, url, score: 0.123_456, snippet: String::new() }
    }

    fn read(header: &str) -> Vec<Value> {
        assert!(header.len() <= LONGEST && header.bytes().all(|b| (b' '..=b'~').contains(&b)), "{header}");
        serde_json::from_str(header).unwrap()
    }

    #[test]
    fn whatever_a_title_says_the_header_is_ascii_and_says_the_same() {
        let title = "Öffnungszeiten \u{1f550} \"täglich\"\u{7f}\r\nset-cookie: a=b";
        let listed = read(&header(&[source(title, "https://example.com/ä"), source("", "")]));
        let id = "a1b2c3d4-e5f6-7890-abcd-ef1234567890";
        let first = json!({"id": id, "title": title, "url": "https://example.com/ä", "score": 0.123});
        assert_eq!(listed[0], first);
        assert_eq!(listed[1]["url"], Value::Null);
        assert_eq!(header(&[]), "[]");
    }

    #[test]
    fn too_long_a_list_keeps_its_length_and_shortens_what_is_in_it() {
        let long = format!("https://example.com/{}", "a".repeat(2000));
        let sources: Vec<_> = (0..8)
            .map(|n| source(&"é".repeat(300), if n % 2 == 0 { &long } else { "https://example.com/docs" }))
            .collect();
        let listed = read(&header(&sources));
        assert_eq!(listed.len(), 8);
        assert_eq!(listed[0]["url"], Value::Null);
        assert_eq!(listed[1]["url"], "https://example.com/docs");
        assert!(listed.iter().all(|source| source["title"].as_str().unwrap().starts_with("éé")));
        assert_eq!(read(&header(&vec![source("é", &long); 30])).len(), MOST);
    }
}
