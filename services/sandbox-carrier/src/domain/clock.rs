//! The carrier's time. Ringing, speech and silence last their nominal time on the call's own clock,
//! and are waited for `nominal / speed` on the wall. Requests to the customer's server are the other
//! machine's time: they count on the call's clock as long as they really took, at every speed, so a
//! slow answer never eats a call's time limit faster than it would on a real line.

use std::fmt;
use std::time::Duration;

/// Text is spoken at about this pace (characters per second).
const CHARS_PER_SECOND: u32 = 15;

/// How much faster than life the carrier's clock runs. Always a positive, finite number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed(f64);

/// A speed that no clock can run at.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("the sandbox speed must be a number above 0 and at most 100000, such as 1 or 20, not {0}")]
pub struct SpeedError(f64);

impl Speed {
    /// Life's own pace.
    pub const REAL: Speed = Speed(1.0);

    /// The wall time that `nominal` takes at this speed.
    pub(crate) fn on_the_wall(self, nominal: Duration) -> Duration {
        Duration::try_from_secs_f64(nominal.as_secs_f64() / self.0).unwrap_or(Duration::MAX)
    }

    /// The nominal time that has passed when `wall` has.
    pub(crate) fn nominal(self, wall: Duration) -> Duration {
        Duration::try_from_secs_f64(wall.as_secs_f64() * self.0).unwrap_or(Duration::MAX)
    }
}

impl TryFrom<f64> for Speed {
    type Error = SpeedError;

    fn try_from(factor: f64) -> Result<Speed, SpeedError> {
        if factor > 0.0 && factor <= 100_000.0 { Ok(Speed(factor)) } else { Err(SpeedError(factor)) }
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How long a voice needs for `text`.
pub(crate) fn speaking_time(text: &str) -> Duration {
    let characters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    Duration::from_secs(1) * characters / CHARS_PER_SECOND
}

/// The time of one leg since it was picked up, with the moment at which it must end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallClock {
    elapsed: Duration,
    played: Duration,
    limit: Duration,
}

/// The call's time limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeIsUp;

impl CallClock {
    /// A clock at zero that stops at `limit`.
    pub(crate) fn new(limit: Duration) -> CallClock {
        CallClock { elapsed: Duration::ZERO, played: Duration::ZERO, limit }
    }

    /// Time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The part of it in which something was played or waited for; a document that adds nothing to
    /// it made no progress.
    pub(crate) fn played(&self) -> Duration {
        self.played
    }

    /// What is left until the limit.
    pub(crate) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.elapsed)
    }

    /// Moves the limit (a REST update with `TimeLimit` counts from the start of the call).
    pub(crate) fn set_limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// How much of `nominal` fits before the limit.
    pub(crate) fn fit(&self, nominal: Duration) -> Duration {
        nominal.min(self.left())
    }

    /// Books time that was played; fails once the limit is reached.
    pub(crate) fn play(&mut self, nominal: Duration) -> Result<(), TimeIsUp> {
        self.played += nominal;
        self.pass(nominal)
    }

    /// Books time that another machine took.
    pub(crate) fn pass(&mut self, real: Duration) -> Result<(), TimeIsUp> {
        self.elapsed += real;
        if self.elapsed >= self.limit {
            self.elapsed = self.limit;
            return Err(TimeIsUp);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_a_positive_finite_number() {
        assert_eq!(Speed::try_from(20.0).map(|s| s.to_string()), Ok("20".to_owned()));
        for wrong in [0.0, -1.0, f64::INFINITY] {
            assert_eq!(Speed::try_from(wrong), Err(SpeedError(wrong)));
        }
        assert!(Speed::try_from(f64::NAN).is_err());
    }

    #[test]
    fn twenty_seconds_take_one_at_twenty_times_the_pace() {
        let speed = Speed::try_from(20.0).unwrap();
        assert_eq!(speed.on_the_wall(Duration::from_secs(20)), Duration::from_secs(1));
    }

    #[test]
    fn fifteen_characters_take_a_second() {
        assert_eq!(speaking_time("exactly fifteen"), Duration::from_secs(1));
        assert_eq!(speaking_time(""), Duration::ZERO);
    }

    #[test]
    fn the_clock_stops_exactly_at_its_limit() {
        let mut clock = CallClock::new(Duration::from_secs(10));
        assert_eq!(clock.play(Duration::from_secs(4)), Ok(()));
        assert_eq!(clock.pass(Duration::from_secs(3)), Ok(()));
        assert_eq!(clock.left(), Duration::from_secs(3));
        assert_eq!(clock.play(clock.fit(Duration::from_secs(60))), Err(TimeIsUp));
        assert_eq!(clock.elapsed(), Duration::from_secs(10));
        assert_eq!(clock.played(), Duration::from_secs(7), "a request is no progress of the call");
    }
}
