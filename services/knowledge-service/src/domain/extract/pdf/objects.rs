//! One object of a PDF out of its bytes. What is read costs from a budget that is shared by the whole file, so that nothing is read
//! over and over, and nothing grows beyond what a file of this size can mean.

use lopdf::{Dictionary, Object, StringFormat};

/// How deep objects may stand in each other.
const DEEPEST: usize = 64;

/// Why an object cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    /// It is none.
    Broken,
    /// The budget is used up.
    TooMuch,
}

/// What may still be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    pub(super) objects: usize,
    pub(super) bytes: usize,
}

impl Budget {
    /// Pays for bytes that have been gone through.
    pub(super) fn pay(&mut self, bytes: usize) -> Result<(), Bad> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(Bad::TooMuch)?;
        Ok(())
    }
}

/// A place in a file.
pub(super) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    /// Reads the object that begins here and pays for it, also when it is none.
    pub(super) fn object(&mut self, budget: &mut Budget) -> Result<Object, Bad> {
        let start = self.at;
        let object = self.nested(budget, DEEPEST);
        budget.pay(self.at.saturating_sub(start) + 1)?;
        object
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Steps over a word if it stands here.
    pub(super) fn take(&mut self, word: &[u8]) -> bool {
        let there = self.rest().starts_with(word);
        self.at += if there { word.len() } else { 0 };
        there
    }

    /// Steps over white space and comments.
    pub(super) fn space(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b'%' => {
                    self.at += self.rest().iter().take_while(|byte| !matches!(byte, b'\n' | b'\r')).count()
                }
                _ if is_space(byte) => self.at += 1,
                _ => break,
            }
        }
    }

    fn nested(&mut self, budget: &mut Budget, depth: usize) -> Result<Object, Bad> {
        budget.objects = budget.objects.checked_sub(1).ok_or(Bad::TooMuch)?;
        let depth = depth.checked_sub(1).ok_or(Bad::Broken)?;
        self.space();
        match self.peek().ok_or(Bad::Broken)? {
            b'<' if self.take(b"<<") => self.dictionary(budget, depth).map(Object::Dictionary),
            b'<' => Ok(Object::String(self.hexadecimal(), StringFormat::Hexadecimal)),
            b'(' => self.literal().map(|bytes| Object::String(bytes, StringFormat::Literal)),
            b'/' => Ok(Object::Name(self.name())),
            b'[' => self.array(budget, depth),
            b'0'..=b'9' | b'+' | b'-' | b'.' => self.number(),
            _ if self.take(b"true") => Ok(Object::Boolean(true)),
            _ if self.take(b"false") => Ok(Object::Boolean(false)),
            _ if self.take(b"null") => Ok(Object::Null),
            _ => Err(Bad::Broken),
        }
    }

    fn array(&mut self, budget: &mut Budget, depth: usize) -> Result<Object, Bad> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.space();
            if self.take(b"]") {
                return Ok(Object::Array(items));
            }
            items.push(self.nested(budget, depth)?);
        }
    }

    fn dictionary(&mut self, budget: &mut Budget, depth: usize) -> Result<Dictionary, Bad> {
        let mut dictionary = Dictionary::new();
        loop {
            self.space();
            if self.take(b">>") {
                return Ok(dictionary);
            }
            if self.peek() != Some(b'/') {
                return Err(Bad::Broken);
            }
            let key = self.name();
            dictionary.set(key, self.nested(budget, depth)?);
        }
    }

    fn name(&mut self) -> Vec<u8> {
        self.at += 1;
        let mut name = Vec::new();
        while let Some(byte) = self.peek().filter(|byte| is_regular(*byte)) {
            self.at += 1;
            let code = self.rest().get(..2).filter(|_| byte == b'#').and_then(hex_pair);
            self.at += if code.is_some() { 2 } else { 0 };
            name.push(code.unwrap_or(byte));
        }
        name
    }

    fn hexadecimal(&mut self) -> Vec<u8> {
        self.at += 1;
        let inside = self.rest().iter().take_while(|byte| **byte != b'>').count();
        let digits: Vec<u8> = self
            .rest()
            .get(..inside)
            .unwrap_or_default()
            .iter()
            .copied()
            .filter(u8::is_ascii_hexdigit)
            .collect();
        self.at += inside + 1;
        digits.chunks(2).filter_map(|pair| hex_pair(&[pair[0], *pair.get(1).unwrap_or(&b'0')])).collect()
    }

    fn literal(&mut self) -> Result<Vec<u8>, Bad> {
        self.at += 1;
        let (mut out, mut open) = (Vec::new(), 1_usize);
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'(' => open += 1,
                b')' if open == 1 => return Ok(out),
                b')' => open -= 1,
                b'\\' => {
                    self.escape(&mut out);
                    continue;
                }
                _ => {}
            }
            out.push(byte);
        }
        Err(Bad::Broken)
    }

    fn escape(&mut self, out: &mut Vec<u8>) {
        let octal = self.rest().iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
        if octal > 0 {
            let code =
                self.rest().iter().take(octal).fold(0_u32, |code, digit| code * 8 + u32::from(digit - b'0'));
            out.push(u8::try_from(code & 0xff).unwrap_or_default());
            self.at += octal;
            return;
        }
        let Some(byte) = self.peek() else { return };
        self.at += 1;
        match byte {
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'\r' => self.at += usize::from(self.peek() == Some(b'\n')),
            b'\n' => {}
            other => out.push(other),
        }
    }

    /// A number, or a reference: two numbers and an `R`.
    fn number(&mut self) -> Result<Object, Bad> {
        let first = self.digits();
        let text = std::str::from_utf8(first).map_err(|_| Bad::Broken)?;
        let Ok(whole) = text.parse::<i64>() else {
            return text.parse().map(Object::Real).map_err(|_| Bad::Broken);
        };
        let after = self.at;
        self.space();
        let second = std::str::from_utf8(self.digits()).ok().and_then(|text| text.parse::<u16>().ok());
        self.space();
        if let (Ok(id), Some(generation), true) = (u32::try_from(whole), second, self.is_reference()) {
            self.at += 1;
            return Ok(Object::Reference((id, generation)));
        }
        self.at = after;
        Ok(Object::Integer(whole))
    }

    fn digits(&mut self) -> &'a [u8] {
        let count = self
            .rest()
            .iter()
            .take(40)
            .take_while(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.'))
            .count();
        let digits = self.rest().get(..count).unwrap_or_default();
        self.at += count;
        digits
    }

    fn is_reference(&self) -> bool {
        self.peek() == Some(b'R') && self.rest().get(1).is_none_or(|byte| !is_regular(*byte))
    }
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 12 | b'\r' | b' ')
}

