//! Stops a notification on its project's wish. One that is over stays as it ended, and the caller is told.

use common::bus::Cause;
use contracts::calls as proto;
use contracts::ids::{NotificationId, ProjectId};

use super::place_notification::one_at_a_time;
use crate::app::App;
use crate::domain::notification::NotificationInput;
use crate::error::OrchestratorError;
use crate::events;
use crate::store::shown::Shown;
use crate::story::Story;

pub(super) async fn stop(
    app: &App,
    request: &proto::GetNotificationRequest,
) -> Result<proto::Notification, OrchestratorError> {
    let project: ProjectId = request.project_id.parse()?;
    let id: NotificationId = request.notification_id.parse()?;
    let inner = app.clone();
    let (notification, call) = app
        .write(move |tx| {
            one_at_a_time(tx, id)?;
            let cause = Cause::own(project);
            let story = Story::of_notification(&inner, tx, &cause, (project, id))?;
            // A call to a bot is no notification.
            let story = story.filter(|story| story.notification.to_bot.is_none());
            let mut story = story.ok_or(OrchestratorError::NotFound("notification"))?;
            let state = &story.notification.state;
            if !state.can_be_canceled() {
                return Err(OrchestratorError::Finished(state.status));
            }
            story.notification_input(NotificationInput::CancelRequested)?;
            Ok(story.save()?)
        })
        .await?;
    Ok(events::seen(&Shown::of(notification), Some(&call)))
}
