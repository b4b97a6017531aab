//! Notifications as they are answered.

use contracts::calls::Notification;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::super::reply::millis;

/// A notification as it is answered.
#[derive(Serialize, ToSchema)]
#[schema(as = Notification)]
pub(crate) struct NotificationBody {
    id: String,
    project_id: String,
    agent_id: Option<String>,
    /// Its version, frozen when the notification was accepted.
    agent_version: Option<u32>,
    /// `null` once they have been erased.
    customer_id: Option<String>,
    target_phone_e164: String,
    message: String,
    context: Option<String>,
    collect_feedback: bool,
    max_duration_seconds: u32,
    /// `queued`, `in_progress`, `completed`, `failed` or `canceled`. It ends together with its result: between the end of the call and
    /// the result being read out of it, it is `in_progress`.
    status: String,
    /// What was learned: exactly the properties of the `output_schema`; one that was not learned is `null`.
    call_result: Option<Value>,
    /// What became of another time: `{outcome: rescheduled|reschedule_requested, rescheduled_to, reschedule_request}`. Only where
    /// one could be agreed on, and was wished for.
    #[serde(skip_serializing_if = "Option::is_none")]
    reschedule_outcome: Option<Value>,
    /// Where each property was said: `{status: grounded|not_said|invalid, turn, quote}`.
    evidence: Option<Value>,
    /// Why it ended, for example `customer-ended-call`.
    ended_reason: Option<String>,
    /// The rule that holds it back, or that stopped it.
    blocked_by: Option<String>,
    /// The carrier's own error code for why its latest call could not be placed.
    carrier_code: Option<u32>,
    /// Not dialled before.
    scheduled_at: Option<String>,
    /// No call is begun after.
    expires_at: String,
    /// Calls begun so far.
    attempts: u32,
    /// When it is rung, or rung again; `null` while a rule holds it back, while a call is alive and once it is over.
    next_attempt_at: Option<String>,
    retry: RetryBody,
    /// The number it was asked to be rung from.
    from: Option<String>,
    /// `hang_up`, `leave_message` or `retry`.
    voicemail: String,
    reschedule: Option<Value>,
    metadata: Option<Value>,
    created_at: String,
    updated_at: String,
}

/// The policy that counts: the notification's own, else the project's.
#[derive(Serialize, ToSchema)]
#[schema(as = RetryPolicy)]
struct RetryBody {
    max_attempts: u32,
    delay_seconds: Vec<u32>,
    on: Vec<String>,
}

/// A notification that was accepted, with its call.
#[derive(Serialize, ToSchema)]
#[schema(as = PlacedNotification)]
pub(crate) struct PlacedBody {
    notification: NotificationBody,
    call: CallBody,
}

/// Its first attempt.
#[derive(Serialize, ToSchema)]
#[schema(as = PlacedCall)]
struct CallBody {
    #[serde(rename = "callId")]
    call_id: String,
    status: String,
}

impl From<Notification> for PlacedBody {
    fn from(placed: Notification) -> Self {
        let call = CallBody { call_id: placed.call_id.clone(), status: placed.call_status.clone() };
        Self { notification: placed.into(), call }
    }
}

impl From<Notification> for NotificationBody {
    fn from(n: Notification) -> Self {
        Self {
            id: n.id,
            project_id: n.project_id,
            agent_id: present(n.agent_id),
            agent_version: (n.agent_version > 0).then_some(n.agent_version),
            customer_id: present(n.customer_id),
            target_phone_e164: n.target_phone_e164,
            message: n.message,
            context: n.context,
            collect_feedback: n.collect_feedback,
            max_duration_seconds: n.max_duration_seconds,
            status: n.status,
            call_result: json(&n.call_result_json),
            reschedule_outcome: json(&n.reschedule_outcome_json),
            evidence: json(&n.evidence_json),
            ended_reason: present(n.ended_reason),
            blocked_by: present(n.blocked_by),
            carrier_code: (n.carrier_code > 0).then_some(n.carrier_code),
            scheduled_at: n.scheduled_at_ms.map(millis),
            expires_at: millis(n.expires_at_ms),
            attempts: n.attempts,
            next_attempt_at: n.next_attempt_at_ms.map(millis),
            retry: RetryBody {
                max_attempts: n.max_attempts,
                delay_seconds: n.retry_delay_seconds,
                on: n.retry_on,
            },
            from: present(n.from_e164),
            voicemail: n.voicemail,
            reschedule: json(&n.reschedule_json),
            metadata: json(&n.metadata_json),
            created_at: millis(n.created_at_ms),
            updated_at: millis(n.updated_at_ms),
        }
    }
}

/// A text that travelled empty is absent.
pub(crate) fn present(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// A free value that travelled as text.
pub(crate) fn json(text: &str) -> Option<Value> {
    if text.is_empty() {
        return None;
    }
    let read = serde_json::from_str(text);
    read.inspect_err(|error| tracing::error!(%error, "the orchestrator sent what is no JSON")).ok()
}
