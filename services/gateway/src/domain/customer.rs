//! What is known about a customer, and how many numbers they may have, which of them is rung.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::{Value, json};

use super::json::Metadata;
use super::moment;
use super::person::Email;
use super::problem::Problem;
use super::text::{ExternalId, Language, PersonName, line};

/// A time zone by its IANA name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeZone(Tz);

impl TimeZone {
    /// Accepts a name of the IANA database, such as `Europe/Berlin`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = |_| "must be an IANA time zone such as Europe/Berlin or America/New_York".to_owned();
        text.parse().map(Self).map_err(wrong)
    }

    /// The name.
    pub(crate) fn name(self) -> &'static str {
        self.0.name()
    }
}

/// What somebody said about being called, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Consent {
    /// They agreed.
    pub(crate) given: bool,
    /// When they said so, in milliseconds since the Unix epoch.
    pub(crate) at_ms: i64,
    /// Where that is known from.
    pub(crate) source: String,
}

impl Consent {
    /// As it is stored.
    pub(crate) fn stored(&self) -> Value {
        json!({"given": self.given, "at_ms": self.at_ms, "source": self.source})
    }

    /// As callers write and read it.
    pub(crate) fn to_json(&self) -> Value {
        let at = DateTime::from_timestamp_millis(self.at_ms).unwrap_or_default();
        json!({"given": self.given, "at": moment::text(at), "source": self.source})
    }
}

/// The same as a caller tells it: without a time it is meant from now on, without a source it was told here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConsentTold {
    given: bool,
    at: Option<DateTime<Utc>>,
    source: Option<String>,
}

impl ConsentTold {
    /// Accepts `{given, at?, source?}`.
    pub(crate) fn parse(value: &Value) -> Result<Self, Vec<Problem>> {
        let Some(fields) = value.as_object() else {
            let problem = "must be an object such as {\"given\": true, \"at\": \"2026-03-18T17:43:46Z\", \"source\": \"web-form\"}, or null";
            return Err(vec![Problem::new("", problem)]);
        };
        let field = |name: &str| fields.get(name).filter(|value| !value.is_null());
        let mut problems = Vec::new();
        let given = field("given").and_then(Value::as_bool);
        if given.is_none() {
            problems.push(Problem::new("/given", "is required: true or false"));
        }
        let mut text = |name: &str| -> Option<String> {
            let value = field(name)?;
            let text = value.as_str().map(str::to_owned);
            if text.is_none() {
                problems.push(Problem::new(format!("/{name}"), "must be a string"));
            }
            text
        };
        let (at, source) = (text("at"), text("source"));
        let at = at.map(|at| moment::parse(&at)).transpose();
        let source = source.map(|source| line(&source, 200)).transpose();
        let wrong = [("/at", at.as_ref().err()), ("/source", source.as_ref().err())];
        problems.extend(wrong.iter().filter_map(|(at, problem)| Some(Problem::new(*at, problem.cloned()?))));
        match (given, at, source) {
            (Some(given), Ok(at), Ok(source)) if problems.is_empty() => Ok(Self { given, at, source }),
            _ => Err(problems),
        }
    }

    /// As it is kept; `told` says when and where it came in.
    pub(crate) fn kept(self, (now, through): Told) -> Consent {
        Consent {
            given: self.given,
            at_ms: self.at.unwrap_or(now).timestamp_millis(),
            source: self.source.unwrap_or_else(|| through.to_owned()),
        }
    }
}

/// When something was told to us, and through what.
pub(crate) type Told = (DateTime<Utc>, &'static str);

/// A customer as a caller describes them. What is `None` was not said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CustomerSpec {
    /// The integrator's own id.
    pub(crate) external_id: ExternalId,
    /// First name.
    pub(crate) first_name: PersonName,
    /// Last name.
    pub(crate) last_name: PersonName,
    /// The integrator's own data.
    pub(crate) metadata: Option<Metadata>,
    /// Where they live, by the clock.
    pub(crate) timezone: Option<TimeZone>,
    /// What they speak.
    pub(crate) language: Option<Language>,
    /// Where they get mail.
    pub(crate) email: Option<Email>,
    /// What they said about being called.
    pub(crate) consent: Option<ConsentTold>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(ms).unwrap()
    }

    #[test]
    fn a_time_zone_is_one_of_the_iana_database() {
        for good in ["Europe/Berlin", "America/New_York", "UTC", "Asia/Kolkata"] {
            assert_eq!(TimeZone::parse(good).map(TimeZone::name), Ok(good));
        }
        for bad in ["", "Berlin", "europe/berlin", "+01:00", "CEST", "Europe/Atlantis"] {
            assert!(TimeZone::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn consent_without_a_time_counts_from_now_and_reads_back_as_it_was_told() {
        let kept = |value: &Value| ConsentTold::parse(value).unwrap().kept((at(5000), "api"));
        assert_eq!(kept(&json!({"given": true})), Consent { given: true, at_ms: 5000, source: "api".into() });
        let told = json!({"given": false, "at": "2026-03-18T17:43:46.714Z", "source": "web-form"});
        let consent = kept(&told);
        assert_eq!((consent.at_ms, consent.to_json()), (1_773_855_826_714, told));
    }

    #[test]
    fn consent_names_everything_that_is_wrong_with_it() {
        let fields = |value: &Value| -> Vec<String> {
            ConsentTold::parse(value).unwrap_err().into_iter().map(|p| p.field).collect()
        };
        assert_eq!(fields(&json!(true)), [""]);
        assert_eq!(fields(&json!({"at": "now", "source": "\0"})), ["/given", "/at", "/source"]);
        assert_eq!(fields(&json!({"given": "yes", "at": 5, "source": 6})), ["/given", "/at", "/source"]);
    }
}
