//! Points in time as callers write them and as they are answered: RFC 3339.

use chrono::{DateTime, SecondsFormat, Utc};

/// Reads a time with its offset from UTC.
pub(crate) fn parse(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text).map(|at| at.to_utc()).map_err(|_| {
        "must be a time with its offset (RFC 3339) such as 2026-03-18T17:43:46Z or 2026-03-18T18:43:46+01:00".to_owned()
    })
}

/// UTC, milliseconds, `Z`.
pub(crate) fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_with_its_offset_and_written_in_utc() {
        let read = |given: &str| parse(given).map(text);
        assert_eq!(read("2026-03-18T18:43:46+01:00"), Ok("2026-03-18T17:43:46.000Z".to_owned()));
        assert_eq!(read("2026-03-18T17:43:46.714Z"), Ok("2026-03-18T17:43:46.714Z".to_owned()));
        for bad in ["", "2026-03-18", "2026-03-18T17:43:46", "tomorrow", "2026-02-30T10:00:00Z", "1773855826"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
