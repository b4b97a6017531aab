//! Notifications as they are answered.

use contracts::calls::Notification;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::super::reply::millis;

/// A notification as it is answered.
#[derive(Serialize, ToSchema)]
#[schema(as = Notification, example = json!({
    "id": "13eea9cc-dbad-897d-35d9-fa46a5e30971", "project_id": "e56b4c35-882d-4604-9944-9763d314ea59",
    "agent_id": "ddb8be3b-a426-4122-b877-a0cba363c89d", "agent_version": 1,
    "customer_id": "8cc6199f-9466-46f2-9db7-936f3c2c1c0b", "target_phone_e164": "+971123456789", "message": "",
    "context": null, "collect_feedback": false, "max_duration_seconds": 180, "status": "in_progress", "call_result": null,
    "evidence": null, "ended_reason": null, "blocked_by": null, "carrier_code": null, "scheduled_at": null,
    "expires_at": "2026-03-19T17:51:00.000Z", "attempts": 1, "next_attempt_at": null,
    "retry": {"max_attempts": 3, "delay_seconds": [300, 1800], "on": ["busy", "no-answer"]}, "from": null,
    "voicemail": "hang_up", "reschedule": null, "metadata": null,
    "created_at": "2026-03-18T17:51:00.000Z", "updated_at": "2026-03-18T17:51:01.000Z"
}))]
pub(crate) struct NotificationBody {
    id: String,
    project_id: String,
    agent_id: Option<String>,
    /// Its version, frozen when the notification was accepted.
    agent_version: Option<u32>,
    /// `null` once they have been erased.
    customer_id: Option<String>,
    /// The number that is rung; empty once it has been erased.
    target_phone_e164: String,
    message: String,
    context: Option<String>,
    collect_feedback: bool,
    max_duration_seconds: u32,
    /// `queued` (scheduled or waiting, until it is first dialled) → `in_progress` (also between attempts, and until the result has
    /// been read out of the last call) → `completed`, `failed` or `canceled`, which stay. It ends together with its result.
    status: String,
    /// What was learned: exactly the properties of the `output_schema`; one that was not learned is `null`. Without an agent and
    /// with `collect_feedback`: `outcome` (`confirmed`, `cancelled`, `reschedule_requested`, `rescheduled` or
    /// `no_clear_answer`), `reschedule_request` and `feedback`, and where `reschedule` was given `rescheduled_to`. Null without
    /// either, until the end, and when nobody but a machine spoke.
    #[schema(value_type = Option<Object>)]
    call_result: Option<Value>,
    /// What became of another time: `{outcome: rescheduled|reschedule_requested, rescheduled_to, reschedule_request}`. Only where
    /// one could be agreed on, and was wished for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, required = false)]
    reschedule_outcome: Option<Value>,
    /// Where each property was said: `{status: grounded|not_said|invalid, turn, quote}`.
    #[schema(value_type = Option<Object>)]
    evidence: Option<Value>,
    /// Why it ended; null until then. `completed`: `customer-ended-call`, `agent-ended-call`, `max-duration`, `silence`,
    /// `transferred`, `voicemail-left`, `opt-out`. `canceled`: `canceled`. `failed`: all others; `dial-unknown` says that the
    /// carrier never told whether it rang, `blocked` that a rule stopped it, `expired` that it could not be dialled in time.
    ended_reason: Option<String>,
    /// The rule that holds it back, or that stopped it. `suppressed`, `country_not_allowed` and `no_consent` end it; the others
    /// let it wait: for the hours, the next day or month, or for a call to end.
    blocked_by: Option<String>,
    /// The carrier's own error code for why its latest call could not be placed.
    carrier_code: Option<u32>,
    /// Not dialled before.
    scheduled_at: Option<String>,
    /// No call is begun after this.
    expires_at: String,
    /// Calls begun so far.
    attempts: u32,
    /// When it is rung, or rung again; `null` while a rule holds it back, while a call is alive and once it is over.
    next_attempt_at: Option<String>,
    retry: RetryBody,
    /// The number it was asked to be rung from.
    from: Option<String>,
    /// What happens when a machine picks up.
    voicemail: String,
    /// As it was given.
    #[schema(value_type = Option<Object>)]
    reschedule: Option<Value>,
    /// Your own data.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
    created_at: String,
    updated_at: String,
}

/// The policy that counts: the notification's own, else the project's.
#[derive(Serialize, ToSchema)]
#[schema(as = RetryPolicy)]
struct RetryBody {
    /// Most attempts.
    max_attempts: u32,
    /// The pause after each attempt, in seconds; the last one repeats.
    delay_seconds: Vec<u32>,
    /// The endings after which it is rung again.
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
#[schema(as = PlacedCall, example = json!({"callId": "01890a5d-ac96-774b-bcce-b302099a0003", "status": "queued"}))]
struct CallBody {
    #[serde(rename = "callId")]
    /// Its id, as in `GET /calls/{id}`.
    call_id: String,
    /// Where it stands; for one that is dialled at once `queued`, while the notification is `in_progress` already.
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
