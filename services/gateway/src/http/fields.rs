//! Reads the fields of a JSON object into validated types and collects everything that is wrong, so that a caller learns it
//! all at once. Unknown fields are ignored.

use std::ops::RangeInclusive;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::domain::problem::Problem;
use crate::error::ApiError;

/// Most problems that are told at once.
const TOLD: usize = 50;

/// A JSON object that is being read.
pub(crate) struct Fields<'a> {
    object: &'a Map<String, Value>,
    problems: Vec<Problem>,
}

/// Reads a whole body: `read` takes the fields and answers `None` where one of them was wrong.
///
/// # Errors
/// 400 with every problem.
pub(crate) fn decode<T>(
    body: &Value,
    read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
) -> Result<T, ApiError> {
    examine(body, read).map_err(ApiError::invalid)
}

/// The same, for one of many.
///
/// # Errors
/// Every problem.
pub(crate) fn examine<T>(
    body: &Value,
    read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
) -> Result<T, Vec<Problem>> {
    let object = body.as_object().ok_or_else(|| vec![Problem::new("", "body must be a JSON object")])?;
    let mut fields = Fields { object, problems: Vec::new() };
    match read(&mut fields) {
        Some(made) if fields.problems.is_empty() => Ok(made),
        _ => {
            fields.problems.truncate(TOLD);
            Err(fields.problems)
        }
    }
}

/// Puts the fields of `changes` in the place of those in `whole`, for a change that names only what changes.
///
/// # Errors
/// 400 when `changes` is no object.
pub(crate) fn overlay(whole: &mut Value, changes: &Value) -> Result<(), ApiError> {
    let changes =
        changes.as_object().ok_or_else(|| ApiError::invalid_field("", "body must be a JSON object"))?;
    for (name, value) in changes {
        if let Some(place) = whole.get_mut(name) {
            *place = value.clone();
        }
    }
    Ok(())
}

/// Reads an object that stands inside another one.
///
/// # Errors
/// Every problem, with its place inside the object.
pub(crate) fn within<T>(
    value: &Value,
    read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
) -> Result<T, Vec<Problem>> {
    let object = value.as_object().ok_or_else(|| vec![Problem::new("", "must be an object")])?;
    let mut fields = Fields { object, problems: Vec::new() };
    match read(&mut fields) {
        Some(made) if fields.problems.is_empty() => Ok(made),
        _ => Err(fields
            .problems
            .into_iter()
            .map(|p| Problem::new(format!("/{}", p.field), p.problem))
            .collect()),
    }
}

impl Fields<'_> {
    /// Whether a field says anything.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// Whether a field is named, `null` or not: what a change says something about.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    /// The value; one that is `null` counts as absent.
    fn value(&self, name: &str) -> Option<&Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// Notes that a field is wrong.
    pub(crate) fn refuse(&mut self, name: &str, problem: impl Into<String>) {
        self.problems.push(Problem::new(name, problem));
    }

    /// A required text.
    pub(crate) fn text<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let found = self.optional_text(name, parse)?;
        if found.is_none() {
            self.refuse(name, "is required");
        }
        found
    }

    /// An optional text. The outer `None`: it is wrong; the inner one: it is absent.
    pub(crate) fn optional_text<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Option<T>> {
        let parsed = match self.value(name) {
            None => return Some(None),
            Some(Value::String(text)) => parse(text),
            Some(other) => Err(format!("must be a string, not {}", kind(other))),
        };
        parsed.map(Some).map_err(|problem| self.refuse(name, problem)).ok()
    }

    /// A required id.
    pub(crate) fn id<T: FromStr>(&mut self, name: &str) -> Option<T> {
        self.text(name, parse_id)
    }

    /// An optional id.
    pub(crate) fn optional_id<T: FromStr>(&mut self, name: &str) -> Option<Option<T>> {
        self.optional_text(name, parse_id)
    }

    /// An optional whole number within bounds.
    pub(crate) fn integer(&mut self, name: &str, range: RangeInclusive<u32>) -> Option<Option<u32>> {
        let problem = match self.value(name) {
            None => return Some(None),
            Some(Value::Number(number)) => {
                let whole = number.as_u64().and_then(|n| u32::try_from(n).ok());
                if let Some(n) = whole.filter(|n| range.contains(n)) {
                    return Some(Some(n));
                }
                format!("must be a whole number from {} to {}", range.start(), range.end())
            }
            Some(other) => format!("must be a whole number, not {}", kind(other)),
        };
        self.refuse(name, problem);
        None
    }

    /// An optional truth value.
    pub(crate) fn flag(&mut self, name: &str) -> Option<Option<bool>> {
        let problem = match self.value(name) {
            None => return Some(None),
            Some(Value::Bool(flag)) => return Some(Some(*flag)),
            Some(other) => format!("must be true or false, not {}", kind(other)),
        };
        self.refuse(name, problem);
        None
    }

    /// An optional value with places of its own inside.
    pub(crate) fn nested<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&Value) -> Result<T, Vec<Problem>>,
    ) -> Option<Option<T>> {
        let Some(value) = self.value(name) else { return Some(None) };
        match parse(value) {
            Ok(made) => Some(Some(made)),
            Err(problems) => {
                self.problems.extend(problems.into_iter().map(|problem| problem.inside(name)));
                None
            }
        }
    }

    /// A required value with places of its own inside.
    pub(crate) fn required<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&Value) -> Result<T, Vec<Problem>>,
    ) -> Option<T> {
        let found = self.nested(name, parse)?;
        if found.is_none() {
            self.refuse(name, "is required");
        }
        found
    }
}

/// An id in its text form.
pub(crate) fn parse_id<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "must be an id such as 8cc6199f-9466-46f2-9db7-936f3c2c1c0b".to_owned())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::Label;
    use contracts::ids::AgentId;
    use serde_json::json;

    type Read = (Label, Option<AgentId>, Option<u32>, Option<bool>);

    fn read(body: &Value) -> Result<Read, ApiError> {
        decode(body, |fields| {
            let name = fields.text("name", Label::parse);
            let agent = fields.optional_id("agent_id");
            let seconds = fields.integer("seconds", 30..=600);
            let flag = fields.flag("flag");
            Some((name?, agent?, seconds?, flag?))
        })
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let body = json!({"name": 7, "agent_id": "x", "seconds": 30.5, "flag": "yes", "unknown": []});
        let shown = format!("{:?}", read(&body).unwrap_err());
        for field in ["\"name\"", "\"agent_id\"", "\"seconds\"", "\"flag\""] {
            assert!(shown.contains(field), "{field}: {shown}");
        }
        assert!(!shown.contains("unknown"));
    }

    #[test]
    fn null_counts_as_absent_and_numbers_keep_their_bounds() {
        let (_, agent, seconds, flag) =
            read(&json!({"name": "a", "agent_id": null, "seconds": null, "flag": null})).unwrap();
        assert_eq!((agent, seconds, flag), (None, None, None));
        for bad in [json!(29), json!(601), json!(-30), json!(1e300), json!("30"), json!(u64::MAX)] {
            assert!(read(&json!({"name": "a", "seconds": bad})).is_err(), "{bad}");
        }
        assert!(read(&json!({"name": null})).is_err());
        assert!(read(&json!([])).is_err());
    }
}
