//! Counts what waits, for operators.

use std::time::Duration;

use common::db::DbError;
use common::service::Task;

use crate::app::App;
use crate::domain::admission::Lane;
use crate::store::backlog;

const EVERY: Duration = Duration::from_secs(5);

/// The task.
pub(crate) fn task(app: &App) -> Task {
    Task::new("observe", EVERY, &std::sync::Arc::default(), app, round)
}

async fn round(app: App) -> Result<(), DbError> {
    for lane in [Lane::Normal, Lane::Crowded, Lane::Slow] {
        let (waiting, first_due) = app.platform.database.read(move |db| backlog::count(db, lane)).await?;
        let now = app.platform.database.now();
        let age = first_due.map_or(0, |due| (now - due).num_seconds().max(0));
        app.numbers.lane(lane.as_str(), waiting, age);
    }
    Ok(())
}
