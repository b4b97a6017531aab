//! What the carrier's silence and its lists prove about a call.

use chrono::{DateTime, TimeDelta, Utc};
use twilio::rest::Call;

/// How far the carrier's clock may be behind ours.
const SKEW: TimeDelta = TimeDelta::seconds(30);
/// The carrier's books are a little behind (Twilio's docs, voice/api/call-resource): before that, a call that it does not
/// know may be too new.
const BOOKS_BEHIND: TimeDelta = TimeDelta::seconds(15);
/// What a call may take beside ringing and talking: the carrier's queue, and clocks.
const ALLOWANCE: TimeDelta = TimeDelta::minutes(10);

/// The calls on the carrier's list that can have come from a request at `intended_at`.
pub(crate) fn candidates(listed: &[Call], intended_at: DateTime<Utc>) -> Vec<String> {
    let since = intended_at - SKEW;
    listed
        .iter()
        // A call without a date is too new to have one.
        .filter(|call| call.date_created.or(call.start_time).is_none_or(|at| at >= since))
        .map(|call| call.sid.to_string())
        .collect()
}

/// Whether a call that the carrier does not know is over, and not only too new.
pub(crate) fn forgotten(intended_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now - intended_at > BOOKS_BEHIND
}

/// Whether a call must be over whatever the carrier says, because its own time limit has ended it.
pub(crate) fn call_must_be_over(
    (intended_at, ring_timeout_seconds, time_limit_seconds): (DateTime<Utc>, u32, u32),
    now: DateTime<Utc>,
) -> bool {
    let longest = TimeDelta::seconds(i64::from(ring_timeout_seconds) + i64::from(time_limit_seconds));
    now - intended_at > longest + ALLOWANCE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_call_that_the_carrier_does_not_know_yet_is_not_over() {
        assert!(!forgotten(at(0), at(15)));
        assert!(forgotten(at(0), at(16)));
    }

    #[test]
    fn a_call_is_over_when_its_ringing_and_its_time_limit_are_long_past() {
        assert!(!call_must_be_over((at(0), 30, 600), at(30 + 600 + 600)));
        assert!(call_must_be_over((at(0), 30, 600), at(30 + 600 + 601)));
    }
}
