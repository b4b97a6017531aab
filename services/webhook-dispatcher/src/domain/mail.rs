//! Mail to one person: what it may look like, and when it is tried again.

use std::time::Duration;

use chrono::{DateTime, Utc};
use lettre::Address;
use serde::{Deserialize, Serialize};

/// Longest subject, in characters.
const LONGEST_SUBJECT: usize = 200;
/// Largest text, in bytes.
const LARGEST_TEXT: usize = 64 * 1024;
/// Pauses after the first, second and every further failure.
const PAUSES: [Duration; 3] =
    [Duration::from_secs(60), Duration::from_secs(5 * 60), Duration::from_secs(30 * 60)];

/// What a mail says to whom. Prints as `***`: it may hold a link that is good for one person only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mail {
    to: String,
    subject: String,
    text: String,
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
        Ok(Self { to: to.to_owned(), subject: subject.to_owned(), text: text.to_owned() })
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

/// What came of a try to send a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    /// The mail server has taken it.
    Taken,
    /// It will never take it.
    Refused(String),
    /// It may take it later.
    NotNow(String),
}

/// A mail after a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct After {
    /// As the table names it.
    pub(crate) status: &'static str,
    /// Tries that have failed.
    pub(crate) failed: u32,
    /// The next one; `None` once it has ended.
    pub(crate) due: Option<DateTime<Utc>>,
    /// Why it failed.
    pub(crate) problem: Option<String>,
}

/// A mail that waits.
pub(crate) const WAITING: &str = "waiting";
/// A mail that was not sent in time.
pub(crate) const EXPIRED: &str = "expired";

/// What becomes of a mail that was tried at `now` and is of no use after `send_before`.
pub(crate) fn after(failed: u32, tried: Tried, now: DateTime<Utc>, send_before: DateTime<Utc>) -> After {
    let failed_now = failed.saturating_add(1);
    match tried {
        Tried::Taken => After { status: "sent", failed, due: None, problem: None },
        Tried::Refused(problem) => {
            After { status: "refused", failed: failed_now, due: None, problem: Some(problem) }
        }
        Tried::NotNow(problem) => {
            let at = usize::try_from(failed).unwrap_or(usize::MAX).min(PAUSES.len() - 1);
            let due = now + PAUSES.get(at).copied().unwrap_or_default();
            let due = (due < send_before).then_some(due);
            let status = if due.is_some() { WAITING } else { EXPIRED };
            After { status, failed: failed_now, due, problem: Some(problem) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-03-18T17:43:46Z".parse().unwrap()
    }

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
    fn it_is_tried_after_1_5_and_30_minutes_and_then_every_half_hour_until_it_is_of_no_use() {
        let (mut failed, mut pauses, mut at) = (0, Vec::new(), now());
        let before = now() + chrono::TimeDelta::minutes(100);
        let last = loop {
            let after = after(failed, Tried::NotNow("busy".to_owned()), at, before);
            failed = after.failed;
            let Some(due) = after.due else { break after };
            pauses.push((due - at).num_minutes());
            at = due;
        };
        assert_eq!((pauses, last.status, last.failed), (vec![1, 5, 30, 30, 30], EXPIRED, 6));
    }

    #[test]
    fn what_was_taken_or_refused_is_not_tried_again() {
        let before = now() + chrono::TimeDelta::days(1);
        let taken = after(2, Tried::Taken, now(), before);
        assert_eq!((taken.status, taken.failed, taken.due), ("sent", 2, None));
        let refused = after(0, Tried::Refused("550 no such user".to_owned()), now(), before);
        assert_eq!((refused.status, refused.due), ("refused", None));
    }

    #[test]
    fn a_mail_is_not_printed() {
        assert_eq!(format!("{:?}", Mail::new("a@x.com", "s", "t").unwrap()), "***");
    }
}
