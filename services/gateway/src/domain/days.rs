//! A span of days, as usage is asked for.

use chrono::{Days, NaiveDate};

/// Most days at once: a year, whichever it is.
const MOST: i64 = 366;
/// Days where nothing is asked for, today included.
const DEFAULT: u64 = 30;

/// The first and the last day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The first.
    pub(crate) first: NaiveDate,
    /// The last, included.
    pub(crate) last: NaiveDate,
}

/// Accepts a day such as `2026-03-18`.
pub(crate) fn parse(text: &str) -> Result<NaiveDate, String> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|day| day.to_string() == text);
    day.ok_or_else(|| "must be a day such as 2026-03-18".to_owned())
}

impl Span {
    /// From `from` to `to`: without `to` until today, without `from` the thirty days that end there. What is wrong is `to`'s
    /// problem.
    pub(crate) fn new(
        from: Option<NaiveDate>,
        to: Option<NaiveDate>,
        today: NaiveDate,
    ) -> Result<Self, String> {
        let last = to.unwrap_or(today);
        let first = from.or_else(|| last.checked_sub_days(Days::new(DEFAULT - 1))).unwrap_or(last);
        match (last - first).num_days() {
            days if days < 0 => Err("must not come before from".to_owned()),
            days if days >= MOST => Err(format!("must come less than {MOST} days after from")),
            _ => Ok(Self { first, last }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        parse(text).unwrap()
    }

    #[test]
    fn thirty_days_are_the_default_and_a_year_is_the_most() {
        let today = day("2026-03-31");
        let span = |from: Option<&str>, to: Option<&str>| Span::new(from.map(day), to.map(day), today);
        assert_eq!(span(None, None), Ok(Span { first: day("2026-03-02"), last: today }));
        assert_eq!(span(None, Some("2026-02-10")).map(|s| s.first), Ok(day("2026-01-12")));
        assert_eq!(span(Some("2026-03-31"), None), Ok(Span { first: today, last: today }));
        assert!(span(Some("2024-01-01"), Some("2024-12-31")).is_ok());
        assert!(span(Some("2024-01-01"), Some("2025-01-01")).is_err());
        assert!(span(Some("2026-04-01"), None).is_err());
    }

    #[test]
    fn only_days_in_one_form_are_taken() {
        for wrong in
            ["", "2026-3-18", "2026-02-30", "18.03.2026", "2026-03-18T00:00:00Z", "today", "+2026-03-18"]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
