//! When somebody may be rung: a daily window in their own time zone, and when it opens next. Wall clocks decide: an hour that
//! comes twice is open twice, and what a clock jumps over is not there.

use chrono::{
    DateTime, Datelike as _, Days, MappedLocalTime, NaiveDate, TimeDelta, TimeZone as _, Timelike as _, Utc,
};
use chrono_tz::Tz;

const MINUTES_OF_DAY: u32 = 24 * 60;
/// A window opens at least once a week; a zone may leave a day out on top of that.
const DAYS_AHEAD: u64 = 16;

/// A daily window. One that ends before it begins, or when it begins, goes on past midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallingHours {
    from_minute: u32,
    to_minute: u32,
    /// Bit 0 is Monday.
    weekdays: u8,
}

impl CallingHours {
    /// From minute `from` (0–1439) up to minute `to` (1–1440) of the day, on days on which it begins: 1 is Monday; none
    /// named: every day. `None` where a number is outside these.
    #[must_use]
    pub fn new(from: u32, to: u32, weekdays: &[u32]) -> Option<Self> {
        if from >= MINUTES_OF_DAY || !(1..=MINUTES_OF_DAY).contains(&to) {
            return None;
        }
        let mut days = 0_u8;
        for day in weekdays {
            days |= 1_u8.checked_shl(day.checked_sub(1)?).filter(|_| (1..=7).contains(day))?;
        }
        let weekdays = if days == 0 { 0b111_1111 } else { days };
        Some(Self { from_minute: from, to_minute: to, weekdays })
    }

    /// Whether it is open at `at`, by the clocks of `zone`.
    #[must_use]
    pub fn open(&self, zone: Tz, at: DateTime<Utc>) -> bool {
        let local = at.with_timezone(&zone).naive_local();
        let minute = local.hour() * 60 + local.minute();
        let today = local.date();
        if self.from_minute < self.to_minute {
            return (self.from_minute..self.to_minute).contains(&minute) && self.begins_on(today);
        }
        (minute >= self.from_minute && self.begins_on(today))
            || (minute < self.to_minute && today.pred_opt().is_some_and(|day| self.begins_on(day)))
    }

    /// The first moment after `now`, at which it is closed, at which it is open.
    #[must_use]
    pub fn next_opening(&self, zone: Tz, now: DateTime<Utc>) -> DateTime<Utc> {
        let today = now.with_timezone(&zone).date_naive();
        let days = || (0..DAYS_AHEAD).filter_map(|n| today.checked_add_days(Days::new(n)));
        let starts = days().filter(|day| self.begins_on(*day)).flat_map(|day| self.starts(zone, day));
        let jumps = (0..DAYS_AHEAD).filter_map(|n| jump(zone, now + day_length(n), now + day_length(n + 1)));
        let opens = |at: &DateTime<Utc>| *at > now && self.open(zone, *at);
        // There always is one; where there were none, a day is soon enough to look again.
        starts.chain(jumps).filter(opens).min().unwrap_or(now + day_length(1))
    }

    fn begins_on(&self, day: NaiveDate) -> bool {
        self.weekdays & (1 << day.weekday().num_days_from_monday()) != 0
    }

    /// When it begins on this day: twice where the clock comes by twice.
    fn starts(&self, zone: Tz, day: NaiveDate) -> Vec<DateTime<Utc>> {
        let Some(local) = day.and_hms_opt(self.from_minute / 60, self.from_minute % 60, 0) else {
            return Vec::new();
        };
        match zone.from_local_datetime(&local) {
            MappedLocalTime::Single(at) => vec![at.to_utc()],
            MappedLocalTime::Ambiguous(first, second) => vec![first.to_utc(), second.to_utc()],
            MappedLocalTime::None => Vec::new(), // it begins where the clock lands: see `jump`
        }
    }
}

fn day_length(days: u64) -> TimeDelta {
    TimeDelta::days(i64::try_from(days).unwrap_or(i64::MAX >> 32))
}

