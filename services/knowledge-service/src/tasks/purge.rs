//! Removes answers that were given longer ago than they are kept, with what they were drawn from: oldest first, a page at a time.

use std::time::Duration;

use common::db::DbError;
use common::service::Task;

use crate::app::App;
use crate::store::{answers, conversations};

/// Answers may be kept this much longer.
const EVERY: Duration = Duration::from_secs(3600);
/// Answers in one transaction.
const MOST: i64 = 500;

/// The task. Its first round is at the start: a process that never lives for an hour removes what is old all the same.
pub(crate) fn task(app: &App) -> Task {
    app.purge_due.notify_one();
    Task::new("purge", EVERY, &app.purge_due, app, round)
}

async fn round(app: App) -> Result<(), DbError> {
    let before = app.database.now() - app.answers_kept;
    loop {
        let removed = app.database.write(move |tx| answers::forget(tx.conn, before, MOST)).await?;
        if i64::try_from(removed).is_ok_and(|removed| removed < MOST) {
            break;
        }
    }
    app.database.write(move |tx| conversations::forget(tx.conn, before)).await
}
