//! What stands beside a body on the wire. The message id is the AMQP message id, the routing key the AMQP type (a retried
//! message comes back under its queue's name), the rest are headers.

use std::time::Duration;

use bytes::Bytes;
use contracts::rpc::{Context, RpcError};
use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use uuid::Uuid;

use super::names::short;
use crate::bus::dead_letters::DeadLetter;
use crate::bus::{Cause, Outgoing};

const REQUEST_ID: &str = "echo-request-id";
const TENANT: &str = "echo-tenant";
const TRACE_ID: &str = "echo-trace-id";
const ATTEMPTS: &str = "echo-attempts";
const REASON: &str = "echo-reason";
const QUEUE: &str = "echo-queue";
const ROUTING_KEY: &str = "echo-routing-key";
const DEADLINE_MS: &str = "echo-deadline-ms";

const PERSISTENT: u8 = 2;
const TRANSIENT: u8 = 1;
/// A reason is for a person to read; a header frame is bounded.
const LONGEST_REASON: usize = 2_000;

/// Of a stream's frame: its number, from 0.
const SEQ: &str = "echo-seq";
/// Of frame 0: where the one who answers hears what the reader has to say, and under which name it knows the stream.
const CONTROL: &str = "echo-control";
const STREAM: &str = "echo-stream";

const ANSWER: &str = "answer";
const ERROR: &str = "error";
const OPEN: &str = "open";
const PART: &str = "part";
const END: &str = "end";
const CANCEL: &str = "cancel";
const MORE: &str = "more";

/// A message as it came in.
pub(super) struct Received {
    /// `None` for a message that Echo has not sent.
    pub(super) message_id: Option<Uuid>,
    pub(super) routing_key: String,
    pub(super) cause: Cause,
    /// How often a handler has asked for it again.
    pub(super) attempts: u32,
}

impl Received {
    pub(super) fn read(delivery: &Delivery) -> Self {
        let properties = &delivery.properties;
        let key = properties.kind().as_ref().unwrap_or(&delivery.routing_key);
        Self {
            message_id: properties.message_id().as_ref().and_then(|id| id.as_str().parse().ok()),
            routing_key: key.as_str().to_owned(),
            cause: Cause {
                request_id: text(properties, REQUEST_ID),
                tenant: text(properties, TENANT),
                trace_id: text(properties, TRACE_ID),
            },
            attempts: number(properties, ATTEMPTS).and_then(|n| n.try_into().ok()).unwrap_or(0),
        }
    }

    /// The same message for a retry queue.
    pub(super) fn again(&self, attempts: u32) -> BasicProperties {
        let mut headers = headers(&self.cause);
        headers.insert(short(ATTEMPTS), AMQPValue::LongLongInt(attempts.into()));
        self.properties(headers)
    }

    /// The same message for the dead queue.
    pub(super) fn dead(&self, queue: &str, reason: &str) -> BasicProperties {
        let mut headers = headers(&self.cause);
        headers.insert(short(ATTEMPTS), AMQPValue::LongLongInt(self.attempts.into()));
        let reason: String = reason.chars().take(LONGEST_REASON).collect();
        set(&mut headers, REASON, &reason);
        set(&mut headers, QUEUE, queue);
        set(&mut headers, ROUTING_KEY, &self.routing_key);
        self.properties(headers)
    }

    fn properties(&self, headers: FieldTable) -> BasicProperties {
        let properties = persistent(headers, &self.routing_key);
        match self.message_id {
            Some(id) => properties.with_message_id(short(&id.to_string())),
            None => properties,
        }
    }
}

/// A message of the dead queue, as an operator sees it. The broker itself puts messages there, too, and says so in headers of
/// its own.
pub(super) fn dead_letter(delivery: &Delivery) -> DeadLetter {
    let (received, properties) = (Received::read(delivery), &delivery.properties);
    let either = |ours: &str, brokers: &str| {
        let ours = text(properties, ours);
        if ours.is_empty() { text(properties, brokers) } else { ours }
    };
    DeadLetter {
        message_id: received.message_id,
        queue: either(QUEUE, "x-first-death-queue"),
        routing_key: received.routing_key,
        attempts: received.attempts,
        reason: either(REASON, "x-first-death-reason"),
        cause: received.cause,
    }
}

/// The properties of a dead letter on its way back: as if it had never been tried.
pub(super) fn revived(delivery: &Delivery, letter: &DeadLetter) -> BasicProperties {
    let properties = persistent(headers(&letter.cause), &letter.routing_key);
    match delivery.properties.message_id() {
        Some(id) => properties.with_message_id(id.clone()),
        None => properties,
    }
}

/// The properties of a message on its way out.
pub(super) fn outgoing(message: &Outgoing) -> BasicProperties {
    persistent(headers(&message.cause), &message.routing_key).with_message_id(short(&message.id.to_string()))
}

