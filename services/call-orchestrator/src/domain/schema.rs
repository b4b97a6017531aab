//! Which result schemas are accepted, and the schema of the result of a call without an agent.

use jsonschema::draft202012;
use serde_json::{Map, Value, json};

/// Largest schema, in bytes of compact JSON.
pub const MAX_BYTES: usize = 32 * 1024;
/// Deepest nesting of schemas; the schema itself is level 1, the schemas of its properties are level 2.
pub const MAX_LEVELS: usize = 8;

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Why a schema is refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("output_schema{path}: {message}")]
pub struct SchemaProblem {
    /// JSON Pointer to the place; empty for the schema itself.
    pub path: String,
    /// What is wrong there, and what would be right.
    pub message: String,
}

impl SchemaProblem {
    fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

/// Accepts a JSON Schema (draft 2020-12) of type object within the bounds above. References must stay inside
/// the schema.
///
/// # Errors
/// The first problem found.
pub fn check_schema(schema: &Value) -> Result<(), SchemaProblem> {
    let Some(object) = schema.as_object() else {
        return Err(SchemaProblem::new("", "must be a JSON object: a JSON Schema of type object"));
    };
    let bytes = schema.to_string().len();
    if bytes > MAX_BYTES {
        return Err(SchemaProblem::new("", format!("has {bytes} bytes; at most {MAX_BYTES} are allowed")));
    }
    if object.get("type") != Some(&json!("object")) {
        return Err(SchemaProblem::new("/type", "must be \"object\""));
    }
    match object.get("$schema").and_then(Value::as_str) {
        Some(draft) if draft.trim_end_matches('#') != DRAFT => {
            return Err(SchemaProblem::new("/$schema", format!("must be absent or {DRAFT}")));
        }
        _ => {}
    }
    if let Some(path) = too_deep(object, 1, String::new()) {
        return Err(SchemaProblem::new(
            path,
            format!("is nested too deeply; at most {MAX_LEVELS} levels are allowed"),
        ));
    }
    draft202012::meta::validate(schema)
        .map_err(|error| SchemaProblem::new(error.instance_path().as_str(), error.to_string()))?;
    validator(schema).map(|_| ())
}

/// A validator that fetches nothing and checks formats (`date`, `email`, …) as well.
pub(super) fn validator(schema: &Value) -> Result<jsonschema::Validator, SchemaProblem> {
    draft202012::options()
        .offline()
        .should_validate_formats(true)
        .build(schema)
        .map_err(|error| SchemaProblem::new(error.instance_path().as_str(), error.to_string()))
}

/// The schema of the result of a call without an agent that collects feedback. With `offers_slots` the agent
/// may have agreed on another time, which the result then names.
#[must_use]
pub fn feedback_schema(offers_slots: bool) -> Value {
    let mut properties = json!({
        "outcome": {
            "type": "string",
            "enum": ["confirmed", "cancelled", "reschedule_requested", "rescheduled", "no_clear_answer"],
            "description": "What the customer decided; no_clear_answer when they did not say"
        },
        "reschedule_request": {
            "type": ["string", "null"],
            "description": "The time that the customer would prefer, in their words"
        },
        "feedback": {
            "type": ["string", "null"],
            "description": "Anything else that the customer wants the business to know"
        }
    });
    if offers_slots && let Some(properties) = properties.as_object_mut() {
        properties.insert(
            "rescheduled_to".to_owned(),
            json!({"type": ["string", "null"], "description": "The new time, when one was agreed on"}),
        );
    }
    json!({"type": "object", "properties": properties, "required": ["outcome"]})
}

/// Keywords whose value is a schema.
const ONE: [&str; 10] = [
    "items",
    "additionalProperties",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contains",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
];
/// Keywords whose value is a list of schemas.
const LIST: [&str; 4] = ["prefixItems", "anyOf", "oneOf", "allOf"];
/// Keywords whose value is an object of schemas.
const NAMED: [&str; 5] = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];

