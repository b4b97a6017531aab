//! Whether a number may be rung now. Asked before every attempt, with facts read at that moment.

use chrono::{DateTime, Utc};

use super::calling_hours;
use super::countries::Countries;
use super::limits::LOOK_AGAIN;
use super::notification::NotificationInput;
use super::policy::{Policy, Standing};

/// The word for "waits for one of the project's calls to end".
pub const CONCURRENCY: &str = "max_concurrent_calls";
/// The word for "in a country that the operator, or the project, does not let be rung".
pub const COUNTRY: &str = "country_not_allowed";
/// The word for "asked not to be called".
pub const SUPPRESSED: &str = "suppressed";
/// The word for "another call to the number is alive".
pub const LINE_BUSY: &str = "line_busy";
/// The word for "the project rings only whose consent is known, and this customer's is not".
pub const NO_CONSENT: &str = "no_consent";
/// The word for "waits until the customer may be rung by their own clock".
pub const CALLING_HOURS: &str = "calling_hours";
/// The word for "waits for the next day: the project has made all its calls of this one".
pub const PER_DAY: &str = "max_calls_per_day";
/// The word for "waits for the next month: this one has cost as much as it may".
pub const SPEND_CAP: &str = "monthly_spend_cap";
/// The rules that let something wait and may say something else when a project changes its settings.
pub const SET_BY_PROJECT: [&str; 4] = [CONCURRENCY, CALLING_HOURS, PER_DAY, SPEND_CAP];

/// What is known at this moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Facts<'a> {
    /// Whom it would ring, E.164.
    pub phone: &'a str,
    /// The number asked not to be called.
    pub suppressed: bool,
    /// Where the operator lets phones be rung.
    pub operator: &'a Countries,
    /// What the project has set.
    pub policy: &'a Policy,
    /// What is known about the customer.
    pub standing: Standing,
    /// How busy the project is.
    pub load: Load,
}

/// How busy a project is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Calls that are alive, and those that stand before this one in the line for them.
    pub alive: u32,
    /// Calls begun today.
    pub begun_today: u32,
    /// What this month has cost, as far as it is known.
    pub spent_cents: u64,
}

