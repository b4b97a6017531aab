//! What stands in a mailed link: 32 random bytes, good once. Only the hash is kept.

use common::crypto::{random, sha256_hex};

const BYTES: usize = 32;

/// A one-time token in the clear: while it is made and handed out, or while it is looked up. Never printed.
#[derive(Clone)]
pub(crate) struct OneTime(String);

impl OneTime {
    /// A new one.
    ///
    /// # Errors
    /// When the operating system has no random numbers.
    pub(crate) fn generate() -> Result<Self, String> {
        let bytes = random::<BYTES>().map_err(|e| format!("no random numbers: {e}"))?;
        Ok(Self(hex::encode(bytes)))
    }

    /// A text that somebody sends as one. One of another form is nobody's, and so is its hash.
    pub(crate) fn sent(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// What it is looked up by.
    pub(crate) fn hash(&self) -> String {
        sha256_hex(self.0.as_bytes())
    }

    /// The token, for the one link that it stands in.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_its_hash_and_every_one_is_another() {
        let (one, two) = (OneTime::generate().unwrap(), OneTime::generate().unwrap());
        assert_eq!(one.reveal().len(), 64);
        assert_eq!(OneTime::sent(one.reveal()).hash(), one.hash());
        assert_ne!(one.hash(), two.hash());
    }
}
