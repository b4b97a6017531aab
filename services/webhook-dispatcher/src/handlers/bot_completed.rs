//! A call that a bot answered is over: `bot.completed`, to the bot's own webhook. It is a delivery like any other; the endpoint is
//! made with the first one, has the address of the newest call, and is signed with the bot's secret.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use common::bus::{Meta, Outcome};
use common::clock::from_millis;
use common::db::{DbError, Id, Tx};
use contracts::calls::BotCompleted;
use contracts::ids::{DeliveryId, ProjectId};

use super::{bot_webhooks, fan_out};
use crate::app::App;
use crate::domain::envelope;
use crate::domain::event::Event;
use crate::domain::owner::Owner;
use crate::sending::secrets::{self, Row};
use crate::store::endpoints::Endpoint;
use crate::store::{bots, deliveries, targets};

/// What is told to whom.
struct Told {
    event: Event,
    bot: Owner,
    url: String,
    /// When the call came in: its bot had this address then.
    at: DateTime<Utc>,
    /// For a bot that has none yet: its secret, sealed.
    sealed: String,
}

/// Makes the delivery.
pub(crate) async fn handle(app: App, _: Meta, message: BotCompleted) -> Outcome {
    let told = match Told::read(&app, message) {
        Ok(told) => told,
        Err(problem) => return Outcome::Dead(problem),
    };
    let due = Arc::clone(&app.due);
    let made = app.platform.database.write(move |tx| {
        if told.deliver(tx)? {
            tx.after_commit(move || due.notify_one());
        }
        Ok::<_, DbError>(())
    });
    made.await.into()
}

impl Told {
    fn read(app: &App, message: BotCompleted) -> Result<Self, String> {
        let event = envelope::bot_completed(&message).map_err(|e| e.to_string())?;
        let business = message.business_id.parse().map_err(|e: contracts::ids::BadId| e.to_string())?;
        let bot = Owner::parse(business, &message.bot_id).map_err(|e| format!("bot_id {e}"))?;
        let made = secrets::make(&app.platform.keys.master, &Row::target(&bot));
        let (_, sealed) = made.map_err(|e| e.to_string())?;
        Ok(Self { event, bot, url: message.webhook, at: from_millis(message.started_at_ms), sealed })
    }

    /// True where there is something to send now.
    fn deliver(&self, tx: &mut Tx<'_>) -> Result<bool, DbError> {
        let now = tx.now();
        bots::lock(tx.conn, &self.bot)?;
        match targets::find(tx.conn, &self.bot)? {
            // Nobody is left to whom it could be told.
            Some(target) if target.is_removed() => return Ok(false),
            Some(_) => {}
            None => targets::insert(tx.conn, &self.bot, &self.sealed, now)?,
        }
        let webhook = self.webhook(tx)?;
        // The log is found by the project that the webhook was made for.
        let event = Event { project: ProjectId(webhook.project_id.0), ..self.event.clone() };
        if deliveries::endpoints_of(tx.conn, &event)?.contains(&webhook.id) {
            return Ok(false);
        }
        let id = DeliveryId::new();
        fan_out::add(tx, &event, id, &webhook)?;
        if !webhook.health().active {
            // Not lost: it stands in the log, and is sent when somebody asks for it.
            deliveries::give_up(tx.conn, &[Id::of(id)], now)?;
        }
        Ok(webhook.health().active)
    }

    /// The bot's webhook, with the address of the newest call.
    fn webhook(&self, tx: &mut Tx<'_>) -> Result<Endpoint, DbError> {
        let (now, address) = (tx.now(), (self.url.as_str(), self.at));
        match bots::find(tx.conn, &self.bot)? {
            None => bots::insert(tx.conn, (self.event.project, &self.bot), address, now)?,
            Some(row) if row.url_at.is_some_and(|since| since.0 >= self.at) => return Ok(row),
            Some(row) if row.url == self.url => {
                bots::still_at(tx.conn, row.id, self.at)?;
                return Ok(row);
            }
            Some(row) => bot_webhooks::move_to(tx, &row, address)?,
        }
        bots::find(tx.conn, &self.bot)?.ok_or(DbError::NotFound)
    }
}