/// Seconds that the clocks of `zone` are ahead of UTC.
fn ahead(zone: Tz, at: DateTime<Utc>) -> i64 {
    let local = at.with_timezone(&zone).naive_local();
    (local - at.naive_utc()).num_seconds()
}

/// The moment between two at which the clocks of `zone` jump, if they stand differently at these.
fn jump(zone: Tz, mut before: DateTime<Utc>, mut after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let old = ahead(zone, before);
    if ahead(zone, after) == old {
        return None;
    }
    while after - before > TimeDelta::seconds(1) {
        let middle = before + (after - before) / 2;
        if ahead(zone, middle) == old { before = middle } else { after = middle }
    }
    DateTime::from_timestamp(after.timestamp(), 0)
}

/// When the day of `at` began by the clocks of `zone`, `days` later than that.
#[must_use]
pub fn start_of_day(zone: Tz, at: DateTime<Utc>, days: u64) -> DateTime<Utc> {
    let day = at.with_timezone(&zone).date_naive();
    start(zone, day.checked_add_days(Days::new(days)).unwrap_or(day)).unwrap_or(at)
}

/// When the month of `at` began by the clocks of `zone`, and when the next one does.
#[must_use]
pub fn month(zone: Tz, at: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let day = at.with_timezone(&zone).date_naive();
    let first = day.with_day(1).unwrap_or(day);
    let next = first.checked_add_months(chrono::Months::new(1)).unwrap_or(first);
    (start(zone, first).unwrap_or(at), start(zone, next).unwrap_or(at))
}

