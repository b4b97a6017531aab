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
    /// All there are.
    pub(crate) const ALL: [Self; 4] = [Self::Pending, Self::Retrying, Self::Success, Self::Failed];

    /// The status with this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

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

/// Who wanted an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// The schedule.
    Auto,
    /// A person, between two attempts of the schedule or after its end.
    Manual {
        /// When the schedule goes on, if it does.
        resume: Option<DateTime<Utc>>,
    },
}

impl Trigger {
    /// The public name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Manual { .. } => "manual",
        }
    }
}

/// A delivery before an attempt of it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Before {
    /// Automatic attempts that had failed.
    pub(crate) failed: u32,
    /// Who wanted the attempt.
    pub(crate) trigger: Trigger,
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
    pub(crate) const fn ended(&self, verdict: Verdict, trigger: Trigger) -> Ended {
        match (verdict, trigger, self.status) {
            (Verdict::Gone, ..) => Ended::Gone,
            (Verdict::Delivered, ..) => Ended::Delivered,
            (Verdict::Failed { .. }, Trigger::Manual { .. }, _) => Ended::AskedFor,
            (Verdict::Failed { .. }, Trigger::Auto, Status::Failed) => Ended::GivenUp,
            (Verdict::Failed { .. }, Trigger::Auto, _) => Ended::ToBeRetried,
        }
    }
}

/// What becomes of a delivery whose attempt ended at `now`. An endpoint that is no longer active gets no further attempt. An
/// attempt that a person asked for has no place in the schedule: that goes on as if there had been none.
pub(crate) fn after(
    before: Before,
    verdict: Verdict,
    active: bool,
    now: DateTime<Utc>,
    jitter: Jitter,
) -> After {
    let failed = match before.trigger {
        Trigger::Auto => before.failed.saturating_add(1),
        Trigger::Manual { .. } => before.failed,
    };
    let given_up = After { status: Status::Failed, failed_attempts: failed, due: None };
    let next = match (verdict, before.trigger) {
        (Verdict::Delivered, _) => {
            return After { status: Status::Success, failed_attempts: before.failed, due: None };
        }
        (Verdict::Gone, _) => None,
        (Verdict::Failed { .. }, _) if !active => None,
        (Verdict::Failed { .. }, Trigger::Manual { resume }) => resume.map(|at| at.max(now)),
        (Verdict::Failed { retry_after }, Trigger::Auto) => {
            schedule::pause(failed, jitter, retry_after).map(|pause| now + pause)
        }
    };
    match next {
        Some(due) => After { status: Status::Retrying, failed_attempts: failed, due: Some(due) },
        None => given_up,
    }
}

/// Why a person cannot have another attempt now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoRetry {
    /// It would go nowhere.
    #[error("the webhook endpoint is disabled; switch it on first (PATCH with status \"active\")")]
    Disabled,
    /// There is one already.
    #[error("an attempt is being made or about to be; look again when it has ended")]
    InProgress,
    /// There is nothing left to send.
    #[error("its customer was erased, and its content with them")]
    Erased,
    /// A bot acted for somebody who was on the line then.
    #[error("it was asked for in a call that is over; what a bot did is not done once more")]
    Acted,
}

impl NoRetry {
    /// The stable code.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Disabled => "webhook_disabled",
            Self::InProgress => "delivery_in_progress",
            Self::Erased => "delivery_erased",
            Self::Acted => "delivery_not_repeatable",
        }
    }
}