/// What the rules say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may be rung.
    Ring,
    /// The rule of this name lets it wait until then.
    Later(&'static str, DateTime<Utc>),
    /// The rule of this name will not let it be rung.
    Never(&'static str),
}

/// What the rules say. What will never be rung is told before what has to wait.
#[must_use]
pub fn judge(facts: &Facts<'_>, now: DateTime<Utc>) -> Verdict {
    let Facts { phone, policy, standing, load, .. } = *facts;
    if facts.suppressed {
        return Verdict::Never(SUPPRESSED);
    }
    if !facts.operator.allow(phone) || !policy.countries.allow(phone) {
        return Verdict::Never(COUNTRY);
    }
    if policy.require_consent && standing.consent != Some(true) {
        return Verdict::Never(NO_CONSENT);
    }
    let zone = standing.time_zone.unwrap_or(policy.time_zone);
    if let Some(hours) = policy.calling_hours.filter(|hours| !hours.open(zone, now)) {
        return Verdict::Later(CALLING_HOURS, hours.next_opening(zone, now));
    }
    if policy.monthly_spend_cap_cents.is_some_and(|cap| load.spent_cents >= cap) {
        return Verdict::Later(SPEND_CAP, calling_hours::month(policy.time_zone, now).1);
    }
    if policy.max_calls_per_day.is_some_and(|most| load.begun_today >= most) {
        return Verdict::Later(PER_DAY, calling_hours::start_of_day(policy.time_zone, now, 1));
    }
    if load.alive >= policy.max_concurrent_calls {
        return Verdict::Later(CONCURRENCY, now + LOOK_AGAIN);
    }
    Verdict::Ring
}

/// The same, as the notification hears it.
#[must_use]
pub fn decide(facts: &Facts<'_>, now: DateTime<Utc>) -> NotificationInput {
    match judge(facts, now) {
        Verdict::Ring => NotificationInput::Due,
        Verdict::Later(by, until) => NotificationInput::Blocked { by: by.to_owned(), until: Some(until) },
        Verdict::Never(by) => NotificationInput::Blocked { by: by.to_owned(), until: None },
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::calling_hours::CallingHours;

    const ALL: &Countries = &Countries::ALL;

    /// Wednesday, 08:00 UTC.
    fn now() -> DateTime<Utc> {
        "2026-03-18T08:00:00Z".parse().unwrap()
    }

    fn free(policy: &Policy) -> Facts<'_> {
        Facts {
            phone: "+14155552671",
            suppressed: false,
            operator: ALL,
            policy,
            standing: Standing::default(),
            load: Load::default(),
        }
    }

    fn loaded(policy: &Policy, load: Load) -> Verdict {
        judge(&Facts { load, ..free(policy) }, now())
    }

    #[test]
    fn a_number_that_asked_not_to_be_called_is_blocked_for_good() {
        let policy = Policy::default();
        let facts = Facts { suppressed: true, ..free(&policy) };
        assert_eq!(judge(&facts, now()), Verdict::Never("suppressed"));
        let said = NotificationInput::Blocked { by: "suppressed".to_owned(), until: None };
        assert_eq!(decide(&facts, now()), said);
    }

    #[test]
    fn operator_and_project_both_have_to_let_a_country_be_rung() {
        let only = |code: &str| Countries::of_codes(&[code.to_owned()]);
        let (us, de) = (only("US"), only("DE"));
        let said = |operator: &Countries, project: &Countries| {
            let policy = Policy { countries: project.clone(), ..Policy::default() };
            judge(&Facts { operator, ..free(&policy) }, now())
        };
        assert_eq!(said(&us, &us), Verdict::Ring);
        assert_eq!(said(ALL, ALL), Verdict::Ring);
        assert_eq!(said(&de, ALL), Verdict::Never("country_not_allowed"));
        assert_eq!(said(ALL, &de), Verdict::Never("country_not_allowed"));
    }

    #[test]
    fn consent_counts_where_the_project_asks_for_it() {
        let said = |require_consent, consent| {
            let policy = Policy { require_consent, ..Policy::default() };
            let standing = Standing { consent, ..Standing::default() };
            judge(&Facts { standing, ..free(&policy) }, now())
        };
        assert_eq!(said(false, None), Verdict::Ring);
        assert_eq!(said(true, Some(true)), Verdict::Ring);
        assert_eq!(said(true, None), Verdict::Never("no_consent"));
        assert_eq!(said(true, Some(false)), Verdict::Never("no_consent"));
    }

    #[test]
    fn the_customers_own_clock_comes_before_the_projects() {
        let office = CallingHours::new(9 * 60, 17 * 60, &[]);
        let said = |project, customer| {
            let policy = Policy { calling_hours: office, time_zone: project, ..Policy::default() };
            let standing = Standing { time_zone: customer, ..Standing::default() };
            judge(&Facts { standing, ..free(&policy) }, now())
        };
        // 08:00 UTC is 09:00 in Berlin and 04:00 in New York.
        assert_eq!(said(Tz::Europe__Berlin, None), Verdict::Ring);
        let opens = |hours| Verdict::Later("calling_hours", now() + chrono::TimeDelta::hours(hours));
        assert_eq!(said(Tz::Europe__Berlin, Some(Tz::America__New_York)), opens(5));
        assert_eq!(said(Tz::America__New_York, Some(Tz::Europe__Berlin)), Verdict::Ring);
        assert_eq!(said(Tz::UTC, None), opens(1));
    }

    #[test]
    fn the_eleventh_call_waits_and_the_tenth_does_not() {
        let policy = Policy::default();
        assert_eq!(loaded(&policy, Load { alive: 9, ..Load::default() }), Verdict::Ring);
        let waits = Verdict::Later("max_concurrent_calls", now() + LOOK_AGAIN);
        assert_eq!(loaded(&policy, Load { alive: 10, ..Load::default() }), waits);
        let two = Policy { max_concurrent_calls: 2, ..policy };
        assert_eq!(loaded(&two, Load { alive: 2, ..Load::default() }), waits);
    }

    #[test]
    fn the_days_and_the_months_of_the_project_count() {
        let zone = Tz::America__New_York;
        let policy = Policy { time_zone: zone, max_calls_per_day: Some(3), ..Policy::default() };
        assert_eq!(loaded(&policy, Load { begun_today: 2, ..Load::default() }), Verdict::Ring);
        let midnight = "2026-03-19T04:00:00Z".parse().unwrap();
        let full = Load { begun_today: 3, ..Load::default() };
        assert_eq!(loaded(&policy, full), Verdict::Later("max_calls_per_day", midnight));
        let capped = Policy { monthly_spend_cap_cents: Some(500), ..policy };
        let april = "2026-04-01T04:00:00Z".parse().unwrap();
        assert_eq!(loaded(&capped, Load { spent_cents: 499, ..Load::default() }), Verdict::Ring);
        let spent = Load { spent_cents: 500, ..Load::default() };
        assert_eq!(loaded(&capped, spent), Verdict::Later("monthly_spend_cap", april));
    }

    proptest! {
        /// Whoever waits, waits for a moment that is still to come; and whoever asked not to be called is never rung.
        #[test]
        fn waiting_always_ends_and_a_refusal_is_for_good(
            suppressed: bool, require_consent: bool, consent: Option<bool>, alive in 0_u32..20, begun_today in 0_u32..20,
            spent_cents in 0_u64..1000, cap in 1_u64..1000, most in 1_u32..20, from in 0_u32..1440, to in 1_u32..=1440,
            minute in 0_i64..(366 * 24 * 60),
        ) {
            let at = now() + chrono::TimeDelta::minutes(minute);
            let policy = Policy {
                require_consent,
                calling_hours: CallingHours::new(from, to, &[]),
                max_calls_per_day: Some(most),
                monthly_spend_cap_cents: Some(cap),
                time_zone: Tz::Europe__Berlin,
                ..Policy::default()
            };
            let standing = Standing { consent, ..Standing::default() };
            let load = Load { alive, begun_today, spent_cents };
            match judge(&Facts { suppressed, standing, load, ..free(&policy) }, at) {
                Verdict::Later(_, until) => prop_assert!(until > at && !suppressed),
                Verdict::Ring => prop_assert!(
                    !suppressed && (!require_consent || consent == Some(true)) && alive < 10 && begun_today < most
                        && spent_cents < cap
                ),
                Verdict::Never(by) => prop_assert!(by == "suppressed" || by == "no_consent"),
            }
        }
    }
}
