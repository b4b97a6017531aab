//! Which result schemas are accepted: those that the platform can hold a result against in bounded time and that can be
//! stored.

use common::json_schema::{self, SchemaProblem};
use serde_json::Value;

use super::json::storable;
use super::problem::Problem;

/// A JSON Schema (draft 2020-12) of type object within the bounds of [`json_schema`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OutputSchema(Value);

impl OutputSchema {
    /// Accepts the schema, or says at which place it is wrong.
    pub(crate) fn parse(value: &Value) -> Result<Self, Vec<Problem>> {
        let told = |SchemaProblem { place, problem }| vec![Problem::new(place, problem)];
        json_schema::check(value).map_err(told)?;
        storable(value)?;
        Ok(Self(value.clone()))
    }

    /// The schema.
    pub(crate) fn into_inner(self) -> Value {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn place_of(schema: &Value) -> String {
        OutputSchema::parse(schema).unwrap_err().remove(0).field
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
}
