//! A customer is to be forgotten. From here on nothing is learned about them; `tasks/erase.rs` does the rest.

use common::bus::{Meta, Outcome};
use contracts::accounts::CustomerErased;
use contracts::ids::{CustomerId, ProjectId};

use crate::app::App;
use crate::error::OrchestratorError;
use crate::store::{erasures, standings};

pub(crate) async fn handle(app: App, _: Meta, message: CustomerErased) -> Outcome {
    Outcome::from(note(&app, &message).await)
}

async fn note(app: &App, message: &CustomerErased) -> Result<(), OrchestratorError> {
    let project: ProjectId = message.project_id.parse()?;
    let customer: CustomerId = message.customer_id.parse()?;
    let due = app.erase_due.clone();
    app.write(move |tx| {
        let known = standings::find(tx.conn, project, customer)?.is_some();
        let erased = standings::Stored { erased: true, ..standings::Stored::default() };
        standings::put(tx.conn, project, customer, &erased, known)?;
        let (now, due) = (tx.now(), due.clone());
        erasures::add(tx.conn, project, Some(customer), now)?;
        tx.after_commit(move || due.notify_one());
        Ok(())
    })
    .await
}
