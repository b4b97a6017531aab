//! The text of a PDF, page by page. The file is taken apart here, within bounds that hold for all of it together, because a file
//! of some kilobytes can describe one of gigabytes; what fonts and pages mean is known to `lopdf`.

mod file;
mod layout;
mod objects;

use std::collections::HashMap;

use lopdf::content::Content;
use lopdf::{Dictionary, Document, Encoding, Object, ObjectId, decode_text_string};

use super::{LONGEST_TEXT, Page, Unreadable};
use layout::Layout;

/// The most pages.
const MOST_PAGES: usize = 5_000;
/// What the drawing of one page may unpack to, in bytes.
const LARGEST_PAGE: usize = 4 << 20;
/// What the description of a font's characters may unpack to, in bytes.
const LARGEST_FONT: usize = 1 << 20;
/// The most fonts of one page that are looked at.
const MOST_FONTS: usize = 200;

/// How the bytes that a page draws become characters, by the place of the font's description.
type Fonts<'a> = HashMap<*const Dictionary, Option<Encoding<'a>>>;

pub(super) fn read(bytes: &[u8], late: &dyn Fn() -> bool) -> Result<Page, Unreadable> {
    let document = file::open(bytes, late)?;
    let pages = document.get_pages();
    match pages.len() {
        0 => return Err(broken()),
        count if count > MOST_PAGES => {
            return Err(Unreadable::new(format!(
                "leads to a PDF of {count} pages: at most {MOST_PAGES} are read"
            )));
        }
        _ => {}
    }
    let (mut fonts, mut layout) = (Fonts::new(), Layout::default());
    for (number, page) in pages {
        if late() {
            return Err(Unreadable::late());
        }
        let Ok(content) = document.get_page_content_with_limit(page, LARGEST_PAGE) else {
            let problem = format!("leads to a PDF whose page {number} is too large to be read");
            return Err(Unreadable::new(problem));
        };
        let known = names(&document, page, &mut fonts, late);
        draw(&content, &known, &fonts, &mut layout);
        layout.end_page();
        if layout.text.len() > LONGEST_TEXT * 4 {
            break; // what is too long is refused by its length
        }
    }
    if layout.text.trim().is_empty() {
        let problem = "leads to a PDF without text: it is probably a scan, which can only be read by eye";
        return Err(Unreadable::new(problem));
    }
    Ok(Page { title: title(&document), text: layout.text })
}

fn broken() -> Unreadable {
    Unreadable::new("leads to something that is sent as a PDF and is none, or a broken one")
}

/// The fonts of a page by the names that it gives them. Each is looked at once.
fn names<'a>(
    document: &'a Document,
    page: ObjectId,
    fonts: &mut Fonts<'a>,
    late: &dyn Fn() -> bool,
) -> HashMap<Vec<u8>, &'a Dictionary> {
    let named = document.get_page_fonts(page).unwrap_or_default();
    let named: HashMap<Vec<u8>, &Dictionary> = named.into_iter().take(MOST_FONTS).collect();
    for font in named.values() {
        if late() {
            break;
        }
        fonts
            .entry(std::ptr::from_ref(*font))
            .or_insert_with(|| font.get_font_encoding_with_limit(document, LARGEST_FONT).ok());
    }
    named
}

/// Follows what a page draws, as far as it is text.
fn draw(content: &[u8], named: &HashMap<Vec<u8>, &Dictionary>, fonts: &Fonts<'_>, layout: &mut Layout) {
    let mut encoding: Option<&Encoding<'_>> = None;
    for operation in Content::decode_iter(content) {
        let Ok(operation) = operation else { break };
        let given = operation.operands.as_slice();
        match operation.operator.as_str() {
            "Tf" => {
                let font =
                    given.first().and_then(|name| name.as_name().ok()).and_then(|name| named.get(name));
                encoding =
                    font.and_then(|font| fonts.get(&std::ptr::from_ref(*font))).and_then(Option::as_ref);
                layout.size(given.get(1).and_then(|size| size.as_float().ok()).unwrap_or(0.0));
            }
            "Tj" | "TJ" => show(given, encoding, layout),
            "'" => {
                layout.next_line();
                show(given, encoding, layout);
            }
            "\"" => {
                layout.next_line();
                show(given.get(2..).unwrap_or_default(), encoding, layout);
            }
            "T*" => layout.next_line(),
            operator => layout.place(operator, given),
        }
    }
}

fn show(given: &[Object], encoding: Option<&Encoding<'_>>, layout: &mut Layout) {
    let Some(encoding) = encoding else { return };
    let string = |object: &Object| match object {
        Object::String(bytes, _) => Document::decode_text(encoding, bytes).ok(),
        _ => None,
    };
    for object in given {
        match object {
            Object::Array(parts) => {
                for part in parts {
                    match part.as_float() {
                        Ok(shift) => layout.shift(shift),
                        Err(_) => layout.show(&string(part).unwrap_or_default()),
                    }
                }
            }
            _ => layout.show(&string(object).unwrap_or_default()),
        }
    }
}

/// What the file says that it is called.
fn title(document: &Document) -> Option<String> {
    let info = document.trailer.get_deref(b"Info", document).ok()?.as_dict().ok()?;
    let title = decode_text_string(info.get_deref(b"Title", document).ok()?).ok()?;
    Some(title.trim().to_owned()).filter(|title| !title.is_empty())
}

#[cfg(test)]
mod tests;
