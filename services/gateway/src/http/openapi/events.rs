//! What is sent to webhooks. The dispatcher writes it (`domain/envelope.rs` there); here is the document's view of it.

use serde_json::{Value, json};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{OpenApi as Document, RefOr, Required};
use utoipa::{OpenApi as _, ToSchema};
use uuid::Uuid;

use super::operations_of;

/// How events are sent, for whoever receives them.
pub(super) const SENDING: &str = "Where a project wants its events, and what was sent there. The events themselves stand under \
`webhooks` in this document.

**Sending.** An event is POSTed as JSON to every active endpoint of the project that wants it; one that nobody wants is sent \
nowhere. Received means a status from 200 to 299 within ten seconds, up to the last byte of the answer. Redirects are not \
followed: they are a failure. What failed is sent again, the same bytes, 1, 5 and 30 minutes after the previous failure, up to a \
tenth later, or as much later as `Retry-After` asks, at most an hour; the fourth failure is the last. 410 disables the endpoint at \
once, and so do 50 deliveries in a row that failed for good over at least 24 hours.

**Order** is not promised, and an event can arrive twice: its `event_id` is the same in every attempt and for every endpoint. \
`call.started`: somebody, or a machine, has picked up. `call.ended`: a call that was dialled is over, whatever ended it. \
`call.summary`: the notification is over; exactly once for each, also when nobody ever answered or nothing was dialled. A customer \
who rings back is told of by `call.started` and `call.ended` with `direction` `inbound` and the same `notification_id`.

**Signatures.** `X-Echo-Signature` signs the body: `sha256=` and the hexadecimal HMAC-SHA256 of the raw bytes, keyed with the whole \
signing secret as text, `whsec_` included. There is no time in it. Against replay use `webhook-signature` (Standard Webhooks): \
`v1,` and the base64 HMAC-SHA256 of `<webhook-id>.<webhook-timestamp>.<body>`, keyed with the base64-decoding of the 64 digits \
behind `whsec_`. No header tells the number of the attempt or names a key.";

#[derive(utoipa::OpenApi)]
#[openapi(paths(bot_action, bot_completed, call_started, call_ended, call_summary, webhook_test))]
struct Events;

/// Adds the events, each with the headers that all have.
pub(super) fn add(document: &mut Document) {
    let mut events = Events::openapi();
    for item in events.paths.paths.values_mut() {
        for (_, operation) in operations_of(item) {
            operation.parameters = Some(headers().map(RefOr::T).to_vec());
            operation.security = Some(Vec::new());
        }
    }
    document.webhooks = Some(events.paths);
    let schemas = events.components.unwrap_or_default().schemas;
    document.components.get_or_insert_default().schemas.extend(schemas);
}

fn headers() -> [Parameter; 5] {
    [
        header(
            "X-Echo-Signature",
            "Of the body, with the newest secret: always exactly one.",
            json!("sha256=e1b30417513fab05cbb5bc8f45e63fa86476cc2767bd245080d58bc812ee422c"),
        ),
        header("webhook-id", "The `event_id`.", json!("01890a5d-ac96-774b-bcce-b302099a8057")),
        header("webhook-timestamp", "When this attempt was made: seconds since 1970.", json!("1773855870")),
        header(
            "webhook-signature",
            "Of id, time and body; for 24 hours after a rotation two of them, divided by a space, the new secret's first.",
            json!("v1,xiWvW/SDUHxfzhJinBzqHwXTJ7ON/Hv32GMbuvFQTt4="),
        ),
        header("User-Agent", "`Echo-Webhooks/` and the version.", json!("Echo-Webhooks/0.1.0")),
    ]
}

fn header(name: &str, description: &str, example: Value) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
        .example(Some(example))
        .build()
}

macro_rules! event {
    ($(#[$doc:meta])* $handler:ident, $id:literal, $name:literal, $tag:literal, $body:ty) => {
        $(#[$doc])*
        #[utoipa::path(
            post,
            path = $name,
            operation_id = $id,
            tag = $tag,
            request_body = $body,
            responses(
                (status = "2XX", description = "Received."),
                (status = 410, description = "Nothing more is wanted: the endpoint is disabled."),
                (status = "default", description = "Not received: it is sent again, four times in all.")
            )
        )]
        #[expect(dead_code, reason = "the receiver's side of what the dispatcher sends")]
        fn $handler() {}
    };
}

