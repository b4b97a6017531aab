//! The shape of a result: exactly the properties of its schema, `null` where something was not learned, and
//! valid where it was.

use common::json_schema::{SchemaProblem, Validator};
use serde_json::{Map, Value};

/// `value` with exactly the properties of `schema`, at every level that has properties: what is missing
/// becomes `null`, what does not belong there is dropped.
#[must_use]
pub fn complete_result(schema: &Value, value: &Value) -> Map<String, Value> {
    properties(schema).map(|(name, property)| (name.clone(), complete(property, value.get(name)))).collect()
}

fn complete(schema: &Value, value: Option<&Value>) -> Value {
    match (value, schema.get("items")) {
        (None, _) => Value::Null,
        (Some(value @ Value::Object(_)), _) if properties(schema).next().is_some() => {
            Value::Object(complete_result(schema, value))
        }
        (Some(Value::Array(list)), Some(items)) => {
            list.iter().map(|item| complete(items, Some(item))).collect()
        }
        (Some(value), _) => value.clone(),
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// Holds results against one schema. Made once for a notification: compiling a schema costs more than using it.
#[derive(Debug)]
pub struct Checker {
    schema: Value,
    validator: Validator,
}

impl Checker {
    /// A checker for `schema`.
    ///
    /// # Errors
    /// Why the schema cannot be used: it was stored before its kind was refused.
    pub fn new(schema: &Value) -> Result<Self, SchemaProblem> {
        Ok(Self { schema: schema.clone(), validator: Validator::new(&lenient(schema))? })
    }

    /// Checks a result, where `null` and absence both mean "not learned": neither is an error, also for a
    /// property that the schema requires and at any depth. Everything else must obey the schema, formats
    /// included.
    ///
    /// # Errors
    /// One text per problem, each with the place (JSON Pointer), fit to be shown to the model that made the
    /// result.
    pub fn check(&self, value: &Value) -> Result<(), Vec<String>> {
        if !value.is_object() {
            return Err(vec!["the result must be a JSON object".to_owned()]);
        }
        let problems = self.validator.problems(&learned(&self.schema, value));
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// A result of which every property was judged for itself: one that does not obey the schema is `null`.
    #[must_use]
    pub fn without_wrong(&self, value: &Value) -> Map<String, Value> {
        let nothing = complete_result(&self.schema, &Value::Null);
        let judge = |(name, value): (String, Value)| {
            let mut alone = nothing.clone();
            alone.insert(name.clone(), value.clone());
            let right = self.check(&Value::Object(alone)).is_ok();
            (name, if right { value } else { Value::Null })
        };
        complete_result(&self.schema, value).into_iter().map(judge).collect()
    }
}

/// The schema without the demand that properties be there.
fn lenient(schema: &Value) -> Value {
    let Value::Object(object) = schema else { return schema.clone() };
    let kept = object.iter().filter(|(keyword, _)| {
        !matches!(keyword.as_str(), "required" | "dependentRequired" | "minProperties")
    });
    let relaxed = kept.map(|(keyword, value)| {
        let value = match (keyword.as_str(), value) {
            ("items", items) => lenient(items),
            ("properties" | "$defs", Value::Object(named)) => {
                named.iter().map(|(name, inner)| (name.clone(), lenient(inner))).collect()
            }
            _ => value.clone(),
        };
        (keyword.clone(), value)
    });
    relaxed.collect()
}

/// The value without the properties that are `null`.
fn learned(schema: &Value, value: &Value) -> Value {
    match (value, schema.get("items")) {
        (Value::Object(object), _) => {
            let known = |name: &str| schema.get("properties").and_then(|all| all.get(name));
            object
                .iter()
                .filter_map(|(name, value)| match (known(name), value) {
                    (Some(_), Value::Null) => None,
                    (Some(property), value) => Some((name.clone(), learned(property, value))),
                    (None, value) => Some((name.clone(), value.clone())),
                })
                .collect()
        }
        (Value::Array(list), Some(items)) => list.iter().map(|item| learned(items, item)).collect(),
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::schema;
    use super::*;

    fn validate(schema: &Value, value: &Value) -> Result<(), Vec<String>> {
        Checker::new(schema).unwrap().check(value)
    }

    fn survey() -> Value {
        json!({
            "type": "object",
            "required": ["confirmed", "address"],
            "additionalProperties": false,
            "properties": {
                "confirmed": {"type": "boolean"},
                "day": {"type": "string", "format": "date"},
                "size": {"type": "string", "enum": ["s", "m"]},
                "address": {
                    "type": "object",
                    "required": ["street"],
                    "properties": {"street": {"type": "string"}, "number": {"type": "integer", "minimum": 1}}
                },
                "pets": {
                    "type": "array",
                    "items": {
                        "type": "object", "required": ["name"],
                        "properties": {"name": {"type": "string"}}
                    }
                }
            }
        })
    }

    #[test]
    fn a_result_gets_exactly_the_properties_of_its_schema() {
        let value =
            json!({"confirmed": true, "mood": "good", "address": {"street": "Elm", "zip": 1}, "pets": [{}]});
        assert_eq!(
            Value::Object(complete_result(&survey(), &value)),
            json!({
                "confirmed": true,
                "day": null,
                "size": null,
                "address": {"street": "Elm", "number": null},
                "pets": [{"name": null}]
            })
        );
    }

    #[test]
    fn anything_but_an_object_becomes_a_result_of_nulls() {
        let result = complete_result(&survey(), &json!("nonsense"));
        assert_eq!(result.len(), 5);
        assert!(result.values().all(Value::is_null));
    }

    #[test]
    fn what_was_not_learned_is_no_error_at_any_depth() {
        for value in [
            json!({}),
            json!({"confirmed": null, "day": null, "size": null, "address": null, "pets": null}),
            json!({"address": {"street": null, "number": null}, "pets": [{"name": null}, {}]}),
        ] {
            assert_eq!(validate(&survey(), &value), Ok(()), "{value}");
        }
    }

    #[test]
    fn a_completed_result_of_good_values_is_valid() {
        let value = json!({
            "confirmed": true, "day": "2026-03-20", "address": {"number": 7}, "pets": [{"name": "Rex"}]
        });
        assert_eq!(validate(&survey(), &Value::Object(complete_result(&survey(), &value))), Ok(()));
    }

    #[test]
    fn every_wrong_value_is_named_with_its_place() {
        let value = json!({
            "confirmed": "yes",
            "day": "next Friday",
            "size": "xl",
            "address": {"number": 0},
            "pets": [{"name": 7}]
        });
        let problems = validate(&survey(), &value).unwrap_err();
        for place in ["/confirmed: ", "/day: ", "/size: ", "/address/number: ", "/pets/0/name: "] {
            assert!(problems.iter().any(|text| text.starts_with(place)), "{place} in {problems:?}");
        }
        assert_eq!(problems.len(), 5);
    }

    #[test]
    fn a_property_that_does_not_belong_there_and_a_value_that_is_no_object_are_errors() {
        assert!(validate(&survey(), &json!({"mood": "good"})).is_err());
        assert!(validate(&survey(), &json!([])).is_err());
        assert!(validate(&survey(), &json!({"pets": [null]})).is_err());
    }

    #[test]
    fn a_property_that_is_wrong_takes_no_other_one_with_it() {
        let value = json!({"confirmed": true, "day": "next Friday", "address": {"number": 0}, "size": "s"});
        assert_eq!(
            Value::Object(Checker::new(&survey()).unwrap().without_wrong(&value)),
            json!({"confirmed": true, "day": null, "size": "s", "address": null, "pets": null})
        );
    }

    #[test]
    fn a_schema_that_allows_null_allows_it() {
        let schema = schema::feedback_schema(false);
        let value = json!({"outcome": "confirmed", "reschedule_request": null, "feedback": null});
        assert_eq!(validate(&schema, &value), Ok(()));
        assert!(validate(&schema, &json!({"outcome": "maybe"})).is_err());
    }
}
