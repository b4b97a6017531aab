//! Whether a number may be rung now. Asked before every attempt, with facts read at that moment.

use chrono::{DateTime, Utc};

use super::limits::{LOOK_AGAIN, MAX_CONCURRENT_CALLS};
use super::notification::NotificationInput;

/// The word for "waits for one of the project's calls to end".
pub const CONCURRENCY: &str = "max_concurrent_calls";
/// The word for "in a country that the operator does not let be rung".
pub const COUNTRY: &str = "country_not_allowed";
/// The word for "asked not to be called".
pub const SUPPRESSED: &str = "suppressed";
/// The word for "another call to the number is alive".
pub const LINE_BUSY: &str = "line_busy";

/// What is known at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The number asked not to be called.
    pub suppressed: bool,
    /// The operator lets the number's country be rung.
    pub country_allowed: bool,
    /// Calls of the project that are alive.
    pub alive: u32,
}

/// What the rules say, as the notification hears it.
#[must_use]
pub fn decide(facts: Facts, now: DateTime<Utc>) -> NotificationInput {
    if facts.suppressed {
        return NotificationInput::Blocked { by: SUPPRESSED.to_owned(), until: None };
    }
    if !facts.country_allowed {
        return NotificationInput::Blocked { by: COUNTRY.to_owned(), until: None };
    }
    if facts.alive >= MAX_CONCURRENT_CALLS {
        return NotificationInput::Blocked { by: CONCURRENCY.to_owned(), until: Some(now + LOOK_AGAIN) };
    }
    NotificationInput::Due
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: Facts = Facts { suppressed: false, country_allowed: true, alive: 0 };

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn a_number_that_asked_not_to_be_called_is_blocked_for_good() {
        let said = decide(Facts { suppressed: true, ..FREE }, now());
        assert_eq!(said, NotificationInput::Blocked { by: "suppressed".to_owned(), until: None });
    }

    #[test]
    fn a_number_in_a_country_that_is_not_rung_is_blocked_for_good() {
        let said = decide(Facts { country_allowed: false, ..FREE }, now());
        assert_eq!(said, NotificationInput::Blocked { by: "country_not_allowed".to_owned(), until: None });
    }

    #[test]
    fn the_eleventh_call_waits_and_the_tenth_does_not() {
        let facts = |alive| Facts { alive, ..FREE };
        assert_eq!(decide(facts(9), now()), NotificationInput::Due);
        assert!(matches!(decide(facts(10), now()), NotificationInput::Blocked { until: Some(_), .. }));
    }
}
