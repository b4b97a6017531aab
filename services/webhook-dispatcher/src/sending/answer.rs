//! What came of an attempt, as the log keeps it.

use std::error::Error;

use contracts::webhooks::CallNowOutcome;

use crate::domain::call_now::Told;
use crate::domain::verdict::{self, Verdict};

/// How much of an answer the log keeps, in bytes.
const KEPT: usize = 4 * 1024;

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The status, if one came.
    pub(crate) http_status: Option<u16>,
    /// The beginning of the body, if one came.
    pub(crate) body: Option<String>,
    /// From the first try to connect to the last byte that was read.
    pub(crate) duration_ms: i64,
    /// What was wrong, for people.
    pub(crate) error: Option<String>,
    /// What follows from it.
    pub(crate) verdict: Verdict,
}

impl Answer {
    /// No usable answer, because of `problem`.
    pub(crate) fn none(problem: String) -> Self {
        Self {
            http_status: None,
            body: None,
            duration_ms: 0,
            error: Some(problem),
            verdict: Verdict::NO_ANSWER,
        }
    }

    /// An answer that was read as far as it is read.
    pub(crate) fn whole(status: u16, verdict: Verdict, body: &[u8]) -> Self {
        Self {
            http_status: Some(status),
            body: Some(kept(body)),
            duration_ms: 0,
            error: verdict::problem(status),
            verdict,
        }
    }

    /// What came of a request that was made while a phone call ran.
    pub(crate) fn told(told: &Told, duration_ms: i64) -> Self {
        let answered = told.outcome == CallNowOutcome::Answered;
        Self {
            http_status: told.status,
            body: Some(kept(told.body.as_bytes())).filter(|_| answered),
            duration_ms,
            error: told.problem.clone(),
            verdict: if answered { Verdict::Delivered } else { Verdict::NO_ANSWER },
        }
    }

    /// The receiver has taken it.
    pub(crate) fn is_success(&self) -> bool {
        self.verdict == Verdict::Delivered
    }
}

/// The beginning of a body as text that a table can hold: `PostgreSQL` has no place for NUL in a text.
fn kept(body: &[u8]) -> String {
    let start = body.get(..KEPT.min(body.len())).unwrap_or_default();
    let mut text = String::from_utf8_lossy(start).replace('\0', "\u{fffd}");
    text.truncate(text.floor_char_boundary(KEPT));
    text
}

/// The causes of an error from the outside in, without repetitions: the innermost one is what helps.
pub(crate) fn explain(error: &dyn Error) -> String {
    let mut parts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        source = cause.source();
    }
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_body_is_text_of_at_most_4_kib() {
        assert_eq!(kept(b"ok\0"), "ok\u{fffd}");
        assert_eq!(kept(&vec![b'a'; 70_000]).len(), 4096);
        let broken = kept(&vec![0xff; 70_000]);
        assert!(broken.len() <= 4096 && broken.chars().all(|c| c == '\u{fffd}'));
        assert_eq!(kept("é".repeat(3000).as_bytes()), "é".repeat(2048));
    }

    #[test]
    fn an_error_is_explained_down_to_its_cause_without_repetitions() {
        #[derive(Debug, thiserror::Error)]
        #[error("{0}")]
        struct Layer(&'static str, #[source] Option<Box<Layer>>);
        let inner = Layer("connection refused", None);
        let middle = Layer("connect: connection refused", Some(Box::new(inner)));
        let outer = Layer("cannot send", Some(Box::new(middle)));
        assert_eq!(explain(&outer), "cannot send: connect: connection refused");
    }
}
