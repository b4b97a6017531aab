//! Removes what deleted projects leave behind: at once, and once more when nothing can come any more.

use common::db::DbError;

use crate::app::App;
use crate::store::leavings;

/// One round over all of them, a piece in each transaction.
pub(crate) async fn run(app: App) -> Result<(), DbError> {
    let database = &app.platform.database;
    for (project, deleted_at) in database.read(leavings::waiting).await? {
        while database.write(move |tx| leavings::remove(tx, project)).await? {}
        let finish = database.write(move |tx| {
            let now = tx.now();
            leavings::finish(tx.conn, project, deleted_at, now)
        });
        finish.await?;
    }
    Ok(())
}
