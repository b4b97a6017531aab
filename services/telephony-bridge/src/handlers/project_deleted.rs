//! A project is gone: nothing is called with its account any more, and nobody's number is kept. The account is kept for the calls
//! that run and then forgotten, like any that was replaced.

use common::bus::{Meta, Outcome};
use contracts::accounts::ProjectDeleted;

use crate::app::App;
use crate::error::BridgeError;
use crate::store::{erasures, project_carriers};

pub(crate) async fn handle(app: App, _: Meta, message: ProjectDeleted) -> Outcome {
    Outcome::from(retire(&app, &message).await)
}

async fn retire(app: &App, message: &ProjectDeleted) -> Result<(), BridgeError> {
    let project = message.project_id.parse()?;
    app.write(move |tx| {
        let now = tx.now();
        project_carriers::retire(tx.conn, project, now)?;
        Ok(erasures::add(tx.conn, project, None, now)?)
    })
    .await
}
