//! Removes answers that were given longer ago than they are kept, with what they were drawn from, and tickets that were resolved longer
//! ago: oldest first, a page at a time. A ticket that waits for somebody stays.

use std::time::Duration;

use chrono::{DateTime, Utc};
use common::db::{Db, DbError};
use common::service::Task;

use crate::app::App;
use crate::store::{answers, conversations, tickets};

/// Answers may be kept this much longer.
const EVERY: Duration = Duration::from_secs(3600);
/// Rows of a kind in one transaction.
const MOST: i64 = 500;

/// The task. Its first round is at the start: a process that never lives for an hour removes what is old all the same.
pub(crate) fn task(app: &App) -> Task {
    app.purge_due.notify_one();
    Task::new("purge", EVERY, &app.purge_due, app, round)
}

/// Removes some of a kind that are older than this: how many.
type Forget = fn(&mut Db, DateTime<Utc>, i64) -> Result<usize, DbError>;

async fn round(app: App) -> Result<(), DbError> {
    let before = app.database.now() - app.answers_kept;
    let kinds: [Forget; 2] = [answers::forget, tickets::forget];
    for forget in kinds {
        while app.database.write(move |tx| forget(tx.conn, before, MOST)).await? > 0 {}
    }
    app.database.write(move |tx| conversations::forget(tx.conn, before)).await
}
