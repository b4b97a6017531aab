//! What becomes of something that is tried for as long as it is of use: a mail, a notice of a ticket.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::schedule;

/// What came of a try to send something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    /// The other side has taken it.
    Taken,
    /// It will never take it.
    Refused(String),
    /// It may take it later.
    NotNow {
        /// Why not now.
        problem: String,
        /// How long it asks to be left alone.
        hint: Option<Duration>,
    },
}

impl Tried {
    /// It may be taken later, and nobody said when.
    pub(crate) const fn not_now(problem: String) -> Self {
        Self::NotNow { problem, hint: None }
    }

    /// How long the other side asks to be left alone.
    pub(crate) const fn hint(&self) -> Option<Duration> {
        match self {
            Self::NotNow { hint, .. } => *hint,
            Self::Taken | Self::Refused(_) => None,
        }
    }
}

/// Something after a try.
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

/// It waits.
pub(crate) const WAITING: &str = "waiting";
/// It was not sent in time.
pub(crate) const EXPIRED: &str = "expired";

impl After {
    /// As metrics name what came of the try.
    pub(crate) const fn label(&self) -> &'static str {
        if self.due.is_some() { "failed" } else { self.status }
    }
}

/// What becomes of something that was tried at `now`, had failed so often before, and is of no use after `send_before`.
pub(crate) fn after(failed: u32, tried: Tried, now: DateTime<Utc>, send_before: DateTime<Utc>) -> After {
    let failed_now = failed.saturating_add(1);
    match tried {
        Tried::Taken => After { status: "sent", failed, due: None, problem: None },
        Tried::Refused(problem) => {
            After { status: "refused", failed: failed_now, due: None, problem: Some(problem) }
        }
        Tried::NotNow { problem, hint } => {
            let due = now + schedule::pause_while_of_use(failed_now, hint);
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
    fn it_is_tried_after_1_5_and_30_minutes_and_then_every_half_hour_until_it_is_of_no_use() {
        let (mut failed, mut pauses, mut at) = (0, Vec::new(), now());
        let before = now() + chrono::TimeDelta::minutes(100);
        let last = loop {
            let after = after(failed, Tried::not_now("busy".to_owned()), at, before);
            failed = after.failed;
            let Some(due) = after.due else { break after };
            assert_eq!(after.label(), "failed");
            pauses.push((due - at).num_minutes());
            at = due;
        };
        assert_eq!((pauses, last.status, last.failed), (vec![1, 5, 30, 30, 30], EXPIRED, 6));
        assert_eq!(last.label(), EXPIRED);
    }

    #[test]
    fn who_asks_to_be_left_alone_is() {
        let before = now() + chrono::TimeDelta::days(1);
        let due = |seconds| {
            let hint = Some(Duration::from_secs(seconds));
            let after = after(0, Tried::NotNow { problem: String::new(), hint }, now(), before);
            (after.due.unwrap() - now()).num_seconds()
        };
        assert_eq!([30, 90, 1_000_000].map(due), [60, 90, 3600]);
    }

    #[test]
    fn what_was_taken_or_refused_is_not_tried_again() {
        let before = now() + chrono::TimeDelta::days(1);
        let taken = after(2, Tried::Taken, now(), before);
        assert_eq!((taken.status, taken.failed, taken.due), ("sent", 2, None));
        let refused = after(0, Tried::Refused("550 no such user".to_owned()), now(), before);
        assert_eq!((refused.status, refused.due), ("refused", None));
    }
}
