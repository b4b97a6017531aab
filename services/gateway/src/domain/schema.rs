//! Which result schemas are accepted.

use jsonschema::draft202012;
use serde_json::{Map, Value};

use super::json::storable;
use super::problem::{Problem, step};

/// Largest schema, in bytes of compact JSON.
const MAX_BYTES: usize = 32 * 1024;
/// Deepest nesting of schemas; the schema itself is level 1, the schemas of its properties are level 2.
const MAX_LEVELS: usize = 8;
/// Most steps that one attempt of a pattern may take back (the library's unit): a pattern is the caller's program.
const MAX_BACKTRACKING: usize = 10_000;
const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A JSON Schema (draft 2020-12) of type object that refers to nothing outside of itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OutputSchema(Value);

impl OutputSchema {
    /// Accepts the schema, or says at which place it is wrong.
    pub(crate) fn parse(value: &Value) -> Result<Self, Vec<Problem>> {
        check(value).map_err(|problem| vec![problem])?;
        storable(value)?;
        Ok(Self(value.clone()))
    }

    /// The schema.
    pub(crate) fn into_inner(self) -> Value {
        self.0
    }
}

fn check(schema: &Value) -> Result<(), Problem> {
    let Some(object) = schema.as_object() else {
        return Err(Problem::new("", "must be a JSON Schema of type object"));
    };
    let bytes = schema.to_string().len();
    if bytes > MAX_BYTES {
        return Err(Problem::new("", format!("has {bytes} bytes; at most {MAX_BYTES} are allowed")));
    }
    if object.get("type").and_then(Value::as_str) != Some("object") {
        return Err(Problem::new("/type", "must be \"object\""));
    }
    if object
        .get("$schema")
        .is_some_and(|draft| draft.as_str().is_none_or(|d| d.trim_end_matches('#') != DRAFT))
    {
        return Err(Problem::new("/$schema", format!("must be absent or {DRAFT}")));
    }
    if let Some(place) = too_deep(object, 1, String::new()) {
        return Err(Problem::new(
            place,
            format!("is nested too deeply; at most {MAX_LEVELS} levels are allowed"),
        ));
    }
    draft202012::meta::validate(schema)
        .map_err(|e| Problem::new(e.instance_path().as_str(), e.to_string()))?;
    let patterns = jsonschema::PatternOptions::fancy_regex().backtrack_limit(MAX_BACKTRACKING);
    let compiled = draft202012::options().offline().with_pattern_options(patterns).build(schema);
    compiled.map(drop).map_err(|e| Problem::new(e.instance_path().as_str(), e.to_string()))
}

/// Keywords whose value is a schema.
const ONE: [&str; 10] = [
    "items",
    "contains",
    "additionalProperties",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "if",
    "then",
    "else",
    "not",
];
/// Keywords whose value is a list of schemas.
const LISTED: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords whose value is an object of schemas.
const NAMED: [&str; 5] = ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"];

/// Where the first schema below the last allowed level stands.
fn too_deep(schema: &Map<String, Value>, level: usize, place: String) -> Option<String> {
    if level > MAX_LEVELS {
        return Some(place);
    }
    schema.iter().find_map(|(keyword, value)| {
        let place = format!("{place}{}", step(keyword));
        let below = |inner: &Value, place: String| too_deep(inner.as_object()?, level + 1, place);
        match value {
            Value::Object(_) if ONE.contains(&keyword.as_str()) => below(value, place),
            Value::Object(named) if NAMED.contains(&keyword.as_str()) => {
                named.iter().find_map(|(name, inner)| below(inner, format!("{place}{}", step(name))))
            }
            Value::Array(list) if LISTED.contains(&keyword.as_str()) => {
                list.iter().enumerate().find_map(|(at, inner)| below(inner, format!("{place}/{at}")))
            }
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn place_of(schema: &Value) -> String {
        OutputSchema::parse(schema).unwrap_err().remove(0).field
    }

    fn nested(levels: usize) -> Value {
        (1..levels).fold(
            json!({"type": "object"}),
            |inner, _| json!({"type": "object", "properties": {"a/b": inner}}),
        )
    }

    #[test]
    fn an_intake_survey_of_many_kinds_of_fields_is_accepted() {
        let schema = json!({
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string"},
                "age": {"type": "integer", "minimum": 0},
                "birthday": {"type": "string", "format": "date"},
                "smoker": {"type": "boolean"},
                "size": {"enum": ["s", "m", "l"]},
                "pets": {"type": "array", "items": {"$ref": "#/$defs/pet"}}
            },
            "$defs": {"pet": {"type": "object", "properties": {"weight": {"type": "number"}}}}
        });
        assert!(OutputSchema::parse(&schema).is_ok());
    }

    #[test]
    fn a_problem_is_named_with_its_place() {
        assert_eq!(place_of(&json!([])), "");
        assert_eq!(place_of(&json!({"type": "string"})), "/type");
        assert_eq!(
            place_of(&json!({"type": "object", "properties": {"age": {"type": "whole"}}})),
            "/properties/age/type"
        );
        assert_eq!(
            place_of(&json!({"type": "object", "properties": {"a": {"minimum": "x"}}})),
            "/properties/a/minimum"
        );
        assert_eq!(
            place_of(&json!({"type": "object", "$schema": "http://json-schema.org/draft-07/schema#"})),
            "/$schema"
        );
        assert_eq!(place_of(&json!({"type": "object", "description": "a\0"})), "/description");
    }

    #[test]
    fn a_reference_that_leaves_the_schema_or_leads_nowhere_and_a_broken_pattern_are_refused() {
        for property in [
            json!({"$ref": "https://example.com/pet.json"}),
            json!({"$ref": "file:///etc/passwd"}),
            json!({"$ref": "#/$defs/pet"}),
            json!({"type": "string", "pattern": "["}),
        ] {
            let schema = json!({"type": "object", "properties": {"pet": property}});
            assert!(OutputSchema::parse(&schema).is_err(), "{schema}");
        }
    }

    #[test]
    fn eight_levels_and_thirty_two_kibibytes_are_the_most() {
        assert!(OutputSchema::parse(&nested(8)).is_ok());
        assert_eq!(place_of(&nested(9)), "/properties/a~1b".repeat(8));
        let sized = |bytes: usize| json!({"type": "object", "description": "x".repeat(bytes - 34)});
        assert_eq!(sized(100).to_string().len(), 100);
        assert!(OutputSchema::parse(&sized(32 * 1024)).is_ok());
        assert_eq!(place_of(&sized(32 * 1024 + 1)), "");
    }
}
