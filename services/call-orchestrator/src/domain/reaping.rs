//! When a call should be over at the latest, whatever its reports say: from then on the reaper ends it.

use chrono::{DateTime, TimeDelta, Utc};

use super::call::CallState;
use super::limits::{GRACE, RING_TIMEOUT_SECONDS, UNANSWERED};

/// When the reaper is to look at a call that has come from `before` to `after`; `None` when nothing moves it.
#[must_use]
pub fn moved(before: &CallState, after: &CallState, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let seconds = |n: u32| TimeDelta::seconds(i64::from(n));
    let limit = seconds(after.time_limit_seconds.unwrap_or_default());
    if after.started_at.is_some() {
        return before.started_at.is_none().then_some(now + limit + GRACE);
    }
    if after.dialled {
        // The report of the pick-up may have been lost: it may be talking.
        return (!before.dialled).then_some(now + seconds(RING_TIMEOUT_SECONDS) + limit + GRACE);
    }
    (after.dial_requested && !before.dial_requested).then_some(now + UNANSWERED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn a_call_is_looked_at_only_after_all_that_it_may_take() {
        let fresh = CallState::accepted(Some(600));
        let asked = CallState { dial_requested: true, ..fresh.clone() };
        let rings = CallState { dialled: true, ..asked.clone() };
        let talks = CallState { started_at: Some(now()), ..rings.clone() };
        let after = |before, after| moved(before, after, now()).map(|at| (at - now()).num_seconds());
        assert_eq!(after(&fresh, &asked), Some(3600));
        assert_eq!(after(&asked, &rings), Some(40 + 600 + 300));
        assert_eq!(after(&rings, &talks), Some(600 + 300));
        assert_eq!(after(&fresh, &fresh), None);
    }

    #[test]
    fn reports_that_come_later_do_not_keep_a_call_alive() {
        let talks = CallState { dialled: true, started_at: Some(now()), ..CallState::accepted(Some(600)) };
        let told = CallState { last_sequence: Some(9), ..talks.clone() };
        assert_eq!(moved(&talks, &told, now()), None);
    }
}
