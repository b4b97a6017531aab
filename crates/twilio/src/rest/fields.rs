//! JSON answers, read as tolerantly as they are written: numbers as strings or as numbers, `null`, empty or absent
//! fields, values of another type than documented.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

/// One resource.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// Fails with a reason when the value is not an object.
    pub(super) fn new(value: Value) -> Result<Self, String> {
        match value {
            Value::Object(map) => Ok(Self(map)),
            _ => Err("the answer is not a JSON object".to_owned()),
        }
    }

    /// A text or a number as text; `None` when it is missing, `null`, empty or of another type.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// What the text says; `None` also when it says nothing that `T` understands.
    pub(super) fn parsed<T: FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.trim().parse().ok()
    }

    pub(super) fn boolean(&self, name: &str) -> Option<bool> {
        match self.0.get(name)? {
            Value::Bool(value) => Some(*value),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    pub(super) fn date(&self, name: &str) -> Option<DateTime<Utc>> {
        self.text(name).as_deref().and_then(crate::webhook::rfc2822)
    }

    /// The texts of an object, by name; what is no text is left out.
    pub(super) fn texts(&self, name: &str) -> BTreeMap<String, String> {
        let Some(Value::Object(map)) = self.0.get(name) else { return BTreeMap::new() };
        map.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
    }

    /// The one field that must be there and right.
    pub(super) fn sid<T: FromStr>(&self) -> Result<T, String>
    where
        T::Err: std::fmt::Display,
    {
        let text = self.text("sid").ok_or("the answer has no sid")?;
        text.parse().map_err(|error| format!("the sid of the answer is wrong: {error}"))
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_read_from_strings_and_from_numbers() {
        let fields = Fields::new(json!({"a": "15", "b": 15, "c": null, "d": "", "e": "x", "f": {}})).unwrap();
        assert_eq!(fields.parsed::<u32>("a"), Some(15));
        assert_eq!(fields.parsed::<u32>("b"), Some(15));
        for name in ["c", "d", "e", "f", "g"] {
            assert_eq!(fields.parsed::<u32>(name), None, "{name}");
        }
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        assert!(Fields::new(json!([1])).is_err());
        assert!(Fields::new(Value::Null).is_err());
    }
}
