//! SIDs: Twilio's identifiers, two letters for the kind and 32 hexadecimal digits.
//!
//! A typed SID is safe in a URL path and cannot be mistaken for one of another kind.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not a SID of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} is {prefix} followed by 32 hexadecimal digits, this is {found}")]
pub struct SidError {
    kind: &'static str,
    prefix: &'static str,
    found: String,
}

impl SidError {
    fn new(kind: &'static str, prefix: &'static str, text: &str) -> Self {
        // A text that is no SID may be a secret pasted into the wrong field: show its shape only.
        let start: String = text.chars().take(2).collect();
        let found = if text.is_empty() {
            "empty".to_owned()
        } else {
            format!("{} characters long and begins with {start:?}", text.chars().count())
        };
        Self { kind, prefix, found }
    }
}

fn is_sid(prefix: &str, text: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|digits| digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn random_text(prefix: &str) -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{prefix}{}", hex::encode(bytes)))
}

macro_rules! sid {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The 34 characters as they came.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// A new one from the operating system's random source, lower case.
            ///
            /// # Errors
            ///
            /// The random source cannot be read.
            pub fn random() -> Result<Self, getrandom::Error> {
                random_text($prefix).map(Self)
            }
        }

        impl FromStr for $name {
            type Err = SidError;

            fn from_str(text: &str) -> Result<Self, SidError> {
                Self::try_from(text.to_owned())
            }
        }

        impl TryFrom<String> for $name {
            type Error = SidError;

            fn try_from(text: String) -> Result<Self, SidError> {
                if is_sid($prefix, &text) { Ok(Self(text)) } else { Err(SidError::new($kind, $prefix, &text)) }
            }
        }

        impl From<$name> for String {
            fn from(sid: $name) -> String {
                sid.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

sid!(
    /// An account or subaccount: `AC…`.
    AccountSid,
    "AC",
    "an account SID"
);
sid!(
    /// One leg of a call: `CA…`.
    CallSid,
    "CA",
    "a call SID"
);
sid!(
    /// A phone number that an account owns: `PN…`.
    PhoneNumberSid,
    "PN",
    "a phone number SID"
);
sid!(
    /// A recording: `RE…`.
    RecordingSid,
    "RE",
    "a recording SID"
);

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "0123456789abcdefABCDEF0123456789";

    #[test]
    fn a_sid_is_its_letters_and_32_hexadecimal_digits() {
        let text = format!("CA{DIGITS}");
        let sid: CallSid = text.parse().unwrap();
        assert_eq!(sid.to_string(), text);
        assert_eq!(sid.as_str(), text);
    }

    #[test]
    fn anything_else_is_refused() {
        let short = format!("CA{}", &DIGITS[1..]);
        let long = format!("CA{DIGITS}0");
        let other_kind = format!("AC{DIGITS}");
        let lower = format!("ca{DIGITS}");
        let not_hex = format!("CA{}g", &DIGITS[1..]);
        let path = format!("CA{}/", &DIGITS[1..]);
        for text in ["", "CA", &short, &long, &other_kind, &lower, &not_hex, &path, &format!("CA{DIGITS}\n")]
        {
            assert!(text.parse::<CallSid>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn the_refusal_does_not_repeat_the_text() {
        let error = "my-secret-token".parse::<AccountSid>().unwrap_err().to_string();
        assert_eq!(
            error,
            "an account SID is AC followed by 32 hexadecimal digits, this is 15 characters long and begins with \"my\""
        );
    }

    #[test]
    fn random_sids_are_valid_and_differ() {
        let a = PhoneNumberSid::random().unwrap();
        let b = PhoneNumberSid::random().unwrap();
        assert!(a.as_str().parse::<PhoneNumberSid>().is_ok());
        assert_ne!(a, b);
    }

    #[test]
    fn json_carries_the_text_and_is_checked_on_the_way_in() {
        let sid: AccountSid = format!("AC{DIGITS}").parse().unwrap();
        let json = serde_json::to_string(&sid).unwrap();
        assert_eq!(json, format!("\"AC{DIGITS}\""));
        assert_eq!(serde_json::from_str::<AccountSid>(&json).unwrap(), sid);
        assert!(serde_json::from_str::<AccountSid>("\"AC1\"").is_err());
    }
}
