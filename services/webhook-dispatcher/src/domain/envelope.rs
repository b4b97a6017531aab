//! The body of a webhook, from the message that caused it: envelope and data with the documented names in the documented
//! order, then what Echo adds. Free JSON (metadata, analysis, evidence) travels as the text that it came as.
//!
//! Data that a message does not carry yet is added in `proto/echo/calls/v1/messages.proto` and filled in the
//! call-orchestrator's `events.rs`.

use chrono::{DateTime, SecondsFormat, Utc};
use common::clock::from_millis;
use contracts::calls::{CallEnded, CallStarted, CallSummarised};
use contracts::ids::{EventId, ProjectId};
use serde::Serialize;
use serde_json::value::RawValue;

use super::event::{Event, EventName};

mod bots;

pub(crate) use bots::bot_completed;

/// A message that no webhook can be made of. Its sender is broken: nothing here can mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadMessage {
    /// An id that is no UUID.
    #[error("{0}")]
    Id(String),
    /// Text that should have been a JSON object.
    #[error("{0} is not the text of a JSON object")]
    Json(&'static str),
}

#[derive(Serialize)]
struct Envelope<'a, D> {
    event_id: &'a str,
    event_name: &'a str,
    customer_id: Option<&'a str>,
    notification_id: Option<&'a str>,
    data: D,
}

/// What every call event says about its call.
#[derive(Serialize)]
struct About<'a> {
    call_id: Option<&'a str>,
    attempt: u32,
    agent_id: Option<&'a str>,
    external_id: Option<&'a str>,
    /// `inbound` where the customer rang back; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<&'static str>,
}

#[derive(Serialize)]
struct Started<'a> {
    status: &'static str,
    #[serde(flatten)]
    about: About<'a>,
    metadata: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Ended<'a> {
    status: &'a str,
    ended_reason: &'a str,
    #[serde(flatten)]
    about: About<'a>,
    metadata: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Summary<'a> {
    transcript: &'a str,
    analysis: Option<&'a RawValue>,
    started_at: Option<String>,
    ended_at: String,
    duration_seconds: f64,
    ended_reason: &'a str,
    #[serde(flatten)]
    about: About<'a>,
    summary: Option<&'a str>,
    evidence: Option<&'a RawValue>,
    metadata: Option<&'a RawValue>,
    /// Only where another time was wished for: clients that know of none never notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    reschedule_outcome: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Test {
    message: &'static str,
}

/// `call.started`.
pub(crate) fn call_started(m: &CallStarted) -> Result<Event, BadMessage> {
    let data = Started {
        status: "in_progress",
        about: about((&m.call_id, m.attempt, m.inbound), &m.agent_id, &m.external_id),
        metadata: object("metadata_json", &m.metadata_json)?,
    };
    let envelope = Envelope {
        event_id: &m.event_id,
        event_name: EventName::Started.as_str(),
        customer_id: given(&m.customer_id),
        notification_id: given(&m.notification_id),
        data,
    };
    event(&m.project_id, EventName::Started, &envelope)
}

/// `call.ended`.
pub(crate) fn call_ended(m: &CallEnded) -> Result<Event, BadMessage> {
    let data = Ended {
        status: &m.status,
        ended_reason: &m.ended_reason,
        about: about((&m.call_id, m.attempt, m.inbound), &m.agent_id, &m.external_id),
        metadata: object("metadata_json", &m.metadata_json)?,
    };
    let envelope = Envelope {
        event_id: &m.event_id,
        event_name: EventName::Ended.as_str(),
        customer_id: given(&m.customer_id),
        notification_id: given(&m.notification_id),
        data,
    };
    event(&m.project_id, EventName::Ended, &envelope)
}

/// `call.summary`.
pub(crate) fn call_summary(m: &CallSummarised) -> Result<Event, BadMessage> {
    let data = Summary {
        transcript: &m.transcript,
        analysis: object("analysis_json", &m.analysis_json)?,
        started_at: m.started_at_ms.map(|ms| rfc3339(from_millis(ms))),
        ended_at: rfc3339(from_millis(m.ended_at_ms)),
        duration_seconds: seconds(m.duration_ms),
        ended_reason: &m.ended_reason,
        about: about((&m.call_id, m.attempt, m.inbound), &m.agent_id, &m.external_id),
        summary: given(&m.summary),
        evidence: object("evidence_json", &m.evidence_json)?,
        metadata: object("metadata_json", &m.metadata_json)?,
        reschedule_outcome: object("reschedule_outcome_json", &m.reschedule_outcome_json)?,
    };
    let envelope = Envelope {
        event_id: &m.event_id,
        event_name: EventName::Summary.as_str(),
        customer_id: given(&m.customer_id),
        notification_id: given(&m.notification_id),
        data,
    };
    event(&m.project_id, EventName::Summary, &envelope)
}

/// `webhook.test`: all keys of an envelope, and nobody's ids.
pub(crate) fn test(project: ProjectId, id: EventId) -> Result<Event, BadMessage> {
    let text = id.to_string();
    let data = Test { message: "This is a test: your endpoint works." };
    event(&project.to_string(), EventName::Test, &without_ids(&text, EventName::Test.as_str(), data))
}

/// What is left of a body when its customer was forgotten.
pub(crate) fn forgotten(event_id: &str, event_name: &str) -> Result<String, BadMessage> {
    let data = serde_json::Map::new();
    let envelope = without_ids(event_id, event_name, data);
    serde_json::to_string(&envelope).map_err(|_| BadMessage::Json("the envelope"))
}

fn without_ids<'a, D>(event_id: &'a str, event_name: &'a str, data: D) -> Envelope<'a, D> {
    Envelope { event_id, event_name, customer_id: None, notification_id: None, data }
}

fn event<D: Serialize>(
    project: &str,
    name: EventName,
    envelope: &Envelope<'_, D>,
) -> Result<Event, BadMessage> {
    let customer = envelope.customer_id.map(str::parse).transpose();
    Ok(Event {
        customer: customer.map_err(|e: contracts::ids::BadId| BadMessage::Id(e.to_string()))?,
        project: project.parse().map_err(|e: contracts::ids::BadId| BadMessage::Id(e.to_string()))?,
        id: envelope.event_id.parse().map_err(|e: contracts::ids::BadId| BadMessage::Id(e.to_string()))?,
        name,
        payload: serde_json::to_string(envelope).map_err(|_| BadMessage::Json("the envelope"))?,
    })
}

fn about<'a>(
    (call_id, attempt, inbound): (&'a str, u32, bool),
    agent_id: &'a str,
    external_id: &'a str,
) -> About<'a> {
    let direction = inbound.then_some("inbound");
    About {
        call_id: given(call_id),
        attempt,
        agent_id: given(agent_id),
        external_id: given(external_id),
        direction,
    }
}

/// The bus has no null: there, what is absent is empty.
fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn object<'a>(field: &'static str, text: &'a str) -> Result<Option<&'a RawValue>, BadMessage> {
    let Some(text) = given(text) else { return Ok(None) };
    let raw: &RawValue = serde_json::from_str(text).map_err(|_| BadMessage::Json(field))?;
    if raw.get().starts_with('{') { Ok(Some(raw)) } else { Err(BadMessage::Json(field)) }
}

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Talk time is shorter than days, so every count of milliseconds has its exact place among the doubles.
fn seconds(millis: i64) -> f64 {
    f64::from(i32::try_from(millis).unwrap_or(i32::MAX)) / 1000.0
}

#[cfg(test)]
mod tests;
