//! What a page says: its title and its main text, out of the bytes that a server sent. Everything here was written by
//! strangers: each step has a bound, and what is refused is refused with a sentence for people.

mod charset;
mod hidden;
mod html;
mod kind;
mod markdown;
mod pdf;
mod render;
mod unpack;

use kind::Kind;

/// How much of a page is taken, in bytes as they are sent.
pub(crate) const LARGEST: usize = 5 << 20;
/// What it may be unpacked to, in bytes.
const LARGEST_UNPACKED: usize = 10 << 20;
/// The longest text that is taken out of a page, in characters: a plain text always fits.
const LONGEST_TEXT: usize = LARGEST;

/// What a server sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) body: Vec<u8>,
    /// `Content-Encoding`.
    pub(crate) packed: String,
    /// `Content-Type`.
    pub(crate) content_type: String,
    /// The path of its address.
    pub(crate) path: String,
}

/// What a page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// What it calls itself.
    pub(crate) title: Option<String>,
    /// Plain or in Markdown.
    pub(crate) text: String,
}

/// Why a page cannot be read, as a sentence about its address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unreadable(pub(crate) String);

impl Unreadable {
    fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }

    fn late() -> Self {
        Self::new("leads to a page that takes too long to read")
    }
}

/// Reads a page. `late` is asked between steps and ends the work when nobody waits for it any more.
pub(crate) fn extract(sent: &Sent, late: &dyn Fn() -> bool) -> Result<Page, Unreadable> {
    let bytes = unpack::unpack(&sent.body, &sent.packed)?;
    let label = charset::label(&sent.content_type);
    let page = match kind::kind(&sent.content_type, &sent.path, &bytes)? {
        Kind::Html => html::read(&charset::html(&bytes, label.as_deref()), late)?,
        Kind::Markdown => markdown::read(&text(&bytes, label.as_deref())?),
        Kind::Text => Page { title: None, text: text(&bytes, label.as_deref())? },
        Kind::Pdf => pdf::read(&bytes, late)?,
    };
    let length = page.text.chars().count();
    if length > LONGEST_TEXT {
        let problem = format!("leads to a text of {length} characters: at most {LONGEST_TEXT} are read");
        return Err(Unreadable::new(problem));
    }
    if page.text.trim().is_empty() {
        return Err(Unreadable::new("leads to a page without any text that can be seen"));
    }
    Ok(page)
}

fn text(bytes: &[u8], label: Option<&str>) -> Result<String, Unreadable> {
    let text = charset::text(bytes, label);
    match text.contains('\0') {
        true => Err(Unreadable::new("leads to something that is no text, though it is sent as one")),
        false => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content_type: &str, body: &[u8]) -> Result<Page, Unreadable> {
        let sent = Sent { body: body.to_vec(), content_type: content_type.to_owned(), ..Sent::default() };
        extract(&sent, &|| false)
    }

    #[test]
    fn a_page_is_read_as_what_it_is_sent_as() {
        let html = b"<title>Hours</title><p>Open from <b>nine</b> to five.</p>";
        let page = read("text/html; charset=utf-8", html).unwrap();
        assert_eq!((page.title.as_deref(), page.text.as_str()), (Some("Hours"), "Open from nine to five."));
        assert_eq!(read("text/plain", html).unwrap().text.as_bytes(), html);
        assert_eq!(read("", html).unwrap().title.as_deref(), Some("Hours"));
    }

    #[test]
    fn what_has_nothing_to_say_is_refused() {
        for (content_type, body) in [
            ("text/html", "<body><script>alert(1)</script><p hidden>psst</p></body>".as_bytes()),
            ("text/plain", b" \n "),
            ("text/plain", b"a\0b"),
            ("text/markdown", b"<!-- nothing -->"),
            ("image/png", b"\x89PNG"),
            ("application/pdf", b"<html>not found</html>"),
        ] {
            assert!(read(content_type, body).is_err(), "{content_type}");
        }
    }

    #[test]
    fn the_largest_plain_text_that_is_taken_fits() {
        assert!(read("text/plain", &vec![b'a'; LARGEST]).is_ok());
        assert!(read("text/plain", &vec![b'a'; LARGEST + 1]).is_err());
    }
}