fn persistent(headers: FieldTable, routing_key: &str) -> BasicProperties {
    BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type(short("application/x-protobuf"))
        .with_type(short(routing_key))
        .with_headers(headers)
}

fn headers(cause: &Cause) -> FieldTable {
    let mut headers = FieldTable::default();
    set(&mut headers, REQUEST_ID, &cause.request_id);
    set(&mut headers, TENANT, &cause.tenant);
    set(&mut headers, TRACE_ID, &cause.trace_id);
    headers
}

/// The properties of a request: it disappears from its queue when nobody waits for the answer any more.
pub(super) fn request(method: &str, context: &Context, remaining: Duration, id: &str) -> BasicProperties {
    // The broker closes the channel over an expiration of 2^32 ms or more.
    let remaining = u32::try_from(remaining.as_millis()).unwrap_or(u32::MAX).max(1);
    let mut headers = FieldTable::default();
    set(&mut headers, REQUEST_ID, &context.request_id);
    set(&mut headers, TENANT, &context.tenant);
    set(&mut headers, TRACE_ID, &context.trace_id);
    headers.insert(short(DEADLINE_MS), AMQPValue::LongLongInt(remaining.into()));
    BasicProperties::default()
        .with_delivery_mode(TRANSIENT)
        .with_type(short(method))
        .with_correlation_id(short(id))
        .with_expiration(short(&remaining.to_string()))
        .with_headers(headers)
}

/// The context of a request as it came in.
pub(super) fn context(delivery: &Delivery) -> Context {
    let properties = &delivery.properties;
    let deadline = number(properties, DEADLINE_MS).and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0);
    Context {
        request_id: text(properties, REQUEST_ID),
        tenant: text(properties, TENANT),
        trace_id: text(properties, TRACE_ID),
        deadline: Duration::from_millis(deadline),
    }
}

/// Properties and body of an answer to `request`.
pub(super) fn answer(request: &Delivery, result: Result<Bytes, RpcError>) -> (BasicProperties, Bytes) {
    let (kind, body) = match result {
        Ok(body) => (ANSWER, body),
        Err(error) => (ERROR, Bytes::from(serde_json::to_vec(&error).unwrap_or_default())),
    };
    (reply(request, kind), body)
}

fn reply(request: &Delivery, kind: &str) -> BasicProperties {
    let id = request.properties.correlation_id().clone().unwrap_or_default();
    BasicProperties::default().with_delivery_mode(TRANSIENT).with_type(short(kind)).with_correlation_id(id)
}

/// Where the one who answers hears of a stream, and its name there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) control: ShortString,
    pub(super) stream: u64,
}

/// What a frame of a stream says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// It begins; the reader may say something here.
    Open(Line),
    /// A part.
    Part(Bytes),
    /// That was all.
    End,
    /// It breaks off, or has never begun.
    Broken(RpcError),
}

/// Properties and body of a frame of the answer to `request`.
pub(super) fn frame(request: &Delivery, seq: u64, frame: Frame) -> (BasicProperties, Bytes) {
    let mut headers = FieldTable::default();
    headers.insert(short(SEQ), AMQPValue::LongLongInt(i64::try_from(seq).unwrap_or(i64::MAX)));
    let (kind, body) = match frame {
        Frame::Open(line) => {
            set(&mut headers, CONTROL, line.control.as_str());
            set(&mut headers, STREAM, &line.stream.to_string());
            (OPEN, Bytes::new())
        }
        Frame::Part(body) => (PART, body),
        Frame::End => (END, Bytes::new()),
        Frame::Broken(error) => (ERROR, Bytes::from(serde_json::to_vec(&error).unwrap_or_default())),
    };
    (reply(request, kind).with_headers(headers), body)
}

/// A frame as it came in, with its number.
pub(super) fn framed(delivery: Delivery) -> (Option<u64>, Frame) {
    let properties = &delivery.properties;
    let seq = number(properties, SEQ).and_then(|seq| u64::try_from(seq).ok());
    let frame = match properties.kind().as_ref().map(ShortString::as_str) {
        Some(OPEN) => Frame::Open(Line {
            control: short(&text(properties, CONTROL)),
            stream: text(properties, STREAM).parse().unwrap_or(0),
        }),
        Some(PART) => Frame::Part(Bytes::from(delivery.data)),
        Some(END) => Frame::End,
        _ => Frame::Broken(answered(delivery).err().unwrap_or_else(|| {
            RpcError::Internal("one answer came where a stream was asked for".to_owned())
        })),
    };
    (seq, frame)
}

/// What a reader says to the one who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// It has gone.
    Cancel,
    /// It is there, and so many more parts have been read.
    More(u32),
}

/// The properties of a word about the stream with this name.
pub(super) fn word(stream: u64, word: Word) -> BasicProperties {
    let (kind, more) = match word {
        Word::Cancel => (CANCEL, 0),
        Word::More(more) => (MORE, more),
    };
    let mut headers = FieldTable::default();
    headers.insert(short(MORE), AMQPValue::LongLongInt(more.into()));
    BasicProperties::default()
        .with_delivery_mode(TRANSIENT)
        .with_type(short(kind))
        .with_correlation_id(short(&stream.to_string()))
        .with_headers(headers)
}

