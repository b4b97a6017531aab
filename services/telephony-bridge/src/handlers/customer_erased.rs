//! A customer is erased: their number is blanked in every call that is over, and in one that runs when it is.

use std::sync::Arc;

use common::bus::{Meta, Outcome};
use contracts::accounts::CustomerErased;
use contracts::ids::{CustomerId, ProjectId};

use crate::app::App;
use crate::error::BridgeError;
use crate::store::erasures;

pub(crate) async fn handle(app: App, _: Meta, message: CustomerErased) -> Outcome {
    Outcome::from(note(&app, &message).await)
}

async fn note(app: &App, message: &CustomerErased) -> Result<(), BridgeError> {
    let project: ProjectId = message.project_id.parse()?;
    let customer: CustomerId = message.customer_id.parse()?;
    let due = Arc::clone(&app.forget_due);
    app.write(move |tx| {
        let (now, due) = (tx.now(), Arc::clone(&due));
        erasures::add(tx.conn, project, Some(customer), now)?;
        tx.after_commit(move || due.notify_one());
        Ok(())
    })
    .await
}
