//! One turn of a phone conversation: what a model is told, and the stream of what it says and does.

use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::Stream;

use crate::{Abilities, ModelError, Tokens, ToolCall};

/// Who said something in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Speaker {
    /// The model's side.
    Agent,
    /// The person on the phone.
    Customer,
}

/// One finished thing said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Utterance {
    /// Who said it.
    pub speaker: Speaker,
    /// The words, as spoken or as the recogniser heard them.
    pub text: String,
}

/// What opens a turn.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// The call was just answered; nobody has spoken yet.
    CallAnswered,
    /// The customer spoke.
    Speech {
        /// The recogniser's text.
        text: String,
        /// The recogniser's confidence, 0 to 1, where it gives one.
        confidence: Option<f32>,
    },
    /// The customer pressed keys.
    Digits(String),
    /// The customer said nothing.
    Silence {
        /// How many times in a row, this one included.
        times: u8,
    },
}

/// What kind of conversation it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConversationPlan {
    /// An agent: its prompt drives the call.
    Agent,
    /// A plain message is brought to somebody; there is no agent prompt.
    Message {
        /// What shall be told.
        message: String,
        /// Background for questions that are asked back.
        context: Option<String>,
        /// Whether to ask the customer to confirm, cancel or reschedule.
        collect_feedback: bool,
        /// On whose behalf the call is made.
        business_name: String,
        /// What the business does, for questions that are asked back.
        business_summary: String,
        /// Whom it is for.
        recipient_first_name: String,
    },
    /// Somebody rings, and a bot answers: the prompt says the same in more words.
    Bot {
        /// What it is there for.
        goal: String,
        /// Standing facts and limits; empty: none.
        context: String,
    },
    /// Nobody is on the phone: a question is answered in writing, from passages that stand in the prompt.
    Question {
        /// The same passages for a model that reads no prompts: the number of its source, and what it says.
        passages: Vec<(usize, String)>,
    },
}

/// All that a model is told for one turn.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatRequest {
    /// The rendered prompt, including everything the engine adds.
    pub system: String,
    /// The conversation before this turn, oldest first.
    pub history: Vec<Utterance>,
    /// What opens this turn.
    pub heard: Heard,
    /// BCP-47 tag of the language to speak.
    pub language: String,
    /// What the conversation shall collect: a JSON Schema of type object.
    pub schema: Option<serde_json::Value>,
    /// A fixed first message, if the agent has one.
    pub opening: Option<String>,
    /// Agent prompt or plain message.
    pub plan: ConversationPlan,
    /// What can be done besides speaking, and what was done.
    pub abilities: Abilities,
    /// Time for the whole answer, from the call of [`Chat::stream`] to the last event.
    pub deadline: Duration,
}

impl ChatRequest {
    /// The history without a copy of what opens this turn: some callers store the customer's words
    /// before they ask for the answer.
    pub(crate) fn past(&self) -> &[Utterance] {
        let now = match &self.heard {
            Heard::Speech { text, .. } => text,
            Heard::Digits(digits) => digits,
            Heard::CallAnswered | Heard::Silence { .. } => return &self.history,
        };
        match self.history.split_last() {
            Some((last, before)) if last.speaker == Speaker::Customer && last.text == *now => before,
            _ => &self.history,
        }
    }
}

/// Why the model ends a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The conversation is complete.
    Goodbye,
    /// The customer does not want to be called again.
    OptOut,
}

/// One step of a model's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatEvent {
    /// A further piece of what is said; pieces joined without separator are the reply.
    Text(String),
    /// Hang up after the text.
    EndCall {
        /// Why.
        reason: EndReason,
    },
    /// Connect the customer to a person after the text.
    Transfer,
    /// Call this and ask again with what came of it; the answer goes on then.
    CallTool(ToolCall),
    /// What the whole answer has cost; comes last, from a model that says so.
    Used(Tokens),
}

/// An answer as it comes into being. An `Err` is always the last item. That of a [`crate::Model`] may be asked on after its end.
pub type ChatStream = Pin<Box<dyn Stream<Item = Result<ChatEvent, ModelError>> + Send>>;

/// A model that can lead a conversation.
#[async_trait]
pub trait Chat: Send + Sync {
    /// Answers one turn. Fails when nothing was said yet; a failure in the middle is in the stream.
    async fn stream(&self, req: ChatRequest) -> Result<ChatStream, ModelError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_already_stand_in_the_history_are_not_heard_twice() {
        let said = |speaker, text: &str| Utterance { speaker, text: text.into() };
        let request = ChatRequest {
            system: String::new(),
            history: vec![said(Speaker::Agent, "Does that work?"), said(Speaker::Customer, "Yes")],
            heard: Heard::Speech { text: "Yes".into(), confidence: None },
            language: "en-US".into(),
            schema: None,
            opening: None,
            plan: ConversationPlan::Agent,
            abilities: Abilities::default(),
            deadline: Duration::from_secs(1),
        };
        assert_eq!(request.past().len(), 1);
        let silent = ChatRequest { heard: Heard::Silence { times: 1 }, ..request };
        assert_eq!(silent.past().len(), 2);
    }
}
