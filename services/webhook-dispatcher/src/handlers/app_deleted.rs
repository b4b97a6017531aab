//! An app is gone: what is known of it is removed with its tickets, and what people were to be told is not sent. That it is gone
//! stays known.

use common::bus::{Meta, Outcome};
use common::db::{DbError, Tx};
use contracts::accounts::AppDeleted;
use contracts::ids::AppId;

use crate::app::App;
use crate::store::{apps, notices, tickets};

/// Removes it.
pub(crate) async fn handle(app: App, _: Meta, message: AppDeleted) -> Outcome {
    let id = match message.app_id.parse::<AppId>() {
        Ok(id) => id,
        Err(problem) => return Outcome::Dead(problem.to_string()),
    };
    app.platform.database.write(move |tx| remove(tx, id)).await.into()
}

fn remove(tx: &mut Tx<'_>, app: AppId) -> Result<(), DbError> {
    let now = tx.now();
    apps::lock(tx.conn, app)?;
    notices::remove(tx.conn, app)?;
    tickets::remove(tx.conn, app)?;
    let known = apps::find(tx.conn, app)?.is_some();
    apps::remove(tx.conn, app, known, now)
}