fn is_regular(byte: u8) -> bool {
    !is_space(byte) && !b"()<>[]{}/%".contains(&byte)
}

fn hex_pair(pair: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match pair {
        [high, low] => Some(digit(*high)? * 16 + digit(*low)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Object, Bad> {
        let mut budget = Budget { objects: 1_000, bytes: 10_000 };
        Cursor { bytes: text.as_bytes(), at: 0 }.object(&mut budget)
    }

    #[test]
    fn objects_of_each_kind() {
        for (text, object) in [
            ("12", Object::Integer(12)),
            (" % comment\n-3.5 ", Object::Real(-3.5)),
            ("7 0 R", Object::Reference((7, 0))),
            ("7 0 Rx", Object::Integer(7)),
            ("/A#20b", Object::Name(b"A b".to_vec())),
            ("(a(b)\\)\\101\\\n c)", Object::String(b"a(b))A c".to_vec(), StringFormat::Literal)),
            ("<4 1 4>", Object::String(b"A@".to_vec(), StringFormat::Hexadecimal)),
            (
                "[1 2 0 R null]",
                Object::Array(vec![Object::Integer(1), Object::Reference((2, 0)), Object::Null]),
            ),
            ("true", Object::Boolean(true)),
        ] {
            assert_eq!(read(text), Ok(object), "{text}");
        }
        let Ok(Object::Dictionary(found)) = read("<</A/B/C[1]/D<</E(x)>>>>") else { panic!("a dictionary") };
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn what_is_broken_nested_too_deep_or_too_much_is_none() {
        for text in ["", "[1", "<</A", "<<1 2>>", "(open", "endobj", "--", &"[".repeat(100_000)] {
            assert_eq!(read(text), Err(Bad::Broken), "{text:.9}");
        }
        assert_eq!(read(&format!("[{}]", "0 ".repeat(1_000))), Err(Bad::TooMuch));
        assert_eq!(read(&format!("({})", "a".repeat(10_000))), Err(Bad::TooMuch));
    }
}
