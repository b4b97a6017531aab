//! A PDF taken apart: from its first byte to its last, without the table at its end, which broken files have wrong and hostile
//! ones on purpose. Of an object that stands in it several times the last one counts.

use std::collections::HashMap;

use lopdf::{DecompressError, Dictionary, Document, Error, Object, ObjectId, Stream};

use super::super::Unreadable;
use super::broken;
use super::objects::{Bad, Budget, Cursor, is_space};

/// The most objects of a file, with all that stand in each other.
const MOST_OBJECTS: usize = 500_000;
/// What the parts of a file that hold other objects may unpack to together, in bytes.
const LARGEST_UNPACKED: usize = 16 << 20;
/// How often each byte may be gone through.
const TIMES: usize = 6;

/// Takes a file apart. One that needs a password is refused.
pub(super) fn open(bytes: &[u8], late: &dyn Fn() -> bool) -> Result<Document, Unreadable> {
    if !bytes.get(..1024).unwrap_or(bytes).windows(5).any(|window| window == b"%PDF-") {
        return Err(broken());
    }
    let budget = Budget { objects: MOST_OBJECTS, bytes: bytes.len() * TIMES + 4_096 };
    let mut parts = Parts { budget, objects: HashMap::new(), trailer: Dictionary::new() };
    parts.scan(bytes, late).map_err(|_| too_much())?;
    if parts.trailer.has(b"Encrypt") {
        return Err(Unreadable::new(
            "leads to a PDF that is encrypted: give one that opens without a password",
        ));
    }
    parts.open_streams(late).map_err(|_| too_much())?;
    if late() {
        return Err(Unreadable::late());
    }
    Ok(parts.document())
}

fn too_much() -> Unreadable {
    Unreadable::new("leads to a PDF that describes more than a file of its size should")
}

struct Parts {
    budget: Budget,
    /// Each with the place where it stands.
    objects: HashMap<ObjectId, (usize, Object)>,
    trailer: Dictionary,
}

impl Parts {
    /// Finds everything that says `obj` or `trailer`.
    fn scan(&mut self, bytes: &[u8], late: &dyn Fn() -> bool) -> Result<(), Bad> {
        let (mut at, mut found) = (0, 0_usize);
        while let Some(step) =
            bytes.get(at..).and_then(|rest| rest.iter().position(|byte| matches!(byte, b'o' | b't')))
        {
            at += step;
            let rest = bytes.get(at..).unwrap_or_default();
            let mut cursor = Cursor { bytes, at };
            if rest.starts_with(b"obj")
                && let Some(id) = id_before(bytes, at)
            {
                cursor.at += 3;
                self.object(&mut cursor, (id, at))?;
                found += 1;
                if found.is_multiple_of(256) && late() {
                    return Ok(());
                }
            } else if rest.starts_with(b"trailer") {
                cursor.at += 7;
                if let Some(Object::Dictionary(trailer)) = self.read(&mut cursor)? {
                    self.learn(&trailer);
                }
            }
            at = cursor.at.max(at + 1);
        }
        Ok(())
    }

    /// `None`: there is nothing to be read here.
    fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<Option<Object>, Bad> {
        match cursor.object(&mut self.budget) {
            Ok(object) => Ok(Some(object)),
            Err(Bad::Broken) => Ok(None),
            Err(Bad::TooMuch) => Err(Bad::TooMuch),
        }
    }

    fn object(&mut self, cursor: &mut Cursor<'_>, (id, at): (ObjectId, usize)) -> Result<(), Bad> {
        let Some(object) = self.read(cursor)? else { return Ok(()) };
        let object = match object {
            Object::Dictionary(dictionary) => self.stream(cursor, dictionary)?,
            other => other,
        };
        if let Object::Stream(stream) = &object
            && stream.dict.has_type(b"XRef")
        {
            self.learn(&stream.dict.clone());
        }
        self.objects.insert(id, (at, object));
        Ok(())
    }

    /// A dictionary, with the bytes that follow it if it describes any.
    fn stream(&mut self, cursor: &mut Cursor<'_>, dictionary: Dictionary) -> Result<Object, Bad> {
        let after = cursor.at;
        cursor.space();
        if !cursor.take(b"stream") {
            cursor.at = after;
            return Ok(Object::Dictionary(dictionary));
        }
        let _ = cursor.take(b"\r\n") || cursor.take(b"\n") || cursor.take(b"\r");
        let rest = cursor.rest();
        let said = dictionary
            .get(b"Length")
            .and_then(Object::as_i64)
            .ok()
            .and_then(|length| usize::try_from(length).ok());
        let ends = |length: &usize| {
            let after = rest.get(*length..).unwrap_or_default();
            let spaces = after.iter().take(2).take_while(|byte| is_space(**byte)).count();
            after.get(spaces..).is_some_and(|after| after.starts_with(b"endstream"))
        };
        let length = match said.filter(ends) {
            Some(length) => length,
            None => rest.windows(9).position(|window| window == b"endstream").unwrap_or(rest.len()),
        };
        self.budget.pay(length)?;
        cursor.at += length;
        Ok(Object::Stream(Stream::new(dictionary, rest.get(..length).unwrap_or_default().to_vec())))
    }

