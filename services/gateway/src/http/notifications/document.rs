//! The API document's view of what `order.rs`, the filters of `mod.rs` and the batch read.

#![expect(dead_code, reason = "the document's view of what is read field by field")]

use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::agents::RescheduleBody;
use super::super::customers::NewCustomerRequest;

/// A call that is asked for. Exactly one of `customer_id`, `customer_external_id` and `customer` says who is rung; without an
/// `agent_id` the `message` is what the call says.
#[derive(ToSchema)]
#[schema(as = NewNotification, example = json!({
    "customer_external_id": "user_12345", "agent_id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33",
    "variables": {"appointment_time": "Thursday March 20th at 2:00 PM"},
    "scheduled_at": "2026-03-19T09:00:00+01:00",
    "retry": {"max_attempts": 3, "delay_seconds": [300, 1800], "on": ["busy", "no-answer"]}
}))]
pub(crate) struct OrderSchema {
    /// A customer of this project.
    #[schema(required = false)]
    customer_id: Uuid,
    /// The same by your own id for them.
    #[schema(required = false, min_length = 1, max_length = 200)]
    customer_external_id: String,
    /// Somebody described here. Who is known by the `external_id` stays as stored, and is rung at this `phone`; a number that is
    /// new to them is added. Who is not known is created.
    #[schema(required = false)]
    customer: NewCustomerRequest,
    /// The agent that talks.
    agent_id: Option<Uuid>,
    /// One of its versions; without it the newest.
    #[schema(required = false, minimum = 1)]
    agent_version: u32,
    /// What the call says; with an agent it fills `{{message}}`. Required without `agent_id`.
    #[schema(required = false, max_length = 4000)]
    message: String,
    /// Nuance for this one call; fills `{{context}}`.
    #[schema(max_length = 4000)]
    context: Option<String>,
    /// At most 64 strings (of 2,000 characters), numbers and booleans for the prompt's `{{tokens}}`. They win over the built-in
    /// ones; numbers and booleans are written as in JSON; what the prompt does not ask for is ignored.
    #[schema(required = false, value_type = Object)]
    variables: Value,
    /// Without an agent: ask to confirm, cancel or reschedule. With one it is only stored and shown.
    #[schema(required = false, default = false)]
    collect_feedback: bool,
    /// Without an agent: the longest call. With one it is only stored and shown.
    #[schema(required = false, default = 180, minimum = 30, maximum = 600)]
    max_duration_seconds: u32,
    /// Not dialled before this time, at most one year ahead. The past means at once.
    #[schema(required = false, format = DateTime)]
    scheduled_at: String,
    /// No call is begun after this time. Without it: 24 hours after the call became due.
    #[schema(required = false, format = DateTime)]
    expires_at: String,
    /// When to ring again. Without it the project's `retry` setting counts.
    #[schema(required = false)]
    retry: RetrySchema,
    /// A number of the project's carrier to ring from, E.164; without it the carrier's own choice. With one that is not the
    /// carrier's the call ends as `carrier-error`.
    #[schema(required = false, example = "+15005550006")]
    from: String,
    /// What happens when a machine picks up: `hang_up`; `leave_message` says the agent's `voicemail_message`, else the `message`,
    /// after its greeting; `retry` hangs up and counts as an ending after which it is rung again.
    #[schema(required = false, default = "hang_up")]
    voicemail: String,
    /// How another time is agreed on: `slots` (times), `url` or both.
    #[schema(required = false)]
    reschedule: RescheduleBody,
    /// Your own data, at most 16 KiB; comes back in every answer and webhook.
    #[schema(required = false, value_type = Object)]
    metadata: Value,
}

/// When a number is rung again.
#[derive(ToSchema)]
#[schema(as = Retry)]
pub(crate) struct RetrySchema {
    /// Most attempts.
    #[schema(required = false, default = 1, minimum = 1, maximum = 5)]
    max_attempts: u32,
    /// The pause after each attempt, seconds, at most a day; the last one repeats. Empty: five minutes.
    #[schema(required = false, max_items = 4)]
    delay_seconds: Vec<u32>,
    /// The endings after which it is rung again. Empty: `busy` and `no-answer`.
    #[schema(required = false)]
    on: Vec<String>,
}

/// Many notifications.
#[derive(ToSchema)]
#[schema(as = NewNotifications, example = json!({"notifications": [
    {"customer_external_id": "user_12345", "message": "Your order has shipped."},
    {"customer_external_id": "user_12346", "message": "Your order has shipped."}
]}))]
pub(crate) struct BatchSchema {
    /// 1 to 1,000. The array alone, without an object around it, is accepted as well.
    #[schema(min_items = 1, max_items = 1000)]
    notifications: Vec<OrderSchema>,
}

/// Which notifications are listed; all that are named have to be true.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FilterParams {
    /// Those with this status.
    #[param(required = false)]
    status: String,
    /// Those for this customer.
    #[param(required = false)]
    customer_id: Uuid,
    /// Those by this agent.
    #[param(required = false)]
    agent_id: Uuid,
    /// Those accepted after this time.
    #[param(required = false, format = DateTime)]
    created_after: String,
    /// Those accepted before this time.
    #[param(required = false, format = DateTime)]
    created_before: String,
}
