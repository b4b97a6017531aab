//! What a user signs up with.

use std::fmt;

use super::text::line;

/// Longest address that can be delivered to (RFC 5321, section 4.5.3.1.3).
const MAX_EMAIL: usize = 254;

/// An e-mail address, by its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Email(String);

impl Email {
    /// Accepts `name@host.tld`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = line(text, MAX_EMAIL)?;
        let good = text.split_once('@').is_some_and(|(local, domain)| is_local(local) && is_domain(domain));
        if good {
            Ok(Self(text))
        } else {
            Err("must be an e-mail address such as you@example.com".to_owned())
        }
    }

    /// What must be unique: the address without regard to case.
    pub(crate) fn key(&self) -> String {
        self.0.to_lowercase()
    }

    /// The address as it was given.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_local(local: &str) -> bool {
    !local.is_empty()
        && local.len() <= 64
        && !local.chars().any(|c| c.is_whitespace() || "()<>[],;:\\\"".contains(c))
}

fn is_domain(domain: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    domain.contains('.') && domain.split('.').all(label)
}

/// A password: 8 to 128 characters. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Password(String);

impl Password {
    /// Accepts a new password.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text.chars().count() {
            0..8 => Err("must have at least 8 characters".to_owned()),
            8..=128 if text.chars().any(char::is_control) => {
                Err("must not contain control characters".to_owned())
            }
            8..=128 => Ok(Self(text.to_owned())),
            _ => Err("must have at most 128 characters".to_owned()),
        }
    }

    /// The password, for hashing.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_at_and_a_domain_with_a_dot() {
        for good in ["you@yourcompany.com", "a.b+c@x-y.example.org", "ü@bücher.example"] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
        for bad in
            ["", "you", "you@", "@x.com", "a@b@c.com", "a b@c.com", "a@localhost", "a@-x.com", "a@x..com"]
        {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
        assert!(Email::parse(&format!("a@{}.com", "x.".repeat(130))).is_err());
    }

    #[test]
    fn addresses_that_differ_in_case_only_are_the_same() {
        assert_eq!(
            Email::parse("You@Example.com").unwrap().key(),
            Email::parse("you@example.COM").unwrap().key()
        );
    }

    #[test]
    fn a_password_has_eight_to_one_hundred_and_twenty_eight_characters_and_is_never_printed() {
        assert!(Password::parse("1234567").is_err());
        let password = Password::parse("pässwörd").unwrap();
        assert_eq!(format!("{password:?}"), "***");
        assert!(Password::parse(&"x".repeat(128)).is_ok());
        assert!(Password::parse(&"x".repeat(129)).is_err());
    }
}