    /// What a trailer says; the last one counts.
    fn learn(&mut self, trailer: &Dictionary) {
        for key in [b"Root".as_slice(), b"Info", b"Encrypt"] {
            if let Ok(value) = trailer.get(key) {
                self.trailer.set(key, value.clone());
            }
        }
    }

    /// Reads the objects that stand, packed, in others.
    fn open_streams(&mut self, late: &dyn Fn() -> bool) -> Result<(), Bad> {
        let is_holder =
            |object: &Object| object.as_stream().is_ok_and(|stream| stream.dict.has_type(b"ObjStm"));
        let mut holders: Vec<(usize, ObjectId)> = self
            .objects
            .iter()
            .filter(|(_, (_, object))| is_holder(object))
            .map(|(id, (at, _))| (*at, *id))
            .collect();
        holders.sort_unstable();
        let mut left = LARGEST_UNPACKED;
        for (at, id) in holders {
            let Some((_, Object::Stream(stream))) = self.objects.remove(&id) else { continue };
            let content = match stream.get_plain_content_with_limit(left) {
                Ok(content) => content,
                Err(Error::Decompress(DecompressError::MemoryLimitExceeded { .. })) => {
                    return Err(Bad::TooMuch);
                }
                Err(_) => continue,
            };
            left = left.saturating_sub(content.len());
            self.budget.bytes = self.budget.bytes.saturating_add(content.len().saturating_mul(2));
            self.members(&stream.dict, &content, at)?;
            if late() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn members(&mut self, holder: &Dictionary, content: &[u8], at: usize) -> Result<(), Bad> {
        let number =
            |key: &[u8]| holder.get(key).and_then(Object::as_i64).ok().and_then(|n| usize::try_from(n).ok());
        let (Some(count), Some(first)) = (number(b"N"), number(b"First")) else { return Ok(()) };
        let index = String::from_utf8_lossy(content.get(..first).unwrap_or_default()).into_owned();
        let mut numbers = index.split_ascii_whitespace().map(str::parse::<u32>);
        for _ in 0..count {
            let (Some(Ok(id)), Some(Ok(offset))) = (numbers.next(), numbers.next()) else { break };
            let offset = usize::try_from(offset).unwrap_or(usize::MAX);
            let mut cursor = Cursor { bytes: content, at: first.saturating_add(offset) };
            let Some(object) = self.read(&mut cursor)? else { continue };
            if self.objects.get(&(id, 0)).is_none_or(|(known, _)| *known <= at) {
                self.objects.insert((id, 0), (at, object));
            }
        }
        Ok(())
    }

    fn document(self) -> Document {
        let mut document = Document::new();
        if !self.trailer.has(b"Root") {
            let is_root =
                |object: &Object| object.as_dict().is_ok_and(|dictionary| dictionary.has_type(b"Catalog"));
            let root = self.objects.iter().find(|(_, (_, object))| is_root(object)).map(|(id, _)| *id);
            if let Some(root) = root {
                document.trailer.set("Root", root);
            }
        }
        for (key, value) in &self.trailer {
            document.trailer.set(key.clone(), value.clone());
        }
        document.objects = self.objects.into_iter().map(|(id, (_, object))| (id, object)).collect();
        document
    }
}

/// The two numbers before `obj`.
fn id_before(bytes: &[u8], at: usize) -> Option<ObjectId> {
    let start = at.saturating_sub(24);
    let before = std::str::from_utf8(bytes.get(start..at)?).ok().map(str::to_owned);
    let before = before.unwrap_or_else(|| bytes[start..at].iter().map(|byte| char::from(*byte)).collect());
    let mut words = before.trim_end().rsplit(|c: char| c.is_ascii_whitespace() || c == '\0');
    let generation = words.next()?.parse().ok()?;
    let id: String =
        words.find(|word| !word.is_empty())?.chars().rev().take_while(char::is_ascii_digit).collect();
    let id: String = id.chars().rev().collect();
    Some((id.parse().ok()?, generation))
}
