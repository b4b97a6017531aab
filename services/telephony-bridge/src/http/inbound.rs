//! A call to a number of ours: a customer who was rung from it lately is answered by the agent who rang; anybody else hears a
//! polite sentence.

use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use chrono::TimeDelta;
use common::clock::to_millis;
use common::db::{DbError, Tx};
use common::telemetry::Masked;
use common::trace;
use contracts::calls::BeginInboundRequest;
use contracts::ids::{AttemptId, CallId};
use contracts::rpc::{Context, RpcError};
use twilio::call::CallStatus;

use super::signed::Signed;
use crate::app::{App, count};
use crate::domain::attempt::AttemptState;
use crate::domain::urls::Place;
use crate::error::BridgeError;
use crate::progress::{News, note};
use crate::store::attempts::{self, Attempt};

/// How long after we rang a customer may ring back.
const RING_BACK_WITHIN: TimeDelta = TimeDelta::hours(24);
/// What the tables get to find out who is calling.
pub(super) const ARRIVES_WITHIN: Duration = Duration::from_millis(300);
/// The rest of the time is for the first sentence.
const LEFT_FOR_WORDS: Duration = Duration::from_millis(200);

/// Who calls whom.
struct Caller {
    account: String,
    sid: String,
    from: String,
    to: String,
}

/// Enters a call that came in, unless it is there already. `None`: nobody rang them.
///
/// # Errors
/// 503 when the tables do not answer: the carrier asks again.
pub(super) async fn arrive(app: &App, signed: &Signed) -> Result<Option<Place>, HttpResponse> {
    let request = &signed.request;
    let (Some(sid), Some(from), Some(to)) = (&request.call_sid, &request.from, &request.to) else {
        return Ok(None);
    };
    let caller = Caller {
        account: signed.account_sid().to_owned(),
        sid: sid.to_string(),
        from: from.clone(),
        to: to.clone(),
    };
    let (customer, check_after) = (from.clone(), app.config.check_after);
    let caller = std::sync::Arc::new(caller);
    let entered = app.write(move |tx| Ok(enter(tx, &caller, check_after)?));
    let entered = match tokio::time::timeout(ARRIVES_WITHIN, entered).await {
        Ok(entered) => entered,
        Err(_) => Err(BridgeError::Slow),
    };
    match entered {
        Ok(Some(attempt)) => Ok(Some(Place { attempt, turn: 0, part: 0, fill: 0, sorry: 0 })),
        Ok(None) => {
            tracing::info!(from = %Masked(&customer), "somebody called whom nobody had rung");
            count(app.numbers.inbound.as_ref(), "stranger");
            Ok(None)
        }
        Err(error) => {
            tracing::warn!(%error, "who is calling could not be looked up");
            Err(HttpResponse::ServiceUnavailable().finish())
        }
    }
}

fn enter(tx: &mut Tx<'_>, caller: &Caller, check_after: TimeDelta) -> Result<Option<AttemptId>, DbError> {
    if let Some(known) = attempts::of_call(tx.conn, &caller.account, &caller.sid)? {
        return Ok(Some(known.id));
    }
    let now = tx.now();
    let parties = (caller.to.as_str(), caller.from.as_str());
    let rung = attempts::last_rung(tx.conn, &caller.account, parties, now - RING_BACK_WITHIN)?;
    let Some(rung) = rung else { return Ok(None) };
    let attempt = Attempt {
        id: AttemptId::new(),
        call_id: CallId::new(),
        answers: Some(rung.call_id),
        to: caller.to.clone(),
        from: caller.from.clone(),
        state: AttemptState::Placed,
        live: true,
        carrier_call_sid: Some(caller.sid.clone()),
        carrier_status: None,
        answered_by: None,
        stop_requested: false,
        gave_up: false,
        dial_before: now,
        created_at: now,
        check_at: now + check_after,
        version: 0,
        ..rung
    };
    attempts::insert(tx.conn, &attempt, now)?;
    Ok(Some(attempt.id))
}

/// Whether the orchestrator knows a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    Yes,
    /// It does not answer.
    NotYet,
    /// There is nobody to talk to any more, for example because the customer was erased.
    NobodyThere,
}

/// Tells the orchestrator of a call that came in, once.
pub(super) async fn begin(app: &App, attempt: &Attempt, until: Instant) -> Begun {
    // One that has a status has begun.
    let (Some(answers), None) = (attempt.answers, &attempt.carrier_status) else { return Begun::Yes };
    let left = until.saturating_duration_since(Instant::now()).saturating_sub(LEFT_FOR_WORDS);
    let request = BeginInboundRequest {
        project_id: attempt.project_id.to_string(),
        call_id: attempt.call_id.to_string(),
        attempt_id: attempt.id.to_string(),
        answers_call_id: answers.to_string(),
        carrier_call_sid: attempt.carrier_call_sid.clone().unwrap_or_default(),
        from_e164: attempt.from.clone(),
        at_ms: to_millis(attempt.created_at),
    };
    let context = Context::within(left).for_tenant(attempt.project_id);
    match app.inbound.begin_inbound(context, request).await {
        Ok(_) => {
            count(app.numbers.inbound.as_ref(), "answered");
            noted(app, attempt, true);
            Begun::Yes
        }
        Err(RpcError::NotFound(why)) => {
            tracing::info!(attempt = %attempt.id, why, "nobody is there for a customer who rings back");
            count(app.numbers.inbound.as_ref(), "nobody");
            noted(app, attempt, false);
            Begun::NobodyThere
        }
        Err(error) => {
            tracing::warn!(attempt = %attempt.id, %error, "a call that came in could not begin");
            Begun::NotYet
        }
    }
}

/// Writes down that the conversation has begun, or that there will be none; the caller does not wait for it. If it fails, the
/// next request does it again.
fn noted(app: &App, attempt: &Attempt, begun: bool) {
    let (app, id) = (app.clone(), attempt.id);
    let sid = attempt.carrier_call_sid.clone().unwrap_or_default();
    tokio::spawn(trace::continued(async move {
        let check_after = app.config.check_after;
        let write = app.write(move |tx| {
            let current = attempts::find(tx.conn, id)?.filter(|attempt| attempt.live);
            match current {
                Some(current) if begun => {
                    note(tx, current, &News::found_out(&sid, CallStatus::InProgress), check_after)?;
                }
                Some(current) => {
                    let now = tx.now();
                    attempts::save(tx.conn, current.over(), now)?;
                }
                None => {}
            }
            Ok(())
        });
        if let Err(error) = write.await {
            tracing::warn!(attempt = %id, %error, "the beginning of a call could not be noted");
        }
    }));
}
