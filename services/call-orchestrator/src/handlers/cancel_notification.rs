//! Withdraws a notification. It wins even if it arrives before the notification; a phone that already rings is stopped.

use common::bus::{Meta, Outcome};
use contracts::accounts::CancelNotification;
use contracts::ids::{NotificationId, ProjectId};

use super::place_notification::one_at_a_time;
use crate::app::App;
use crate::domain::notification::NotificationInput;
use crate::error::OrchestratorError;
use crate::store::{notifications, withdrawals};
use crate::story::Story;

pub(crate) async fn handle(app: App, meta: Meta, message: CancelNotification) -> Outcome {
    Outcome::from(withdraw(&app, &meta, &message).await)
}

async fn withdraw(app: &App, meta: &Meta, message: &CancelNotification) -> Result<(), OrchestratorError> {
    let project: ProjectId = message.project_id.parse()?;
    let id: NotificationId = message.notification_id.parse()?;
    let (inner, cause) = (app.clone(), meta.cause.clone());
    app.write(move |tx| {
        let now = tx.now();
        one_at_a_time(tx, id)?;
        if notifications::find(tx.conn, project, id)?.is_none() {
            return Ok(withdrawals::add(tx.conn, project, id, now)?);
        }
        let Some(mut story) = Story::of_notification(&inner, tx, &cause, (project, id))? else {
            return Ok(());
        };
        story.notification_input(NotificationInput::CancelRequested)?;
        story.save()?;
        Ok(())
    })
    .await
}
