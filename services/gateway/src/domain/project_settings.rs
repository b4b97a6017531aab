//! What a project may set for its calls, and what holds where it has set nothing.

use contracts::accounts::{self, ProjectPolicy};
use phonenumber::country;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::app::app_id;
use super::calling_hours::CallingHours;
use super::customer::TimeZone;
use super::problem::Problem;
use super::retry::Retry;
use super::text::{Language, Voice, line};

/// Most calls at a time that a project may set.
pub(crate) const MOST_CONCURRENT: u32 = 1000;
/// Most calls a day that a project may set.
pub(crate) const MOST_A_DAY: u32 = 1_000_000;
/// Longest time for which personal data may be kept, in days: ten years.
pub(crate) const MOST_DAYS: u32 = 3650;
/// Longest sentence that says that a machine speaks.
pub(crate) const LONGEST_DISCLOSURE: usize = 500;

/// Everything that a project may set, as it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ProjectSettings {
    /// BCP-47 tag.
    pub(crate) language: String,
    /// The carrier's name for the voice.
    pub(crate) voice: String,
    /// IANA name: where customers without a zone of their own live, and when a day and a month begin.
    pub(crate) timezone: String,
    /// When customers may be rung; absent: at any time.
    pub(crate) calling_hours: Option<CallingHours>,
    /// Ring only customers whose consent is known.
    pub(crate) require_consent: bool,
    /// ISO 3166-1 codes of the countries that may be rung; absent: all that the operator allows.
    pub(crate) allowed_countries: Option<Vec<String>>,
    /// Most calls that are alive at the same time.
    pub(crate) max_concurrent_calls: u32,
    /// Most calls begun on one day; absent: as many as are asked for.
    pub(crate) max_calls_per_day: Option<u32>,
    /// What a month may cost, in the carrier's currency; absent: no cap.
    pub(crate) monthly_spend_cap: Option<Money>,
    /// When a number is rung again; absent: one attempt.
    pub(crate) retry: Option<Retry>,
    /// Spoken before anything else.
    pub(crate) disclosure_line: Option<String>,
    /// Calls are recorded; only ever true beside a disclosure line.
    pub(crate) record_calls: bool,
    /// The app whose documents answer callers' questions.
    pub(crate) knowledge_app_id: Option<String>,
    /// Personal data is kept so many days.
    pub(crate) retention_days: u32,
}

impl Default for ProjectSettings {
    fn default() -> Self {
        Self {
            language: "en-US".to_owned(),
            voice: "man".to_owned(),
            timezone: "UTC".to_owned(),
            calling_hours: None,
            require_consent: false,
            allowed_countries: None,
            max_concurrent_calls: 10,
            max_calls_per_day: None,
            monthly_spend_cap: None,
            retry: None,
            disclosure_line: None,
            record_calls: false,
            knowledge_app_id: None,
            retention_days: 90,
        }
    }
}

impl ProjectSettings {
    /// What the rules before dialling ask for, of this version of the project.
    pub(crate) fn policy(&self, project: String, version: i64) -> ProjectPolicy {
        let cents = self.monthly_spend_cap.map_or(0, |cap| cap.0);
        ProjectPolicy {
            project_id: project,
            version,
            time_zone: self.timezone.clone(),
            calling_hours: self.calling_hours.as_ref().map(accounts::CallingHours::from),
            require_consent: self.require_consent,
            allowed_countries: self.allowed_countries.clone().unwrap_or_default(),
            max_concurrent_calls: self.max_concurrent_calls,
            max_calls_per_day: self.max_calls_per_day.unwrap_or_default(),
            monthly_spend_cap_cents: cents,
            retention_days: self.retention_days,
            disclosure_line: self.disclosure_line.clone().unwrap_or_default(),
            record_calls: self.record_calls,
        }
    }

    /// Takes over what a caller has named: each field by itself, null for the default.
    fn merge(&mut self, object: &Map<String, Value>) -> Vec<Problem> {
        let default = Self::default();
        let mut given = Given { object, problems: Vec::new() };
        given
            .text("language", &mut self.language, default.language, |t| Language::parse(t).map(String::from));
        given.text("voice", &mut self.voice, default.voice, |t| Voice::parse(t).map(String::from));
        given.text("timezone", &mut self.timezone, default.timezone, |t| {
            TimeZone::parse(t).map(|zone| zone.name().to_owned())
        });
        given.set("calling_hours", &mut self.calling_hours, None, |v| CallingHours::parse(v).map(Some));
        given.set("require_consent", &mut self.require_consent, false, flag);
        given.set("allowed_countries", &mut self.allowed_countries, None, |v| countries(v).map(Some));
        let concurrent = &mut self.max_concurrent_calls;
        given.set("max_concurrent_calls", concurrent, default.max_concurrent_calls, |v| {
            whole(v, MOST_CONCURRENT)
        });
        let a_day = &mut self.max_calls_per_day;
        given.set("max_calls_per_day", a_day, None, |v| whole(v, MOST_A_DAY).map(Some));
        given.set("monthly_spend_cap", &mut self.monthly_spend_cap, None, |v| Money::parse(v).map(Some));
        given.set("retry", &mut self.retry, None, |v| Retry::parse(v).map(Some));
        given.text("disclosure_line", &mut self.disclosure_line, None, |t| {
            line(t, LONGEST_DISCLOSURE).map(Some)
        });
        given.set("record_calls", &mut self.record_calls, false, flag);
        given.text("knowledge_app_id", &mut self.knowledge_app_id, None, |t| app_id(t).map(Some));
        given
            .set("retention_days", &mut self.retention_days, default.retention_days, |v| whole(v, MOST_DAYS));
        given.problems
    }
}

