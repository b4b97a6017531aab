//! Has the carrier delete a recording. It is tried for as long as a message is; an account that is no longer ours to use is not
//! asked.

use common::bus::{Meta, Outcome};
use contracts::calls::DeleteRecordingRequested;
use twilio::RecordingSid;

use crate::app::App;
use crate::error::BridgeError;
use crate::store::attempts;

pub(crate) async fn handle(app: App, _: Meta, message: DeleteRecordingRequested) -> Outcome {
    Outcome::from(delete(&app, message).await)
}

async fn delete(app: &App, message: DeleteRecordingRequested) -> Result<(), BridgeError> {
    let (id, project) = (message.attempt_id.parse()?, message.project_id.parse()?);
    let Ok(sid) = message.recording_sid.parse::<RecordingSid>() else { return Ok(()) };
    let attempt = app.platform.database.read(move |db| attempts::find(db, id)).await?;
    let Some(attempt) = attempt.filter(|attempt| attempt.project_id == project) else { return Ok(()) };
    match app.carriers.of_attempt(&attempt).await {
        Ok(carrier) => Ok(carrier.delete_recording(&sid).await?),
        Err(error @ (BridgeError::NoAccount | BridgeError::Unusable(_))) => {
            tracing::warn!(attempt = %id, %sid, %error, "a recording is to be deleted, and stays at the carrier");
            Ok(())
        }
        Err(error) => Err(error),
    }
}
