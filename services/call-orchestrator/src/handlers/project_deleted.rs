//! A project is gone. From here on nothing is rung or learned in it; `tasks/erase.rs` does the rest. What it has used stays.

use common::bus::{Meta, Outcome};
use contracts::accounts::ProjectDeleted;
use contracts::ids::ProjectId;

use crate::app::App;
use crate::error::OrchestratorError;
use crate::store::policies::{self, Stored};
use crate::store::{bots, erasures, standings, suppressions};

pub(crate) async fn handle(app: App, _: Meta, message: ProjectDeleted) -> Outcome {
    Outcome::from(note(&app, &message).await)
}

async fn note(app: &App, message: &ProjectDeleted) -> Result<(), OrchestratorError> {
    let project: ProjectId = message.project_id.parse()?;
    let due = app.erase_due.clone();
    app.write(move |tx| {
        let (now, due) = (tx.now(), due.clone());
        let gone = |version| Stored { version, deleted: true, ..Stored::default() };
        match policies::find(tx.conn, project)? {
            None => policies::insert(tx.conn, project, &gone(0), now)?,
            Some(known) => policies::replace(tx.conn, project, known.version, &gone(known.version), now)?,
        }
        bots::release(tx.conn, project)?;
        suppressions::forget_project(tx.conn, project)?;
        standings::forget_project(tx.conn, project)?;
        erasures::add(tx.conn, project, None, now)?;
        tx.after_commit(move || due.notify_one());
        Ok(())
    })
    .await
}
