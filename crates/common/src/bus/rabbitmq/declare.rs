//! Declares exchanges, queues and bindings. Doing it again changes nothing, so each connection does it whenever it is made.

use std::time::Duration;

use contracts::ServiceName;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, ExchangeKind, Result};

use super::names::{Names, short};
use crate::bus::topology::{DEAD_KEPT, RetryTiers};

/// Deliveries of one message that nobody acknowledged before the broker puts it among the dead. `RabbitMQ` 3.10 has no
/// limit of its own, 4.0 has this one. Each lost connection costs a delivery; a retry begins a new count.
const DELIVERY_LIMIT: i64 = 20;
/// Reading dead letters and putting them back is a delivery, too, and must never be the end of them.
const NO_DELIVERY_LIMIT: i64 = 1_000_000_000;

/// The exchange of events.
pub(super) async fn events(channel: &Channel, names: &Names) -> Result<()> {
    exchange(channel, names.events(), ExchangeKind::Topic).await
}

/// The exchange of requests.
pub(super) async fn rpc(channel: &Channel, names: &Names) -> Result<()> {
    exchange(channel, names.rpc(), ExchangeKind::Topic).await
}

/// The retry queues, each behind its own exchange, and the exchange through which they give messages back.
pub(super) async fn retries(channel: &Channel, names: &Names, tiers: &RetryTiers) -> Result<()> {
    exchange(channel, names.give_back(), ExchangeKind::Direct).await?;
    for tier in tiers.0 {
        let mut arguments = quorum();
        set(&mut arguments, "x-message-ttl", millis(tier));
        forward_dead(&mut arguments, names.give_back());
        queue(channel, names.retry_queue(tier), arguments).await?;
        exchange(channel, names.retry_exchange(tier), ExchangeKind::Fanout).await?;
        bind(channel, names.retry_queue(tier), names.retry_exchange(tier), ShortString::default()).await?;
    }
    Ok(())
}

/// The queue of a service's dead letters.
pub(super) async fn dead(channel: &Channel, names: &Names, service: ServiceName) -> Result<()> {
    let mut arguments = quorum();
    set(&mut arguments, "x-message-ttl", millis(DEAD_KEPT));
    set(&mut arguments, "x-delivery-limit", AMQPValue::LongLongInt(NO_DELIVERY_LIMIT));
    queue(channel, names.dead_queue(service), arguments).await
}

/// A queue of messages: its dead go to the service's dead queue, its keys come from the exchange of events, and its retried
/// messages come back under its own name.
pub(super) async fn work(
    channel: &Channel,
    names: &Names,
    service: ServiceName,
    name: &ShortString,
    routing_keys: &[String],
) -> Result<()> {
    let mut arguments = quorum();
    set(&mut arguments, "x-delivery-limit", AMQPValue::LongLongInt(DELIVERY_LIMIT));
    forward_dead(&mut arguments, ShortString::default());
    set(&mut arguments, "x-dead-letter-routing-key", text(names.dead_queue(service).as_str()));
    queue(channel, name.clone(), arguments).await?;
    bind(channel, name.clone(), names.give_back(), name.clone()).await?;
    for key in routing_keys {
        bind(channel, name.clone(), names.events(), short(key)).await?;
    }
    Ok(())
}

/// The queue of requests to a service. Requests live in memory and end with their deadline.
pub(super) async fn requests(channel: &Channel, names: &Names, service: ServiceName) -> Result<()> {
    let mut arguments = FieldTable::default();
    set(&mut arguments, "x-queue-type", text("classic"));
    queue(channel, names.rpc_queue(service), arguments).await?;
    bind(channel, names.rpc_queue(service), names.rpc(), short(service.as_str())).await
}

/// What the broker counts on a queue.
pub(super) struct State {
    pub(super) consumers: u32,
    /// Messages that no consumer has been given.
    pub(super) ready: u32,
}

/// Asks for the state of a queue. One that is not there costs the channel.
pub(super) async fn state(channel: &Channel, name: &ShortString) -> Result<State> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare(name.clone(), options, FieldTable::default()).await?;
    Ok(State { consumers: queue.consumer_count(), ready: queue.message_count() })
}

async fn exchange(channel: &Channel, name: ShortString, kind: ExchangeKind) -> Result<()> {
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(name, kind, options, FieldTable::default()).await
}

async fn queue(channel: &Channel, name: ShortString, arguments: FieldTable) -> Result<()> {
    channel.queue_declare(name, QueueDeclareOptions::durable(), arguments).await.map(drop)
}

async fn bind(channel: &Channel, queue: ShortString, exchange: ShortString, key: ShortString) -> Result<()> {
    channel.queue_bind(queue, exchange, key, QueueBindOptions::default(), FieldTable::default()).await
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    set(&mut arguments, "x-queue-type", text("quorum"));
    arguments
}

/// Dead-letters without loss: that needs a queue that refuses rather than drops.
fn forward_dead(arguments: &mut FieldTable, exchange: ShortString) {
    set(arguments, "x-dead-letter-exchange", text(exchange.as_str()));
    set(arguments, "x-dead-letter-strategy", text("at-least-once"));
    set(arguments, "x-overflow", text("reject-publish"));
}

fn set(arguments: &mut FieldTable, name: &str, value: AMQPValue) {
    arguments.insert(short(name), value);
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

fn millis(duration: Duration) -> AMQPValue {
    AMQPValue::LongLongInt(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}
