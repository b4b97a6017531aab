//! What kind of page it is: what the server says, or else what its first bytes look like.

use super::Unreadable;

/// What can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Html,
    Text,
    Markdown,
    Pdf,
}

/// From `Content-Type`, the path and the first bytes.
pub(super) fn kind(content_type: &str, path: &str, bytes: &[u8]) -> Result<Kind, Unreadable> {
    let named = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match named.as_str() {
        "" | "application/octet-stream" | "binary/octet-stream" => looked_at(path, bytes),
        "text/html" | "application/xhtml+xml" => Ok(Kind::Html),
        "application/pdf" | "application/x-pdf" => Ok(Kind::Pdf),
        "text/markdown" | "text/x-markdown" => Ok(Kind::Markdown),
        "text/plain" => Ok(text(path)),
        other => Err(Unreadable::new(format!(
            "leads to something of the type `{other}`: web pages, plain text, Markdown and PDF can be read"
        ))),
    }
}

fn looked_at(path: &str, bytes: &[u8]) -> Result<Kind, Unreadable> {
    let start = bytes.get(..1024).unwrap_or(bytes);
    if start.windows(5).any(|window| window == b"%PDF-") {
        return Ok(Kind::Pdf);
    }
    let text_start =
        String::from_utf8_lossy(start).trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    let tags = [
        "<!doctype html",
        "<html",
        "<head",
        "<title",
        "<body",
        "<script",
        "<!--",
        "<p>",
        "<div",
        "<h1",
        "<meta",
    ];
    if tags.iter().any(|tag| text_start.starts_with(tag)) {
        return Ok(Kind::Html);
    }
    let utf16 = start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]);
    match start.contains(&0) && !utf16 {
        true => Err(Unreadable::new(
            "leads to something that is no text: web pages, plain text, Markdown and PDF can be read",
        )),
        false => Ok(text(path)),
    }
}

fn text(path: &str) -> Kind {
    let path = path.to_ascii_lowercase();
    match path.ends_with(".md") || path.ends_with(".markdown") {
        true => Kind::Markdown,
        false => Kind::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_says_what_it_is_and_else_its_first_bytes_do() {
        let kind = |content_type: &str, path: &str, bytes: &[u8]| kind(content_type, path, bytes);
        assert_eq!(kind("Text/HTML; charset=x", "/a.pdf", b"%PDF-1.4"), Ok(Kind::Html));
        assert_eq!(kind("text/plain", "/README.md", b""), Ok(Kind::Markdown));
        assert_eq!(kind("text/plain", "/page", b"<html>"), Ok(Kind::Text));
        assert_eq!(kind("", "/", b"\xef\xbb\xbf\n <!DOCTYPE html>"), Ok(Kind::Html));
        assert_eq!(kind("application/octet-stream", "/x", b"junk\n%PDF-1.7"), Ok(Kind::Pdf));
        assert_eq!(kind("", "/notes.MD", b"# Title"), Ok(Kind::Markdown));
        assert_eq!(kind("", "/notes", b"\xff\xfea\0b\0"), Ok(Kind::Text));
        assert!(kind("", "/x", b"\x7fELF\0\0").is_err());
        assert!(kind("image/png", "/x", b"").unwrap_err().0.contains("`image/png`"));
    }
}
