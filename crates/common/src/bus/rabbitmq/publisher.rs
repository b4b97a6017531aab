//! Publishes with confirms: what is answered `Ok` is stored in every queue that it was routed to.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionStatus};
use tokio::time::{Instant, timeout_at};

use super::link::{Breaker, Connector, Link, SetUp};
use super::names::{Names, short};
use super::{Shared, declare, wire};
use crate::bus::{Outgoing, PublishError, Publisher};

/// A confirm that takes longer is not waited for; the message may be there or not.
const CONFIRM_WITHIN: Duration = Duration::from_secs(5);
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
}

/// A channel in confirm mode.
pub(super) struct Publishing {
    channel: Channel,
    status: ConnectionStatus,
    breaker: Breaker,
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
        Ok(Publishing { channel, status: connection.status().clone(), breaker })
    }
}

impl Confirming {
    pub(super) fn start(connector: Connector, shared: &Shared) -> Self {
        let names = shared.names.clone();
        Self { link: Link::start(connector, Exchanges(names.clone())), names }
    }

    pub(super) async fn up(&self, deadline: Instant) -> Result<(), String> {
        self.link.up(deadline).await.map(drop)
    }

    pub(super) fn ready(&self) -> Result<(), String> {
        self.session().map(drop)
    }

    fn session(&self) -> Result<std::sync::Arc<Publishing>, String> {
        let session = self.link.now()?;
        if session.status.blocked() {
            return Err("the broker has raised an alarm and takes nothing".to_owned());
        }
        Ok(session)
    }

    /// Publishes one message and waits for its confirm.
    pub(super) async fn send(&self, parcel: &Parcel) -> Result<(), PublishError> {
        let session = self.session().map_err(PublishError::Unconfirmed)?;
        session.send(parcel, Instant::now() + CONFIRM_WITHIN).await
    }
}

#[async_trait]
impl Publisher for Confirming {
    async fn publish(&self, batch: Vec<Outgoing>) -> Vec<Result<(), PublishError>> {
        let session = match self.session() {
            Ok(session) => session,
            Err(why) => return vec![Err(PublishError::Unconfirmed(why)); batch.len()],
        };
        let deadline = Instant::now() + CONFIRM_WITHIN;
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
                let why = "the broker did not confirm in time";
                self.breaker.trip(why);
                return Err(PublishError::Unconfirmed(why.to_owned()));
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

    async fn confirmed(&self, parcel: &Parcel) -> lapin::Result<Confirmation> {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let (exchange, key) = (parcel.exchange.clone(), parcel.routing_key.clone());
        let properties = parcel.properties.clone();
        self.channel.basic_publish(exchange, key, options, &parcel.body, properties).await?.await
    }
}
