//! The life of a delivery: `pending` until the first failure, `retrying` between attempts, then `success` or `failed`.

use chrono::{DateTime, Utc};

use super::health::Ended;
use super::schedule::{self, Jitter};
use super::verdict::Verdict;

/// Where a delivery stands, by its public name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// No attempt has ended yet.
    Pending,
    /// An attempt failed, another one follows.
    Retrying,
    /// The receiver has it.
    Success,
    /// No attempt follows by itself.
    Failed,
}

impl Status {
    /// The public name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Retrying => "retrying",
            Self::Success => "success",
            Self::Failed => "failed",
        }
    }
}

/// A delivery after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct After {
    /// Where it stands now.
    pub(crate) status: Status,
    /// Automatic attempts that have failed.
    pub(crate) failed_attempts: u32,
    /// When it is due again; `None` once it has ended.
    pub(crate) due: Option<DateTime<Utc>>,
}

impl After {
    /// What its endpoint learns from it.
    pub(crate) const fn ended(&self, verdict: Verdict) -> Ended {
        match (verdict, self.status) {
            (Verdict::Gone, _) => Ended::Gone,
            (Verdict::Delivered, _) => Ended::Delivered,
            (Verdict::Failed { .. }, Status::Failed) => Ended::GivenUp,
            (Verdict::Failed { .. }, _) => Ended::ToBeRetried,
        }
    }
}

/// What becomes of a delivery whose attempt ended at `now`. `failed_before` counts the automatic attempts that had failed;
/// an endpoint that is no longer active gets no further attempt.
pub(crate) fn after(
    failed_before: u32,
    verdict: Verdict,
    active: bool,
    now: DateTime<Utc>,
    jitter: Jitter,
) -> After {
    let failed = failed_before.saturating_add(1);
    let given_up = After { status: Status::Failed, failed_attempts: failed, due: None };
    match verdict {
        Verdict::Delivered => After { status: Status::Success, failed_attempts: failed_before, due: None },
        Verdict::Gone => given_up,
        Verdict::Failed { .. } if !active => given_up,
        Verdict::Failed { retry_after } => match schedule::pause(failed, jitter, retry_after) {
            Some(pause) => {
                After { status: Status::Retrying, failed_attempts: failed, due: Some(now + pause) }
            }
            None => given_up,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-03-18T17:43:46Z".parse().unwrap()
    }

    #[test]
    fn a_delivery_that_never_succeeds_is_retried_three_times_and_then_fails() {
        let mut failed = 0;
        let mut pauses = Vec::new();
        let last = loop {
            let after = after(failed, Verdict::NO_ANSWER, true, now(), Jitter::NONE);
            failed = after.failed_attempts;
            match after.due {
                Some(due) => pauses.push((due - now()).num_minutes()),
                None => break after,
            }
        };
        assert_eq!((pauses, last.status, failed), (vec![1, 5, 30], Status::Failed, 4));
        assert_eq!(last.ended(Verdict::NO_ANSWER), Ended::GivenUp);
    }

    #[test]
    fn a_success_ends_it_whatever_failed_before() {
        let after = after(3, Verdict::Delivered, true, now(), Jitter::NONE);
        assert_eq!(after, After { status: Status::Success, failed_attempts: 3, due: None });
    }

    #[test]
    fn gone_and_a_disabled_endpoint_end_it_at_once() {
        assert_eq!(after(0, Verdict::Gone, true, now(), Jitter::NONE).status, Status::Failed);
        assert_eq!(after(0, Verdict::NO_ANSWER, false, now(), Jitter::NONE).status, Status::Failed);
    }
}
