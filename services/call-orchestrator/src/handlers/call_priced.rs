//! The carrier has said what a call costs: stored with the call, once, and counted in its project's usage.

use common::bus::{Meta, Outcome};
use contracts::ids::{CallId, ProjectId};
use contracts::telephony::CallPriced;

use crate::app::App;
use crate::costs;
use crate::error::OrchestratorError;
use crate::store::calls;

pub(crate) async fn handle(app: App, _: Meta, message: CallPriced) -> Outcome {
    Outcome::from(note(&app, message).await)
}

async fn note(app: &App, message: CallPriced) -> Result<(), OrchestratorError> {
    let project: ProjectId = message.project_id.parse()?;
    let call: CallId = message.call_id.parse()?;
    app.write(move |tx| {
        let Some(call) = calls::of_project(tx.conn, project, call)? else { return Ok(()) };
        Ok(costs::priced(tx, &call, (message.amount_micros, &message.currency))?)
    })
    .await
}
