//! Accepts a notification: renders the prompt once, freezes everything the conversation is made of, and rings if the rules
//! allow it now. Idempotent on the id: the same again answers what is stored.

use chrono::{DateTime, Utc};
use common::bus::Cause;
use common::clock::from_millis;
use common::db::{DbError, Tx, lease};
use contracts::accounts::{CustomerStanding, ProjectPolicy};
use contracts::calls as proto;
use contracts::ids::{AgentId, CallId, CustomerId, NotificationId, ProjectId};
use serde_json::Value;

use crate::app::App;
use crate::conversation::spec::{object, reaching, spec};
use crate::domain::call::VoicemailPolicy;
use crate::domain::ended_reason::{EndedReason, UnknownEndedReason};
use crate::domain::notification::{NotificationInput, NotificationState};
use crate::domain::retry::RetryPolicy;
use crate::error::OrchestratorError;
use crate::events;
use crate::rulebook::{self, Rulebook};
use crate::store::notifications::{self as table, Notification, Options};
use crate::store::shown::{self, Shown};
use crate::store::{calls, withdrawals};
use crate::story::{Story, new_call};

pub(crate) async fn place(
    app: &App,
    cause: Cause,
    request: proto::PlaceNotificationRequest,
) -> Result<proto::Notification, OrchestratorError> {
    let project: ProjectId = request.project_id.parse()?;
    let id: NotificationId = request.notification_id.parse()?;
    let now = app.platform.database.now();
    let (policy, standing) = (request.policy.clone(), request.standing.clone());
    // Not here: an agent's schema may take its time.
    let accepted = tokio::task::spawn_blocking(move || accept(&request, project, id, now)).await?;
    let accepted = match accepted {
        Ok(mut accepted) => {
            reaching(&mut accepted.spec, &app.countries, policy.as_ref());
            accepted
        }
        // What was accepted once is answered, whatever is sent with its id.
        Err(refused) => return stored(app, project, id).await?.ok_or(refused),
    };
    if !app.carriers.may_place(project).await {
        return stored(app, project, id).await?.ok_or(OrchestratorError::NoCarrier);
    }
    let inner = app.clone();
    let (notification, call) = app
        .write(move |tx| {
            one_at_a_time(tx, id)?;
            if let Some(stored) = table::find(tx.conn, project, id)? {
                let call = calls::find(tx.conn, stored.call_id)?;
                return Ok((stored, call));
            }
            if table::exists(tx.conn, id)? {
                return Err(OrchestratorError::NotFound("notification")); // another project's
            }
            let withdrawn = withdrawals::contains(tx.conn, project, id)?;
            let notification = accepted_at(accepted.clone(), tx.now());
            let rulebook = learn(&inner, tx, &notification, (policy.as_ref(), standing.as_ref()))?;
            let call = new_call(&notification, notification.call_id, 1, tx.now());
            let mut story = Story::begin(&inner, tx, &cause, (notification, call))?;
            if withdrawn {
                story.notification_input(NotificationInput::CancelRequested)?;
            } else {
                story.dial_under(&rulebook)?;
            }
            let (notification, call) = story.save()?;
            Ok((notification, Some(call)))
        })
        .await?;
    Ok(events::seen(&Shown::of(notification), call.as_ref()))
}

/// What the rules read, with what came along: it may be newer than what was heard.
fn learn(
    app: &App,
    tx: &mut Tx<'_>,
    notification: &Notification,
    (policy, standing): (Option<&ProjectPolicy>, Option<&CustomerStanding>),
) -> Result<Rulebook, DbError> {
    let project = notification.project_id;
    match notification.customer_id {
        Some(customer) => rulebook::learn(app, tx, (project, customer), policy, standing),
        None => rulebook::read(tx.conn, project, None),
    }
}

/// Placing and withdrawing the same notification take turns: each sees what the other did.
pub(super) fn one_at_a_time(tx: &mut Tx<'_>, id: NotificationId) -> Result<(), DbError> {
    lease::exclusive(tx.conn, &format!("notification {id}"))
}

async fn stored(
    app: &App,
    project: ProjectId,
    id: NotificationId,
) -> Result<Option<proto::Notification>, OrchestratorError> {
    app.platform
        .database
        .read(move |db| {
            let Some(found) = shown::find(db, project, id)? else { return Ok(None) };
            let call = calls::find(db, found.call_id)?;
            Ok(Some(events::seen(&found, call.as_ref())))
        })
        .await
}

