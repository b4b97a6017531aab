//! The HTTP method that a callback URL is requested with: Twilio knows two.

use std::fmt;

/// `GET` or `POST`, as in TwiML's `method` and REST's `Method`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HttpMethod {
    /// Parameters are appended to the query.
    Get,
    /// Parameters are a form body: Twilio's default almost everywhere.
    Post,
}

impl HttpMethod {
    /// The word on the wire, upper case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }

    /// Reads the word in any case; `None` for every other method.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word.trim() {
            w if w.eq_ignore_ascii_case("GET") => Some(Self::Get),
            w if w.eq_ignore_ascii_case("POST") => Some(Self::Post),
            _ => None,
        }
    }
}

impl fmt::Display for HttpMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
