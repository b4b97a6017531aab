//! When a number is rung again, as callers and projects say it. The numbers are those of the call-orchestrator, which holds
//! them against its own once more.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::problem::Problem;

/// Most attempts.
const MAX_ATTEMPTS: u64 = 5;
/// Longest pause, seconds.
const MAX_DELAY: u64 = 86_400;
/// The endings after which a number may be rung again.
pub(crate) const ENDINGS: [&str; 7] =
    ["voicemail", "screened", "busy", "no-answer", "rejected", "carrier-error", "error"];

/// A checked policy. What is absent has its default: one attempt, five minutes, `busy` and `no-answer`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Retry {
    /// Most attempts, 1–5.
    #[serde(default = "one")]
    pub(crate) max_attempts: u32,
    /// The pause after each attempt, seconds; the last one repeats.
    #[serde(default)]
    pub(crate) delay_seconds: Vec<u32>,
    /// The endings after which it is rung again.
    #[serde(default)]
    pub(crate) on: Vec<String>,
}

fn one() -> u32 {
    1
}

impl Retry {
    /// Accepts `{max_attempts, delay_seconds[], on[]}`, each of them optional.
    pub(crate) fn parse(value: &Value) -> Result<Self, Vec<Problem>> {
        let Some(object) = value.as_object() else {
            return Err(vec![Problem::new("", "must be an object with max_attempts, delay_seconds and on")]);
        };
        let mut problems = Vec::new();
        let max_attempts = attempts(object).unwrap_or_else(|problem| {
            problems.push(problem);
            1
        });
        let delay_seconds = list(object, "delay_seconds", &mut problems, delay);
        let on = list(object, "on", &mut problems, ending);
        if delay_seconds.len() as u64 >= MAX_ATTEMPTS {
            problems.push(Problem::new(
                "/delay_seconds",
                "may hold at most 4 pauses: one after each attempt but the last",
            ));
        }
        if problems.is_empty() { Ok(Self { max_attempts, delay_seconds, on }) } else { Err(problems) }
    }
}

fn whole(value: &Value, least: u64, most: u64) -> Option<u32> {
    value.as_u64().filter(|n| (least..=most).contains(n)).and_then(|n| u32::try_from(n).ok())
}

fn attempts(object: &Map<String, Value>) -> Result<u32, Problem> {
    let Some(given) = object.get("max_attempts").filter(|value| !value.is_null()) else { return Ok(1) };
    let wrong = || Problem::new("/max_attempts", format!("must be a whole number from 1 to {MAX_ATTEMPTS}"));
    whole(given, 1, MAX_ATTEMPTS).ok_or_else(wrong)
}

fn delay(value: &Value) -> Result<u32, String> {
    whole(value, 0, MAX_DELAY)
        .ok_or_else(|| format!("must be a whole number of seconds from 0 to {MAX_DELAY}"))
}

fn ending(value: &Value) -> Result<String, String> {
    let known = value.as_str().filter(|word| ENDINGS.contains(word));
    known.map(str::to_owned).ok_or_else(|| format!("must be one of {}", ENDINGS.join(", ")))
}

fn list<T>(
    object: &Map<String, Value>,
    name: &str,
    problems: &mut Vec<Problem>,
    parse: impl Fn(&Value) -> Result<T, String>,
) -> Vec<T> {
    let items = match object.get(name) {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(items)) => items,
        Some(_) => {
            problems.push(Problem::new(format!("/{name}"), "must be an array"));
            return Vec::new();
        }
    };
    let mut made = Vec::new();
    for (at, item) in items.iter().enumerate() {
        match parse(item) {
            Ok(good) => made.push(good),
            Err(problem) => problems.push(Problem::new(format!("/{name}/{at}"), problem)),
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_absent_has_its_default() {
        let parsed = Retry::parse(&json!({"delay_seconds": null}));
        assert_eq!(parsed, Ok(Retry { max_attempts: 1, delay_seconds: vec![], on: vec![] }));
        let whole = json!({"max_attempts": 5, "delay_seconds": [0, 86_400], "on": ["busy", "voicemail"]});
        let parsed = Retry::parse(&whole).unwrap();
        assert_eq!(serde_json::to_value(&parsed).unwrap(), whole);
    }

    #[test]
    fn everything_that_is_wrong_is_named_with_its_place() {
        let bad =
            json!({"max_attempts": 6, "delay_seconds": [1, -1, 1, 1, 1, 1], "on": ["busy", "dial-unknown"]});
        let fields: Vec<_> = Retry::parse(&bad).unwrap_err().into_iter().map(|p| p.field).collect();
        assert_eq!(fields, ["/max_attempts", "/delay_seconds/1", "/on/1", "/delay_seconds"]);
        assert!(Retry::parse(&json!({"on": "busy"})).is_err());
        assert!(Retry::parse(&json!([])).is_err());
    }
}