event!(
    /// A call was answered
    call_started,
    "callStarted",
    "call.started",
    "webhooks",
    Started
);
event!(
    /// A call that was dialled is over
    call_ended,
    "callEnded",
    "call.ended",
    "webhooks",
    Ended
);
event!(
    /// A notification is over, and this is what it brought
    call_summary,
    "callSummary",
    "call.summary",
    "webhooks",
    Summary
);
event!(
    /// Somebody tries the endpoint (`POST …/test`)
    webhook_test,
    "webhookTest",
    "webhook.test",
    "webhooks",
    Test
);

event!(
    /// A call that a bot answered is over, and this is what it brought
    bot_completed,
    "botCompleted",
    "bot.completed",
    "bots",
    Completed
);

/// A bot wants something done while the caller waits
///
/// It is sent once, and nothing is kept of it. Without an answer within three seconds, or with anything else than a status from 200
/// to 299 and such a body, the bot says that somebody will follow this up, and the call goes on.
#[utoipa::path(
    post,
    path = "bot.action",
    operation_id = "botAction",
    tag = "bots",
    request_body = Act,
    responses(
        (status = "2XX", description = "What came of it.", body = ActAnswer),
        (status = "default", description = "Nobody knows what came of it.")
    )
)]
#[expect(dead_code, reason = "the receiver's side of what the orchestrator sends")]
fn bot_action() {}

macro_rules! envelope {
    ($(#[$doc:meta])* $name:ident, $data:ty) => {
        #[derive(ToSchema)]
        $(#[$doc])*
        #[expect(dead_code, reason = "the document's view of what the dispatcher sends")]
        struct $name {
            /// Of the occurrence: the same in every attempt, and to every endpoint.
            event_id: Uuid,
            event_name: String,
            /// Null once they were erased, and in a test.
            #[schema(required)]
            customer_id: Option<Uuid>,
            /// Null in a test.
            #[schema(required)]
            notification_id: Option<Uuid>,
            data: $data,
        }
    };
}

envelope!(
    /// Somebody, or a machine, has picked up.
    #[schema(as = CallStarted, example = json!({
        "event_id": "01890a5d-ac96-774b-bcce-b302099a8057", "event_name": "call.started",
        "customer_id": "8cc6199f-9466-46f2-9db7-936f3c2c1c0b", "notification_id": "13eea9cc-dbad-897d-35d9-fa46a5e30971",
        "data": {
            "status": "in_progress", "call_id": "01890a5d-ac96-774b-bcce-b302099a0003", "attempt": 1,
            "agent_id": "ddb8be3b-a426-4122-b877-a0cba363c89d", "external_id": "user_12345", "metadata": {"order": 7}
        }
    }))]
    Started,
    StartedData
);
envelope!(
    /// A call is over, whatever ended it.
    #[schema(as = CallEnded, example = json!({
        "event_id": "01890a5d-ac96-774b-bcce-b302099a8058", "event_name": "call.ended",
        "customer_id": "8cc6199f-9466-46f2-9db7-936f3c2c1c0b", "notification_id": "13eea9cc-dbad-897d-35d9-fa46a5e30971",
        "data": {
            "status": "completed", "ended_reason": "customer-ended-call",
            "call_id": "01890a5d-ac96-774b-bcce-b302099a0003", "attempt": 1,
            "agent_id": "ddb8be3b-a426-4122-b877-a0cba363c89d", "external_id": "user_12345", "metadata": {"order": 7}
        }
    }))]
    Ended,
    EndedData
);
envelope!(
    /// The result of a notification.
    #[schema(as = CallSummary, example = json!({
        "event_id": "01890a5d-ac96-774b-bcce-b302099a8059", "event_name": "call.summary",
        "customer_id": "8cc6199f-9466-46f2-9db7-936f3c2c1c0b", "notification_id": "13eea9cc-dbad-897d-35d9-fa46a5e30971",
        "data": {
            "transcript": "AI: Does that time still work for you?\nCustomer: Yes.",
            "analysis": {"confirmed": true, "reschedule_request": null},
            "started_at": "2026-03-18T17:43:46.714Z", "ended_at": "2026-03-18T17:44:29.214Z", "duration_seconds": 42.5,
            "ended_reason": "customer-ended-call",
            "call_id": "01890a5d-ac96-774b-bcce-b302099a0003", "attempt": 1,
            "agent_id": "ddb8be3b-a426-4122-b877-a0cba363c89d", "external_id": "user_12345",
            "summary": "The appointment was confirmed.",
            "evidence": {
                "confirmed": {"status": "grounded", "turn": 1, "quote": "Yes."},
                "reschedule_request": {"status": "not_said", "turn": null, "quote": null}
            },
            "metadata": {"order": 7}
        }
    }))]
    Summary,
    SummaryData
);
envelope!(
    /// A test.
    #[schema(as = WebhookTest, example = json!({
        "event_id": "01890a5d-ac96-774b-bcce-b302099a8060", "event_name": "webhook.test", "customer_id": null,
        "notification_id": null, "data": {"message": "This is a test: your endpoint works."}
    }))]
    Test,
    TestData
);