/// A word as it came in, with the name of its stream.
pub(super) fn heard(delivery: &Delivery) -> Option<(u64, Word)> {
    let properties = &delivery.properties;
    let stream = properties.correlation_id().as_ref()?.as_str().parse().ok()?;
    let word = match properties.kind().as_ref()?.as_str() {
        CANCEL => Word::Cancel,
        MORE => Word::More(u32::try_from(number(properties, MORE)?).ok()?),
        _ => return None,
    };
    Some((stream, word))
}

/// An answer as it came in.
pub(super) fn answered(delivery: Delivery) -> Result<Bytes, RpcError> {
    match delivery.properties.kind().as_ref().map(ShortString::as_str) {
        Some(ANSWER) => Ok(Bytes::from(delivery.data)),
        Some(ERROR) => Err(serde_json::from_slice(&delivery.data)
            .unwrap_or_else(|e| RpcError::Internal(format!("cannot read the error that came back: {e}")))),
        other => Err(RpcError::Internal(format!("cannot read an answer of type {other:?}"))),
    }
}

fn set(headers: &mut FieldTable, name: &str, value: &str) {
    headers.insert(short(name), AMQPValue::LongString(value.into()));
}

fn header<'a>(properties: &'a BasicProperties, name: &str) -> Option<&'a AMQPValue> {
    properties.headers().as_ref()?.inner().get(name)
}

fn text(properties: &BasicProperties, name: &str) -> String {
    let value = header(properties, name).and_then(AMQPValue::as_long_string);
    value.map(ToString::to_string).unwrap_or_default()
}

fn number(properties: &BasicProperties, name: &str) -> Option<i64> {
    header(properties, name)?.as_long_long_int()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivered(properties: BasicProperties, routing_key: &str) -> Delivery {
        let mut delivery = Delivery::mock(1, short(""), short(routing_key), false, Vec::new());
        delivery.properties = properties;
        delivery
    }

    #[test]
    fn a_message_that_waited_in_a_retry_queue_is_the_same_with_one_more_attempt() {
        let message = Outgoing {
            id: Uuid::now_v7(),
            routing_key: "gateway.cancel_notification.v1".to_owned(),
            cause: Cause { request_id: "req_1".into(), tenant: "t".into(), trace_id: "0af7".into() },
            body: Bytes::new(),
        };
        let first = Received::read(&delivered(outgoing(&message), &message.routing_key));
        let again = Received::read(&delivered(first.again(first.attempts + 1), "call-orchestrator.accounts"));
        assert_eq!(again.message_id, Some(message.id));
        assert_eq!(again.routing_key, message.routing_key);
        assert_eq!(again.cause, message.cause);
        assert_eq!((first.attempts, again.attempts), (0, 1));
    }

    #[test]
    fn every_error_of_a_request_crosses_the_wire_unchanged() {
        let errors = [
            RpcError::NotFound("call".into()),
            RpcError::Invalid { field: "to".into(), problem: "give +…".into() },
            RpcError::Conflict { code: "stale".into(), message: "changed".into() },
            RpcError::Internal("broke".into()),
            RpcError::Busy,
            RpcError::Unavailable("away".into()),
            RpcError::DeadlineExceeded,
        ];
        for error in errors {
            let context = Context::within(Duration::from_secs(1));
            let request = delivered(request("A.B", &context, context.deadline, "7"), "gateway");
            let (properties, body) = answer(&request, Err(error.clone()));
            let mut back = delivered(properties, "reply");
            back.data = body.to_vec();
            assert_eq!(back.properties.correlation_id().as_ref().unwrap().as_str(), "7");
            assert_eq!(answered(back), Err(error));
        }
    }
    #[test]
    fn every_frame_and_every_word_of_a_stream_cross_the_wire_unchanged() {
        let context = Context::within(Duration::from_secs(1));
        let request = delivered(request("A.B", &context, context.deadline, "7"), "gateway");
        let line = Line { control: short("amq.gen-1"), stream: 12 };
        let frames = [
            Frame::Open(line),
            Frame::Part(Bytes::from_static(b"a part")),
            Frame::End,
            Frame::Broken(RpcError::Unavailable("away".into())),
        ];
        for (seq, sent) in (0..).zip(frames) {
            let (properties, body) = frame(&request, seq, sent.clone());
            let mut back = delivered(properties, "reply");
            back.data = body.to_vec();
            assert_eq!(framed(back), (Some(seq), sent));
        }
        for said in [Word::Cancel, Word::More(0), Word::More(16)] {
            assert_eq!(heard(&delivered(word(12, said), "amq.gen-1")), Some((12, said)));
        }
    }
}