/// Settings that a caller wants changed, checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Changes(Map<String, Value>);

impl Changes {
    /// Accepts an object of settings. Unknown ones are ignored.
    pub(crate) fn parse(value: &Value) -> Result<Self, Vec<Problem>> {
        let wrong =
            || vec![Problem::new("", "must be an object of settings such as {\"language\": \"en-US\"}")];
        let object = value.as_object().ok_or_else(wrong)?;
        // What is right does not depend on what was set before.
        let problems = ProjectSettings::default().merge(object);
        if problems.is_empty() { Ok(Self(object.clone())) } else { Err(problems) }
    }

    /// The settings with the changes, if they fit together.
    pub(crate) fn applied_to(&self, mut settings: ProjectSettings) -> Result<ProjectSettings, Vec<Problem>> {
        settings.merge(&self.0);
        match settings.record_calls && settings.disclosure_line.is_none() {
            true => Err(vec![self.unannounced()]),
            false => Ok(settings),
        }
    }

    /// Calls would be recorded, and nobody told.
    fn unannounced(&self) -> Problem {
        match self.0.get("record_calls").and_then(Value::as_bool) {
            Some(true) => Problem::new(
                "/record_calls",
                "needs a disclosure_line in the same project that says that the call is recorded: a recording must be announced",
            ),
            _ => Problem::new(
                "/disclosure_line",
                "must stay while record_calls is true: a recording must be announced; send record_calls false with it",
            ),
        }
    }
}

/// Settings that are being read.
struct Given<'a> {
    object: &'a Map<String, Value>,
    problems: Vec<Problem>,
}

impl Given<'_> {
    /// A field: absent, it stays as it is; null, it becomes the default.
    fn set<T>(
        &mut self,
        name: &str,
        slot: &mut T,
        default: T,
        parse: impl FnOnce(&Value) -> Result<T, Vec<Problem>>,
    ) {
        match self.object.get(name) {
            None => {}
            Some(Value::Null) => *slot = default,
            Some(value) => match parse(value) {
                Ok(made) => *slot = made,
                Err(problems) => {
                    self.problems.extend(problems.into_iter().map(|p| p.inside(&format!("/{name}"))));
                }
            },
        }
    }

    fn text<T>(
        &mut self,
        name: &str,
        slot: &mut T,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) {
        self.set(name, slot, default, |value| {
            let text = value.as_str().ok_or_else(|| one("must be a string"))?;
            parse(text).map_err(one)
        });
    }
}

fn one(problem: impl Into<String>) -> Vec<Problem> {
    vec![Problem::new("", problem)]
}

fn flag(value: &Value) -> Result<bool, Vec<Problem>> {
    value.as_bool().ok_or_else(|| one("must be true or false"))
}

fn whole(value: &Value, most: u32) -> Result<u32, Vec<Problem>> {
    let number = value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=most).contains(n));
    number.ok_or_else(|| one(format!("must be a whole number from 1 to {most}")))
}

fn countries(value: &Value) -> Result<Vec<String>, Vec<Problem>> {
    let codes = value.as_array().filter(|codes| !codes.is_empty()).ok_or_else(|| {
        one("must be an array of ISO 3166-1 codes such as [\"US\", \"DE\"], or null for all that are allowed here")
    })?;
    let mut known = Vec::new();
    for (at, code) in codes.iter().enumerate() {
        let text = code.as_str().filter(|text| text.parse::<country::Id>().is_ok());
        let wrong = || {
            vec![Problem::new(
                format!("/{at}"),
                "must be an ISO 3166-1 code of two capital letters such as US",
            )]
        };
        known.push(text.ok_or_else(wrong)?.to_owned());
    }
    known.sort_unstable();
    known.dedup();
    Ok(known)
}

/// An amount of the carrier's currency, in hundredths; more than nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Money(u64);

impl Money {
    fn parse(value: &Value) -> Result<Self, Vec<Problem>> {
        let wrong = || one("must be an amount from 0.01 to 1000000 with at most two decimals");
        let hundredths = value.as_f64().ok_or_else(wrong)? * 100.0;
        let whole = hundredths.round();
        if !(hundredths - whole).abs().lt(&1e-6) || !(1.0..=100_000_000.0).contains(&whole) {
            return Err(wrong());
        }
        format!("{whole:.0}").parse().map(Self).map_err(|_| wrong())
    }