/// Where the first schema below the last allowed level stands.
fn too_deep(schema: &Map<String, Value>, level: usize, path: String) -> Option<String> {
    if level > MAX_LEVELS {
        return Some(path);
    }
    schema.iter().find_map(|(keyword, value)| {
        let path = format!("{path}/{}", escaped(keyword));
        match value {
            Value::Object(inner) if ONE.contains(&keyword.as_str()) => too_deep(inner, level + 1, path),
            Value::Object(named) if NAMED.contains(&keyword.as_str()) => {
                named.iter().find_map(|(name, inner)| {
                    too_deep(inner.as_object()?, level + 1, format!("{path}/{}", escaped(name)))
                })
            }
            Value::Array(list) if LIST.contains(&keyword.as_str()) => {
                list.iter().enumerate().find_map(|(index, inner)| {
                    too_deep(inner.as_object()?, level + 1, format!("{path}/{index}"))
                })
            }
            _ => None,
        }
    })
}

// RFC 6901, section 3.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> Value {
        (1..levels).fold(
            json!({"type": "object"}),
            |inner, _| json!({"type": "object", "properties": {"a/b": inner}}),
        )
    }

    fn path_of(schema: &Value) -> String {
        check_schema(schema).unwrap_err().path
    }

    #[test]
    fn an_ordinary_survey_is_accepted() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string"},
                "birthday": {"type": "string", "format": "date"},
                "pets": {"type": "array", "items": {"$ref": "#/$defs/pet"}},
                "size": {"enum": ["s", "m", "l"]}
            },
            "$defs": {"pet": {"type": "object", "properties": {"age": {"type": "integer"}}}}
        });
        assert_eq!(check_schema(&schema), Ok(()));
        assert_eq!(check_schema(&feedback_schema(false)), Ok(()));
        assert_eq!(check_schema(&feedback_schema(true)), Ok(()));
    }

    #[test]
    fn only_schemas_of_type_object_are_accepted() {
        assert_eq!(path_of(&json!([])), "");
        for schema in [json!({}), json!({"type": "string"}), json!({"type": ["object", "null"]})] {
            assert_eq!(path_of(&schema), "/type");
        }
    }

    #[test]
    fn a_problem_points_at_its_place() {
        let schema = json!({"type": "object", "properties": {"age": {"type": "whole number"}}});
        assert_eq!(path_of(&schema), "/properties/age/type");
        let schema = json!({"type": "object", "properties": {"age": {"minimum": "ten"}}});
        let problem = check_schema(&schema).unwrap_err();
        assert!(problem.to_string().starts_with("output_schema/properties/age/minimum: "), "{problem}");
    }

    #[test]
    fn another_draft_is_refused() {
        let schema = json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"});
        assert_eq!(path_of(&schema), "/$schema");
    }

    #[test]
    fn a_reference_that_leaves_the_schema_or_leads_nowhere_is_refused() {
        for target in ["https://example.com/pet.json", "#/$defs/pet"] {
            let schema = json!({"type": "object", "properties": {"pet": {"$ref": target}}});
            assert!(check_schema(&schema).is_err(), "{target}");
        }
    }

    #[test]
    fn a_pattern_that_is_no_regular_expression_is_refused() {
        let schema = json!({"type": "object", "properties": {"zip": {"type": "string", "pattern": "["}}});
        assert!(check_schema(&schema).is_err());
    }

    #[test]
    fn eight_levels_are_accepted_and_nine_are_not() {
        assert_eq!(check_schema(&nested(8)), Ok(()));
        assert_eq!(path_of(&nested(9)), "/properties/a~1b".repeat(8));
    }

    #[test]
    fn thirty_two_kibibytes_are_accepted_and_one_byte_more_is_not() {
        let sized = |bytes: usize| {
            let empty = json!({"type": "object", "description": ""}).to_string().len();
            json!({"type": "object", "description": "x".repeat(bytes - empty)})
        };
        assert_eq!(check_schema(&sized(MAX_BYTES)), Ok(()));
        assert_eq!(path_of(&sized(MAX_BYTES + 1)), "");
    }
}
