//! Reads one notification of a project back.

use contracts::calls as proto;
use contracts::ids::{NotificationId, ProjectId};

use crate::app::App;
use crate::error::OrchestratorError;
use crate::events;
use crate::store::{calls, shown};

pub(super) async fn get(
    app: &App,
    request: &proto::GetNotificationRequest,
) -> Result<proto::Notification, OrchestratorError> {
    let project: ProjectId = request.project_id.parse()?;
    let id: NotificationId = request.notification_id.parse()?;
    app.platform
        .database
        .read(move |db| {
            let found = shown::find(db, project, id)?.ok_or(OrchestratorError::NotFound("notification"))?;
            let call = calls::find(db, found.call_id)?;
            Ok(events::seen(&found, call.as_ref()))
        })
        .await
}
