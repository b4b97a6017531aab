//! Asks the carrier about calls that have not been heard of: callbacks get lost, and a worker may have died between its
//! intent and the carrier's answer. Evidence is adopted; without any, the outcome is reported as unknown. Nothing here dials.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use common::bus::Cause;
use common::db::{DbError, Tx};
use contracts::ids::AttemptId;
use contracts::telephony::dial_failed::Cause as FailCause;
use contracts::telephony::dial_refused::Reason;
use tokio::task::JoinSet;
use twilio::call::CallStatus;
use twilio::rest::{Call, CallList};

use crate::app::App;
use crate::carrier::Carrier;
use crate::domain::attempt::AttemptState;
use crate::domain::carriers_books::{call_must_be_over, candidates, forgotten};
use crate::error::BridgeError;
use crate::events;
use crate::http::inbound::begin_and_end;
use crate::progress::{Heard, News, adopt, hear, next_check};
use crate::store::attempts::{self, Attempt};

/// Longer than asking takes. After a failure it is also the pause until the next try.
const HOLD: Duration = Duration::from_secs(60);
/// While a call is looked for, the carrier is asked at least this often.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(10);
/// What the orchestrator gets to be told of a call that is over already.
const TELL_WITHIN: Duration = Duration::from_secs(5);
/// A request to dial that its message has not come back for, this long after it had to be dialled, is given up.
const LOST_MESSAGE: TimeDelta = TimeDelta::minutes(1);

/// One round.
pub(crate) async fn run(app: App) -> Result<(), BridgeError> {
    let due: Vec<Attempt> = app
        .platform
        .database
        .write(|tx| {
            let now = tx.now();
            attempts::claim_to_check(tx.conn, now, HOLD)
        })
        .await?;
    let mut asked = JoinSet::new();
    for attempt in due {
        let app = app.clone();
        asked.spawn(async move {
            let id = attempt.id;
            if let Err(error) = reconcile(&app, attempt).await {
                tracing::warn!(attempt = %id, %error, "the carrier could not be asked; it is asked again in a minute");
            }
        });
    }
    asked.join_all().await;
    Ok(())
}

/// After a start, the calls of a process that died are asked about at once.
pub(crate) async fn after_start(app: &App) -> Result<(), DbError> {
    let quiet = TimeDelta::seconds(10);
    app.platform
        .database
        .write(move |tx| {
            let now = tx.now();
            attempts::check_all_soon(tx.conn, now, now - quiet).map(drop)
        })
        .await
}

async fn reconcile(app: &App, attempt: Attempt) -> Result<(), BridgeError> {
    let carrier = app.carriers.of_attempt(&attempt).await;
    match attempt.carrier_call_sid.clone() {
        Some(sid) => ask_about(app, carrier, attempt, &sid).await,
        None if attempt.state == AttemptState::Waiting => give_up_waiting(app, attempt.id).await,
        None => look_for_evidence(app, carrier, attempt).await,
    }
}

/// The account with which an attempt was made, or why there is none any more.
type OfAttempt = Result<Carrier, BridgeError>;

async fn ask_about(app: &App, carrier: OfAttempt, attempt: Attempt, sid: &str) -> Result<(), BridgeError> {
    let now = app.platform.database.now();
    let news = match look_at(carrier, (&attempt, sid), now).await {
        Ok(Some(call)) => found(sid, &call),
        Ok(None) if forgotten(attempt.created_at, now) => Some(News::found_out(sid, end_of(&attempt))),
        Ok(None) => None,
        // A carrier that does not answer for so long does not keep the line taken for ever.
        Err(error) if must_be_over(&attempt, now) => {
            tracing::error!(attempt = %attempt.id, %error, "the carrier does not say how a call ended");
            Some(News::found_out(sid, end_of(&attempt)))
        }
        Err(error) => return Err(error),
    };
    note_news(app, attempt.id, news).await
}

/// The call as its carrier sees it; one that runs and is to be stopped, or has no other limit than ours, is ended.
async fn look_at(
    carrier: OfAttempt,
    (attempt, sid): (&Attempt, &str),
    now: DateTime<Utc>,
) -> Result<Option<Call>, BridgeError> {
    let carrier = carrier?;
    let Some(call) = carrier.look_at(sid).await? else { return Ok(None) };
    let ended = call.status.as_ref().is_some_and(CallStatus::is_terminal);
    if (attempt.stop_requested || attempt.talks_too_long(now)) && !ended {
        carrier.end(sid).await?;
    }
    Ok(Some(call))
}

fn must_be_over(attempt: &Attempt, now: DateTime<Utc>) -> bool {
    let limits = (attempt.created_at, attempt.ring_timeout_seconds, attempt.time_limit_seconds);
    call_must_be_over(limits, now)
}

