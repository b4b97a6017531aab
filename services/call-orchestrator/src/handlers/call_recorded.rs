//! The carrier has recorded a call: which recording it is, and how long, is stored with the call, once. Of a call that is
//! forgotten already nothing is written down, and the carrier is to forget it, too.

use common::bus::{Cause, Meta, Outcome};
use contracts::calls::DeleteRecordingRequested;
use contracts::ids::{CallId, ProjectId};
use contracts::telephony::CallRecorded;

use crate::app::App;
use crate::error::OrchestratorError;
use crate::store::recordings::{self, Recording};
use crate::store::{calls, notifications};

pub(crate) async fn handle(app: App, _: Meta, message: CallRecorded) -> Outcome {
    Outcome::from(note(&app, message).await)
}

async fn note(app: &App, message: CallRecorded) -> Result<(), OrchestratorError> {
    let project: ProjectId = message.project_id.parse()?;
    let call: CallId = message.call_id.parse()?;
    app.write(move |tx| {
        let Some(call) = calls::of_project(tx.conn, project, call)? else { return Ok(()) };
        let whose = notifications::find(tx.conn, project, call.notification_id)?;
        if whose.is_none_or(|whose| whose.phone.is_empty()) {
            let unwanted = DeleteRecordingRequested {
                call_id: message.call_id.clone(),
                project_id: message.project_id.clone(),
                attempt_id: message.attempt_id.clone(),
                recording_sid: message.recording_sid.clone(),
            };
            return Ok(tx.stage(&unwanted, &Cause::own(project))?);
        }
        let recording =
            Recording { sid: message.recording_sid.clone(), duration_seconds: message.duration_seconds };
        Ok(recordings::note(tx.conn, project, call.id, &recording)?)
    })
    .await
}
