//! The last of the three stops: a call that is not over long after all its limits is ended at the carrier, and after one
//! more wait it is closed here, so that every notification gets its summary whatever became of the reports.

use chrono::{DateTime, TimeDelta, Utc};
use common::bus::Cause;
use contracts::ids::CallId;

use crate::app::App;
use crate::domain::call::{CallInput, CallState, CarrierFinal};
use crate::domain::limits::{GRACE, RING_TIMEOUT_SECONDS, UNANSWERED, WITHDRAWN_FOR};
use crate::error::OrchestratorError;
use crate::store::{calls, withdrawals};
use crate::story::Story;

/// Calls looked at in one round.
const PAGE: i64 = 100;

/// When the reaper is to look at a call that has come from `before` to `after`; `None` when nothing moves it.
pub(crate) fn moved(before: &CallState, after: &CallState, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let seconds = |n: u32| TimeDelta::seconds(i64::from(n));
    let limit = seconds(after.time_limit_seconds.unwrap_or_default());
    if after.started_at.is_some() {
        return before.started_at.is_none().then_some(now + limit + GRACE);
    }
    if after.dialled {
        // The report of the pick-up may have been lost: it may be talking.
        return (!before.dialled).then_some(now + seconds(RING_TIMEOUT_SECONDS) + limit + GRACE);
    }
    (after.dial_requested && !before.dial_requested).then_some(now + UNANSWERED)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn a_call_is_looked_at_only_after_all_that_it_may_take() {
        let fresh = CallState::accepted(Some(600));
        let asked = CallState { dial_requested: true, ..fresh.clone() };
        let rings = CallState { dialled: true, ..asked.clone() };
        let talks = CallState { started_at: Some(now()), ..rings.clone() };
        let after = |before, after| moved(before, after, now()).map(|at| (at - now()).num_seconds());
        assert_eq!(after(&fresh, &asked), Some(3600));
        assert_eq!(after(&asked, &rings), Some(40 + 600 + 300));
        assert_eq!(after(&rings, &talks), Some(600 + 300));
        assert_eq!(after(&fresh, &fresh), None);
    }

    #[test]
    fn reports_that_come_later_do_not_keep_a_call_alive() {
        let talks = CallState { dialled: true, started_at: Some(now()), ..CallState::accepted(Some(600)) };
        let told = CallState { last_sequence: Some(9), ..talks.clone() };
        assert_eq!(moved(&talks, &told, now()), None);
    }
}
