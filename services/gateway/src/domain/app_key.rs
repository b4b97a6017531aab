//! Keys of an app: `echo_` and 32 letters and digits. Their length tells them from those of a project. Only the hash is kept.

use common::crypto::{random, sha256_hex};

const PREFIX: &str = "echo_";
const LENGTH: usize = 32;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Bytes from here on are not used: there would be more of some characters than of others.
const FAIR: u8 = 248;
/// Most keys of an app.
pub(crate) const MOST: i64 = 50;
/// Characters that are kept for display.
const SHOWN: usize = 16;

/// A key in the clear: while it is made and shown once, or while it is looked up. Never printed.
#[derive(Clone)]
pub(crate) struct AppKey(String);

impl AppKey {
    /// A new key: about 190 random bits.
    ///
    /// # Errors
    /// When the operating system has no random numbers.
    pub(crate) fn generate() -> Result<Self, String> {
        let mut key = PREFIX.to_owned();
        while key.len() < PREFIX.len() + LENGTH {
            let bytes = random::<32>().map_err(|e| format!("no random numbers: {e}"))?;
            let fair = bytes.into_iter().filter(|byte| *byte < FAIR);
            let letters = fair.filter_map(|byte| ALPHABET.get(usize::from(byte) % ALPHABET.len()));
            let missing = PREFIX.len() + LENGTH - key.len();
            key.extend(letters.take(missing).map(|letter| char::from(*letter)));
        }
        Ok(Self(key))
    }

    /// A text that has the form of a key.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?;
        let good = rest.len() == LENGTH && rest.bytes().all(|b| b.is_ascii_alphanumeric());
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
    use crate::domain::api_key::ApiKey;

    #[test]
    fn a_new_key_has_the_documented_form_and_is_none_of_a_project() {
        let keys: Vec<AppKey> = (0..100).map(|_| AppKey::generate().unwrap()).collect();
        for key in &keys {
            assert_eq!((key.reveal().len(), key.prefix().len(), key.hash().len()), (37, 16, 64));
            assert!(AppKey::parse(key.reveal()).is_some() && ApiKey::parse(key.reveal()).is_none());
        }
        let different: std::collections::HashSet<&str> = keys.iter().map(AppKey::reveal).collect();
        assert_eq!(different.len(), keys.len());
        assert!(AppKey::parse(ApiKey::generate().unwrap().reveal()).is_none());
    }

    #[test]
    fn another_form_is_no_key() {
        let manual = "echo_your32charalphanumerickey0123";
        for text in ["", "echo_", manual, &format!("echo_{}", "-".repeat(32)), &"a".repeat(37)] {
            assert!(AppKey::parse(text).is_none(), "{text}");
        }
    }
}
