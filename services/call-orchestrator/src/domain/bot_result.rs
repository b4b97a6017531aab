//! What a call to a bot has brought: what the caller said of what the goal needs, where they said it, and what became of the
//! goal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::ended_reason::EndedReason;
use super::evidence::Claim;
use super::limits::{MAX_COLLECTED, MAX_COLLECTED_CHARS, MAX_COLLECTED_NAME_CHARS};
use super::tools::Went;

/// What became of a bot's goal. The texts are part of the public API and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BotOutcome {
    /// It was reached.
    Completed,
    /// It was not, or nobody knows.
    Incomplete,
    /// The caller was put through to a person.
    Transferred,
    /// Nobody said anything.
    Abandoned,
    /// Ours to answer for.
    Failed,
}

impl BotOutcome {
    /// The public text, for example `completed`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Incomplete => "incomplete",
            Self::Transferred => "transferred",
            Self::Abandoned => "abandoned",
            Self::Failed => "failed",
        }
    }
}

/// What is read out of a bot's call. Each entry brings its own evidence: which there are is the caller's to say.
#[must_use]
pub fn schema() -> Value {
    let entry = json!({
        "type": "object",
        "required": ["name", "value", "turn", "quote"],
        "properties": {
            "name": {"type": "string", "description": "What it is, in snake_case: for example what, how_many, when, name"},
            "value": {"type": ["string", "number", "boolean"], "description": "As short as it can be said"},
            "turn": {"type": ["integer", "null"], "description": "Number of the turn in which the customer said it"},
            "quote": {"type": ["string", "null"], "description": "The customer's exact words in that turn"},
        },
    });
    json!({
        "type": "object",
        "required": ["goal_reached", "collected"],
        "properties": {
            "goal_reached": {
                "type": "boolean",
                "description": "Whether what the assistant is there for was done in the call"
            },
            "collected": {
                "type": "array",
                "description": "Everything that the customer said of what the goal needs, an entry for each",
                "items": entry,
            },
        },
    })
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Collected {
    /// Whether the goal was reached; `None`: it could not be read.
    pub goal_reached: Option<bool>,
    /// What the caller said, by name.
    pub values: Map<String, Value>,
    /// Where they are said to have said it.
    pub claims: BTreeMap<String, Claim>,
}

/// Takes apart a result that obeys [`schema`], as far as it does. Of two entries of one name the later counts.
#[must_use]
pub fn collected(result: &Value) -> Collected {
    let mut found = Collected { goal_reached: result["goal_reached"].as_bool(), ..Collected::default() };
    for entry in result["collected"].as_array().into_iter().flatten() {
        let (Some(name), Some(value)) = (entry["name"].as_str().and_then(named), scalar(&entry["value"]))
        else {
            continue;
        };
        if found.values.len() >= MAX_COLLECTED && !found.values.contains_key(&name) {
            continue;
        }
        let turn = entry["turn"].as_u64().and_then(|turn| u32::try_from(turn).ok());
        let claim = Claim { turn, quote: entry["quote"].as_str().map(str::to_owned) };
        found.claims.insert(name.clone(), claim);
        found.values.insert(name, value);
    }
    found
}

/// "How many" as `how_many`; `None` where nothing of it can stand in a name.
fn named(text: &str) -> Option<String> {
    let mut name = String::new();
    let (mut before, mut count) = ('_', 0);
    for c in text.chars() {
        let hump = c.is_uppercase() && before.is_lowercase();
        if (hump || !c.is_alphanumeric()) && !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        if c.is_alphanumeric() && count < MAX_COLLECTED_NAME_CHARS {
            name.extend(c.to_lowercase());
            count += 1;
        }
        before = c;
    }
    Some(name.trim_matches('_').to_owned()).filter(|name| !name.is_empty())
}

fn scalar(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => {
            let text: String = text.trim().chars().take(MAX_COLLECTED_CHARS).collect();
            (!text.is_empty()).then_some(Value::String(text))
        }
        Value::Number(_) | Value::Bool(_) => Some(value.clone()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// How a bot's call has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// Why.
    pub reason: Option<EndedReason>,
    /// The caller said something.
    pub spoke: bool,
    /// What was read out of it; `None`: nothing.
    pub goal_reached: Option<bool>,
    /// How the last wish to have the business's own system act went; `None`: there was none.
    pub acted: Option<Went>,
}

/// What became of the goal. It counts as reached only where what was to be done is known to have been.
#[must_use]
pub fn outcome(ending: &Ending) -> BotOutcome {
    let done = matches!(ending.acted, None | Some(Went::Answered));
    match ending.reason {
        Some(EndedReason::Transferred) => BotOutcome::Transferred,
        _ if ending.goal_reached == Some(true) && done => BotOutcome::Completed,
        Some(
            EndedReason::Error
            | EndedReason::CarrierError
            | EndedReason::DialUnknown
            | EndedReason::Canceled
            | EndedReason::Blocked
            | EndedReason::Expired,
        )
        | None => BotOutcome::Failed,
        Some(_) if !ending.spoke => BotOutcome::Abandoned,
        Some(_) => BotOutcome::Incomplete,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_schema_is_accepted() {
        assert_eq!(common::json_schema::check(&schema()), Ok(()));
    }

    #[test]
    fn what_was_said_becomes_an_object_with_names_in_snake_case() {
        let entry =
            |name: &str, value: Value| json!({"name": name, "value": value, "turn": 2, "quote": "words"});
        let found = collected(&json!({"goal_reached": true, "collected": [
            entry("How many", json!(3)), entry("howMany", json!(4)), entry("name", json!(" Ada ")),
            entry("--", json!("x")), entry("list", json!([1])), entry("note", json!("")), {"name": "odd"},
        ]}));
        assert_eq!(Value::Object(found.values), json!({"how_many": 4, "name": "Ada"}));
        assert_eq!(found.goal_reached, Some(true));
        let claim = Claim { turn: Some(2), quote: Some("words".to_owned()) };
        assert_eq!(found.claims["how_many"], claim);
    }

    #[test]
    fn what_is_no_result_brings_nothing_and_what_is_endless_is_bounded() {
        for result in [Value::Null, json!({"collected": null}), json!({"collected": "everything"})] {
            assert_eq!(collected(&result), Collected::default());
        }
        let many: Vec<Value> = (0..99)
            .map(|n| json!({"name": format!("n{n}{}", "x".repeat(99)), "value": "y".repeat(9_999)}))
            .collect();
        let found = collected(&json!({ "collected": many }));
        assert_eq!(found.values.len(), MAX_COLLECTED);
        for (name, value) in &found.values {
            assert!(name.chars().count() <= MAX_COLLECTED_NAME_CHARS);
            assert_eq!(value.as_str().map(|text| text.chars().count()), Some(MAX_COLLECTED_CHARS));
        }
    }

    #[test]
    fn the_outcome_tells_what_became_of_the_goal() {
        use EndedReason::{AgentEndedCall, CarrierError, CustomerEndedCall, Error, Silence, Transferred};
        let table = [
            ((CustomerEndedCall, true, Some(true), None), BotOutcome::Completed),
            ((AgentEndedCall, true, Some(true), Some(Went::Answered)), BotOutcome::Completed),
            ((AgentEndedCall, true, Some(true), Some(Went::Unknown)), BotOutcome::Incomplete),
            ((AgentEndedCall, true, Some(true), Some(Went::Failed)), BotOutcome::Incomplete),
            ((AgentEndedCall, true, Some(false), Some(Went::Answered)), BotOutcome::Incomplete),
            ((AgentEndedCall, true, None, None), BotOutcome::Incomplete),
            ((Transferred, true, Some(true), None), BotOutcome::Transferred),
            ((Silence, false, None, None), BotOutcome::Abandoned),
            ((CustomerEndedCall, false, None, None), BotOutcome::Abandoned),
            ((Error, false, None, None), BotOutcome::Failed),
            ((CarrierError, true, Some(false), None), BotOutcome::Failed),
            ((Error, true, Some(true), Some(Went::Answered)), BotOutcome::Completed),
        ];
        for ((reason, spoke, goal_reached, acted), expected) in table {
            let ending = Ending { reason: Some(reason), spoke, goal_reached, acted };
            assert_eq!(outcome(&ending), expected, "{ending:?}");
        }
        let unknown = Ending { reason: None, spoke: true, goal_reached: None, acted: None };
        assert_eq!(outcome(&unknown), BotOutcome::Failed);
    }
}
