//! An app is gone: all of it is deleted here. First the app is marked, from which moment on nothing comes to it and no replica finds
//! anything of it; then what it leaves is removed in steps. Told again, also after a crash in between, the rest is removed.

use common::bus::{Meta, Outcome};
use common::db::{Db, DbError, Time};
use contracts::accounts::AppDeleted;

use crate::app::App;
use crate::domain::query::AppId;
use crate::store::{apps, leavings};

/// One transaction: how many rows it has removed.
type Step = fn(&mut Db, &AppId) -> Result<usize, DbError>;

const STEPS: [Step; 4] = [leavings::tickets, leavings::answers, leavings::conversations, leavings::documents];

/// Deletes it.
pub(crate) async fn handle(app: App, _: Meta, message: AppDeleted) -> Outcome {
    match AppId::parse(&message.app_id) {
        Ok(id) => delete(&app, id).await.into(),
        Err(problem) => Outcome::Dead(problem.to_string()),
    }
}

async fn delete(app: &App, id: AppId) -> Result<(), DbError> {
    let deleted = id.clone();
    let write = app.database.write(move |tx| {
        let now = Time::from(tx.now());
        apps::delete(tx.conn, &deleted, now)
    });
    write.await?;
    app.indexes.forget(&id);
    for step in STEPS {
        loop {
            let deleted = id.clone();
            let removed = app.database.write(move |tx| {
                apps::hold(tx.conn, &deleted)?; // nobody is in the middle of writing what goes
                step(tx.conn, &deleted)
            });
            if removed.await? == 0 {
                break;
            }
        }
    }
    Ok(())
}
