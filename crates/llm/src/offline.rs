//! The model without a model: rules instead of a network. The same request always gets the same answer,
//! at once; it speaks English only, and never pretends to be more than it is.

mod acting;
mod bot;
mod caller;
mod closing;
mod extract;
mod fill;
mod knowledge;
mod lines;
mod opening;
mod plan;
mod questions;
mod reading;
mod schema;
mod target;
mod understand;
mod words;

#[cfg(test)]
mod conversations;
#[cfg(test)]
mod properties;

use async_trait::async_trait;
use futures_util::stream;

use crate::{Chat, ChatEvent, ChatRequest, ChatStream, Extract, ExtractRequest, Extracted, ModelError};

/// Whether English words ask never to be called again ("stop calling me", "take me off your list").
/// For engines that must hear this in any turn, whichever model leads the conversation.
pub fn asks_to_stop(text: &str) -> bool {
    understand::stop::asks_to_stop(&words::Words::of(text))
}

/// Whether English words are a question about something in the world: not about the call itself, and no wish for another time.
pub fn asks_for_facts(text: &str) -> bool {
    let words = words::Words::of(text);
    let of_the_call = understand::repeat::asks_again(&words)
        || understand::repeat::asks_who(&words)
        || understand::repeat::asks_why(&words)
        || understand::repeat::asks_machine(&words)
        || understand::repeat::asks_person(&words)
        || understand::choice::wants_other_time(&words);
    understand::repeat::is_question(&words) && !of_the_call && !words::stems(text).is_empty()
}

/// Whether a sentence of a text covers a question, or most of it.
pub fn speaks_of(text: &str, question: &str) -> bool {
    knowledge::quote(text, question).is_some()
}

/// The rule-based model.
pub(crate) struct Offline;

#[async_trait]
impl Chat for Offline {
    async fn stream(&self, req: ChatRequest) -> Result<ChatStream, ModelError> {
        let events = events(plan::reply(&req));
        Ok(Box::pin(stream::iter(events.into_iter().map(Ok))))
    }
}

#[async_trait]
impl Extract for Offline {
    async fn extract(&self, req: ExtractRequest) -> Result<Extracted, ModelError> {
        Ok(extract::extract(&req))
    }
}

/// A reply as sentence-sized pieces, which join to the whole text.
fn events(reply: plan::Reply) -> Vec<ChatEvent> {
    let mut events = Vec::new();
    for (index, sentence) in words::sentences(&reply.text).into_iter().enumerate() {
        let space = if index == 0 { "" } else { " " };
        events.push(ChatEvent::Text(format!("{space}{sentence}")));
    }
    events.extend(reply.then);
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_about_the_world_are_told_from_those_about_the_call() {
        for text in ["Do you deliver to Norway?", "ok what does it cost", "Parking?"] {
            assert!(asks_for_facts(text), "{text}");
        }
        for text in [
            "Who is this?",
            "What?",
            "Why?",
            "Can we do another day?",
            "Yes, that works.",
            "Are you a robot?",
            "",
        ] {
            assert!(!asks_for_facts(text), "{text}");
        }
        assert!(speaks_of("Open 5-10PM. We deliver to Norway.", "Do you deliver to Norway?"));
        assert!(!speaks_of("Open 5-10PM.", "Do you deliver to Norway?"));
    }
}
