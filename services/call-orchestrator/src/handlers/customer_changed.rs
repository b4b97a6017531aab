//! A customer's time zone or consent is different now: what is newer counts from now on.

use common::bus::{Meta, Outcome};
use contracts::accounts::CustomerChanged;
use contracts::ids::{CustomerId, ProjectId};

use crate::app::App;
use crate::error::OrchestratorError;
use crate::rulebook;

pub(crate) async fn handle(app: App, _: Meta, message: CustomerChanged) -> Outcome {
    Outcome::from(learn(&app, message).await)
}

async fn learn(app: &App, message: CustomerChanged) -> Result<(), OrchestratorError> {
    let project: ProjectId = message.project_id.parse()?;
    let Some(standing) = message.standing else { return Ok(()) };
    let customer: CustomerId = standing.customer_id.parse()?;
    let inner = app.clone();
    app.write(move |tx| {
        rulebook::learn_standing(&inner, tx, (project, customer), Some(&standing))?;
        Ok(())
    })
    .await
}
