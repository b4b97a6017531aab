//! `/api/v1/calls` and `/notifications/{id}/calls`: each attempt, with its times and what was said in it. A project's key and an
//! access token see those that were made for its notifications; `/v1/calls` is shared with calls to bots, see `bot_calls.rs`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use contracts::calls::{Call, GetCallRequest, Recording, Source, Utterance};
use contracts::ids::CallId;
use contracts::rpc::RpcError;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::notifications::body::{json, present};
use super::notifications::named;
use super::query::path_id;
use super::reply::millis;
use crate::app::App;
use crate::domain::role::Operation;
use crate::error::{ApiError, from_rpc};
use crate::identity::credential::{Tenant, authorise};

/// A call as it is answered.
#[derive(Serialize, ToSchema)]
#[schema(as = Call, example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a0003", "project_id": "e56b4c35-882d-4604-9944-9763d314ea59",
    "notification_id": "13eea9cc-dbad-897d-35d9-fa46a5e30971", "direction": "outbound", "attempt": 1, "status": "completed", "to": "+14155552671",
    "carrier_call_sid": "CA0123456789abcdef0123456789abcdef", "carrier_code": null, "answered_by": "human",
    "ended_reason": "customer-ended-call", "created_at": "2026-03-18T17:43:30.120Z", "dialed_at": "2026-03-18T17:43:31.002Z",
    "answered_at": "2026-03-18T17:43:46.714Z", "ended_at": "2026-03-18T17:44:29.214Z", "duration_seconds": 42.5, "cost": 0.014,
    "currency": "USD", "model_tokens_in": 1200, "model_tokens_out": 85,
    "recording": {"sid": "RE0123456789abcdef0123456789abcdef", "duration_seconds": 42}, "call_result": null, "evidence": null,
    "turns": [
        {
            "turn": 0, "speaker": "agent", "text": "Hi, is this John?", "confidence": null, "at": "2026-03-18T17:43:47.001Z",
            "interrupted": false, "latency_ms": 0, "sources": []
        },
        {
            "turn": 1, "speaker": "customer", "text": "Yes.", "confidence": 0.93, "at": "2026-03-18T17:43:50.330Z",
            "interrupted": false, "latency_ms": null, "sources": []
        }
    ]
}))]
pub(super) struct CallBody {
    id: String,
    project_id: String,
    notification_id: String,
    /// `outbound`, or `inbound` where the customer rang back.
    direction: &'static str,
    /// Which call of the notification, from 1. Those by which the customer rang back are counted by themselves.
    attempt: u32,
    /// `queued` → `dialing` → `ringing` → `in_progress` → `completed`, `busy`, `no_answer`, `failed` or `canceled`, which stay.
    status: String,
    /// The customer's number: it is rung, or it rang back.
    to: String,
    /// The carrier's own id of it; null until the carrier has it.
    carrier_call_sid: Option<String>,
    /// The carrier's own error code for why it could not be placed.
    carrier_code: Option<u32>,
    /// The carrier's verdict on who picked up, for example `human`.
    answered_by: Option<String>,
    /// Why it ended; null until then.
    ended_reason: Option<String>,
    created_at: String,
    /// When the carrier had it.
    dialed_at: Option<String>,
    /// When somebody, or a machine, picked up.
    answered_at: Option<String>,
    ended_at: Option<String>,
    /// Talk time; 0 when nobody picked up.
    duration_seconds: f64,
    /// What the carrier charges, in `currency`; null until it has said so, mostly some minutes after the end.
    cost: Option<f64>,
    /// The carrier's, for example `USD`; null while there is no cost.
    currency: Option<String>,
    /// What the model read for it; null when it does not say.
    model_tokens_in: Option<u64>,
    /// What the model wrote for it; null when it does not say.
    model_tokens_out: Option<u64>,
    /// Its recording; null where none was made, and until the carrier has it, some seconds after the end.
    recording: Option<RecordingBody>,
    /// Of a call by which the customer rang back after the end of its notification: what was learned in it, in the form of the
    /// notification's `call_result`, once it has been read. Of any other `null`: the notification has it.
    call_result: Option<Value>,
    /// Where each property of that was said.
    evidence: Option<Value>,
    /// What became of another time in such a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    reschedule_outcome: Option<Value>,
    /// What was said, oldest first.
    turns: Vec<TurnBody>,
}

/// The recording of a call. No copy of the sound is made here: it is at the carrier, and is fetched from there by its `sid` with the
/// credentials of the account that made the call. When the call is forgotten here, the carrier is asked to delete it.
#[derive(Serialize, ToSchema)]
#[schema(as = Recording, example = json!({"sid": "RE0123456789abcdef0123456789abcdef", "duration_seconds": 42}))]
pub(super) struct RecordingBody {
    /// The carrier's own id of it.
    sid: String,
    /// How long it is.
    duration_seconds: u32,
}

impl From<Recording> for RecordingBody {
    fn from(recording: Recording) -> Self {
        Self { sid: recording.sid, duration_seconds: recording.duration_seconds }
    }
}

