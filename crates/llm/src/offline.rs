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
