//! What a finished conversation has brought: values for a schema, and the words they rest on.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::{ModelError, Speaker, Tokens};

/// One utterance of a transcript with its number, so that evidence can point at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedUtterance {
    /// Number of the turn.
    pub turn: u32,
    /// Who said it.
    pub speaker: Speaker,
    /// The words.
    pub text: String,
}

/// What to read out of a transcript.
#[derive(Debug, Clone, PartialEq)]
pub struct ExtractRequest {
    /// The conversation, oldest first.
    pub transcript: Vec<NumberedUtterance>,
    /// JSON Schema of type object.
    pub schema: Value,
    /// The agent's prompt or other words on how to read the fields.
    pub instructions: String,
    /// What was wrong with the previous answer, when this is a second attempt.
    pub previous_errors: Vec<String>,
    /// Time for the whole answer.
    pub deadline: Duration,
}

/// The words that a value rests on, as the model claims them. Whoever stores them checks the quote.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    /// The turn that holds the quote.
    pub turn: Option<u32>,
    /// Exact words from that turn.
    pub quote: Option<String>,
}

/// The values that were learned.
#[derive(Debug, Clone, PartialEq)]
pub struct Extracted {
    /// An object with exactly the schema's properties; `null` where nothing was learned.
    pub value: Value,
    /// For each property that was learned, the words it rests on.
    pub evidence: BTreeMap<String, Evidence>,
    /// One sentence on what happened.
    pub summary: String,
    /// What it has cost; `None` where the model does not say.
    pub used: Option<Tokens>,
}

/// A model that can read values out of a transcript.
#[async_trait]
pub trait Extract: Send + Sync {
    /// Reads the schema's properties out of the transcript. The value has the schema's property set;
    /// validating it against the rest of the schema is the caller's part.
    async fn extract(&self, req: ExtractRequest) -> Result<Extracted, ModelError>;
}

/// Forces a found object into the property set of `schema`: missing is null, unknown is dropped.
pub(crate) fn with_property_set(schema: &Value, found: &Map<String, Value>) -> Map<String, Value> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Map::new() };
    properties.keys().map(|name| (name.clone(), found.get(name).cloned().unwrap_or(Value::Null))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_found_object_gets_exactly_the_properties_of_the_schema() {
        let schema = json!({"type": "object", "properties": {"a": {}, "b": {}}});
        let found = json!({"b": 1, "c": 2});
        let fitted = with_property_set(&schema, found.as_object().unwrap());
        assert_eq!(Value::Object(fitted), json!({"a": null, "b": 1}));
    }
}
