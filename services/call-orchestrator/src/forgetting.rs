//! What is personal in notifications that are over is blanked here, and what the carrier has recorded of it is asked to be deleted
//! there: in one transaction, so that no recording is left of which nobody knows any more.

use common::bus::Cause;
use common::db::{DbError, Tx};
use contracts::calls::DeleteRecordingRequested;
use contracts::ids::{NotificationId, ProjectId};

use crate::events::text;
use crate::store::{recordings, waiting};

/// Forgets these notifications of a project.
pub(crate) fn forget(tx: &mut Tx<'_>, project: ProjectId, of: &[NotificationId]) -> Result<(), DbError> {
    for (call, attempt, recording_sid) in recordings::of_notifications(tx.conn, project, of)? {
        let request = DeleteRecordingRequested {
            call_id: call.to_string(),
            project_id: project.to_string(),
            attempt_id: text(attempt),
            recording_sid,
        };
        tx.stage(&request, &Cause::own(project))?;
    }
    waiting::blank(tx.conn, project, of)
}
