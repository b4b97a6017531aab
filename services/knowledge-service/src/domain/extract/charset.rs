//! Bytes as text: in the encoding that their mark, the server or the page itself names, in this order. What names none is
//! UTF-8 if it can be, else Windows' Latin.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How far into a page its own word on the matter is looked for, in bytes.
const LOOKED_AT: usize = 4 * 1024;

/// The encoding that a `Content-Type` names.
pub(super) fn label(content_type: &str) -> Option<String> {
    let parameter = |part: &str| {
        let (name, value) = part.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        name.trim().eq_ignore_ascii_case("charset").then(|| value.to_owned())
    };
    content_type.split(';').skip(1).find_map(parameter)
}

/// A plain text.
pub(super) fn text(bytes: &[u8], label: Option<&str>) -> String {
    decode(bytes, label.and_then(named))
}

/// A web page, which may say itself how it is written.
pub(super) fn html(bytes: &[u8], label: Option<&str>) -> String {
    decode(bytes, label.and_then(named).or_else(|| own_word(bytes)))
}

fn named(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label(label.as_bytes())
}

/// A mark at the beginning decides before all else.
fn decode(bytes: &[u8], encoding: Option<&'static Encoding>) -> String {
    let guess = || if std::str::from_utf8(bytes).is_ok() { UTF_8 } else { WINDOWS_1252 };
    encoding.unwrap_or_else(guess).decode(bytes).0.into_owned()
}

/// What `<meta charset="…">` says, or `<meta http-equiv="Content-Type" content="…; charset=…">`.
fn own_word(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = bytes.get(..LOOKED_AT).unwrap_or(bytes).to_ascii_lowercase();
    let start = String::from_utf8_lossy(&start);
    let tags = start.match_indices("<meta").filter_map(|(at, _)| start[at..].split('>').next());
    let found = tags.filter_map(charset_in).find_map(|label| named(&label))?;
    // Whoever could read this far was not reading UTF-16.
    Some(if found == UTF_16LE || found == UTF_16BE { UTF_8 } else { found })
}

fn charset_in(tag: &str) -> Option<String> {
    let (_, after) = tag.split_once("charset")?;
    let value = after.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    let end = value.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '/'));
    Some(value[..end.unwrap_or(value.len())].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_the_server_the_page_and_then_the_bytes_say_how_it_is_written() {
        let latin = b"caf\xe9";
        assert_eq!(text(latin, None), "café");
        assert_eq!(text("café".as_bytes(), None), "café");
        assert_eq!(text(b"\xef\xbb\xbfcaf\xc3\xa9", Some("shift_jis")), "café");
        assert_eq!(text(b"\xff\xfeh\0i\0", None), "hi");
        assert_eq!(text(b"\x93\xfa\x96\x7b", Some("Shift_JIS")), "日本");
        assert_eq!(label("text/html; Charset=\"shift_jis\"; x=1").as_deref(), Some("shift_jis"));
        assert_eq!(label("text/html"), None);
    }

    #[test]
    fn a_page_says_itself_how_it_is_written() {
        for tag in [
            "<META CHARSET='Shift_JIS'>",
            "<meta charset=shift_jis />",
            "<meta name=a content=b><meta http-equiv=\"Content-Type\" content=\"text/html; charset=Shift_JIS\">",
        ] {
            let page = [tag.as_bytes(), b"\x93\xfa\x96\x7b"].concat();
            assert!(html(&page, None).ends_with("日本"), "{tag}");
            assert!(
                html(&[tag.as_bytes(), b"\xe9"].concat(), Some("latin1")).ends_with('é'),
                "the server first"
            );
        }
        assert!(html("<meta charset=utf-16>é".as_bytes(), None).ends_with('é'));
        assert!(html("<meta charset=nonsense>é".as_bytes(), None).ends_with('é'));
    }
}
