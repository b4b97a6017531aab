//! A project has set something else for its calls: what is newer counts from now on, and what waits is looked at again.

use common::bus::{Meta, Outcome};
use contracts::accounts::ProjectPolicyChanged;
use contracts::ids::ProjectId;

use crate::app::App;
use crate::error::OrchestratorError;
use crate::rulebook;

pub(crate) async fn handle(app: App, _: Meta, message: ProjectPolicyChanged) -> Outcome {
    Outcome::from(learn(&app, message).await)
}

async fn learn(app: &App, message: ProjectPolicyChanged) -> Result<(), OrchestratorError> {
    let project: ProjectId = message.project_id.parse()?;
    let inner = app.clone();
    app.write(move |tx| {
        rulebook::learn_policy(&inner, tx, project, message.policy.as_ref())?;
        Ok(())
    })
    .await
}
