//! An app says what it is called and who is told of its tickets. Those that have waited for that are told now.

use std::sync::Arc;

use common::bus::{Meta, Outcome};
use common::db::{DbError, Tx};
use contracts::accounts::AppChanged;
use contracts::ids::{AppId, BusinessId};

use super::ticket_opened::tell;
use crate::app::App;
use crate::store::apps::{self, Said};
use crate::store::tickets;

/// Learns it, unless something newer is known or the app is gone.
pub(crate) async fn handle(app: App, _: Meta, message: AppChanged) -> Outcome {
    let (id, said) = match read(message) {
        Ok(read) => read,
        Err(problem) => return Outcome::Dead(problem),
    };
    let (due, by_mail) = (Arc::clone(&app.notices_due), app.mailer.is_some());
    let done = app.platform.database.write(move |tx| {
        learn(tx, id, &said, by_mail)?;
        tx.after_commit(move || due.notify());
        Ok::<_, DbError>(())
    });
    done.await.into()
}

fn read(message: AppChanged) -> Result<(AppId, Said), String> {
    let id = message.app_id.parse::<AppId>().map_err(|e| e.to_string())?;
    let business = message.business_id.parse::<BusinessId>().map_err(|e| e.to_string())?;
    let version = i64::try_from(message.version).ok().filter(|version| *version > 0);
    let version = version.ok_or_else(|| format!("{} is no version", message.version))?;
    Ok((id, Said { business, name: message.name, emails: message.notify_emails, version }))
}

fn learn(tx: &mut Tx<'_>, app: AppId, said: &Said, by_mail: bool) -> Result<(), DbError> {
    apps::lock(tx.conn, app)?;
    let before = apps::find(tx.conn, app)?;
    if before.as_ref().is_some_and(|known| known.is_removed() || !known.is_older_than(said.version)) {
        return Ok(());
    }
    apps::learn(tx.conn, app, said, before.is_some())?;
    let Some(known) = apps::find(tx.conn, app)? else { return Ok(()) };
    for ticket in tickets::untold(tx.conn, app)? {
        tell(tx, (app, &known), ticket, by_mail)?;
    }
    Ok(())
}
