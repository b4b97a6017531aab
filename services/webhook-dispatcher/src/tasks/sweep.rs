//! Finds out what was set aside for busy endpoints by a process that is gone. Its own, a process knows; the sender brings
//! both back as the endpoints have places.

use std::time::Duration;

use common::db::DbError;
use common::service::Task;

use crate::app::App;
use crate::store::backlog;

const EVERY: Duration = Duration::from_secs(5);

/// The task.
pub(crate) fn task(app: &App) -> Task {
    Task::new("sweep", EVERY, &std::sync::Arc::default(), app, round)
}

async fn round(app: App) -> Result<(), DbError> {
    let crowded = app.platform.database.read(backlog::crowded_endpoints).await?;
    if !crowded.is_empty() {
        app.sending.slots.crowded(crowded.into_iter().map(|endpoint| endpoint.0));
        app.due.notify_one();
    }
    Ok(())
}
