//! What a bot has its business's own system do while the caller waits: what is sent, and what the answer means. The answer comes
//! from outside: it is read strictly, bounded, and its data is never an instruction.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::limits::{MAX_HISTORY_CHARS, MAX_SAID_CHARS, MAX_TOOL_RESULT_CHARS};
use super::tools::Tool;

/// The one tool of a bot, which is its webhook.
#[must_use]
pub fn tool(webhook: &str) -> Tool {
    Tool {
        name: llm::ACT.to_owned(),
        description: "Has the business's own system act now, or look something up: book, order, cancel, check what is free. Call it \
                      once everything that it needs is known and the caller agrees."
            .to_owned(),
        parameters: json!({
            "type": "object",
            "required": ["action", "arguments"],
            "additionalProperties": false,
            "properties": {
                "action": {
                    "type": "string", "minLength": 1, "maxLength": 64,
                    "description": "What is to be done, in snake_case: for example book_table or check_availability"
                },
                "arguments": {
                    "type": "object",
                    "description": "What it needs to know, under names in snake_case: for example what, how_many, when, name"
                },
            },
        }),
        url: webhook.to_owned(),
    }
}

/// What follows an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Follow {
    /// The conversation goes on.
    #[default]
    Continue,
    /// The call ends.
    Hangup,
    /// The caller is put through to a person.
    Transfer,
}

/// What a business's system has answered, as it is kept and as the model is told.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Answer {
    /// Spoken to the caller; empty: nothing.
    pub said: String,
    /// What follows.
    pub then: Follow,
    /// For the model.
    pub data: Value,
}

/// Reads an answer `{say?, action?, data?}`. Without a person to put through to, a wish for that is none.
///
/// # Errors
/// Why nobody can say what it means.
pub fn read(body: &str, can_transfer: bool) -> Result<Answer, String> {
    let fields: Map<String, Value> =
        serde_json::from_str(body).map_err(|_| "its answer is no JSON object".to_owned())?;
    let text = |name: &str| match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(format!("`{name}` of its answer is no text")),
    };
    let then = match text("action")? {
        None | Some("" | "continue") => Follow::Continue,
        Some("hangup") => Follow::Hangup,
        Some("transfer") if can_transfer => Follow::Transfer,
        Some("transfer") => Follow::Continue,
        Some(_) => return Err("`action` of its answer is none of continue, hangup and transfer".to_owned()),
    };
    let said = text("say")?.map(spoken).unwrap_or_default();
    let data = fields.get("data").cloned().unwrap_or_default();
    Ok(Answer { said, then, data: bounded(data) })
}

/// As it can be spoken: on one line, without what no voice can say, and no longer than anybody listens.
fn spoken(text: &str) -> String {
    let visible: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MAX_SAID_CHARS {
        return line;
    }
    let cut: String = line.chars().take(MAX_SAID_CHARS).collect();
    cut.rsplit_once(' ').map_or(cut.clone(), |(whole, _)| whole.to_owned())
}

/// Data that is larger than a model is handed becomes the beginning of its text.
fn bounded(data: Value) -> Value {
    let text = data.to_string();
    if text.chars().count() <= MAX_TOOL_RESULT_CHARS {
        return data;
    }
    Value::String(text.chars().take(MAX_TOOL_RESULT_CHARS).collect())
}

/// The conversation as a business's system is told it, oldest first: as much of its end as fits.
#[must_use]
pub fn history<'t>(said: impl DoubleEndedIterator<Item = (bool, &'t str)>) -> Vec<Value> {
    let mut left = MAX_HISTORY_CHARS;
    let fits = |(by_bot, text): (bool, &'t str)| {
        left = left.checked_sub(text.chars().count())?;
        Some(json!({"role": if by_bot { "bot" } else { "user" }, "content": text}))
    };
    let mut latest: Vec<Value> = said.rev().map_while(fits).collect();
    latest.reverse();
    latest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_what_is_spoken_and_what_follows() {
        let booked =
            r#"{"say": "Your table\u0007 is\nbooked. ", "action": "hangup", "data": {"id": 7}, "more": 1}"#;
        let answer =
            Answer { said: "Your table is booked.".to_owned(), then: Follow::Hangup, data: json!({"id": 7}) };
        assert_eq!(read(booked, false), Ok(answer));
        assert_eq!(read("{}", true), Ok(Answer::default()));
        assert_eq!(read(r#"{"say": null, "action": null, "data": [1]}"#, true).unwrap().data, json!([1]));
    }

    #[test]
    fn a_transfer_needs_a_person() {
        let then = |can| read(r#"{"action": "transfer"}"#, can).unwrap().then;
        assert_eq!((then(true), then(false)), (Follow::Transfer, Follow::Continue));
    }

    #[test]
    fn what_cannot_be_understood_is_no_answer() {
        for body in [
            "",
            "ok",
            "[\"Booked.\", \"hangup\"]",
            "\"Booked.\"",
            r#"{"say": 7}"#,
            r#"{"say": "Booked.", "action": "dance"}"#,
            r#"{"action": ["hangup"]}"#,
            r#"{"say": "Booked.""#,
        ] {
            assert!(read(body, true).is_err(), "{body}");
        }
    }

    #[test]
    fn a_long_answer_is_cut_where_a_word_ends() {
        let long = json!({"say": "word ".repeat(1_000), "data": "x".repeat(9_000)}).to_string();
        let answer = read(&long, true).unwrap();
        assert!(answer.said.chars().count() <= MAX_SAID_CHARS && answer.said.ends_with("word"));
        assert_eq!(answer.data.as_str().map(|text| text.chars().count()), Some(MAX_TOOL_RESULT_CHARS));
    }

    #[test]
    fn an_answer_reads_back_from_what_is_kept() {
        let answer = read(r#"{"say": "Yes.", "action": "hangup", "data": {"a": null}}"#, true).unwrap();
        let kept = serde_json::to_string(&answer).unwrap();
        assert_eq!(serde_json::from_str::<Answer>(&kept).unwrap(), answer);
    }

    #[test]
    fn of_a_long_conversation_the_end_is_told() {
        let long = "x".repeat(MAX_HISTORY_CHARS);
        let said = [(true, "Hi."), (false, long.as_str()), (true, "When?"), (false, "Now.")];
        let told = history(said.into_iter());
        assert_eq!(
            told,
            [json!({"role": "bot", "content": "When?"}), json!({"role": "user", "content": "Now."})]
        );
    }

    #[test]
    fn the_tool_of_a_bot_can_be_used() {
        assert_eq!(common::json_schema::check(&tool("https://example.com").parameters), Ok(()));
    }
}
