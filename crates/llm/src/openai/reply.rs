//! Turns the chunks of a streamed answer into chat events: text at once, tool calls when their pieces
//! are complete, an error for an answer that breaks off.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::chunks::{Chunk, ToolDelta};
use super::transport::Chunks;
use crate::abilities::{END_CALL, TRANSFER};
use crate::{ChatEvent, ChatStream, EndReason, ModelError, Tokens, ToolCall};

/// A reply longer than this is no longer something to say on the phone.
const REPLY_CHARS: usize = 4_000;
const ARGUMENT_BYTES: usize = 4_096;
const TOOL_CALLS: usize = 8;
const ID_BYTES: usize = 128;
const NAME_BYTES: usize = 64;

/// How long a finished answer is waited for to say what it has cost: the chunk is on its way with the last words.
const COUNTED_WITHIN: Duration = Duration::from_millis(300);

/// The events of an answer whose first chunk is there already.
pub(crate) fn events(first: Chunk, rest: Chunks, until: Instant, idle: Duration) -> ChatStream {
    let mut reply = Reply::default();
    let ready = reply.take(first);
    let reading = Reading { reply, rest: Some(rest), ready, until, idle };
    Box::pin(stream::unfold(reading, |mut reading| async move {
        reading.next().await.map(|event| (event, reading))
    }))
}

struct Reading {
    reply: Reply,
    /// None once the answer is complete; dropping it closes the connection.
    rest: Option<Chunks>,
    ready: VecDeque<ChatEvent>,
    until: Instant,
    idle: Duration,
}

impl Reading {
    async fn next(&mut self) -> Option<Result<ChatEvent, ModelError>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(Ok(event));
            }
            if let Some(error) = self.reply.failed.take() {
                self.rest = None;
                return Some(Err(error));
            }
            if self.reply.complete {
                let rest = self.rest.take()?;
                return self.used(rest).await.map(|used| Ok(ChatEvent::Used(used)));
            }
            let limit = self.idle_until();
            let rest = self.rest.as_mut()?;
            match timeout_at(limit, rest.next()).await {
                Err(_) => self.reply.failed = Some(ModelError::Timeout),
                Ok(Some(Ok(chunk))) => self.ready = self.reply.take(chunk),
                Ok(Some(Err(error))) => self.reply.failed = Some(error),
                Ok(None) => self.reply.ended_early(),
            }
        }
    }

    fn idle_until(&self) -> Instant {
        self.until.min(Instant::now() + self.idle)
    }

    /// Reads a complete answer on to its end, for what it has cost. One that was cut goes on for as long as the server
    /// talks; what it says is not wanted any more.
    async fn used(&mut self, mut rest: Chunks) -> Option<Tokens> {
        let soon = self.until.min(Instant::now() + COUNTED_WITHIN);
        loop {
            let limit = if self.reply.cut { self.idle_until() } else { soon };
            let Ok(Some(Ok(chunk))) = timeout_at(limit, rest.next()).await else { return self.reply.used };
            self.reply.used = chunk.used().or(self.reply.used);
            // A server that counts aloud says it in every chunk: the last one counts.
            if chunk.used().is_some() && !chunk.speaks() {
                return self.reply.used;
            }
        }
    }
}

/// What is known of an answer so far.
#[derive(Default)]
struct Reply {
    chars: usize,
    calls: BTreeMap<u32, Call>,
    complete: bool,
    /// Complete because nobody wants to hear more.
    cut: bool,
    failed: Option<ModelError>,
    used: Option<Tokens>,
}

#[derive(Default)]
struct Call {
    id: String,
    name: String,
    arguments: String,
}

impl Reply {
    fn take(&mut self, chunk: Chunk) -> VecDeque<ChatEvent> {
        let mut events = VecDeque::new();
        self.used = chunk.used().or(self.used);
        if let Some(error) = chunk.error {
            self.failed = Some(stream_error(&error));
            return events;
        }
        // Only one choice is asked for.
        let Some(choice) = chunk.choices.into_iter().next() else { return events };
        if let Some(text) = choice.delta.content.filter(|text| !text.is_empty()) {
            self.say(text, &mut events);
        }
        for piece in choice.delta.tool_calls.unwrap_or_default() {
            self.add(piece);
        }
        if choice.finish_reason.is_some() && !self.complete {
            self.complete = true;
            events.extend(self.calls.iter().filter_map(|(index, call)| event_of(*index, call)));
            if self.chars == 0 && events.is_empty() {
                self.failed = Some(ModelError::Garbled("an answer without words or actions".into()));
            }
        }
        events
    }

    fn say(&mut self, text: String, events: &mut VecDeque<ChatEvent>) {
        let room = REPLY_CHARS - self.chars;
        let kept: String = text.chars().take(room).collect();
        self.chars += kept.chars().count();
        self.cut |= kept.len() < text.len() || self.chars == REPLY_CHARS;
        self.complete |= self.cut;
        if !kept.is_empty() {
            events.push_back(ChatEvent::Text(kept));
        }
    }

