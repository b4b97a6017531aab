//! Mail to one person: what it may look like. When it is tried again: [`super::trying`].

use lettre::Address;
use serde::{Deserialize, Serialize};

/// Longest subject, in characters.
pub(super) const LONGEST_SUBJECT: usize = 200;
/// Largest text, in bytes: that of a ticket with all that was said before it.
pub(super) const LARGEST_TEXT: usize = 128 * 1024;

/// What a mail says to whom. Prints as `***`: it may hold a link that is good for one person only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mail {
    to: String,
    subject: String,
    text: String,
    /// Whom an answer reaches, if not whoever sends it.
    #[serde(default)]
    reply_to: Option<String>,
}

/// A field that cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadMail {
    /// No address.
    #[error("must be one e-mail address such as ada@example.com")]
    To,
    /// More than a line, or nothing.
    #[error("must be one line of 1 to {LONGEST_SUBJECT} characters")]
    Subject,
    /// Nothing, or too much.
    #[error("must be text of 1 to {LARGEST_TEXT} bytes")]
    Text,
    /// Too late already.
    #[error("must be later than now")]
    SendBefore,
}

impl BadMail {
    /// The field.
    pub(crate) const fn field(self) -> &'static str {
        match self {
            Self::To => "to",
            Self::Subject => "subject",
            Self::Text => "text",
            Self::SendBefore => "send_before_ms",
        }
    }
}

impl Mail {
    /// Checks a mail. What could end a line of the header and begin another one is refused.
    pub(crate) fn new(to: &str, subject: &str, text: &str) -> Result<Self, BadMail> {
        to.parse::<Address>().map_err(|_| BadMail::To)?;
        let line = !subject.trim().is_empty() && !subject.chars().any(char::is_control);
        if !line || subject.chars().count() > LONGEST_SUBJECT {
            return Err(BadMail::Subject);
        }
        if text.is_empty() || text.len() > LARGEST_TEXT || text.contains('\0') {
            return Err(BadMail::Text);
        }
        Ok(Self { to: to.to_owned(), subject: subject.to_owned(), text: text.to_owned(), reply_to: None })
    }

    /// The same mail, whose answers reach this address. Only one that every mail server can write down is: any other is left out.
    pub(crate) fn answered_by(self, address: &str) -> Self {
        let usable = address.is_ascii() && address.parse::<Address>().is_ok();
        Self { reply_to: usable.then(|| address.to_owned()), ..self }
    }

    /// Whom an answer reaches, if not whoever sends it.
    pub(crate) fn reply_to(&self) -> Option<Address> {
        self.reply_to.as_deref()?.parse().ok()
    }

    /// To whom.
    pub(crate) fn to(&self) -> Result<Address, BadMail> {
        self.to.parse().map_err(|_| BadMail::To)
    }

    /// One line.
    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    /// What it says.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_into_the_header_that_was_not_meant_to() {
        assert!(Mail::new("ada@example.com", "You are invited ✉", "Hello\n").is_ok());
        for to in ["", "ada", "ada@example.com\r\nBcc: eve@example.com", "a@x.com, b@x.com", "Ada <a@x.com>"]
        {
            assert_eq!(Mail::new(to, "s", "t"), Err(BadMail::To), "{to}");
        }
        for subject in ["", " ", "a\r\nBcc: eve@example.com", "a\nb", "a\0b", &"a".repeat(201)] {
            assert_eq!(Mail::new("a@x.com", subject, "t"), Err(BadMail::Subject), "{subject}");
        }
        for text in ["", "a\0", &"a".repeat(LARGEST_TEXT + 1)] {
            assert_eq!(Mail::new("a@x.com", "s", text), Err(BadMail::Text));
        }
    }

    #[test]
    fn answers_reach_one_plain_address_or_nobody_else() {
        let reply_to = |address: &str| {
            let mail = Mail::new("a@x.com", "s", "t").unwrap().answered_by(address);
            mail.reply_to().map(|address| address.to_string())
        };
        assert_eq!(reply_to("ada@example.com").as_deref(), Some("ada@example.com"));
        for bad in ["", "ada", "ada@x.com\r\nBcc: eve@x.com", "a@x.com, b@x.com", "Ada <a@x.com>", "ä@x.com"]
        {
            assert_eq!(reply_to(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_mail_is_not_printed() {
        assert_eq!(format!("{:?}", Mail::new("a@x.com", "s", "t").unwrap()), "***");
    }
}
