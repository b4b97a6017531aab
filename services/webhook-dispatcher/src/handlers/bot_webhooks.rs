//! What bots tell their owners, as the gateway asks for it: the log, one more attempt, another address or secret, the end.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use common::db::{Db, DbError, Id, Tx};
use contracts::ids::{BusinessId, DeliveryId, EndpointId, ProjectId};
use contracts::rpc::{Context, RpcError};
use contracts::webhooks::{
    BotWebhooksRpc, Delivery, ListBotDeliveriesRequest, ListBotDeliveriesResponse, LoggedDelivery,
    MoveBotWebhookRequest, MoveBotWebhookResponse, RemoveBotWebhookRequest, RemoveBotWebhookResponse,
    RetryBotDeliveryRequest, RotateBotSecretRequest, Target,
};

use super::deliveries::{ask_for, attempt, of, refused};
use super::endpoints::delete;
use super::refusals::{away, id, invalid, not_found};
use crate::app::App;
use crate::domain::admission::Lane;
use crate::domain::delivery::{NoRetry, Status};
use crate::domain::event::EventName;
use crate::domain::health::Health;
use crate::domain::owner::Owner;
use crate::domain::page::{self, BadFilter};
use crate::store::attempts::{self, Attempt};
use crate::store::endpoints::{self, Endpoint};
use crate::store::log::{self, Wanted};
use crate::store::{backlog, bots, targets};

/// How long the secret before a new one is good.
const OLD_SECRET: TimeDelta = TimeDelta::hours(24);
/// How often a change is decided about anew when somebody else was faster.
const DECISIONS: usize = 3;
/// Most attempts that are shown of each delivery.
const ATTEMPTS: i32 = 10;

#[async_trait]
impl BotWebhooksRpc for App {
    async fn list_bot_deliveries(
        &self,
        _: Context,
        request: ListBotDeliveriesRequest,
    ) -> Result<ListBotDeliveriesResponse, RpcError> {
        let bot = bot(&request.business_id, &request.bot_id)?;
        let limit = page::limit(request.limit);
        let wanted = wanted(&request, limit)?;
        let read = self.platform.database.read(move |db| read(db, &bot, wanted)).await.map_err(away)?;
        let (rows, mut tried) = read;
        let weights = rows.iter().map(|row| weight(row, tried.get(&row.id)));
        let shown = page::shown(weights, limit);
        let logged = |row: &log::Delivery| {
            let attempts = tried.remove(&row.id).unwrap_or_default();
            let attempts = attempts.into_iter().map(attempt).collect();
            Ok(LoggedDelivery { delivery: Some(of(row)?), attempts })
        };
        let deliveries = rows.iter().take(shown).map(logged).collect::<Result<Vec<_>, RpcError>>()?;
        let last = rows.get(shown.saturating_sub(1)).filter(|_| rows.len() > shown);
        Ok(ListBotDeliveriesResponse {
            next_after_id: last.map(|row| row.id.0.to_string()).unwrap_or_default(),
            deliveries,
        })
    }

    async fn retry_bot_delivery(
        &self,
        _: Context,
        request: RetryBotDeliveryRequest,
    ) -> Result<Delivery, RpcError> {
        let bot = bot(&request.business_id, &request.bot_id)?;
        let id = id::<DeliveryId>("delivery_id", &request.delivery_id)?;
        let due = Arc::clone(&self.due);
        let write = self.platform.database.write(move |tx| {
            let asked = retry(tx, &bot, id)?;
            tx.after_commit(move || due.notify_one());
            Ok::<_, DbError>(asked)
        });
        match write.await {
            Ok(asked) => of(&asked?),
            // It has just been claimed, or settled.
            Err(DbError::Conflict) => Err(refused(NoRetry::InProgress)),
            Err(other) => Err(away(other)),
        }
    }

    async fn move_bot_webhook(
        &self,
        _: Context,
        request: MoveBotWebhookRequest,
    ) -> Result<MoveBotWebhookResponse, RpcError> {
        let bot = bot(&request.business_id, &request.bot_id)?;
        let project = id::<ProjectId>("project_id", &request.project_id)?;
        // Whether it may be dialled is asked when it is, as of the address that comes with a call.
        for _ in 0..DECISIONS {
            let (bot, url) = (bot.clone(), request.url.clone());
            let write = self.platform.database.write(move |tx| {
                let now = tx.now();
                bots::lock(tx.conn, &bot)?;
                match bots::find(tx.conn, &bot)? {
                    Some(row) => move_to(tx, &row, (&url, now)),
                    None if is_gone(tx, &bot)? => Ok(()),
                    None => bots::insert(tx.conn, (project, &bot), (&url, now), now),
                }
            });
            match write.await {
                Err(DbError::Conflict) => {} // an attempt ended at the same moment
                other => return other.map(|()| MoveBotWebhookResponse {}).map_err(away),
            }
        }
        Err(RpcError::Busy)
    }

