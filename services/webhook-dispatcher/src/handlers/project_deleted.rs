//! A project is gone: its endpoints go with everything that was sent to them, and what waits is not sent.

use std::sync::Arc;

use common::bus::{Meta, Outcome};
use common::db::{DbError, Tx};
use contracts::accounts::ProjectDeleted;
use contracts::ids::ProjectId;

use super::endpoints::delete;
use crate::app::App;
use crate::store::{endpoints, retentions};

/// Removes its endpoints.
pub(crate) async fn handle(app: App, _: Meta, message: ProjectDeleted) -> Outcome {
    let project = match message.project_id.parse::<ProjectId>() {
        Ok(project) => project,
        Err(problem) => return Outcome::Dead(problem.to_string()),
    };
    let deleted = Arc::clone(&app.deleted);
    let done = app.platform.database.write(move |tx| {
        delete_all(tx, project)?;
        tx.after_commit(move || deleted.notify_one());
        Ok::<_, DbError>(())
    });
    done.await.into()
}

fn delete_all(tx: &mut Tx<'_>, project: ProjectId) -> Result<(), DbError> {
    for endpoint in endpoints::of_project(tx.conn, project)? {
        delete(tx, endpoint)?;
    }
    retentions::forget(tx.conn, project)
}