    /// As callers write and read it.
    pub(crate) fn to_json(self) -> Value {
        let (whole, part) = (self.0 / 100, self.0 % 100);
        let text = if part == 0 { whole.to_string() } else { format!("{whole}.{part:02}") };
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(value: &Value) -> Vec<String> {
        Changes::parse(value).unwrap_err().into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn changes_touch_what_they_name_and_null_brings_the_default_back() {
        let first =
            Changes::parse(&json!({"language": "de-DE", "max_calls_per_day": 5, "unknown": 1})).unwrap();
        let set = first.applied_to(ProjectSettings::default()).unwrap();
        assert_eq!(
            (set.language.as_str(), set.max_calls_per_day, set.voice.as_str()),
            ("de-DE", Some(5), "man")
        );
        let second = Changes::parse(&json!({"language": null, "voice": "woman"})).unwrap();
        let set = second.applied_to(set).unwrap();
        assert_eq!(
            (set.language.as_str(), set.max_calls_per_day, set.voice.as_str()),
            ("en-US", Some(5), "woman")
        );
    }

    #[test]
    fn everything_that_is_wrong_is_named_with_its_place() {
        let bad = json!({
            "language": "english", "voice": "", "timezone": "Mars/Olympus", "calling_hours": {"from": "9"},
            "require_consent": "yes", "allowed_countries": ["US", "usa"], "max_concurrent_calls": 0,
            "max_calls_per_day": -1, "monthly_spend_cap": 0, "retry": {"max_attempts": 6},
            "disclosure_line": 7, "record_calls": "yes", "knowledge_app_id": "a/b", "retention_days": 3651
        });
        let expected = [
            "/language",
            "/voice",
            "/timezone",
            "/calling_hours/from",
            "/calling_hours/to",
            "/require_consent",
            "/allowed_countries/1",
            "/max_concurrent_calls",
            "/max_calls_per_day",
            "/monthly_spend_cap",
            "/retry/max_attempts",
            "/disclosure_line",
            "/record_calls",
            "/knowledge_app_id",
            "/retention_days",
        ];
        assert_eq!(fields(&bad), expected);
        assert_eq!(fields(&json!([])), [""]);
        assert_eq!(fields(&json!({"allowed_countries": []})), ["/allowed_countries"]);
    }

    #[test]
    fn whoever_records_says_so() {
        let applied = |change: Value, to: ProjectSettings| Changes::parse(&change).unwrap().applied_to(to);
        let field = |result: Result<ProjectSettings, Vec<Problem>>| result.unwrap_err().remove(0).field;
        let on = json!({"record_calls": true});
        assert_eq!(field(applied(on.clone(), ProjectSettings::default())), "/record_calls");
        let line = json!({"disclosure_line": "This call is recorded."});
        let announced = applied(line, ProjectSettings::default()).unwrap();
        let recording = applied(on, announced).unwrap();
        let policy = recording.policy("p".to_owned(), 1);
        assert_eq!((policy.record_calls, policy.disclosure_line.as_str()), (true, "This call is recorded."));
        assert_eq!(field(applied(json!({"disclosure_line": null}), recording.clone())), "/disclosure_line");
        let both = json!({"disclosure_line": null, "record_calls": null});
        assert_eq!(applied(both, recording), Ok(ProjectSettings::default()));
    }

    #[test]
    fn an_amount_has_two_decimals_and_comes_back_as_it_was_given() {
        for good in [json!(100), json!(99.5), json!(0.01), json!(19.99), json!(1_000_000)] {
            let read = Money::parse(&good).unwrap().to_json();
            assert_eq!(read.as_f64(), good.as_f64());
        }
        for bad in [json!(0), json!(-1), json!(0.001), json!(1_000_000.01), json!("5"), json!(1e300)] {
            assert!(Money::parse(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_policy_says_none_as_the_message_says_it() {
        let policy = ProjectSettings::default().policy("p".to_owned(), 1);
        assert_eq!((policy.version, policy.time_zone.as_str()), (1, "UTC"));
        assert_eq!(
            (policy.max_concurrent_calls, policy.max_calls_per_day, policy.monthly_spend_cap_cents),
            (10, 0, 0)
        );
        assert!(policy.calling_hours.is_none() && policy.allowed_countries.is_empty());
        let set = Changes::parse(&json!({
            "calling_hours": {"from": "09:00", "to": "20:00", "days": ["mon", "sun"]}, "monthly_spend_cap": 99.5
        }));
        let policy = set.unwrap().applied_to(ProjectSettings::default()).unwrap().policy("p".to_owned(), 2);
        let hours = policy.calling_hours.unwrap();
        assert_eq!((hours.from_minute, hours.to_minute, hours.weekdays), (540, 1200, vec![1, 7]));
        assert_eq!(policy.monthly_spend_cap_cents, 9950);
    }
}
