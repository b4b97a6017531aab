//! How long the end of an attempt may wait for the tables: while they are away, nearly until its lease ends, because after
//! that the attempt is made again; what they refuse is not tried for long.

use std::time::Duration;

use chrono::TimeDelta;

/// Before the second try; doubled before each further one,
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// What a try takes when all is well, and more.
const MARGIN: TimeDelta = TimeDelta::seconds(1);
/// Tries at tables that answer, such as against another replica that was faster.
const REFUSALS: u32 = 3;

/// The pause before the next try, after `failed` tries; `None` to let go. `away`: the tables cannot be reached. `left`: until
/// the lease ends.
pub(crate) fn pause(failed: u32, away: bool, left: TimeDelta) -> Option<Duration> {
    let doubled = FIRST_PAUSE.saturating_mul(1 << failed.saturating_sub(1).min(10));
    let pause = doubled.min(LONGEST_PAUSE);
    let in_time = TimeDelta::from_std(pause).is_ok_and(|pause| left > pause + MARGIN);
    (in_time && (away || failed < REFUSALS)).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_that_are_away_are_asked_ever_more_seldom_and_nearly_until_the_lease_ends() {
        let long = TimeDelta::seconds(60);
        let pauses = [1, 2, 3, 5, 6, 7, 1000].map(|failed| pause(failed, true, long).unwrap().as_millis());
        assert_eq!(pauses, [100, 200, 400, 1600, 2000, 2000, 2000]);
        assert_eq!(pause(7, true, TimeDelta::seconds(3)), None);
        assert!(pause(7, true, TimeDelta::milliseconds(3001)).is_some());
        assert_eq!(pause(1, true, TimeDelta::seconds(-5)), None);
    }

    #[test]
    fn tables_that_refuse_are_tried_three_times() {
        let long = TimeDelta::seconds(60);
        assert!(pause(2, false, long).is_some());
        assert_eq!(pause(3, false, long), None);
    }
}
