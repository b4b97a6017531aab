//! What an agent may call while it talks: its tools, how often, and what is not called a second time.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::limits::{MAX_TOOL_CALLS_A_CALL, MAX_TOOL_CALLS_A_TURN, MAX_TOOL_RESULT_CHARS, MAX_TOOLS};

/// A system of the user's that the agent may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// A JSON Schema of type object.
    #[serde(default)]
    pub parameters: Value,
    /// Where it is.
    pub url: String,
}

/// Reads an agent's tools.
///
/// # Errors
/// What is wrong and where, for the field `tools`.
pub fn parse(text: &str) -> Result<Vec<Tool>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let tools: Vec<Tool> = serde_json::from_str(text).map_err(|e| format!("is no list of tools: {e}"))?;
    if tools.len() > MAX_TOOLS {
        return Err(format!("holds {} tools; at most {MAX_TOOLS} are allowed", tools.len()));
    }
    for (index, tool) in tools.iter().enumerate() {
        if llm::RESERVED_TOOLS.contains(&tool.name.as_str()) {
            return Err(format!("/{index}/name: `{}` is a tool of the platform itself", tool.name));
        }
        if tools.iter().take(index).any(|other| other.name == tool.name) {
            return Err(format!("/{index}/name: `{}` is the name of another tool already", tool.name));
        }
    }
    Ok(tools)
}

/// How a call of a tool went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Went {
    /// The tool answered.
    Answered,
    /// It certainly did not do what was asked.
    Failed,
    /// Nobody knows: it was sent, and no answer came.
    Unknown,
}

impl Went {
    /// The word under which it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// Reads the stored word. What was written down before it was sent and never after has no word: unknown.
    #[must_use]
    pub fn parse(word: Option<&str>) -> Self {
        match word {
            Some("answered") => Self::Answered,
            Some("failed") => Self::Failed,
            _ => Self::Unknown,
        }
    }
}

/// A call of a tool that was made before in the same phone call.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// In the turn that is being answered.
    pub this_turn: bool,
    /// Name of the tool.
    pub name: String,
    /// What it was sent.
    pub arguments: Map<String, Value>,
    /// How it went.
    pub went: Went,
    /// What it answered, or why it failed.
    pub result: String,
}

/// What is done about a wish of the model to call a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is sent.
    Send,
    /// It is not sent; this is what the model is told.
    Known {
        /// How it went.
        went: Went,
        /// What is told.
        result: String,
    },
}

/// Decides about a call of `name` with `arguments`, after what was `made` before.
#[must_use]
pub fn judge(made: &[Made], name: &str, arguments: &Map<String, Value>) -> Verdict {
    let same = |earlier: &&Made| earlier.name == name && earlier.arguments == *arguments;
    let known = |went, result: &str| Verdict::Known { went, result: result.to_owned() };
    // What may have happened must not happen twice; what has answered in this turn answers again.
    if made.iter().filter(same).any(|earlier| earlier.went == Went::Unknown) {
        return known(Went::Unknown, "");
    }
    // What a bot has had done it has done: a caller who agrees a second time books no second table.
    let again = |m: &&Made| (m.this_turn || name == llm::ACT) && m.went == Went::Answered;
    if let Some(earlier) = made.iter().filter(same).find(again) {
        return known(Went::Answered, &earlier.result);
    }
    if made.iter().filter(|earlier| earlier.this_turn).count() >= MAX_TOOL_CALLS_A_TURN {
        return known(Went::Failed, "too many calls in one turn: answer with what is known");
    }
    if made.len() >= MAX_TOOL_CALLS_A_CALL {
        return known(Went::Failed, "too many calls in this conversation: answer with what is known");
    }
    Verdict::Send
}

/// As much of an answer as a model is handed.
#[must_use]
pub fn bounded(text: &str) -> String {
    text.trim().chars().take(MAX_TOOL_RESULT_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn arguments(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn made(went: Went, this_turn: bool) -> Made {
        let arguments = arguments(&json!({"order": 7}));
        Made { this_turn, name: "look_up".to_owned(), arguments, went, result: "sent".to_owned() }
    }

    #[test]
    fn what_may_have_happened_is_never_sent_again() {
        let verdict = judge(&[made(Went::Unknown, false)], "look_up", &arguments(&json!({"order": 7})));
        assert_eq!(verdict, Verdict::Known { went: Went::Unknown, result: String::new() });
        let other = judge(&[made(Went::Unknown, true)], "look_up", &arguments(&json!({"order": 8})));
        assert_eq!(other, Verdict::Send);
    }

    #[test]
    fn what_answered_in_the_same_turn_answers_again_and_in_a_later_one_is_asked_again() {
        let wish = arguments(&json!({"order": 7}));
        let known = Verdict::Known { went: Went::Answered, result: "sent".to_owned() };
        assert_eq!(judge(&[made(Went::Answered, true)], "look_up", &wish), known);
        assert_eq!(judge(&[made(Went::Answered, false)], "look_up", &wish), Verdict::Send);
        assert_eq!(judge(&[made(Went::Failed, true)], "look_up", &wish), Verdict::Send, "it did nothing");
    }

    #[test]
    fn what_a_bot_has_had_done_is_not_done_again_in_a_later_turn() {
        let earlier = Made { name: llm::ACT.to_owned(), ..made(Went::Answered, false) };
        let wish = arguments(&json!({"order": 7}));
        let known = Verdict::Known { went: Went::Answered, result: "sent".to_owned() };
        assert_eq!(judge(std::slice::from_ref(&earlier), llm::ACT, &wish), known);
        assert_eq!(judge(&[earlier], llm::ACT, &arguments(&json!({"order": 8}))), Verdict::Send);
    }

    #[test]
    fn a_turn_and_a_conversation_have_their_fill_of_calls() {
        let wish = arguments(&json!({"order": 9}));
        let turn = vec![made(Went::Answered, true); MAX_TOOL_CALLS_A_TURN];
        assert!(matches!(judge(&turn, "look_up", &wish), Verdict::Known { went: Went::Failed, .. }));
        let call = vec![made(Went::Answered, false); MAX_TOOL_CALLS_A_CALL];
        assert!(matches!(judge(&call, "look_up", &wish), Verdict::Known { went: Went::Failed, .. }));
        assert_eq!(judge(&call[1..], "look_up", &wish), Verdict::Send);
    }

    #[test]
    fn a_name_of_the_platform_or_one_that_stands_twice_is_refused_with_its_place() {
        let tool = |name: &str| json!({"name": name, "url": "https://example.com/x"});
        let read = |tools: Value| parse(&tools.to_string());
        assert!(read(json!([tool("a"), tool("end_call")])).unwrap_err().starts_with("/1/name"));
        assert!(read(json!([tool("a"), tool("a")])).unwrap_err().starts_with("/1/name"));
        assert_eq!(read(json!([tool("a"), tool("b")])).unwrap().len(), 2);
        assert_eq!(parse(""), Ok(Vec::new()));
    }
}