/// The time of its transaction is the time of a notification, whatever the time was when the work on it began: what was not
/// scheduled for later is due then.
fn accepted_at(notification: Notification, now: DateTime<Utc>) -> Notification {
    let state = &notification.state;
    let due_at = state.due_at.max(now);
    // Absent, it was reckoned from the time when it was due: it is again.
    let expires_at = if notification.options.expires { Some(state.expires_at) } else { None };
    let state = NotificationState::accepted(due_at, expires_at, state.retry.clone());
    Notification { state, created_at: now, updated_at: now, ..notification }
}

fn accept(
    request: &proto::PlaceNotificationRequest,
    project: ProjectId,
    id: NotificationId,
    now: DateTime<Utc>,
) -> Result<Notification, OrchestratorError> {
    let missing = |field| OrchestratorError::Invalid { field, problem: "is missing".to_owned() };
    let customer = request.customer.as_ref().ok_or_else(|| missing("customer_id"))?;
    let customer_id: CustomerId = customer.id.parse()?;
    let agent_id: Option<AgentId> = request.agent.as_ref().map(|a| a.id.parse()).transpose()?;
    Ok(Notification {
        id,
        project_id: project,
        customer_id: Some(customer_id),
        agent_id,
        agent_version: request.agent.as_ref().map_or(0, |a| a.version),
        phone: customer.phone_e164.clone(),
        message: request.message.clone(),
        context: request.context.clone(),
        collect_feedback: request.collect_feedback,
        max_duration_seconds: request.max_duration_seconds,
        spec: spec(request, now)?,
        metadata: object("metadata", &request.metadata_json)?.map(Value::Object),
        options: options(request, now)?,
        state: state(request, now)?,
        summary_due: false,
        result_due: false,
        found: None,
        to_bot: None,
        call_id: CallId::new(),
        created_at: now,
        updated_at: now,
        version: 0,
    })
}

/// How it is to be dialled.
fn options(
    request: &proto::PlaceNotificationRequest,
    now: DateTime<Utc>,
) -> Result<Options, OrchestratorError> {
    Ok(Options {
        scheduled: scheduled_at(request).is_some_and(|at| at > now),
        expires: request.expires_at_ms.is_some(),
        from: Some(request.from_e164.clone()).filter(|from| !from.is_empty()),
        voicemail: voicemail(request)?,
        reschedule: object("reschedule", &request.reschedule_json)?.map(Value::Object),
        ..Options::default()
    })
}

fn voicemail(request: &proto::PlaceNotificationRequest) -> Result<VoicemailPolicy, OrchestratorError> {
    if request.voicemail.is_empty() {
        return Ok(VoicemailPolicy::default());
    }
    VoicemailPolicy::parse(&request.voicemail).ok_or_else(|| OrchestratorError::Invalid {
        field: "voicemail",
        problem: "must be hang_up, leave_message or retry".to_owned(),
    })
}

fn scheduled_at(request: &proto::PlaceNotificationRequest) -> Option<DateTime<Utc>> {
    request.scheduled_at_ms.map(from_millis)
}

fn state(
    request: &proto::PlaceNotificationRequest,
    now: DateTime<Utc>,
) -> Result<NotificationState, OrchestratorError> {
    let retry = match voicemail(request)? {
        VoicemailPolicy::Retry => retry(request)?.also_after_a_machine(),
        _ => retry(request)?,
    };
    let due_at = scheduled_at(request).map_or(now, |at| at.max(now));
    Ok(NotificationState::accepted(due_at, request.expires_at_ms.map(from_millis), retry))
}

fn retry(request: &proto::PlaceNotificationRequest) -> Result<RetryPolicy, OrchestratorError> {
    let Some(asked) = &request.retry else { return Ok(RetryPolicy::default()) };
    let invalid = |problem: String| OrchestratorError::Invalid { field: "retry", problem };
    let on: Result<Vec<EndedReason>, _> = asked.on.iter().map(|word| word.parse()).collect();
    let on = on.map_err(|e: UnknownEndedReason| invalid(e.to_string()))?;
    RetryPolicy::new(asked.max_attempts, asked.delay_seconds.clone(), on).map_err(|e| invalid(e.to_string()))
}
