//! What a project has set for its calls, and what is known about a customer, as the rules read them.

use std::str::FromStr as _;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::calling_hours::CallingHours;
use super::countries::Countries;
use super::limits::{MAX_CONCURRENT_CALLS, MAX_DISCLOSURE_CHARS, RETENTION_DAYS};

/// The settings as they are stored: what was sent, and what is absent has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// IANA name; empty: UTC.
    pub time_zone: String,
    /// First minute, first minute behind it, weekdays (1 is Monday).
    pub calling_hours: Option<(u32, u32, Vec<u32>)>,
    /// Ring only whose consent is known.
    pub require_consent: bool,
    /// ISO codes; none: all that the operator allows.
    pub allowed_countries: Vec<String>,
    /// 0: the default.
    pub max_concurrent_calls: u32,
    /// 0: no limit.
    pub max_calls_per_day: u32,
    /// 0: no cap.
    pub monthly_spend_cap_cents: u64,
    /// 0: the default.
    pub retention_days: u32,
    /// Said before the first word of a call; empty: nothing.
    pub disclosure_line: String,
    /// Record what `disclosure_line` has announced.
    pub record_calls: bool,
}

/// What a project has set.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Where its days and months begin, and where customers live who have no zone of their own.
    pub time_zone: Tz,
    /// When customers may be rung.
    pub calling_hours: Option<CallingHours>,
    /// Ring only whose consent is known.
    pub require_consent: bool,
    /// Where phones may be rung.
    pub countries: Countries,
    /// Most calls that are alive at the same time.
    pub max_concurrent_calls: u32,
    /// Most calls begun on a day.
    pub max_calls_per_day: Option<u32>,
    /// What a month may cost.
    pub monthly_spend_cap_cents: Option<u64>,
    /// How long personal data is kept.
    pub retention_days: u32,
    /// Said before the first word of a call.
    pub disclosure: Option<String>,
    /// Calls are recorded, those that [`Policy::records`] says.
    pub record_calls: bool,
}

impl Policy {
    /// Whether a call is recorded in which `disclosure` comes first. Only the line that goes with the wish to record announces it:
    /// a call whose line was written down before the project set another one is not recorded.
    #[must_use]
    pub fn records(&self, disclosure: Option<&str>) -> bool {
        self.record_calls && disclosure.is_some() && disclosure == self.disclosure.as_deref()
    }
}

/// The line that discloses a call, as it is spoken.
#[must_use]
pub fn disclosure(line: &str) -> Option<String> {
    let line: String = line.trim().chars().take(MAX_DISCLOSURE_CHARS).collect();
    Some(line).filter(|line| !line.is_empty())
}

impl Default for Policy {
    fn default() -> Self {
        Self::from(&Settings::default())
    }
}

/// What the gateway has let through is believed; where the two disagree about the name of a zone or a window, UTC and no
/// window are taken, and a country that is not known here is not rung.
impl From<&Settings> for Policy {
    fn from(settings: &Settings) -> Self {
        let given = |n: u32, default: u32| if n == 0 { default } else { n };
        let hours = settings.calling_hours.as_ref();
        Self {
            time_zone: zone(&settings.time_zone).unwrap_or(Tz::UTC),
            calling_hours: hours.and_then(|(from, to, days)| CallingHours::new(*from, *to, days)),
            require_consent: settings.require_consent,
            countries: Countries::of_codes(&settings.allowed_countries),
            max_concurrent_calls: given(settings.max_concurrent_calls, MAX_CONCURRENT_CALLS),
            max_calls_per_day: Some(settings.max_calls_per_day).filter(|n| *n > 0),
            monthly_spend_cap_cents: Some(settings.monthly_spend_cap_cents).filter(|n| *n > 0),
            retention_days: given(settings.retention_days, RETENTION_DAYS),
            disclosure: disclosure(&settings.disclosure_line),
            record_calls: settings.record_calls,
        }
    }
}

impl Settings {
    /// Whether the rules may say something else under `other` than under these: how long data is kept is no such rule, nor what
    /// is said first or recorded.
    #[must_use]
    pub fn rules_differ(&self, other: &Self) -> bool {
        self.rules() != other.rules()
    }

    fn rules(&self) -> Self {
        Self { retention_days: 0, disclosure_line: String::new(), record_calls: false, ..self.clone() }
    }
}

/// What is known about a customer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Where they live; `None`: where the project is.
    pub time_zone: Option<Tz>,
    /// What they said about being called; `None`: nothing.
    pub consent: Option<bool>,
}

/// The zone with this IANA name.
#[must_use]
pub fn zone(name: &str) -> Option<Tz> {
    Tz::from_str(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_has_its_default() {
        let policy = Policy::default();
        assert_eq!((policy.time_zone, policy.max_concurrent_calls, policy.retention_days), (Tz::UTC, 10, 90));
        assert_eq!((policy.max_calls_per_day, policy.monthly_spend_cap_cents), (None, None));
        assert!(
            policy.calling_hours.is_none()
                && !policy.require_consent
                && policy.countries.allow("+4930901820")
        );
    }

    #[test]
    fn a_list_of_countries_that_are_not_known_lets_nothing_through() {
        let settings = Settings { allowed_countries: vec!["XX".to_owned()], ..Settings::default() };
        assert!(!Policy::from(&settings).countries.allow("+4930901820"));
    }

    #[test]
    fn only_what_is_announced_is_recorded() {
        let of = |line: &str, record_calls| {
            Policy::from(&Settings { disclosure_line: line.to_owned(), record_calls, ..Settings::default() })
        };
        let line = "This call is recorded.";
        assert!(of(&format!(" {line} "), true).records(Some(line)));
        assert!(!of(line, true).records(None), "nothing is said");
        assert!(!of(line, true).records(Some("A machine calls.")), "it was written down before the wish");
        assert!(!of(line, false).records(Some(line)));
        assert!(!of("", true).records(None) && !of(" ", true).records(Some("")));
    }

    #[test]
    fn how_long_data_is_kept_is_no_rule_for_dialling() {
        let short = Settings { retention_days: 1, ..Settings::default() };
        assert!(!Settings::default().rules_differ(&short));
        let line = "This call is recorded.".to_owned();
        let recording = Settings { disclosure_line: line, record_calls: true, ..Settings::default() };
        assert!(!Settings::default().rules_differ(&recording));
        assert!(Settings::default().rules_differ(&Settings { require_consent: true, ..Settings::default() }));
    }
}
