//! XML as a small tree, checked where the parser underneath is lenient.

use quick_xml::Reader;
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::ReadError;
use crate::twiml::write::is_xml_char;

/// TwiML nests four levels at most; SSML adds a few. A deeper document is an attack on the stack.
const MAX_DEPTH: usize = 32;

/// An element with everything in it.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    /// Unescaped, in order, each name once.
    pub(super) attributes: Vec<(String, String)>,
    pub(super) nodes: Vec<Node>,
}

#[derive(Debug)]
pub(super) enum Node {
    Element(Element),
    /// Unescaped.
    Text(String),
}

/// Parses a whole document and gives its root.
pub(super) fn parse(text: &str) -> Result<Element, ReadError> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    if let Some((at, c)) = text.char_indices().find(|(_, c)| !is_xml_char(*c)) {
        let message = format!("byte {at} is the character U+{:04X}, which XML does not allow", u32::from(c));
        return Err(ReadError::malformed(message));
    }
    let mut reader = Reader::from_str(text);
    let mut builder = Builder::default();
    loop {
        let at = reader.buffer_position();
        let event = reader.read_event().map_err(|error| malformed_at(reader.error_position(), &error))?;
        match event {
            Event::Eof => return builder.finish(),
            Event::Decl(_) if at != 0 => {
                let message =
                    format!("the XML declaration must be the very first bytes, it stands at byte {at}");
                return Err(ReadError::malformed(message));
            }
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
            Event::Start(start) => builder.open(element(&start, at)?, at)?,
            Event::Empty(start) => {
                builder.open(element(&start, at)?, at)?;
                builder.close();
            }
            Event::End(_) => builder.close(),
            Event::Text(text) => builder.text(&text.xml10_content(), at)?,
            Event::CData(text) => builder.text(&text.xml10_content(), at)?,
            Event::GeneralRef(reference) => builder.text(&resolved(&reference, at)?, at)?,
        }
    }
}

fn malformed_at(at: u64, error: &dyn std::fmt::Display) -> ReadError {
    ReadError::malformed(format!("not well-formed XML near byte {at}: {error}"))
}

fn element(start: &BytesStart<'_>, at: u64) -> Result<Element, ReadError> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| malformed_at(at, &error))?;
        let name = attribute.key.as_ref();
        if attribute.value.contains('<') {
            return Err(malformed_at(at, &format!("the value of {name} contains an unescaped <")));
        }
        // White space as such is one space; an escaped line end stays what it is.
        let raw = attribute.value.replace("\r\n", " ").replace(['\t', '\n', '\r'], " ");
        let value = unescape(&raw).map_err(|error| malformed_at(at, &error))?;
        allowed(&value, at)?;
        attributes.push((name.to_owned(), value.into_owned()));
    }
    Ok(Element { name: start.name().as_ref().to_owned(), attributes, nodes: Vec::new() })
}

fn resolved(reference: &BytesRef<'_>, at: u64) -> Result<String, ReadError> {
    if let Some(c) = reference.resolve_char_ref().map_err(|error| malformed_at(at, &error))? {
        let text = c.to_string();
        allowed(&text, at)?;
        return Ok(text);
    }
    resolve_predefined_entity(reference)
        .map(str::to_owned)
        .ok_or_else(|| malformed_at(at, &format!("&{}; is unknown, write & as &amp;", &**reference)))
}

fn allowed(text: &str, at: u64) -> Result<(), ReadError> {
    match text.chars().find(|c| !is_xml_char(*c)) {
        None => Ok(()),
        Some(c) => Err(malformed_at(at, &format!("U+{:04X} is not allowed, not even escaped", u32::from(c)))),
    }
}

#[derive(Default)]
struct Builder {
    open: Vec<Element>,
    root: Option<Element>,
}

impl Builder {
    fn open(&mut self, element: Element, at: u64) -> Result<(), ReadError> {
        if self.open.is_empty() && self.root.is_some() {
            return Err(malformed_at(at, &format!("<{}> is a second root element", element.name)));
        }
        if self.open.len() == MAX_DEPTH {
            return Err(malformed_at(at, &format!("elements are nested deeper than {MAX_DEPTH} levels")));
        }
        self.open.push(element);
        Ok(())
    }

    /// The parser has compared the names already.
    fn close(&mut self) {
        let Some(element) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(parent) => parent.nodes.push(Node::Element(element)),
            None => self.root = Some(element),
        }
    }

    fn text(&mut self, text: &str, at: u64) -> Result<(), ReadError> {
        match self.open.last_mut() {
            Some(parent) => {
                if let Some(Node::Text(before)) = parent.nodes.last_mut() {
                    before.push_str(text);
                } else {
                    parent.nodes.push(Node::Text(text.to_owned()));
                }
                Ok(())
            }
            None if text.trim().is_empty() => Ok(()),
            None => Err(malformed_at(at, &"text stands outside the root element")),
        }
    }

    fn finish(self) -> Result<Element, ReadError> {
        if let Some(element) = self.open.last() {
            return Err(ReadError::malformed(format!("<{}> is never closed", element.name)));
        }
        self.root.ok_or_else(|| ReadError::malformed("the document has no element, <Response> is missing"))
    }
}
