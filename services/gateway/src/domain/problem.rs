//! What is wrong with one field of what a caller sent.

use serde::Serialize;

/// Longest field name that is repeated to the caller.
const SHOWN: usize = 200;

/// One field and what is wrong with it; stands in `details` of a 400.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    /// The field; a place inside it follows behind slashes (RFC 6901): `output_schema/properties/age/type`.
    pub(crate) field: String,
    /// What is wrong with it and what would be right.
    pub(crate) problem: String,
}

impl Problem {
    /// `field` is wrong because of `problem`.
    pub(crate) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        let mut field = field.into();
        if let Some((end, _)) = field.char_indices().nth(SHOWN) {
            field.truncate(end);
        }
        Self { field, problem: problem.into() }
    }

    /// The same, seen from the object that has the value as `parent`. Places start with a slash or are empty.
    pub(crate) fn inside(self, parent: &str) -> Self {
        Self::new(format!("{parent}{}", self.field), self.problem)
    }
}

/// A name as one step of a place (RFC 6901, section 3).
pub(crate) fn step(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}
