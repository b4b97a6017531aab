//! Free JSON values that callers give along: variables of one call, and data of their own.

use serde_json::{Map, Value};

use super::problem::{Problem, step};
use super::text::passage;

/// Most variables of one notification.
const MAX_VARIABLES: usize = 64;
/// Longest value of a variable, in characters; the longest name is a name's.
const MAX_VALUE: usize = 2000;
const MAX_NAME: usize = 200;
/// Largest metadata, in bytes of compact JSON.
const MAX_METADATA: usize = 16 * 1024;

/// Values for the `{{tokens}}` of a prompt: strings, numbers and booleans.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Variables(Map<String, Value>);

impl Variables {
    /// Accepts an object of at most 64 values.
    pub(crate) fn parse(value: &Value) -> Result<Self, Vec<Problem>> {
        let Some(object) = value.as_object() else {
            return Err(vec![Problem::new("", "must be an object of strings, numbers and booleans")]);
        };
        if object.len() > MAX_VARIABLES {
            let problem = format!("has {} variables; at most {MAX_VARIABLES} are allowed", object.len());
            return Err(vec![Problem::new("", problem)]);
        }
        let problems: Vec<_> = object
            .iter()
            .filter_map(|(name, value)| {
                variable(name, value).err().map(|problem| Problem::new(step(name), problem))
            })
            .collect();
        if problems.is_empty() { Ok(Self(object.clone())) } else { Err(problems) }
    }

    /// The object as JSON text.
    pub(crate) fn to_text(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }
}

fn variable(name: &str, value: &Value) -> Result<(), String> {
    super::text::line(name, MAX_NAME).map_err(|problem| format!("its name {problem}"))?;
    match value {
        Value::String(text) => passage(text, MAX_VALUE).map(drop),
        Value::Number(_) | Value::Bool(_) => Ok(()),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err("must be a string, a number or a boolean".to_owned())
        }
    }
}

/// The integrator's own data: an object of at most 16 KiB.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Metadata(Value);

impl Default for Metadata {
    fn default() -> Self {
        Self(Value::Object(Map::new()))
    }
}

impl Metadata {
    /// Accepts an object of any depth.
    pub(crate) fn parse(value: &Value) -> Result<Self, Vec<Problem>> {
        if !value.is_object() {
            return Err(vec![Problem::new("", "must be an object")]);
        }
        let bytes = value.to_string().len();
        if bytes > MAX_METADATA {
            return Err(vec![Problem::new(
                "",
                format!("has {bytes} bytes; at most {MAX_METADATA} are allowed"),
            )]);
        }
        storable(value)?;
        Ok(Self(value.clone()))
    }

    /// The object.
    pub(crate) fn into_inner(self) -> Value {
        self.0
    }

    /// The object as JSON text.
    pub(crate) fn to_text(&self) -> String {
        self.0.to_string()
    }
}

/// Refuses NUL anywhere in names and strings: `PostgreSQL` can store it in no text and no `jsonb`.
pub(crate) fn storable(value: &Value) -> Result<(), Vec<Problem>> {
    match nul(value, String::new()) {
        Some(place) => Err(vec![Problem::new(place, "contains the control character U+0000")]),
        None => Ok(()),
    }
}

fn nul(value: &Value, place: String) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then_some(place),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(at, item)| nul(item, format!("{place}/{at}")))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            if name.contains('\0') {
                Some(place.clone())
            } else {
                nul(value, format!("{place}{}", step(name)))
            }
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn many(count: usize) -> Value {
        (0..count).map(|n| (format!("v{n}"), json!(n))).collect::<Map<_, _>>().into()
    }

    #[test]
    fn variables_are_strings_numbers_and_booleans() {
        assert!(Variables::parse(&json!({"a": "x", "b": 1.5, "c": true})).is_ok());
        let problems = Variables::parse(&json!({"a/b": null, "c": [], "d": {}})).unwrap_err();
        assert_eq!(problems.len(), 3);
        assert_eq!(problems[0].field, "/a~1b");
        assert!(Variables::parse(&json!([])).is_err());
    }

    #[test]
    fn sixty_four_variables_of_two_thousand_characters_fit_and_no_more() {
        assert!(Variables::parse(&many(64)).is_ok());
        assert!(Variables::parse(&many(65)).is_err());
        assert!(Variables::parse(&json!({"a": "é".repeat(2000)})).is_ok());
        assert!(Variables::parse(&json!({"a": "é".repeat(2001)})).is_err());
        assert!(Variables::parse(&json!({"": "x"})).is_err());
    }

    #[test]
    fn metadata_is_an_object_of_sixteen_kibibytes_without_nul() {
        let sized = |bytes: usize| json!({"a": "x".repeat(bytes - 8)});
        assert!(Metadata::parse(&sized(16 * 1024)).is_ok());
        assert!(Metadata::parse(&sized(16 * 1024 + 1)).is_err());
        assert!(Metadata::parse(&json!([])).is_err());
        assert_eq!(Metadata::parse(&json!({"a": [{"b": "\0"}]})).unwrap_err()[0].field, "/a/0/b");
        assert!(Metadata::parse(&json!({"a\0": 1})).is_err());
    }
}
