//! Clears away what was sent to endpoints that were deleted, and then the endpoints: a million rows in one transaction would
//! hold up everything else.

use std::time::Duration;

use common::db::{DbError, Id};
use common::service::Task;

use crate::app::App;
use crate::store::backlog::{self, Cleared};
use crate::store::endpoints;

const EVERY: Duration = Duration::from_secs(5);
/// Deliveries in one transaction.
const MOST: i64 = 500;

/// The task.
pub(crate) fn task(app: &App) -> Task {
    Task::new("clear", EVERY, &app.deleted, app, round)
}

async fn round(app: App) -> Result<(), DbError> {
    for endpoint in app.platform.database.read(endpoints::deleted).await? {
        while clear(&app, endpoint).await? == Cleared::Part {}
    }
    Ok(())
}

async fn clear(app: &App, endpoint: Id) -> Result<Cleared, DbError> {
    let write = app.platform.database.write(move |tx| {
        let now = tx.now();
        let cleared = backlog::clear(tx.conn, endpoint, MOST, now)?;
        if cleared == Cleared::All {
            endpoints::remove(tx.conn, endpoint)?;
        }
        Ok(cleared)
    });
    write.await
}
