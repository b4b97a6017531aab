#![doc = include_str!("../README.md")]

mod abilities;
mod chat;
mod error;
mod extract;
mod model;
mod offline;
mod openai;
mod tokens;

pub use abilities::{
    ACT, Abilities, BOOK_TIME, FreeTime, Known, Passage, RESERVED_TOOLS, Rescheduling, Tool, ToolCall,
    ToolOutcome, ToolUse,
};
pub use chat::{
    Chat, ChatEvent, ChatRequest, ChatStream, ConversationPlan, EndReason, Heard, Speaker, Utterance,
};
pub use error::ModelError;
pub use extract::{Evidence, Extract, ExtractRequest, Extracted, NumberedUtterance};
pub use model::Model;
pub use offline::{asks_for_facts, asks_to_stop, speaks_of};
pub use openai::{Embeddings, OpenAiConfig};
pub use tokens::Tokens;