/// The first moment of a day; where its midnight, or all of it, is left out, the first one behind that.
fn start(zone: Tz, day: NaiveDate) -> Option<DateTime<Utc>> {
    const STEP: TimeDelta = TimeDelta::minutes(15);
    const STEPS: i32 = 26 * 4;
    let midnight = day.and_hms_opt(0, 0, 0)?;
    let at = |n: i32| zone.from_local_datetime(&(midnight + STEP * n)).earliest().map(|at| at.to_utc());
    (0..STEPS).find_map(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn hours(from: u32, to: u32, weekdays: &[u32]) -> CallingHours {
        CallingHours::new(from, to, weekdays).unwrap()
    }

    #[test]
    fn an_office_is_open_from_its_first_minute_until_before_its_last() {
        let office = hours(9 * 60, 17 * 60, &[1, 2, 3, 4, 5]);
        let berlin = Tz::Europe__Berlin;
        // Friday, the 20th of March 2026: Berlin is one hour ahead.
        assert!(!office.open(berlin, utc("2026-03-20T07:59:59Z")));
        assert!(office.open(berlin, utc("2026-03-20T08:00:00Z")));
        assert!(office.open(berlin, utc("2026-03-20T15:59:59Z")));
        assert!(!office.open(berlin, utc("2026-03-20T16:00:00Z")));
        // Behind the weekend.
        assert_eq!(office.next_opening(berlin, utc("2026-03-20T16:00:00Z")), utc("2026-03-23T08:00:00Z"));
        assert_eq!(office.next_opening(berlin, utc("2026-03-20T03:00:00Z")), utc("2026-03-20T08:00:00Z"));
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let friday_night = hours(22 * 60, 2 * 60, &[5]);
        let zone = Tz::UTC;
        assert!(friday_night.open(zone, utc("2026-03-20T22:00:00Z")));
        assert!(friday_night.open(zone, utc("2026-03-21T01:59:00Z")));
        assert!(!friday_night.open(zone, utc("2026-03-20T01:59:00Z")));
        assert!(!friday_night.open(zone, utc("2026-03-21T22:00:00Z")));
        assert_eq!(friday_night.next_opening(zone, utc("2026-03-21T02:00:00Z")), utc("2026-03-27T22:00:00Z"));
    }

    #[test]
    fn a_window_that_begins_in_a_gap_opens_where_the_clock_lands() {
        // In New York there was no 02:30 on the 8th of March 2026: at 07:00 UTC it became 03:00.
        let window = hours(2 * 60 + 30, 4 * 60, &[]);
        let zone = Tz::America__New_York;
        assert_eq!(window.next_opening(zone, utc("2026-03-08T06:00:00Z")), utc("2026-03-08T07:00:00Z"));
        // One that lies in the gap is left out on that day.
        let short = hours(2 * 60 + 10, 2 * 60 + 20, &[]);
        assert_eq!(short.next_opening(zone, utc("2026-03-08T06:00:00Z")), utc("2026-03-09T06:10:00Z"));
    }

    #[test]
    fn an_hour_that_comes_twice_is_open_twice() {
        // In Berlin the hour from 02:00 on came twice on the 25th of October 2026: at 00:00 and at 01:00 UTC.
        let window = hours(2 * 60 + 15, 2 * 60 + 45, &[]);
        let zone = Tz::Europe__Berlin;
        assert!(
            window.open(zone, utc("2026-10-25T00:20:00Z")) && window.open(zone, utc("2026-10-25T01:20:00Z"))
        );
        assert!(!window.open(zone, utc("2026-10-25T00:50:00Z")));
        assert_eq!(window.next_opening(zone, utc("2026-10-25T00:50:00Z")), utc("2026-10-25T01:15:00Z"));
    }

    #[test]
    fn a_day_and_a_month_begin_with_their_first_minute_that_there_is() {
        // Beirut has no midnight on the 29th of March 2026.
        let zone = Tz::Asia__Beirut;
        assert_eq!(start_of_day(zone, utc("2026-03-29T12:00:00Z"), 0), utc("2026-03-28T22:00:00Z"));
        assert_eq!(
            start_of_day(Tz::America__New_York, utc("2026-03-20T03:00:00Z"), 1),
            utc("2026-03-20T04:00:00Z")
        );
        let (first, next) = month(Tz::Europe__Berlin, utc("2026-12-31T23:30:00Z"));
        assert_eq!((first, next), (utc("2026-12-31T23:00:00Z"), utc("2027-01-31T23:00:00Z")));
    }

    #[test]
    fn numbers_outside_a_day_or_a_week_make_no_window() {
        for (from, to, days) in
            [(1440, 1, vec![]), (0, 0, vec![]), (0, 1441, vec![]), (0, 1, vec![0]), (0, 1, vec![8])]
        {
            assert_eq!(CallingHours::new(from, to, &days), None, "{from} {to} {days:?}");
        }
    }

    const ZONES: [Tz; 6] = [
        Tz::UTC,
        Tz::Europe__Berlin,
        Tz::America__New_York,
        Tz::Australia__Lord_Howe,
        Tz::Asia__Kathmandu,
        Tz::America__Santiago,
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        /// The answer is open, nothing before it is, minute by minute, and no week passes without an opening.
        #[test]
        fn the_next_opening_is_the_first_open_minute(
            from in 0_u32..1440, length in 1_u32..=1439, days in proptest::collection::vec(1_u32..=7, 0..3),
            zone in 0..ZONES.len(), minute in 0_i64..(366 * 24 * 60),
        ) {
            let to = match (from + length) % 1440 { 0 => 1440, to => to };
            let window = CallingHours::new(from, to, &days).unwrap();
            let (zone, now) = (ZONES[zone], utc("2026-01-01T00:00:00Z") + TimeDelta::minutes(minute));
            prop_assume!(!window.open(zone, now));
            let opens = window.next_opening(zone, now);
            prop_assert!(window.open(zone, opens));
            prop_assert!(opens > now && opens - now <= TimeDelta::days(8), "{opens}");
            let mut at = now;
            while at < opens {
                prop_assert!(!window.open(zone, at), "open already at {at}, and not only at {opens}");
                at += TimeDelta::minutes(1);
            }
        }
    }
}