/// Decides about one more attempt that a person asks for: how it ends if it fails. `due` and `leased` are the delivery's.
pub(crate) fn retry(
    status: Status,
    (due, leased): (Option<DateTime<Utc>>, bool),
    (active, erased): (bool, bool),
) -> Result<Trigger, NoRetry> {
    match status {
        _ if !active => Err(NoRetry::Disabled),
        _ if erased => Err(NoRetry::Erased),
        _ if leased => Err(NoRetry::InProgress),
        Status::Pending => Err(NoRetry::InProgress),
        Status::Retrying => Ok(Trigger::Manual { resume: due }),
        Status::Success | Status::Failed => Ok(Trigger::Manual { resume: None }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-03-18T17:43:46Z".parse().unwrap()
    }

    fn auto(failed: u32) -> Before {
        Before { failed, trigger: Trigger::Auto }
    }

    #[test]
    fn a_delivery_that_never_succeeds_is_retried_three_times_and_then_fails() {
        let mut failed = 0;
        let mut pauses = Vec::new();
        let last = loop {
            let after = after(auto(failed), Verdict::NO_ANSWER, true, now(), Jitter::NONE);
            failed = after.failed_attempts;
            match after.due {
                Some(due) => pauses.push((due - now()).num_minutes()),
                None => break after,
            }
        };
        assert_eq!((pauses, last.status, failed), (vec![1, 5, 30], Status::Failed, 4));
        assert_eq!(last.ended(Verdict::NO_ANSWER, Trigger::Auto), Ended::GivenUp);
    }

    #[test]
    fn a_success_ends_it_whatever_failed_before() {
        let ended = After { status: Status::Success, failed_attempts: 3, due: None };
        for trigger in [Trigger::Auto, Trigger::Manual { resume: Some(now()) }] {
            let before = Before { failed: 3, trigger };
            assert_eq!(after(before, Verdict::Delivered, true, now(), Jitter::NONE), ended);
        }
    }

    #[test]
    fn gone_and_a_disabled_endpoint_end_it_at_once() {
        for trigger in [Trigger::Auto, Trigger::Manual { resume: Some(now()) }] {
            let before = Before { failed: 0, trigger };
            assert_eq!(after(before, Verdict::Gone, true, now(), Jitter::NONE).status, Status::Failed);
            assert_eq!(after(before, Verdict::NO_ANSWER, false, now(), Jitter::NONE).status, Status::Failed);
        }
    }

    #[test]
    fn an_attempt_that_was_asked_for_leaves_the_schedule_as_it_was() {
        let later = now() + chrono::TimeDelta::minutes(3);
        for (resume, due) in [(later, later), (now() - chrono::TimeDelta::minutes(1), now())] {
            let trigger = Trigger::Manual { resume: Some(resume) };
            let before = Before { failed: 2, trigger };
            let after = after(before, Verdict::NO_ANSWER, true, now(), Jitter::NONE);
            assert_eq!(after, After { status: Status::Retrying, failed_attempts: 2, due: Some(due) });
            assert_eq!(after.ended(Verdict::NO_ANSWER, trigger), Ended::AskedFor);
        }
        let trigger = Trigger::Manual { resume: None };
        let after = after(Before { failed: 4, trigger }, Verdict::NO_ANSWER, true, now(), Jitter::NONE);
        assert_eq!(after, After { status: Status::Failed, failed_attempts: 4, due: None });
        assert_eq!(after.ended(Verdict::NO_ANSWER, trigger), Ended::AskedFor);
    }

    #[test]
    fn who_may_have_another_attempt() {
        let open = (Some(now()), false);
        let fine = (true, false);
        assert_eq!(retry(Status::Failed, (None, false), fine), Ok(Trigger::Manual { resume: None }));
        assert_eq!(retry(Status::Success, (None, false), fine), Ok(Trigger::Manual { resume: None }));
        assert_eq!(retry(Status::Retrying, open, fine), Ok(Trigger::Manual { resume: Some(now()) }));
        assert_eq!(retry(Status::Retrying, (Some(now()), true), fine), Err(NoRetry::InProgress));
        assert_eq!(retry(Status::Pending, open, fine), Err(NoRetry::InProgress));
        assert_eq!(retry(Status::Failed, (None, false), (false, false)), Err(NoRetry::Disabled));
        assert_eq!(retry(Status::Failed, (None, false), (true, true)), Err(NoRetry::Erased));
    }
}
