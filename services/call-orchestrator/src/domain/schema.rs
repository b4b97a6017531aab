//! The schema of the result of a call without an agent. Which schemas of agents are accepted is the platform's to say:
//! [`common::json_schema`].

use serde_json::{Value, json};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_schemas_are_accepted() {
        for offers_slots in [false, true] {
            assert_eq!(common::json_schema::check(&feedback_schema(offers_slots)), Ok(()));
        }
    }
}
