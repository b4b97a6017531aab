//! The reader: as tolerant as Twilio, and as talkative.
//!
//! What is not XML or has another root is an error, and the call is lost. Everything else is a warning: the part that
//! cannot be understood is left out and the rest runs.

mod attributes;
mod gather;
mod tree;
mod verbs;

use super::{MAX_DOCUMENT_BYTES, Response};

/// A document that could be read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// What runs.
    pub response: Response,
    /// What Twilio's debugger would say, in the order of the document.
    pub warnings: Vec<Warning>,
    /// Names of verbs that Twilio knows and this model does not (`Start`, `Enqueue`, …), in order; they are left out.
    pub ignored: Vec<String>,
}

/// Something in a document that Twilio complains about and goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Twilio's code, such as 12200 for an unknown verb.
    pub code: u32,
    /// What is wrong, for a person.
    pub message: String,
}

/// A document that cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("TwiML error {code}: {message}")]
pub struct ReadError {
    /// Twilio's code: 12100 not a TwiML document, 11750 too large.
    pub code: u32,
    /// What is wrong, for a person.
    pub message: String,
}

impl ReadError {
    fn malformed(message: impl Into<String>) -> Self {
        Self { code: 12100, message: message.into() }
    }
}

/// Reads a document as it came over HTTP.
///
/// # Errors
///
/// 11750 for more than 64 kB; 12100 for anything that is not UTF-8 and well-formed XML 1.0 with `<Response>` as its
/// root, and when something stands before the XML declaration.
pub fn read(body: &[u8]) -> Result<Document, ReadError> {
    if body.len() > MAX_DOCUMENT_BYTES {
        let message =
            format!("the document has {} bytes, at most {MAX_DOCUMENT_BYTES} are allowed", body.len());
        return Err(ReadError { code: 11750, message });
    }
    let text = std::str::from_utf8(body).map_err(|error| {
        ReadError::malformed(format!("the document is not UTF-8: byte {} is wrong", error.valid_up_to()))
    })?;
    let root = tree::parse(text)?;
    if root.name != "Response" {
        let message = format!("the root element is <{}>, it must be <Response>", root.name);
        return Err(ReadError::malformed(message));
    }
    Ok(verbs::document(root))
}

#[cfg(test)]
mod tests;
