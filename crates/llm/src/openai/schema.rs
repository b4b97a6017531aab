//! The answer schema for an extraction: the user's own schema, every property nullable, wrapped together
//! with evidence and summary.

use serde_json::{Map, Value, json};

const MAX_DEPTH: usize = 12;

/// `{value, evidence, summary}` with `value` after the user's schema.
pub(crate) fn wrapped(schema: &Value) -> Value {
    let value = nullable_properties(schema, 0);
    let evidence: Map<String, Value> = schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::keys)
        .map(|name| (name.clone(), evidence_of_one()))
        .collect();
    let mut wrapped = json!({
        "type": "object",
        "properties": {
            "value": value,
            "evidence": {"type": "object", "properties": evidence},
            "summary": {"type": "string"},
        },
        "required": ["value", "evidence", "summary"],
    });
    // References such as `#/$defs/x` are resolved from the root, which is now ours.
    for pool in ["$defs", "definitions"] {
        if let Some(defs) = schema.get(pool) {
            wrapped[pool] = defs.clone();
        }
    }
    wrapped
}

fn evidence_of_one() -> Value {
    json!({
        "type": ["object", "null"],
        "properties": {"turn": {"type": ["integer", "null"]}, "quote": {"type": ["string", "null"]}},
    })
}

fn nullable_properties(schema: &Value, depth: usize) -> Value {
    let mut schema = schema.clone();
    if depth < MAX_DEPTH
        && let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut)
    {
        for property in properties.values_mut() {
            let inner = nullable_properties(property, depth + 1);
            *property = json!({"anyOf": [inner, {"type": "null"}]});
        }
    }
    if let Some(object) = schema.as_object_mut() {
        object.remove("$schema");
        object.remove("$id");
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_property_may_be_null_also_inside_nested_objects() {
        let schema = json!({"type": "object", "properties": {
            "a": {"type": "boolean"},
            "b": {"type": "object", "properties": {"c": {"type": "string"}}},
        }});
        let value = &wrapped(&schema)["properties"]["value"];
        assert_eq!(value["properties"]["a"]["anyOf"][1], json!({"type": "null"}));
        let inner = &value["properties"]["b"]["anyOf"][0]["properties"]["c"];
        assert_eq!(inner["anyOf"], json!([{"type": "string"}, {"type": "null"}]));
    }

    #[test]
    fn definitions_stay_where_references_look_for_them() {
        let schema = json!({"type": "object", "$defs": {"x": {"type": "string"}},
            "properties": {"a": {"$ref": "#/$defs/x"}}});
        assert_eq!(wrapped(&schema)["$defs"]["x"], json!({"type": "string"}));
    }
}
