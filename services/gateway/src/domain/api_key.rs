//! Keys of a project: `echo_` and 64 lower-case hex digits. Only the hash is kept.

use common::crypto::{random, sha256_hex};

const PREFIX: &str = "echo_";
const DIGITS: usize = 64;
/// Most keys of a project that are in use.
pub(crate) const MOST_ACTIVE: i64 = 50;
/// Characters that are kept for display.
const SHOWN: usize = 16;

/// A key in the clear: while it is made and shown once, or while it is looked up. Never printed.
#[derive(Clone)]
pub(crate) struct ApiKey(String);

impl ApiKey {
    /// A new key from 32 random bytes.
    ///
    /// # Errors
    /// When the operating system has no random numbers.
    pub(crate) fn generate() -> Result<Self, String> {
        let bytes = random::<32>().map_err(|e| format!("no random numbers: {e}"))?;
        Ok(Self(format!("{PREFIX}{}", hex::encode(bytes))))
    }

    /// A text that has the form of a key.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        let good = digits.len() == DIGITS && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        good.then(|| Self(text.to_owned()))
    }

    /// What it is looked up by.
    pub(crate) fn hash(&self) -> String {
        sha256_hex(self.0.as_bytes())
    }

    /// What is kept for display.
    pub(crate) fn prefix(&self) -> String {
        self.0.chars().take(SHOWN).collect()
    }

    /// The key, for the one answer that shows it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_has_the_documented_form() {
        let key = ApiKey::generate().unwrap();
        assert!(ApiKey::parse(key.reveal()).is_some());
        assert_eq!(key.reveal().len(), 69);
        assert_eq!(key.prefix().len(), 16);
        assert!(key.reveal().starts_with(&key.prefix()));
        assert_eq!(key.hash().len(), 64);
    }

    #[test]
    fn another_form_is_no_key() {
        for text in ["", "echo_", "echo_abc", &format!("echo_{}", "A".repeat(64)), &"a".repeat(69)] {
            assert!(ApiKey::parse(text).is_none(), "{text}");
        }
    }
}
