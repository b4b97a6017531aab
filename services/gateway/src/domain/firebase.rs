//! What an ID token of Firebase must say to be believed. Its signature is looked at elsewhere, before any of this.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::person::Email;

/// What stands before the project's id in the name of whoever makes ID tokens.
const ISSUER: &str = "https://securetoken.google.com/";
/// Longest id of a user at Firebase.
const MAX_SUBJECT: usize = 128;
/// By so much clocks may differ.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Claims {
    iss: String,
    aud: String,
    sub: String,
    exp: i64,
    iat: i64,
    auth_time: i64,
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
}

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It cannot be read, lacks what an ID token has, is signed in another way, or by nobody that is known.
    Forged,
    /// It was made for another project.
    Project,
    /// It names no user.
    Subject,
    /// Its time is over.
    RunOut,
    /// It was made, or its user has signed in, in the future.
    NotYet,
    /// It names nobody whom we know, or an address that nobody has verified. Which of them is not said.
    Stranger,
}

impl Refused {
    /// What whoever sent it is told.
    pub(crate) const fn told(self) -> &'static str {
        match self {
            Self::Forged => "The Firebase ID token is not valid: it is no ID token that Firebase has signed",
            Self::Project => "The Firebase ID token is not valid: it was made for another Firebase project",
            Self::Subject => "The Firebase ID token is not valid: it names no user",
            Self::RunOut => "The Firebase ID token has run out",
            Self::NotYet => "The Firebase ID token is not valid yet: it was made in the future",
            Self::Stranger => {
                "The Firebase ID token opens nothing here: its e-mail address must be verified, and a member's of a business"
            }
        }
    }
}

/// Whether somebody who is named so says to be Firebase.
pub(crate) fn is_issuer(name: &str) -> bool {
    name.starts_with(ISSUER)
}

/// Whether this is the id of a Firebase project, by its form.
pub(crate) fn is_project(id: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    !id.is_empty() && id.len() <= MAX_SUBJECT && id.chars().all(good)
}

impl Claims {
    /// Whether they are those of an ID token of this project that is good now.
    ///
    /// # Errors
    /// Why they are not.
    pub(crate) fn check(&self, project: &str, now: DateTime<Utc>) -> Result<(), Refused> {
        let (earliest, latest) = ((now - LEEWAY).timestamp(), (now + LEEWAY).timestamp());
        if self.aud != project || self.iss.strip_prefix(ISSUER) != Some(project) {
            Err(Refused::Project)
        } else if self.sub.is_empty() || self.sub.chars().count() > MAX_SUBJECT {
            Err(Refused::Subject)
        } else if self.exp <= earliest {
            Err(Refused::RunOut)
        } else if self.iat > latest || self.auth_time > latest {
            Err(Refused::NotYet)
        } else {
            Ok(())
        }
    }

    /// The address that Firebase has seen its user read mail at.
    pub(crate) fn verified_address(&self) -> Option<Email> {
        let address = self.email.as_deref().filter(|_| self.email_verified)?;
        Email::parse(address).ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn with(field: &str, value: Value) -> Claims {
        let mut claims = json!({
            "iss": "https://securetoken.google.com/my-project", "aud": "my-project", "sub": "u1",
            "exp": NOW + 3600, "iat": NOW, "auth_time": NOW - 600,
            "email": "Jane@acme.example", "email_verified": true,
            "firebase": {"identities": {}, "sign_in_provider": "password"}
        });
        claims[field] = value;
        serde_json::from_value(claims).unwrap()
    }

    fn check(field: &str, value: Value) -> Result<(), Refused> {
        with(field, value).check("my-project", DateTime::from_timestamp(NOW, 0).unwrap())
    }

    #[test]
    fn each_claim_is_looked_at() {
        for (field, value, expected) in [
            ("sub", json!("u".repeat(128)), Ok(())),
            ("sub", json!("u".repeat(129)), Err(Refused::Subject)),
            ("sub", json!(""), Err(Refused::Subject)),
            ("aud", json!("other"), Err(Refused::Project)),
            ("aud", json!(""), Err(Refused::Project)),
            ("iss", json!("https://securetoken.google.com/other"), Err(Refused::Project)),
            ("iss", json!("https://securetoken.google.com/my-project/"), Err(Refused::Project)),
            ("iss", json!("my-project"), Err(Refused::Project)),
            ("exp", json!(NOW - 59), Ok(())),
            ("exp", json!(NOW - 60), Err(Refused::RunOut)),
            ("exp", json!(i64::MIN), Err(Refused::RunOut)),
            ("iat", json!(NOW + 60), Ok(())),
            ("iat", json!(NOW + 61), Err(Refused::NotYet)),
            ("auth_time", json!(NOW + 60), Ok(())),
            ("auth_time", json!(i64::MAX), Err(Refused::NotYet)),
        ] {
            assert_eq!(check(field, value.clone()), expected, "{field} {value}");
        }
    }

    #[test]
    fn an_address_counts_once_it_is_verified() {
        assert_eq!(with("sub", json!("u")).verified_address().unwrap().key(), "jane@acme.example");
        assert_eq!(with("email_verified", json!(false)).verified_address(), None);
        assert_eq!(with("email", json!(null)).verified_address(), None);
        assert_eq!(with("email", json!("jane")).verified_address(), None);
    }

    #[test]
    fn a_project_is_named_in_one_word() {
        assert!(is_project("my-project-1") && is_project("example.com:my-project"));
        assert!(!is_project("") && !is_project("my project") && !is_project("a/b"));
    }
}
