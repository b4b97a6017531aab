//! Removes what was sent longer ago than its project keeps it, with its attempts: oldest first, a page at a time. What bots
//! told their owners is among it.

use std::time::Duration;

use chrono::TimeDelta;
use common::db::{DbError, Id};
use common::service::Task;
use contracts::ids::ProjectId;

use crate::app::App;
use crate::store::{backlog, endpoints, retentions, targets};

/// Data may be kept this much longer.
const EVERY: Duration = Duration::from_secs(3600);
/// Endpoints looked at together.
const ENDPOINTS: i64 = 100;
/// How long it is known that a bot was there: longer than anything of it is on its way.
const REMOVED: TimeDelta = TimeDelta::days(7);
/// Deliveries in one transaction.
const MOST: i64 = 500;

/// The task.
pub(crate) fn task(app: &App) -> Task {
    Task::new("purge", EVERY, &app.shorter, app, round)
}

async fn round(app: App) -> Result<(), DbError> {
    let forget = app.platform.database.write(|tx| {
        let long_ago = tx.now() - REMOVED;
        targets::forget(tx.conn, long_ago)
    });
    forget.await?;
    let mut after = None;
    loop {
        let page = app.platform.database.read(move |db| endpoints::all_after(db, after, ENDPOINTS)).await?;
        let Some((_, last)) = page.last().copied() else { return Ok(()) };
        for (project, endpoint) in page {
            while purge(&app, project, endpoint).await? {}
        }
        after = Some(last);
    }
}

/// Removes a page. True: there may be more. Mostly there is nothing, and nothing is written then.
async fn purge(app: &App, project: ProjectId, endpoint: Id) -> Result<bool, DbError> {
    let now = app.platform.database.now();
    let find = app.platform.database.read(move |db| {
        let before = now - retentions::of(db, project)?;
        backlog::old(db, (project, endpoint), before, MOST)
    });
    let old = find.await?;
    if old.is_empty() {
        return Ok(false);
    }
    let more = i64::try_from(old.len()).is_ok_and(|found| found == MOST);
    app.platform.database.write(move |tx| backlog::remove(tx.conn, project, &old)).await?;
    Ok(more)
}