/// What one speaker said in one turn.
#[derive(Serialize, ToSchema)]
#[schema(as = Turn, example = json!({
    "turn": 1, "speaker": "customer", "text": "Yes.", "confidence": 0.93, "at": "2026-03-18T17:43:50.330Z",
    "interrupted": false, "latency_ms": null, "sources": []
}))]
pub(super) struct TurnBody {
    /// What the customer says opens a turn, the answer belongs to it; 0 is the opening.
    turn: u32,
    /// Who said it.
    speaker: String,
    text: String,
    /// The recogniser's confidence in the customer's words, 0–1.
    confidence: Option<f32>,
    /// When it was heard, or when the agent's first sentence was asked for and ready.
    at: String,
    /// The call went on, or ended, before all of the agent's words had been fetched.
    interrupted: bool,
    /// From what was heard to the agent's first sentence ready.
    latency_ms: Option<i64>,
    /// The documents that the agent's words draw from, best first.
    sources: Vec<UsedSource>,
}

/// A document that an answer draws from.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01890a5d-ac96-774b-bcce-b302099a0004", "title": "Delivery", "url": "https://docs.example.com/delivery"
}))]
pub(super) struct UsedSource {
    id: String,
    /// What it is called.
    title: String,
    /// Where it comes from; null: from nowhere.
    url: Option<String>,
}

impl From<Source> for UsedSource {
    fn from(source: Source) -> Self {
        Self { id: source.id, title: source.title, url: present(source.url) }
    }
}

impl From<Utterance> for TurnBody {
    fn from(said: Utterance) -> Self {
        Self {
            turn: said.turn,
            speaker: said.speaker,
            text: said.text,
            confidence: said.confidence,
            at: millis(said.at_ms),
            interrupted: said.interrupted,
            latency_ms: said.latency_ms,
            sources: said.sources.into_iter().map(UsedSource::from).collect(),
        }
    }
}

impl From<Call> for CallBody {
    fn from(call: Call) -> Self {
        Self {
            id: call.id,
            project_id: call.project_id,
            notification_id: call.notification_id,
            direction: if call.inbound { "inbound" } else { "outbound" },
            attempt: call.attempt,
            status: call.status,
            to: call.to_e164,
            carrier_call_sid: present(call.carrier_call_sid),
            carrier_code: (call.carrier_code > 0).then_some(call.carrier_code),
            answered_by: present(call.answered_by),
            ended_reason: present(call.ended_reason),
            created_at: millis(call.created_at_ms),
            dialed_at: call.dialled_at_ms.map(millis),
            answered_at: call.answered_at_ms.map(millis),
            ended_at: call.ended_at_ms.map(millis),
            duration_seconds: seconds(call.duration_ms),
            cost: call.cost_micros.map(amount),
            currency: present(call.currency),
            model_tokens_in: call.tokens_in,
            model_tokens_out: call.tokens_out,
            recording: call.recording.map(RecordingBody::from),
            call_result: json(&call.call_result_json),
            evidence: json(&call.evidence_json),
            reschedule_outcome: json(&call.reschedule_outcome_json),
            turns: call.turns.into_iter().map(TurnBody::from).collect(),
        }
    }
}

/// Millionths as they are written.
pub(super) fn amount(micros: u64) -> f64 {
    std::time::Duration::from_micros(micros).as_secs_f64()
}

pub(super) fn seconds(ms: i64) -> f64 {
    std::time::Duration::from_millis(u64::try_from(ms).unwrap_or_default()).as_secs_f64()
}

/// The calls of a notification, newest first: those made for it, and those by which the customer rang back. At most the latest
/// hundred.
#[utoipa::path(
    get,
    path = "/api/v1/notifications/{id}/calls",
    operation_id = "listCallsOfNotification",
    tag = "calls",
    params(("id" = Uuid, Path, description = "Which notification.")),
    responses((status = 200, description = "All of them: there are no pages.", body = Vec<CallBody>))
)]
pub(crate) async fn of_notification(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let wanted = named(&request, &tenant)?;
    let listed = app.notifications.list_calls(tenant.context(), wanted).await;
    let listed = listed.map_err(|error| from_rpc(error, "notification", "Notification"))?;
    let calls: Vec<CallBody> = listed.calls.into_iter().map(CallBody::from).collect();
    Ok(HttpResponse::Ok().json(calls))
}

/// One call, with its times and what was said in it.
#[utoipa::path(
    get,
    path = "/api/v1/calls/{id}",
    operation_id = "getCall",
    tag = "calls",
    params(("id" = Uuid, Path, description = "Which call.")),
    responses((status = 200, description = "The call.", body = CallBody))
)]
pub(crate) async fn read(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let found = find(&app, &tenant, &request).await?;
    Ok(HttpResponse::Ok().json(found.ok_or_else(|| ApiError::not_found("call", "Call"))?))
}

/// The call in the path, if it is one of the project.
pub(super) async fn find(
    app: &App,
    tenant: &Tenant,
    request: &HttpRequest,
) -> Result<Option<CallBody>, ApiError> {
    let Some(id) = path_id::<CallId>(request, "id") else { return Ok(None) };
    let wanted = GetCallRequest { project_id: tenant.project.to_string(), call_id: id.to_string() };
    match app.notifications.get_call(tenant.context(), wanted).await {
        Ok(call) => Ok(Some(CallBody::from(call))),
        Err(RpcError::NotFound(_)) => Ok(None),
        Err(error) => Err(from_rpc(error, "call", "Call")),
    }
}
