//! The last of the three stops: a call that is not over long after all its limits is ended at the carrier, and after one
//! more wait it is closed here, so that every notification gets its summary whatever became of the reports.

use common::bus::Cause;
use contracts::ids::CallId;

use crate::app::App;
use crate::domain::call::{CallInput, CarrierFinal};
use crate::domain::limits::{GRACE, WITHDRAWN_FOR};
use crate::error::OrchestratorError;
use crate::store::{calls, withdrawals};
use crate::story::Story;

/// Calls looked at in one round.
const PAGE: i64 = 100;

/// One round.
pub(crate) async fn run(app: App) -> Result<(), OrchestratorError> {
    let now = app.platform.database.now();
    app.write(move |tx| Ok(withdrawals::forget(tx.conn, now - WITHDRAWN_FOR)?)).await?;
    let due = app.platform.database.read(move |db| calls::to_reap(db, now, PAGE)).await?;
    for call in due {
        if let Err(error) = reap(&app, call).await {
            tracing::warn!(%call, %error, "could not be reaped; the next round tries again");
        }
    }
    Ok(())
}

async fn reap(app: &App, id: CallId) -> Result<(), OrchestratorError> {
    let inner = app.clone();
    app.write(move |tx| {
        let now = tx.now();
        let Some(call) = calls::find(tx.conn, id)? else { return Ok(()) };
        let cause = Cause::own(call.project_id);
        let Some(mut story) = Story::of_call(&inner, tx, &cause, id)? else { return Ok(()) };
        // Another replica may have looked at it, or a report have come.
        if story.call.state.status.is_final() || story.call.reap_at > now {
            return Ok(());
        }
        tracing::warn!(call = %id, status = story.call.state.status.as_str(), "not over long after its limits");
        let talks = story.call.state.started_at.is_some();
        if !story.call.stop_asked {
            // Also where our own wish to end it is older: it has not been fulfilled.
            story.call.stop_asked = true;
            story.call.reap_at = now + GRACE;
            let asked = story.call.state.hangup_by.is_none() && talks;
            if asked {
                story.call_input(CallInput::MaxDuration)?;
            } else {
                story.stop_carrier_call()?;
            }
        }
        if !talks || story.call.reap_at <= now {
            story.call_input(CallInput::Reaped { outcome: CarrierFinal::Unknown, duration_seconds: None })?;
        }
        story.save()?;
        Ok(())
    })
    .await
}