    fn add(&mut self, piece: ToolDelta) {
        if !self.calls.contains_key(&piece.index) && self.calls.len() >= TOOL_CALLS {
            return;
        }
        let call = self.calls.entry(piece.index).or_default();
        if let Some(id) = piece.id.filter(|id| !id.is_empty() && id.len() <= ID_BYTES) {
            call.id = id;
        }
        let Some(function) = piece.function else { return };
        // Some servers repeat the name in every piece, none sends it in parts.
        if let Some(name) = function.name.filter(|name| !name.is_empty()) {
            call.name = name;
        }
        let arguments = function.arguments.unwrap_or_default();
        if call.arguments.len() + arguments.len() <= ARGUMENT_BYTES {
            call.arguments.push_str(&arguments);
        }
    }

    fn ended_early(&mut self) {
        self.failed = Some(ModelError::Unavailable("the answer broke off in the middle".into()));
    }
}

fn event_of(index: u32, call: &Call) -> Option<ChatEvent> {
    match call.name.as_str() {
        END_CALL => {
            let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
            let opt_out = arguments["reason"].as_str() == Some("opt_out");
            Some(ChatEvent::EndCall { reason: if opt_out { EndReason::OptOut } else { EndReason::Goodbye } })
        }
        TRANSFER => Some(ChatEvent::Transfer),
        "" => None,
        name if name.len() > NAME_BYTES => None,
        name => {
            // A server that gives no id gets ours back.
            let id = if call.id.is_empty() { format!("call_{index}") } else { call.id.clone() };
            // Arguments that are no object are sent as none: whoever is called says what is missing.
            let arguments = serde_json::from_str(&call.arguments).unwrap_or_default();
            Some(ChatEvent::CallTool(ToolCall { id, name: name.to_owned(), arguments }))
        }
    }
}

fn stream_error(error: &Value) -> ModelError {
    let message = error["message"].as_str().or(error.as_str()).unwrap_or("an error without a text");
    ModelError::Unavailable(message.chars().take(300).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn chunk(value: Value) -> Chunk {
        serde_json::from_value(value).unwrap()
    }

    fn text(words: &str) -> Chunk {
        chunk(json!({"choices": [{"delta": {"content": words}}]}))
    }

    #[test]
    fn the_arguments_of_a_tool_call_are_put_together_from_their_pieces() {
        let mut reply = Reply::default();
        let piece = |function: Value| {
            chunk(json!({"choices": [{"delta": {"tool_calls": [{"index": 0, "function": function}]}}]}))
        };
        assert!(reply.take(piece(json!({"name": "end_call", "arguments": ""}))).is_empty());
        assert!(reply.take(piece(json!({"arguments": "{\"reason\":"}))).is_empty());
        assert!(reply.take(piece(json!({"arguments": "\"opt_out\"}"}))).is_empty());
        let done = reply.take(chunk(json!({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})));
        assert_eq!(done, [ChatEvent::EndCall { reason: EndReason::OptOut }]);
    }

    #[test]
    fn a_call_of_a_users_tool_comes_with_its_id_and_its_arguments() {
        let mut reply = Reply::default();
        let piece = json!({"index": 1, "id": "call_7", "function": {"name": "look_up", "arguments": "{\"order\": 7}"}});
        reply.take(chunk(json!({"choices": [{"delta": {"tool_calls": [piece]}}]})));
        let nameless = json!({"index": 2, "function": {"name": "ping", "arguments": "[1]"}});
        reply.take(chunk(json!({"choices": [{"delta": {"tool_calls": [nameless]}}]})));
        let done = reply.take(chunk(json!({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})));
        let call = |id: &str, name: &str, arguments: Value| {
            let arguments = arguments.as_object().unwrap().clone();
            ChatEvent::CallTool(ToolCall { id: id.to_owned(), name: name.to_owned(), arguments })
        };
        assert_eq!(done, [call("call_7", "look_up", json!({"order": 7})), call("call_2", "ping", json!({}))]);
    }

    #[test]
    fn a_reply_ends_after_four_thousand_characters() {
        let mut reply = Reply::default();
        assert_eq!(reply.take(text(&"ä".repeat(3_999))).len(), 1);
        assert!(!reply.complete);
        assert_eq!(reply.take(text("bcd")), [ChatEvent::Text("b".into())]);
        assert!(reply.complete);
    }

    #[test]
    fn an_answer_without_words_or_actions_is_garbled() {
        let mut reply = Reply::default();
        reply.take(chunk(json!({"choices": [{"finish_reason": "stop"}]})));
        assert!(matches!(reply.failed, Some(ModelError::Garbled(_))));
    }

    #[test]
    fn an_error_inside_the_stream_is_told() {
        let mut reply = Reply::default();
        reply.take(chunk(json!({"error": {"message": "overloaded"}})));
        assert_eq!(reply.failed, Some(ModelError::Unavailable("overloaded".into())));
    }
}
