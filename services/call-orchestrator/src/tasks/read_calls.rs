//! Reads the calls by which customers rang back after their notification was over: what they have brought is kept with the call.
//! The notification stays as it ended, with its one summary.

use common::db::DbError;
use contracts::ids::CallId;
use tokio::task::JoinSet;

use super::summarise::read;
use crate::app::App;
use crate::conversation::tools::callable;
use crate::costs::Meter;
use crate::domain::limits::SUMMARY_LEASE;
use crate::domain::transcript;
use crate::error::OrchestratorError;
use crate::store::notifications::Notification;
use crate::store::tool_calls::ToolCall;
use crate::store::turns::{self, Turn};
use crate::store::{calls, notifications, readings, tool_calls};

/// Calls read at the same time.
const AT_ONCE: u32 = 8;

/// One round.
pub(crate) async fn run(app: App) -> Result<(), OrchestratorError> {
    let due = app
        .write(|tx| {
            let now = tx.now();
            Ok(readings::claim(tx.conn, now, SUMMARY_LEASE, AT_ONCE)?)
        })
        .await?;
    let mut reading = JoinSet::new();
    for call in due {
        let app = app.clone();
        reading.spawn(async move {
            if let Err(error) = one(&app, call).await {
                tracing::warn!(%call, %error, "could not be read; tried again when the lease ends");
            }
        });
    }
    reading.join_all().await;
    Ok(())
}

/// What a call is read from.
struct Told {
    notification: Notification,
    turns: Vec<Turn>,
    made: Vec<ToolCall>,
}

async fn one(app: &App, call: CallId) -> Result<(), OrchestratorError> {
    let told = app.platform.database.read(move |db| told(db, call)).await?;
    // Who was forgotten in the meantime has no row here any more.
    let Some(Told { notification, turns, made }) = told else { return Ok(()) };
    let spoken: Vec<_> = turns.iter().map(Turn::spoken).collect();
    let said = transcript::utterances(&spoken);
    let mut meter = Meter::default();
    let found = read(app, &notification, (&said, &made), &mut meter).await;
    let project = notification.project_id;
    meter.write_down(app, project, call).await;
    app.write(move |tx| Ok(readings::note(tx.conn, project, call, &found)?)).await
}

fn told(db: &mut common::db::Db, call: CallId) -> Result<Option<Told>, DbError> {
    let Some(row) = calls::find(db, call)? else { return Ok(None) };
    let notification = notifications::find(db, row.project_id, row.notification_id)?;
    let Some(notification) = notification.filter(|n| !n.is_blank()) else { return Ok(None) };
    let made = if callable(&notification.spec) { tool_calls::of_call(db, call)? } else { Vec::new() };
    Ok(Some(Told { notification, turns: turns::all(db, call)?, made }))
}
