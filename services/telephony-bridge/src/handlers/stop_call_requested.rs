//! Stops a call: one that rings or runs is ended at the carrier; one that has not been dialled is not dialled any more,
//! even when this message overtakes the request to dial.

use common::bus::{Cause, Meta, Outcome};
use common::db::Tx;
use contracts::calls::StopCallRequested;
use contracts::telephony::dial_failed::Cause as FailCause;

use crate::app::App;
use crate::error::BridgeError;
use crate::events;
use crate::progress::next_check;
use crate::store::attempts::{self, Attempt};

pub(crate) async fn handle(app: App, meta: Meta, message: StopCallRequested) -> Outcome {
    Outcome::from(stop(&app, meta, message).await)
}

async fn stop(app: &App, meta: Meta, message: StopCallRequested) -> Result<(), BridgeError> {
    let check_after = app.config.check_after;
    let ringing = app
        .write(move |tx| match attempts::find(tx.conn, message.attempt_id.parse()?)? {
            None => never_dial(tx, &message, &meta.cause),
            Some(attempt) if !attempt.state.acted_on() => {
                let over = attempts::save(tx.conn, attempt.over(), tx.now())?;
                tx.stage(&events::failed(&over, FailCause::Canceled, 0), &meta.cause)?;
                Ok(None)
            }
            Some(attempt) if !attempt.live => Ok(None),
            Some(attempt) => {
                let now = tx.now();
                let stopped = Attempt { stop_requested: true, ..attempt };
                // Without a call to end, whoever learns of one ends it; until then the check for evidence goes on.
                let check_at = match stopped.carrier_call_sid {
                    Some(_) => next_check(&stopped, now, check_after),
                    None => stopped.check_at,
                };
                let stopped = attempts::save(tx.conn, Attempt { check_at, ..stopped }, now)?;
                Ok(stopped.carrier_call_sid.is_some().then_some(stopped))
            }
        })
        .await?;
    match ringing.as_ref().and_then(|attempt| Some((attempt, attempt.carrier_call_sid.as_deref()?))) {
        Some((attempt, sid)) => Ok(app.carriers.of_attempt(attempt).await?.end(sid).await?),
        None => Ok(()),
    }
}

/// The request to dial has not come yet; when it does it finds this row.
fn never_dial(
    tx: &mut Tx<'_>,
    message: &StopCallRequested,
    cause: &Cause,
) -> Result<Option<Attempt>, BridgeError> {
    let now = tx.now();
    let (attempt, call, project) = (&message.attempt_id, &message.call_id, &message.project_id);
    let over = Attempt { stop_requested: true, ..Attempt::named(attempt, call, project, now)? }.over();
    attempts::insert(tx.conn, &over, now)?;
    tx.stage(&events::failed(&over, FailCause::Canceled, 0), cause)?;
    Ok(None)
}