    async fn rotate_bot_secret(
        &self,
        _: Context,
        request: RotateBotSecretRequest,
    ) -> Result<Target, RpcError> {
        self.rotated(bot(&request.business_id, &request.bot_id)?, Some(OLD_SECRET)).await
    }

    async fn remove_bot_webhook(
        &self,
        _: Context,
        request: RemoveBotWebhookRequest,
    ) -> Result<RemoveBotWebhookResponse, RpcError> {
        let bot = bot(&request.business_id, &request.bot_id)?;
        let deleted = Arc::clone(&self.deleted);
        let write = self.platform.database.write(move |tx| {
            let now = tx.now();
            bots::lock(tx.conn, &bot)?;
            targets::remove(tx.conn, &bot, now)?;
            if let Some(row) = bots::find(tx.conn, &bot)? {
                delete(tx, row.id)?;
                tx.after_commit(move || deleted.notify_one());
            }
            Ok::<_, DbError>(())
        });
        write.await.map_err(away)?;
        Ok(RemoveBotWebhookResponse {})
    }
}

/// The bot was removed.
fn is_gone(tx: &mut Tx<'_>, bot: &Owner) -> Result<bool, DbError> {
    Ok(targets::find(tx.conn, bot)?.is_some_and(|target| target.is_removed()))
}

fn bot(business: &str, bot: &str) -> Result<Owner, RpcError> {
    let business = id::<BusinessId>("business_id", business)?;
    Owner::parse(business, bot).map_err(|e| invalid("bot_id", &e))
}

fn wanted(request: &ListBotDeliveriesRequest, limit: u32) -> Result<Wanted, RpcError> {
    let status = page::filter(&request.status, Status::parse, BadFilter::Status);
    let status = status.map_err(|e| invalid("status", &e))?;
    Ok(Wanted {
        status,
        event: None,
        events: &EventName::OF_BOTS,
        after: match request.after_id.as_str() {
            "" => None,
            text => Some(id("after_id", text)?),
        },
        limit: i64::from(limit) + 1,
    })
}

/// Deliveries, newest first, and what was tried of each.
type Log = (Vec<log::Delivery>, HashMap<Id, Vec<Attempt>>);

fn read(db: &mut Db, bot: &Owner, wanted: Wanted) -> Result<Log, DbError> {
    let Some(webhook) = bots::find(db, bot)? else { return Ok(Log::default()) };
    let rows = log::page(db, ProjectId(webhook.project_id.0), EndpointId(webhook.id.0), wanted)?;
    let ids: Vec<Id> = rows.iter().map(|row| row.id).collect();
    let mut tried: HashMap<Id, Vec<Attempt>> = HashMap::new();
    for attempt in attempts::of_each(db, &ids, ATTEMPTS)? {
        tried.entry(attempt.delivery_id).or_default().push(attempt);
    }
    Ok((rows, tried))
}

/// The bytes that somebody else has written.
fn weight(row: &log::Delivery, tried: Option<&Vec<Attempt>>) -> usize {
    let answers = tried.into_iter().flatten().filter_map(|attempt| attempt.response_body.as_ref());
    row.payload.len() + answers.map(String::len).sum::<usize>()
}

/// Asks for one more attempt. Who asks for it wants to be told: a webhook that was switched off is switched on.
fn retry(tx: &mut Tx<'_>, bot: &Owner, id: DeliveryId) -> Result<Result<log::Delivery, RpcError>, DbError> {
    let Some(row) = bots::find(tx.conn, bot)? else { return Ok(Err(not_found::<DeliveryId>(id))) };
    let (project, endpoint) = (ProjectId(row.project_id.0), EndpointId(row.id.0));
    match log::find(tx.conn, project, endpoint, id)? {
        None => return Ok(Err(not_found::<DeliveryId>(id))),
        Some(delivery) if delivery.event_name == EventName::BotAction.as_str() => {
            return Ok(Err(refused(NoRetry::Acted)));
        }
        Some(_) => {}
    }
    let now = tx.now();
    if !row.health().active {
        endpoints::save_health(tx.conn, &row, &Health::NEW, now)?;
    }
    let Some(row) = bots::find(tx.conn, bot)? else { return Ok(Err(not_found::<DeliveryId>(id))) };
    ask_for(tx, &row, id)
}

/// A bot's webhook has this address since then. Another one, or one that was switched off, is as new.
pub(super) fn move_to(
    tx: &mut Tx<'_>,
    row: &Endpoint,
    (url, since): (&str, DateTime<Utc>),
) -> Result<(), DbError> {
    let (before, now) = (row.health(), tx.now());
    let health = if before.active && row.url == url { before } else { Health::NEW };
    bots::move_to(tx.conn, row, (url, since), &health, now)?;
    if before.is_slow() != health.is_slow() {
        backlog::move_to(tx.conn, row.id, Lane::of(&health))?;
    }
    Ok(())
}
