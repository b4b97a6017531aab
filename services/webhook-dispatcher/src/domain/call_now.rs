//! One request into a user's system while a phone call runs: what may be asked, and how it can go.

use std::time::Duration;

use contracts::webhooks::CallNowOutcome;
use serde_json::value::RawValue;

/// Longest deadline: a person waits on the phone.
const LONGEST: Duration = Duration::from_secs(10);
/// Largest body, in bytes.
const LARGEST: usize = 256 * 1024;
/// How much of an answer can be used, in bytes.
pub(crate) const READ: usize = 16 * 1024;

/// A request that cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadCall {
    /// No time, or too much.
    #[error("must be from 1 to {} milliseconds", LONGEST.as_millis())]
    Deadline,
    /// No JSON object.
    #[error("must be the text of a JSON object of at most {LARGEST} bytes")]
    Body,
}

/// Reads a deadline in milliseconds.
pub(crate) fn deadline(millis: u32) -> Result<Duration, BadCall> {
    let deadline = Duration::from_millis(millis.into());
    if deadline.is_zero() || deadline > LONGEST { Err(BadCall::Deadline) } else { Ok(deadline) }
}

/// Checks a body.
pub(crate) fn body(text: &str) -> Result<&str, BadCall> {
    let object = serde_json::from_str::<&RawValue>(text).is_ok_and(|raw| raw.get().starts_with('{'));
    if object && text.len() <= LARGEST { Ok(text) } else { Err(BadCall::Body) }
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// How it went.
    pub(crate) outcome: CallNowOutcome,
    /// The status, if one came.
    pub(crate) status: Option<u16>,
    /// The body of a 2xx.
    pub(crate) body: String,
    /// What was wrong, for people.
    pub(crate) problem: Option<String>,
}

impl Told {
    /// A 2xx with its whole body.
    pub(crate) fn answered(status: u16, body: Vec<u8>) -> Self {
        match String::from_utf8(body) {
            Ok(body) => Self { outcome: CallNowOutcome::Answered, status: Some(status), body, problem: None },
            Err(_) => Self::unreadable(status, "the answer is not UTF-8".to_owned()),
        }
    }

    /// Another status.
    pub(crate) fn refused(status: u16) -> Self {
        let problem = format!("answered {status}; any status from 200 to 299 counts as an answer");
        Self::failed(CallNowOutcome::Refused, Some(status), problem)
    }

    /// An answer that cannot be used.
    pub(crate) fn unreadable(status: u16, problem: String) -> Self {
        Self::failed(CallNowOutcome::Unreadable, Some(status), problem)
    }

    /// A 2xx with more than is read.
    pub(crate) fn too_large(status: u16) -> Self {
        Self::unreadable(status, format!("the answer is larger than {READ} bytes"))
    }

    /// Nobody could be asked.
    pub(crate) fn unreachable(problem: String) -> Self {
        Self::failed(CallNowOutcome::Unreachable, None, problem)
    }

    /// No answer came over a connection that was there.
    pub(crate) fn lost(problem: String) -> Self {
        Self::failed(CallNowOutcome::TimedOut, None, problem)
    }

    /// The deadline passed, after the status had come or before.
    pub(crate) fn late(status: Option<u16>, deadline: Duration) -> Self {
        let millis = deadline.as_millis();
        let problem = match status {
            Some(_) => format!("the answer was not complete within {millis} ms"),
            None => format!("no answer within {millis} ms"),
        };
        Self::failed(CallNowOutcome::TimedOut, status, problem)
    }

    fn failed(outcome: CallNowOutcome, status: Option<u16>, problem: String) -> Self {
        Self { outcome, status, body: String::new(), problem: Some(problem) }
    }

    /// As metrics name it.
    pub(crate) const fn label(&self) -> &'static str {
        match self.outcome {
            CallNowOutcome::Answered => "answered",
            CallNowOutcome::Refused => "refused",
            CallNowOutcome::TimedOut => "timed_out",
            CallNowOutcome::Unreadable => "unreadable",
            CallNowOutcome::Unreachable | CallNowOutcome::Unspecified => "unreachable",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_between_nothing_and_ten_seconds() {
        assert_eq!((deadline(0), deadline(10_001)), (Err(BadCall::Deadline), Err(BadCall::Deadline)));
        assert_eq!(deadline(10_000), Ok(Duration::from_secs(10)));
    }

    #[test]
    fn a_body_is_a_json_object() {
        assert_eq!(body(r#"{"a": 1}"#), Ok(r#"{"a": 1}"#));
        for text in ["", "[]", "{", "7", &format!("{{\"a\":\"{}\"}}", "a".repeat(LARGEST))] {
            assert_eq!(body(text), Err(BadCall::Body));
        }
    }

    #[test]
    fn an_answer_that_is_no_text_cannot_be_used() {
        let told = Told::answered(200, vec![0xff]);
        assert_eq!((told.outcome, told.status), (CallNowOutcome::Unreadable, Some(200)));
        assert_eq!(Told::answered(201, b"{}".to_vec()).body, "{}");
    }
}
