//! How an endpoint is doing: which ones get a lane of their own, and which ones are switched off.

use chrono::{DateTime, TimeDelta, Utc};

/// Failed attempts in a row after which an endpoint must not hold up others.
const SLOW_AFTER: u32 = 3;
/// Deliveries in a row that must have failed for good before an endpoint is switched off,
const DISABLE_AFTER: u32 = 50;
/// and for how long.
const DISABLE_AFTER_HOURS: i64 = 24;

/// What an endpoint learns from an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It was received.
    Delivered,
    /// It failed, and another attempt follows.
    ToBeRetried,
    /// It failed, and a person had asked for it: its delivery failed before, or is still on its way.
    AskedFor,
    /// It failed, and that was the last one.
    GivenUp,
    /// The receiver wants nothing more.
    Gone,
}

/// A text that is no status of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be active or disabled")]
pub(crate) struct BadStatus;

/// What a project wants its endpoint to be; empty: as it was.
pub(crate) fn switch(status: &str) -> Result<Option<bool>, BadStatus> {
    match status {
        "" => Ok(None),
        "active" => Ok(Some(true)),
        "disabled" => Ok(Some(false)),
        _ => Err(BadStatus),
    }
}

/// How an endpoint is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Health {
    /// It is sent events.
    pub(crate) active: bool,
    /// Deliveries that failed for good, one after the other.
    pub(crate) consecutive_failures: u32,
    /// When the first of them did.
    pub(crate) first_failure_at: Option<DateTime<Utc>>,
    /// Attempts that failed, one after the other.
    pub(crate) failed_attempts: u32,
}

impl Health {
    /// That of a new endpoint.
    pub(crate) const NEW: Self =
        Self { active: true, consecutive_failures: 0, first_failure_at: None, failed_attempts: 0 };

    /// True when it keeps failing.
    pub(crate) const fn is_slow(&self) -> bool {
        self.failed_attempts >= SLOW_AFTER
    }

    /// After its project has switched it on or off, if it did. One that is switched on again is as new.
    pub(crate) const fn switched(self, active: Option<bool>) -> Self {
        match (self.active, active) {
            (false, Some(true)) => Self::NEW,
            (true, Some(false)) => Self { active: false, ..self },
            _ => self,
        }
    }

    /// After an attempt that ended at `now`.
    pub(crate) fn after(self, ended: Ended, now: DateTime<Utc>) -> Self {
        let failed_attempts = self.failed_attempts.saturating_add(1);
        match ended {
            Ended::Delivered => Self { active: self.active, ..Self::NEW },
            Ended::ToBeRetried | Ended::AskedFor => Self { failed_attempts, ..self },
            Ended::GivenUp | Ended::Gone => {
                let first = self.first_failure_at.unwrap_or(now);
                let failures = self.consecutive_failures.saturating_add(1);
                let hopeless =
                    failures >= DISABLE_AFTER && now - first >= TimeDelta::hours(DISABLE_AFTER_HOURS);
                Self {
                    active: self.active && ended != Ended::Gone && !hopeless,
                    consecutive_failures: failures,
                    first_failure_at: Some(first),
                    failed_attempts,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> DateTime<Utc> {
        "2026-03-18T00:00:00Z".parse().unwrap()
    }

    fn failing(times: u32, every: TimeDelta) -> Health {
        (0..times).fold(Health::NEW, |health, n| {
            health.after(Ended::GivenUp, start() + every * i32::try_from(n).unwrap())
        })
    }

    #[test]
    fn fifty_failures_in_an_hour_do_not_disable_and_neither_do_forty_nine_in_a_day() {
        assert!(failing(200, TimeDelta::seconds(10)).active);
        assert!(failing(49, TimeDelta::hours(1)).active);
    }

    #[test]
    fn fifty_failures_over_a_day_disable() {
        let health = failing(50, TimeDelta::hours(1));
        assert!(!health.active);
        assert_eq!((health.consecutive_failures, health.first_failure_at), (50, Some(start())));
    }

    #[test]
    fn one_success_makes_it_as_new_but_does_not_switch_it_on_again() {
        let health = failing(49, TimeDelta::hours(1)).after(Ended::Delivered, start());
        assert_eq!(health, Health::NEW);
        let off = Health { active: false, ..Health::NEW };
        assert!(!off.after(Ended::Delivered, start()).active);
    }

    #[test]
    fn switching_on_again_forgets_the_failures_and_leaving_it_on_does_not() {
        let failed = failing(7, TimeDelta::hours(1));
        assert_eq!(failed.switched(Some(true)), failed);
        assert_eq!(failed.switched(None), failed);
        let off = failed.switched(Some(false));
        assert_eq!((off.active, off.consecutive_failures), (false, 7));
        assert_eq!(off.switched(Some(true)), Health::NEW);
        assert_eq!(
            (switch("disabled"), switch(""), switch("on")),
            (Ok(Some(false)), Ok(None), Err(BadStatus))
        );
    }

    #[test]
    fn an_attempt_that_was_asked_for_does_not_count_as_another_failed_delivery() {
        let after = failing(3, TimeDelta::hours(1)).after(Ended::AskedFor, start());
        assert_eq!((after.consecutive_failures, after.failed_attempts), (3, 4));
    }

    #[test]
    fn gone_disables_at_once() {
        assert!(!Health::NEW.after(Ended::Gone, start()).active);
    }

    #[test]
    fn the_third_failed_attempt_in_a_row_moves_it_out_of_the_way() {
        let twice = Health::NEW.after(Ended::ToBeRetried, start()).after(Ended::ToBeRetried, start());
        assert!(!twice.is_slow());
        assert!(twice.after(Ended::ToBeRetried, start()).is_slow());
        assert_eq!(twice.consecutive_failures, 0);
    }
}
