//! How a call goes, from whatever source: the carrier's answer, a callback, a request for a document, asking the carrier. A
//! call belongs to one attempt and never goes back; each change is told once.

use chrono::{DateTime, TimeDelta, Utc};
use common::bus::Cause;
use common::db::{DbError, Tx};
use common::trace;
use twilio::call::CallStatus;
use twilio::webhook::VoiceRequest;

use crate::domain::attempt::AttemptState;
use crate::domain::price::first_question;
use crate::domain::report::{moves_on, our_status};
use crate::events;
use crate::store::attempts::{self, Attempt};
use crate::store::price_checks::{self, PriceCheck};
use crate::store::reports;

/// How soon the carrier is asked whether a call that was to be stopped has ended. A call that is stopped while it is
/// queued is never reported (Twilio's docs, voice/api/call-resource, `Status`).
const STOP_CHECK: TimeDelta = TimeDelta::seconds(3);

/// What the carrier says about a call.
#[derive(Clone, Debug)]
pub(crate) struct News {
    pub(crate) sid: String,
    pub(crate) status: CallStatus,
    /// The carrier's own order; absent for what we found out by asking.
    pub(crate) sequence: Option<u32>,
    pub(crate) at: Option<DateTime<Utc>>,
    pub(crate) duration_seconds: Option<u32>,
    pub(crate) sip_response_code: Option<u32>,
}

impl News {
    /// What a status callback says; `None` for one without call or status.
    pub(crate) fn from_callback(request: &VoiceRequest) -> Option<Self> {
        Some(Self {
            sid: request.call_sid.as_ref()?.to_string(),
            status: request.call_status.clone()?,
            sequence: request.sequence_number,
            at: request.timestamp,
            duration_seconds: request.call_duration,
            sip_response_code: request.sip_response_code.map(u32::from),
        })
    }

    /// What we found out ourselves.
    pub(crate) fn found_out(sid: &str, status: CallStatus) -> Self {
        Self {
            sid: sid.to_owned(),
            status,
            sequence: None,
            at: None,
            duration_seconds: None,
            sip_response_code: None,
        }
    }
}

/// When to ask the carrier about a call, if it says nothing itself.
pub(crate) fn next_check(attempt: &Attempt, now: DateTime<Utc>, check_after: TimeDelta) -> DateTime<Utc> {
    now + if attempt.stop_requested { check_after.min(STOP_CHECK) } else { check_after }
}

/// The attempt, if the call `sid` is its own. An attempt that knows no call yet takes this one: a signed request that names
/// the attempt is the evidence. `None` is another call: the second ring that must not be.
pub(crate) fn own_call(tx: &mut Tx<'_>, attempt: Attempt, sid: &str) -> Result<Option<Attempt>, DbError> {
    match &attempt.carrier_call_sid {
        Some(known) if known == sid => Ok(Some(attempt)),
        None if attempt.live => {
            let cause = Cause::own(attempt.project_id);
            adopt(tx, attempt, sid, &cause).map(Some)
        }
        _ => Ok(None),
    }
}

/// The carrier has placed the call under `sid`: known from its answer, from a callback or from asking.
pub(crate) fn adopt(tx: &mut Tx<'_>, attempt: Attempt, sid: &str, cause: &Cause) -> Result<Attempt, DbError> {
    let now = tx.now();
    // A stop that came while nobody knew the call is carried out by the reconciler, at once.
    let check_at = if attempt.stop_requested { now } else { attempt.check_at };
    let sid = sid.to_owned();
    let placed =
        Attempt { state: AttemptState::Placed, carrier_call_sid: Some(sid.clone()), check_at, ..attempt };
    let placed = attempts::save(tx.conn, placed, now)?;
    tx.stage(&events::accepted(&placed, &sid), cause)?;
    Ok(placed)
}

/// What became of news of a call.
pub(crate) enum Heard {
    Noted,
    /// The call is not this attempt's.
    OtherCall,
    /// The orchestrator may not know of this call, which is over: it has to be told of the beginning first.
    EndsUntold(Box<Attempt>),
}

/// Notes news of an attempt's call and tells the orchestrator, if it knows of the call. Of one that it may not know only the
/// end counts: whatever comes before, the next request for a document says too.
pub(crate) fn hear(
    tx: &mut Tx<'_>,
    attempt: Attempt,
    news: &News,
    check_after: TimeDelta,
) -> Result<Heard, DbError> {
    let its_own = attempt.carrier_call_sid.as_deref() == Some(news.sid.as_str());
    if attempt.is_untold() && its_own {
        let ended = news.status.is_terminal();
        return Ok(if ended { Heard::EndsUntold(Box::new(attempt)) } else { Heard::Noted });
    }
    Ok(if note(tx, attempt, news, check_after)? { Heard::Noted } else { Heard::OtherCall })
}

/// Notes news of an attempt's call and tells the orchestrator. False: the call is not this attempt's.
pub(crate) fn note(
    tx: &mut Tx<'_>,
    attempt: Attempt,
    news: &News,
    check_after: TimeDelta,
) -> Result<bool, DbError> {
    let now = tx.now();
    trace::of_call(attempt.call_id);
    trace::of_tenant(attempt.project_id);
    let Some(attempt) = own_call(tx, attempt, &news.sid)? else { return Ok(false) };
    if let Some(sequence) = news.sequence
        && !reports::first_time(tx.conn, attempt.id, sequence, news.status.as_str(), now)?
    {
        return Ok(true);
    }
    let Some(status) = our_status(&news.status) else { return Ok(true) };
    if !moves_on(attempt.carrier_status.as_ref(), &news.status) {
        return Ok(true);
    }
    let ended = news.status.is_terminal();
    let moved = Attempt {
        carrier_status: Some(news.status.clone()),
        state: if ended { AttemptState::Over } else { attempt.state },
        live: !ended,
        check_at: if attempt.stop_requested { attempt.check_at } else { now + check_after },
        ..attempt
    };
    let moved = attempts::save(tx.conn, moved, now)?;
    // Only what was picked up is charged for.
    if news.status == CallStatus::Completed {
        price_checks::insert(tx.conn, &to_be_priced(&moved, &news.sid, now))?;
    }
    let event = events::progressed(&moved, news, status, now);
    tx.stage(&event, &Cause::own(moved.project_id))?;
    Ok(true)
}

fn to_be_priced(attempt: &Attempt, sid: &str, now: DateTime<Utc>) -> PriceCheck {
    PriceCheck {
        attempt_id: attempt.id,
        project_id: attempt.project_id,
        call_id: attempt.call_id,
        account_sid: attempt.account_sid.clone(),
        carrier_id: attempt.carrier_id,
        carrier_call_sid: sid.to_owned(),
        second_call_sid: attempt.second_call_sid.clone(),
        ended_at: now,
        asked: 0,
        ask_at: first_question(now),
    }
}
