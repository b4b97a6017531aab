//! What a bot had done in a call, for its log: `bot.action` beside `bot.completed`. It was sent while the caller waited, so it is
//! written down when that is over, and nobody waits for it: what a process that dies has not written is missing in the log.

use chrono::{DateTime, Utc};
use common::db::{DbError, Id, Tx};
use common::trace;
use contracts::ids::{DeliveryId, ProjectId};

use crate::app::App;
use crate::domain::call_now::Told;
use crate::domain::event::Event;
use crate::domain::owner::Owner;
use crate::sending::Answer;
use crate::store::endpoints::Endpoint;
use crate::store::{attempts, bots, deliveries, targets};

/// A request that was made in a bot's name.
pub(super) struct Acted {
    pub(super) bot: Owner,
    pub(super) event: Event,
    pub(super) url: String,
    pub(super) begun: DateTime<Utc>,
    pub(super) duration_ms: i64,
}

/// Writes it down, after whoever asked has the answer.
pub(super) fn note(app: &App, acted: Acted, told: &Told) {
    let answer = Answer::told(told, acted.duration_ms);
    let database = app.platform.database.clone();
    tokio::spawn(trace::continued(async move {
        let event = acted.event.id;
        if let Err(error) = database.write(move |tx| write(tx, &acted, &answer)).await {
            tracing::warn!(%event, %error, "what a bot had done in a call is missing in its log");
        }
    }));
}

fn write(tx: &mut Tx<'_>, acted: &Acted, answer: &Answer) -> Result<(), DbError> {
    bots::lock(tx.conn, &acted.bot)?;
    if targets::find(tx.conn, &acted.bot)?.is_none_or(|target| target.is_removed()) {
        return Ok(());
    }
    let webhook = webhook(tx, acted)?;
    let project = ProjectId(webhook.project_id.0);
    let event = Event { project, ..acted.event.clone() };
    let id = DeliveryId::new();
    deliveries::insert_over(tx.conn, &event, (id, webhook.id), answer.is_success(), tx.now())?;
    attempts::note(tx.conn, webhook.project_id, Id::of(id), (acted.begun, answer))
}

/// The bot's webhook; made with the address that was asked, where it has had nothing to tell yet. Any call that has begun since, or
/// its owner, knows better where it is.
fn webhook(tx: &mut Tx<'_>, acted: &Acted) -> Result<Endpoint, DbError> {
    if let Some(row) = bots::find(tx.conn, &acted.bot)? {
        return Ok(row);
    }
    let address = (acted.url.as_str(), DateTime::UNIX_EPOCH);
    let now = tx.now();
    bots::insert(tx.conn, (acted.event.project, &acted.bot), address, now)?;
    bots::find(tx.conn, &acted.bot)?.ok_or(DbError::NotFound)
}
