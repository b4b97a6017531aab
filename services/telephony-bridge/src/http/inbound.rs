//! A call to a number of ours: a customer who was rung from it lately is answered by the agent who rang; anybody else hears a
//! polite sentence. And how the orchestrator is told of every call that came in.

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

use super::bot;
use super::signed::Signed;
use crate::app::{App, count};
use crate::domain::attempt::{AttemptState, RecordsFrom};
use crate::domain::patience::OwnWords;
use crate::domain::urls::Place;
use crate::domain::voice::Voice;
use crate::error::BridgeError;
use crate::progress::{News, note};
use crate::store::attempts::{self, Attempt};
use crate::store::own_words;

/// How long after we rang a customer may ring back.
const RING_BACK_WITHIN: TimeDelta = TimeDelta::hours(24);
/// The rest of the time is for the first sentence.
const LEFT_FOR_WORDS: Duration = Duration::from_millis(200);

/// After that, an orchestrator that does not answer is not told any more of a call that is over.
const TOLD_WITHIN: TimeDelta = TimeDelta::hours(24);

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
    let entered = match tokio::time::timeout(app.config.deadlines.arrives, entered).await {
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
        nobody_reached: false,
        dial_before: now,
        created_at: now,
        check_at: now + check_after,
        version: 0,
        second_call_sid: None,
        records: None,
        ..rung
    };
    attempts::insert(tx.conn, &attempt, now)?;
    Ok(Some(attempt.id))
}

/// Whether the orchestrator knows a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// It does. The call is recorded from there on, or not at all.
    Yes(Option<RecordsFrom>),
    /// It does not answer.
    NotYet,
    /// There is nobody to talk to any more, for example because the customer was erased.
    NobodyThere,
    /// The caller, or all callers of the bot together, have as many calls as they may.
    TooMany,
}

/// Tells the orchestrator of a call that came in, once. `place`: of the request, whose answer it is when there is no
/// conversation.
pub(super) async fn begin(app: &App, attempt: &Attempt, place: Place, until: Instant) -> Begun {
    // One that has a status has begun.
    if !attempt.came_in() || attempt.carrier_status.is_some() {
        return Begun::Yes(attempt.records);
    }
    let left = until.saturating_duration_since(Instant::now()).saturating_sub(LEFT_FOR_WORDS);
    let begun = tell(app, attempt, place, left).await;
    if begun != Begun::NotYet {
        noted(app, attempt, place, begun);
    }
    begun
}

/// Tells the orchestrator of a call that came in. It may be told of the same call again. `place`: from where on it is recorded, if
/// it is.
async fn tell(app: &App, attempt: &Attempt, place: Place, left: Duration) -> Begun {
    let context = Context::within(left).for_tenant(attempt.project_id);
    let told = match attempt.bot {
        Some(bot) => {
            let begun = app.inbound.begin_bot_call(context, bot::begun(attempt, bot)).await;
            begun.map(|begun| begun.records)
        }
        None => {
            let begun = app.inbound.begin_inbound(context, rings_back(attempt)).await;
            begun.map(|begun| begun.records)
        }
    };
    let (begun, what) = match told {
        Ok(records) => (Begun::Yes(records.then_some(RecordsFrom::at(place))), "answered"),
        Err(RpcError::NotFound(why)) => {
            tracing::info!(attempt = %attempt.id, why, "nobody is there for a call that came in");
            (Begun::NobodyThere, "nobody")
        }
        Err(RpcError::Conflict { code, message }) => {
            tracing::info!(attempt = %attempt.id, code, message, "a call that came in is one too many");
            (Begun::TooMany, "too_many")
        }
        Err(error) => {
            tracing::warn!(attempt = %attempt.id, %error, "a call that came in could not begin");
            return Begun::NotYet;
        }
    };
    count(app.numbers.inbound.as_ref(), what);
    begun
}

/// A call that came in is over before the orchestrator was known to know of it: it is told of the beginning now, and of the end
/// behind it, so that a short call is in the books and a late beginning is no call that never ends. False: it does not answer;
/// the call stays until it does, but not for ever.
pub(crate) async fn begin_and_end(
    app: &App,
    attempt: &Attempt,
    news: News,
    within: Duration,
) -> Result<bool, BridgeError> {
    let place = Place { attempt: attempt.id, turn: 0, part: 0, fill: 0, sorry: 0 };
    let begun = tell(app, attempt, place, within).await;
    let age = app.platform.database.now() - attempt.created_at;
    if begun == Begun::NotYet && age < TOLD_WITHIN {
        return Ok(false);
    }
    let known = begun != Begun::NotYet && begun.last_words().is_none();
    let (id, check_after) = (attempt.id, app.config.check_after);
    app.write(move |tx| {
        let Some(attempt) = attempts::find(tx.conn, id)?.filter(|attempt| attempt.live) else {
            return Ok(());
        };
        if known {
            note(tx, attempt, &news, check_after)?;
            return Ok(());
        }
        // There is nobody to tell.
        let now = tx.now();
        let over = Attempt { carrier_status: Some(news.status.clone()), ..attempt.over() };
        attempts::save(tx.conn, over, now)?;
        Ok(())
    })
    .await?;
    Ok(true)
}

fn rings_back(attempt: &Attempt) -> BeginInboundRequest {
    BeginInboundRequest {
        project_id: attempt.project_id.to_string(),
        call_id: attempt.call_id.to_string(),
        attempt_id: attempt.id.to_string(),
        answers_call_id: attempt.answers.map(|call| call.to_string()).unwrap_or_default(),
        carrier_call_sid: attempt.carrier_call_sid.clone().unwrap_or_default(),
        from_e164: attempt.from.clone(),
        at_ms: to_millis(attempt.created_at),
    }
}

/// Writes down that the conversation has begun, or that there will be none; the caller does not wait for it. If it fails, the
/// next request does it again.
fn noted(app: &App, attempt: &Attempt, place: Place, begun: Begun) {
    let (app, id) = (app.clone(), attempt.id);
    let sid = attempt.carrier_call_sid.clone().unwrap_or_default();
    tokio::spawn(trace::continued(async move {
        let check_after = app.config.check_after;
        let write = app.write(move |tx| {
            let current = attempts::find(tx.conn, id)?.filter(|attempt| attempt.live);
            match (current, begun.last_words()) {
                (Some(current), None) => {
                    let current = note_recording(tx, current, begun)?;
                    note(tx, current, &News::found_out(&sid, CallStatus::InProgress), check_after)?;
                }
                (Some(current), Some(words)) => {
                    let now = tx.now();
                    attempts::save(tx.conn, current.over(), now)?;
                    own_words::note(tx.conn, place, (words, &Voice::DEFAULT), None)?;
                }
                (None, _) => {}
            }
            Ok(())
        });
        if let Err(error) = write.await {
            tracing::warn!(attempt = %id, %error, "the beginning of a call could not be noted");
        }
    }));
}

/// Where the recording begins has to be known when the same document is asked for again.
fn note_recording(tx: &mut Tx<'_>, current: Attempt, begun: Begun) -> Result<Attempt, DbError> {
    match begun {
        Begun::Yes(records @ Some(_)) if current.records != records => {
            attempts::save(tx.conn, Attempt { records, ..current }, tx.now())
        }
        _ => Ok(current),
    }
}

impl Begun {
    /// What is said where there will be no conversation.
    const fn last_words(self) -> Option<OwnWords> {
        match self {
            Self::Yes(_) | Self::NotYet => None,
            Self::NobodyThere => Some(OwnWords::NobodyHere),
            Self::TooMany => Some(OwnWords::TooManyCalls),
        }
    }
}
