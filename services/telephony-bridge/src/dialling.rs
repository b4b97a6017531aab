//! Carries out a committed intent to dial: waits for the account's turn, asks the carrier once, and writes down what came of
//! it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use common::bus::{Cause, Meta, Outcome};
use common::db::{DbError, Tx};
use contracts::telephony::dial_refused::Reason;

use crate::app::{App, count};
use crate::carrier::Carrier;
use crate::domain::attempt::{AttemptState, DialResult, may_send};
use crate::error::BridgeError;
use crate::events;
use crate::progress::adopt;
use crate::store::attempts::{self, Attempt};

/// How soon a request that could not be carried out yet is looked at again. With it, the tries that a message has last
/// longer than the time within which a call has to be dialled.
pub(crate) const TRY_AGAIN: Duration = Duration::from_secs(5);

/// A committed intent. Whoever made it, and nobody else, may ask the carrier.
pub(crate) struct Intent {
    pub(crate) attempt: Attempt,
    /// What it is dialled with.
    pub(crate) carrier: Carrier,
    /// The account's turn to dial.
    pub(crate) turn: DateTime<Utc>,
    /// How far off that was when the intent was committed.
    pub(crate) wait: Duration,
}

pub(crate) async fn carry_out(app: &App, meta: &Meta, intent: Intent) -> Result<Outcome, BridgeError> {
    let Intent { attempt, carrier, turn, wait } = intent;
    tokio::time::sleep(wait).await;
    let result = send(app, &carrier, &attempt, turn).await?;
    count(app.numbers.dialled.as_ref(), result.as_str());
    let again = result == DialResult::TryLater;
    settle(app, meta, (&carrier, &attempt), result).await?;
    Ok(if again { Outcome::RetryAfter(TRY_AGAIN) } else { Outcome::Done })
}

/// Asks the carrier, unless the moment has passed or somebody has stopped the call while it waited for its turn.
async fn send(
    app: &App,
    carrier: &Carrier,
    attempt: &Attempt,
    turn: DateTime<Utc>,
) -> Result<DialResult, BridgeError> {
    let id = attempt.id;
    let current = app.platform.database.read(move |db| attempts::find(db, id)).await?;
    if current.is_none_or(|current| current.stop_requested) {
        return Ok(DialResult::NotSent);
    }
    if !may_send(app.platform.database.now(), turn, attempt.dial_before) {
        tracing::warn!(attempt = %id, "not dialled: it was too late when its turn had come");
        return Ok(DialResult::NotSent);
    }
    Ok(carrier.place(&app.urls, attempt).await)
}

async fn settle(
    app: &App,
    meta: &Meta,
    (carrier, attempt): (&Carrier, &Attempt),
    result: DialResult,
) -> Result<(), BridgeError> {
    let (id, cause) = (attempt.id, meta.cause.clone());
    let unwanted = app
        .write(move |tx| {
            let current = attempts::find(tx.conn, id)?.ok_or(DbError::NotFound)?;
            Ok(note_result(tx, current, &result, &cause)?)
        })
        .await?;
    let Some(sid) = unwanted else { return Ok(()) };
    if let Err(error) = carrier.end(&sid).await {
        tracing::warn!(attempt = %id, %sid, %error, "the call is to be stopped; the reconciler tries again");
    }
    Ok(())
}

/// Writes the result down. Answers the carrier's id of a call that is not wanted any more.
fn note_result(
    tx: &mut Tx<'_>,
    current: Attempt,
    result: &DialResult,
    cause: &Cause,
) -> Result<Option<String>, DbError> {
    match (result, &current.carrier_call_sid) {
        (DialResult::Placed(sid), known) => {
            let own = known.as_ref().is_none_or(|known| known == sid);
            let wanted = own && current.live && !current.stop_requested;
            if known.is_none() && current.live {
                adopt(tx, current, sid, cause)?;
            }
            Ok((!wanted).then(|| sid.clone()))
        }
        // A callback or the reconciler has found out more in the meantime.
        _ if current.state != AttemptState::Dialing => Ok(None),
        _ => note_failure(tx, current, result, cause).map(|()| None),
    }
}

fn note_failure(
    tx: &mut Tx<'_>,
    current: Attempt,
    result: &DialResult,
    cause: &Cause,
) -> Result<(), DbError> {
    use contracts::telephony::dial_failed::Cause as FailCause;
    let now = tx.now();
    match result {
        DialResult::Placed(_) => Ok(()),
        DialResult::Unknown => {
            let unknown = Attempt { state: AttemptState::Unknown, check_at: now, ..current };
            attempts::save(tx.conn, unknown, now).map(drop)
        }
        // Certainly nothing rings, so a stop that came in the meantime is carried out already.
        _ if current.stop_requested => {
            let over = attempts::save(tx.conn, current.over(), now)?;
            tx.stage(&events::failed(&over, FailCause::Canceled, 0), cause)
        }
        DialResult::TryLater => {
            let waiting = Attempt { state: AttemptState::Waiting, ..current };
            attempts::save(tx.conn, waiting, now).map(drop)
        }
        DialResult::NotSent => {
            let over = attempts::save(tx.conn, current.over(), now)?;
            tx.stage(&events::refused(&over, Reason::Late), cause)
        }
        DialResult::Failed { cause: why, code } => {
            let over = attempts::save(tx.conn, current.over(), now)?;
            tx.stage(&events::failed(&over, *why, *code), cause)
        }
    }
}
