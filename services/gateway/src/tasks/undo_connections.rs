//! Takes back connections of Twilio accounts that came to nothing: whoever worked on them is gone, or could not store the user.
//! The bridge forgets the account first, and then the row goes: the number is free again.

use chrono::{DateTime, Utc};
use common::db::DbError;
use contracts::ids::ProjectId;
use contracts::rpc::Context;
use contracts::telephony::RemoveCarrierRequest;

use crate::app::{App, RPC_DEADLINE};
use crate::store::connections;

/// In one round.
const PAGE: i64 = 100;

/// One round. What cannot be taken back now is tried again in the next one.
pub(crate) async fn run(app: App) -> Result<(), DbError> {
    let given_up = app.platform.database.write(|tx| {
        let now = tx.now();
        connections::given_up(tx.conn, now, PAGE)
    });
    for (project, undo_at) in given_up.await? {
        undo(&app, project, undo_at).await?;
    }
    Ok(())
}

async fn undo(app: &App, project: ProjectId, undo_at: DateTime<Utc>) -> Result<(), DbError> {
    let wanted = RemoveCarrierRequest { project_id: project.to_string() };
    let context = Context::within(RPC_DEADLINE).for_tenant(project);
    if let Err(error) = app.carriers.remove_carrier(context, wanted).await {
        tracing::warn!(%project, %error, "a connection that came to nothing could not be taken back yet");
        return Ok(());
    }
    app.platform.database.write(move |tx| connections::forget(tx.conn, project, undo_at)).await
}
