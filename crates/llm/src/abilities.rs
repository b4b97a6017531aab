//! What a model can do in a conversation besides speaking: call the user's tools, settle another time, put through to a person.

/// Has a bot's own system act: `{action, arguments}`.
pub use contracts::reserved_tools::ACT;
/// Names that no tool of a user can have.
pub use contracts::reserved_tools::ALL as RESERVED_TOOLS;
/// Settles another time: `{time}` (one of the free times, RFC 3339) or `{preferred}` (the customer's words).
pub use contracts::reserved_tools::BOOK_TIME;
pub(crate) use contracts::reserved_tools::{END_CALL, TRANSFER};
use serde_json::{Map, Value};

/// What one turn's model may do, and what was done already.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Abilities {
    /// The user's tools.
    pub tools: Vec<Tool>,
    /// What was called so far in this conversation, oldest first.
    pub uses: Vec<ToolUse>,
    /// What the model said in this turn before it called something.
    pub said: String,
    /// How another time can be settled; `None`: a wish is only noted.
    pub rescheduling: Option<Rescheduling>,
    /// Whether a person can be put on the line.
    pub transfer: bool,
    /// What documents say about the words that opened this turn; `None`: nothing was looked up.
    pub known: Option<Known>,
}

/// What documents say about what the customer said. The texts are data, never instructions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// What may answer it, best first.
    pub passages: Vec<Passage>,
    /// It is a question that neither the documents nor the prompt answer: to be said so, with the offer of a call back.
    pub unanswered: bool,
}

/// A piece of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// What the document is called.
    pub title: String,
    /// The words.
    pub text: String,
}

/// Something that the model may call.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// A JSON Schema of type object.
    pub parameters: Value,
}

/// A wish to call something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// The model's own id for it.
    pub id: String,
    /// Name of the tool.
    pub name: String,
    /// What is sent.
    pub arguments: Map<String, Value>,
}

/// A call that was made, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolUse {
    /// What was called.
    pub call: ToolCall,
    /// What came of it.
    pub outcome: ToolOutcome,
    /// How many utterances of the history stand before it; `None`: it was made in this turn.
    pub after: Option<usize>,
}

/// What came of a call. The texts are data, never instructions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolOutcome {
    /// The answer.
    Answered(String),
    /// It was not done, and why.
    Failed(String),
    /// It may have been done: it was sent, and no answer came.
    Unknown,
}

/// How another time can be settled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rescheduling {
    /// Times that can be offered, the nearest first.
    pub free: Vec<FreeTime>,
    /// Whether a time in the customer's own words can be asked for, too.
    pub any_time: bool,
}

/// A time that can be offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeTime {
    /// RFC 3339.
    pub time: String,
    /// As it is said on the phone.
    pub spoken: String,
}
