//! Stops what waits for a number that is not to be called any more. A call that rings or talks goes on. What is not reached
//! here is stopped by the rules when its time comes.

use common::bus::Cause;
use common::trace;
use contracts::ids::ProjectId;

use crate::app::App;
use crate::domain::notification::NotificationInput;
use crate::domain::rules::SUPPRESSED;
use crate::error::OrchestratorError;
use crate::store::waiting;
use crate::story::Story;

/// Notifications stopped in one transaction.
const PAGE: u32 = 50;

/// Stops it without being waited for.
pub(crate) fn stop_waiting_soon(app: App, project: ProjectId, phone: String) {
    // After a commit, on a thread for blocking work, which belongs to the runtime.
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    runtime.spawn(trace::continued(async move {
        if let Err(error) = stop_waiting(&app, project, &phone).await {
            tracing::warn!(%project, %error, "what waits for a number could not be stopped; the rules stop it in time");
        }
    }));
}

/// Stops it.
pub(crate) async fn stop_waiting(
    app: &App,
    project: ProjectId,
    phone: &str,
) -> Result<(), OrchestratorError> {
    loop {
        let (inner, phone) = (app.clone(), phone.to_owned());
        let stopped = app
            .write(move |tx| {
                let waits = waiting::for_phone(tx.conn, project, &phone, PAGE)?;
                let cause = Cause::own(project);
                for id in &waits {
                    let Some(mut story) = Story::of_notification(&inner, tx, &cause, (project, *id))? else {
                        continue;
                    };
                    story.notification_input(NotificationInput::Blocked {
                        by: SUPPRESSED.to_owned(),
                        until: None,
                    })?;
                    story.save()?;
                }
                Ok(waits.len())
            })
            .await?;
        if stopped < PAGE as usize {
            return Ok(());
        }
    }
}
