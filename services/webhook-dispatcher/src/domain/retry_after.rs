//! `Retry-After`: seconds, or a date in one of the three forms that RFC 9110 §5.6.7 wants understood.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};

/// How long the receiver asks to be left alone, from `now`. What cannot be read, and what is past, asks for nothing.
pub(crate) fn parse(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than fit mean "for ever"; the schedule cuts it down.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::from(u32::MAX))));
    }
    (date(value)? - now).to_std().ok()
}

fn date(text: &str) -> Option<DateTime<Utc>> {
    const IMF_FIXDATE: &str = "%a, %d %b %Y %H:%M:%S GMT";
    const RFC_850: &str = "%A, %d-%b-%y %H:%M:%S GMT";
    const ASCTIME: &str = "%a %b %e %H:%M:%S %Y";
    [IMF_FIXDATE, RFC_850, ASCTIME]
        .into_iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|at| at.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "1994-11-06T08:47:37Z".parse().unwrap()
    }

    #[test]
    fn seconds_and_all_three_dates_are_understood() {
        let two_minutes = Some(Duration::from_secs(120));
        for value in [
            "120",
            " 120 ",
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse(value, now()), two_minutes, "{value}");
        }
    }

    #[test]
    fn nonsense_and_the_past_ask_for_nothing() {
        for value in ["", "soon", "-5", "1.5", "Sun, 06 Nov 1994 08:00:00 GMT"] {
            assert_eq!(parse(value, now()), None, "{value}");
        }
        assert!(parse("99999999999999999999999", now()) > Some(Duration::from_secs(3600)));
    }
}