/// What an event says of a call of a notification: its own fields, and those that they all have between them.
macro_rules! of_a_call {
    (
        $(#[$doc:meta])* $name:ident,
        { $($(#[$before_meta:meta])* $before:ident: $before_type:ty,)* }
        { $($(#[$after_meta:meta])* $after:ident: $after_type:ty,)* }
    ) => {
        #[derive(ToSchema)]
        $(#[$doc])*
        #[expect(dead_code, reason = "the document's view of what the dispatcher sends")]
        struct $name {
            $($(#[$before_meta])* $before: $before_type,)*
            /// As in `GET /calls/{id}`.
            #[schema(required)]
            call_id: Option<Uuid>,
            /// Which call of the notification, from 1; with `inbound`, which of those by which the customer rang back.
            attempt: u32,
            /// Null without an agent.
            #[schema(required)]
            agent_id: Option<Uuid>,
            /// Your own id for the customer.
            #[schema(required)]
            external_id: Option<String>,
            /// Only where the customer rang back.
            #[schema(nullable = false)]
            direction: Option<String>,
            $($(#[$after_meta])* $after: $after_type,)*
            /// What you gave the notification.
            #[schema(value_type = Option<Object>, required)]
            metadata: Option<Value>,
        }
    };
}

of_a_call!(
    /// What is known when a call is answered.
    #[schema(as = CallStartedData)]
    StartedData,
    { status: String, }
    {}
);
of_a_call!(
    /// What is known when a call is over.
    #[schema(as = CallEndedData)]
    EndedData,
    {
        /// Of the call.
        status: String,
        /// As in the call.
        ended_reason: String,
    }
    {}
);
of_a_call!(
    /// What a notification brought; of its last call.
    #[schema(as = CallSummaryData)]
    SummaryData,
    {
        /// One line for each thing said, `AI: …` or `Customer: …`; empty when nobody answered.
        transcript: String,
        /// As `call_result` of the notification.
        #[schema(value_type = Option<Object>, required)]
        analysis: Option<Value>,
        /// When somebody picked up; null when nobody did.
        #[schema(required)]
        started_at: Option<String>,
        ended_at: String,
        /// Talk time; 0 when nobody picked up.
        duration_seconds: f64,
        /// As in the notification.
        ended_reason: String,
    }
    {
        /// The conversation in a sentence or two.
        #[schema(required)]
        summary: Option<String>,
        /// As in the notification.
        #[schema(value_type = Option<Object>, required)]
        evidence: Option<Value>,
        /// As in the notification; only where another time was wished for.
        #[schema(value_type = Object, required = false)]
        reschedule_outcome: Value,
    }
);

/// What a test says.
#[derive(ToSchema)]
#[schema(as = WebhookTestData)]
#[expect(dead_code, reason = "the document's view of what the dispatcher sends")]
struct TestData {
    message: String,
}

macro_rules! bot_envelope {
    ($(#[$doc:meta])* $name:ident, $data:ty) => {
        #[derive(ToSchema)]
        $(#[$doc])*
        #[expect(dead_code, reason = "the document's view of what a bot's webhook is sent")]
        struct $name {
            /// Of the occurrence: the same in every attempt.
            event_id: Uuid,
            event_name: String,
            /// Whose webhook this is.
            bot_id: String,
            /// Twilio's own id of the call.
            call_sid: String,
            /// When it happened.
            #[schema(format = DateTime)]
            timestamp: String,
            data: $data,
        }
    };
}

bot_envelope!(
    /// A bot wants something done: something booked, or looked up.
    #[schema(as = BotAction, example = json!({
        "event_id": "01890a5d-ac96-774b-bcce-b302099a8061", "event_name": "bot.action",
        "bot_id": "bot_4Zk9mUqQh8vYw2XnRt3L", "call_sid": "CA0123456789abcdef0123456789abcdef",
        "timestamp": "2026-03-18T17:44:10.002Z",
        "data": {
            "from": "+14155552671", "action": "book_table", "arguments": {"how_many": "4", "when": "7 PM", "name": "Jane"},
            "history": [
                {"role": "bot", "content": "Hi, welcome to your AI assistant. How can I help you today?"},
                {"role": "user", "content": "I want to book a table for 4"}
            ]
        }
    }))]
    Act,
    ActData
);
bot_envelope!(
    /// What a call to a bot brought.
    #[schema(as = BotCompleted, example = json!({
        "event_id": "01890a5d-ac96-774b-bcce-b302099a8062", "event_name": "bot.completed",
        "bot_id": "bot_4Zk9mUqQh8vYw2XnRt3L", "call_sid": "CA0123456789abcdef0123456789abcdef",
        "timestamp": "2026-03-18T17:44:29.214Z",
        "data": {
            "goal": "Book table", "outcome": "completed", "collected": {"how_many": "4", "when": "7 PM", "name": "Jane"},
            "evidence": {"how_many": {"status": "grounded", "turn": 1, "quote": "for 4"}},
            "transcript": "AI: How can I help you today?\nCustomer: I want to book a table for 4",
            "started_at": "2026-03-18T17:43:46.714Z", "ended_at": "2026-03-18T17:44:29.214Z", "duration_seconds": 42.5,
            "ended_reason": "customer-ended-call"
        }
    }))]
    Completed,
    CompletedData
);

/// What is to be done, and what was said so far.
#[derive(ToSchema)]
#[schema(as = BotActionData)]
#[expect(dead_code, reason = "the document's view of what the orchestrator sends")]
struct ActData {
    /// Who calls, E.164; null when they hide their number.
    #[schema(required)]
    from: Option<String>,
    /// What is to be done, in snake_case, in the words of the model.
    action: String,
    /// What it needs to know, by names in snake_case.
    #[schema(value_type = Object)]
    arguments: Value,
    /// What was said, oldest first; of a very long call the latest.
    history: Vec<ActLine>,
}

/// Something that was said.
#[derive(ToSchema)]
#[schema(as = BotActionLine)]
#[expect(dead_code, reason = "the document's view of what the orchestrator sends")]
struct ActLine {
    /// The caller is the `user`.
    role: String,
    /// The words.
    content: String,
}

/// What came of it. An empty object is one: the bot goes on.
#[derive(ToSchema)]
#[schema(as = BotActionAnswer, example = json!({
    "say": "Your table is booked.", "action": "continue", "data": {"booking": 4711}
}))]
#[expect(dead_code, reason = "the document's view of what the orchestrator reads")]
struct ActAnswer {
    /// What the bot says then; 600 characters are spoken at most.
    say: Option<String>,
    /// What follows. `transfer` is `continue` for a bot without a `transfer_number`.
    #[schema(default = "continue")]
    action: Option<String>,
    /// What the bot is to know from then on: whatever JSON.
    data: Option<Value>,
}

/// What a call to a bot brought.
#[derive(ToSchema)]
#[schema(as = BotCompletedData)]
#[expect(dead_code, reason = "the document's view of what the dispatcher sends")]
struct CompletedData {
    /// What the bot was there for.
    goal: String,
    /// What became of that. `abandoned`: nobody said anything. `failed`: it is ours to answer for.
    outcome: String,
    /// What the caller said of what the goal needs; empty where that is nothing.
    #[schema(value_type = Object)]
    collected: Value,
    /// Where each part of it was said.
    #[schema(value_type = Object)]
    evidence: Value,
    /// One line for each thing said, `AI: …` or `Customer: …`.
    transcript: String,
    /// When it was picked up.
    started_at: String,
    ended_at: String,
    /// Talk time.
    duration_seconds: f64,
    /// As in the call.
    ended_reason: String,
}
