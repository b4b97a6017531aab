//! The twelve keys that a caller can press.

use std::fmt;

/// A key of a telephone: `0` to `9`, `*` or `#`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DtmfKey(char);

impl DtmfKey {
    /// `#`, the usual end of an input.
    pub const HASH: Self = Self('#');
    /// `*`.
    pub const STAR: Self = Self('*');

    /// The key of this character; `None` for one that no telephone has.
    #[must_use]
    pub fn new(key: char) -> Option<Self> {
        (key.is_ascii_digit() || matches!(key, '*' | '#')).then_some(Self(key))
    }

    /// Its character.
    #[must_use]
    pub fn as_char(self) -> char {
        self.0
    }
}

impl fmt::Display for DtmfKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