fn found(sid: &str, call: &Call) -> Option<News> {
    let status = call.status.clone()?;
    Some(News { at: call.end_time, duration_seconds: call.duration, ..News::found_out(sid, status) })
}

impl Attempt {
    /// The carrier ends the calls that we place when their time is up; one that came in is ended by us.
    fn talks_too_long(&self, now: DateTime<Utc>) -> bool {
        let limit = TimeDelta::seconds(i64::from(self.time_limit_seconds));
        self.came_in() && now - self.created_at > limit
    }
}

/// How a call ended of which the carrier says nothing any more.
fn end_of(attempt: &Attempt) -> CallStatus {
    match attempt.carrier_status {
        Some(CallStatus::InProgress) => CallStatus::Completed,
        _ => CallStatus::Failed,
    }
}

async fn note_news(app: &App, id: AttemptId, news: Option<News>) -> Result<(), BridgeError> {
    let check_after = app.config.check_after;
    let told = news.clone();
    let untold = app.write(move |tx| {
        let heard = match (&told, attempts::find(tx.conn, id)?) {
            (Some(news), Some(attempt)) => hear(tx, attempt, news, check_after)?,
            _ => Heard::Noted,
        };
        let now = tx.now();
        if let Some(attempt) = attempts::find(tx.conn, id)?.filter(|attempt| attempt.live) {
            let check_at = next_check(&attempt, now, check_after);
            postpone(tx, attempt, check_at)?;
        }
        Ok(match heard {
            Heard::EndsUntold(attempt) => Some(attempt),
            Heard::Noted | Heard::OtherCall => None,
        })
    });
    if let (Some(attempt), Some(news)) = (untold.await?, news) {
        begin_and_end(app, &attempt, news, TELL_WITHIN).await?;
    }
    Ok(())
}

fn postpone(tx: &mut Tx<'_>, attempt: Attempt, check_at: DateTime<Utc>) -> Result<(), BridgeError> {
    let now = tx.now();
    attempts::save(tx.conn, Attempt { check_at, ..attempt }, now)?;
    Ok(())
}

async fn list(carrier: OfAttempt, attempt: &Attempt) -> Result<CallList, BridgeError> {
    Ok(carrier?.calls_like(attempt).await?)
}

/// The carrier's list of calls to that number: exactly one that nobody has claimed and that began after our intent is ours.
async fn look_for_evidence(app: &App, carrier: OfAttempt, attempt: Attempt) -> Result<(), BridgeError> {
    let listed = match list(carrier, &attempt).await {
        Ok(listed) => candidates(&listed.calls, attempt.created_at),
        Err(error) => {
            tracing::warn!(attempt = %attempt.id, %error, "the carrier could not be asked for its calls");
            Vec::new()
        }
    };
    let (id, evidence_within) = (attempt.id, app.config.evidence_within);
    let again = app.config.check_after.min(LOOK_AGAIN);
    app.write(move |tx| {
        let now = tx.now();
        let looking = |a: &Attempt| a.live && a.carrier_call_sid.is_none() && a.state.acted_on();
        let Some(attempt) = attempts::find(tx.conn, id)?.filter(looking) else {
            return Ok(()); // found in the meantime
        };
        let cause = Cause::own(attempt.project_id);
        let claimed = attempts::adopted(tx.conn, &listed)?;
        let mut free = listed.iter().filter(|sid| !claimed.contains(sid));
        if let (Some(sid), None) = (free.next(), free.next())
            && !attempts::another_is_looking(tx.conn, &attempt)?
        {
            adopt(tx, Attempt { check_at: now, ..attempt }, sid, &cause)?;
            return Ok(());
        }
        if now - attempt.created_at < evidence_within {
            return postpone(tx, attempt, now + again);
        }
        let over = attempts::save(tx.conn, attempt.over(), now)?;
        Ok(tx.stage(&events::failed(&over, FailCause::Unknown, 0), &cause)?)
    })
    .await
}

/// A request to dial that is tried again by its message; if the message is lost, the line must not stay taken.
async fn give_up_waiting(app: &App, id: AttemptId) -> Result<(), BridgeError> {
    app.write(move |tx| {
        let now = tx.now();
        let waiting = |a: &Attempt| a.state == AttemptState::Waiting;
        let Some(attempt) = attempts::find(tx.conn, id)?.filter(waiting) else { return Ok(()) };
        let until = attempt.dial_before + LOST_MESSAGE;
        if now < until {
            return postpone(tx, attempt, until);
        }
        let over = attempts::save(tx.conn, attempt.over(), now)?;
        let cause = Cause::own(over.project_id);
        Ok(tx.stage(&events::refused(&over, Reason::Late), &cause)?)
    })
    .await
}
