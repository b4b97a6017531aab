//! Publishes with confirms: what is answered `Ok` is stored in every queue that it was routed to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionStatus};
use tokio::time::{Instant, timeout, timeout_at};

use super::link::{Breaker, Connector, Link, SetUp};
use super::names::{Names, short};
use super::{Shared, declare, wire};
use crate::bus::{Outgoing, PublishError, Publisher};

/// A broker that takes longer to answer a plain question is taken for gone.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// AMQP's limit for a routing key.
const LONGEST_KEY: usize = 255;

/// A message with its address.
pub(super) struct Parcel {
    pub(super) exchange: ShortString,
    pub(super) routing_key: ShortString,
    pub(super) properties: BasicProperties,
    pub(super) body: Bytes,
}

/// Publishes on the publishing connection.
pub(super) struct Confirming {
    link: Link<Publishing>,
    names: Names,
    confirm_within: Duration,
}

/// A channel in confirm mode.
pub(super) struct Publishing {
    channel: Channel,
    names: Names,
    status: ConnectionStatus,
    breaker: Breaker,
    /// Somebody is asking the broker whether it is still there.
    doubting: Arc<AtomicBool>,
}

struct Exchanges(Names);

#[async_trait]
impl SetUp for Exchanges {
    type Session = Publishing;

    async fn set_up(&self, connection: &Connection, breaker: Breaker) -> lapin::Result<Publishing> {
        let channel = connection.create_channel().await?;
        // A consumer may start later; without the exchange, the broker would close the channel instead of returning.
        declare::events(&channel, &self.0).await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let (names, status) = (self.0.clone(), connection.status().clone());
        Ok(Publishing { channel, names, status, breaker, doubting: Arc::default() })
    }
}

impl Confirming {
    pub(super) fn start(connector: Connector, shared: &Shared) -> Self {
        let names = shared.names.clone();
        let confirm_within = shared.options.confirm_within;
        Self { link: Link::start(connector, Exchanges(names.clone())), names, confirm_within }
    }

    pub(super) async fn up(&self, deadline: Instant) -> Result<(), String> {
        self.link.up(deadline).await.map(drop)
    }

    pub(super) fn ready(&self) -> Result<(), String> {
        self.session().map(drop)
    }

    fn session(&self) -> Result<Arc<Publishing>, String> {
        let session = self.link.now()?;
        if session.status.blocked() {
            return Err("the broker has raised an alarm and takes nothing".to_owned());
        }
        Ok(session)
    }

    /// Publishes one message and waits for its confirm.
    pub(super) async fn send(&self, parcel: &Parcel) -> Result<(), PublishError> {
        let session = self.session().map_err(PublishError::Unconfirmed)?;
        session.send(parcel, Instant::now() + self.confirm_within).await
    }
}

#[async_trait]
impl Publisher for Confirming {
    async fn publish(&self, batch: Vec<Outgoing>) -> Vec<Result<(), PublishError>> {
        let session = match self.session() {
            Ok(session) => session,
            Err(why) => return vec![Err(PublishError::Unconfirmed(why)); batch.len()],
        };
        let deadline = Instant::now() + self.confirm_within;
        let (session, exchange) = (&session, self.names.events());
        let sent = batch.into_iter().map(|message| {
            let exchange = exchange.clone();
            async move {
                if message.routing_key.len() > LONGEST_KEY {
                    return Err(PublishError::Unroutable(message.routing_key));
                }
                let properties = wire::outgoing(&message);
                let routing_key = short(&message.routing_key);
                session
                    .send(&Parcel { exchange, routing_key, properties, body: message.body }, deadline)
                    .await
            }
        });
        join_all(sent).await
    }
}

impl Publishing {
    async fn send(&self, parcel: &Parcel, deadline: Instant) -> Result<(), PublishError> {
        let confirmed = match timeout_at(deadline, self.confirmed(parcel)).await {
            Ok(confirmed) => confirmed,
            Err(_) => {
                self.doubt();
                return Err(PublishError::Unconfirmed("the broker did not confirm in time".to_owned()));
            }
        };
        match confirmed {
            Ok(Confirmation::Ack(None)) => Ok(()),
            Ok(Confirmation::Ack(Some(returned))) => {
                if returned.properties.message_id() == parcel.properties.message_id() {
                    Err(PublishError::Unroutable(parcel.routing_key.to_string()))
                } else {
                    Err(PublishError::Unconfirmed("another message came back in its place".to_owned()))
                }
            }
            Ok(Confirmation::Nack(_)) => Err(PublishError::Unconfirmed("the broker refused it".to_owned())),
            Ok(Confirmation::NotRequested) => {
                self.breaker.trip("the channel is not in confirm mode");
                Err(PublishError::Unconfirmed("sent without a confirm".to_owned()))
            }
            Err(e) => {
                self.breaker.trip(e.to_string());
                Err(PublishError::Unconfirmed(e.to_string()))
            }
        }
    }

    /// One queue may be slow to confirm; that is no reason to throw away what all others use. A broker that does not answer
    /// a plain question either is gone, unless it holds the connection back because of an alarm.
    fn doubt(&self) {
        if self.doubting.swap(true, Ordering::Relaxed) {
            return;
        }
        let (channel, names, breaker) = (self.channel.clone(), self.names.clone(), self.breaker.clone());
        let (doubting, status) = (Arc::clone(&self.doubting), self.status.clone());
        tokio::spawn(async move {
            match timeout(ANSWER_WITHIN, declare::events(&channel, &names)).await {
                Ok(Ok(())) => {}
                Ok(Err(e)) => breaker.trip(e.to_string()),
                Err(_) if status.blocked() => {}
                Err(_) => breaker.trip("the broker neither confirms nor answers"),
            }
            doubting.store(false, Ordering::Relaxed);
        });
    }

    async fn confirmed(&self, parcel: &Parcel) -> lapin::Result<Confirmation> {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let (exchange, key) = (parcel.exchange.clone(), parcel.routing_key.clone());
        let properties = parcel.properties.clone();
        self.channel.basic_publish(exchange, key, options, &parcel.body, properties).await?.await
    }
}
