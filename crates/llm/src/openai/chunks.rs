//! The parts of a streamed chunk that matter here. Everything is optional: compatible servers leave
//! fields out, add their own, and put errors into the stream.

use serde::Deserialize;
use serde_json::Value;

use crate::Tokens;

/// One server-sent event of a streamed chat completion.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Chunk {
    #[serde(default)]
    pub(crate) choices: Vec<Choice>,
    pub(crate) error: Option<Value>,
    /// In the last chunk, whose `choices` are empty; some servers count aloud in every one.
    usage: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Choice {
    #[serde(default)]
    pub(crate) delta: Delta,
    pub(crate) finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Delta {
    pub(crate) content: Option<String>,
    pub(crate) tool_calls: Option<Vec<ToolDelta>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ToolDelta {
    #[serde(default)]
    pub(crate) index: u32,
    pub(crate) id: Option<String>,
    pub(crate) function: Option<FunctionDelta>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct FunctionDelta {
    pub(crate) name: Option<String>,
    pub(crate) arguments: Option<String>,
}

impl Chunk {
    /// What the answer has cost so far, if the chunk says so.
    pub(crate) fn used(&self) -> Option<Tokens> {
        Tokens::of(self.usage.as_ref()?)
    }

    /// Whether something was said or done, so that another attempt would say it twice.
    pub(crate) fn speaks(&self) -> bool {
        self.choices.iter().any(|choice| {
            choice.finish_reason.is_some()
                || choice.delta.tool_calls.as_ref().is_some_and(|calls| !calls.is_empty())
                || choice.delta.content.as_ref().is_some_and(|text| !text.is_empty())
        })
    }
}
