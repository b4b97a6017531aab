//! Proof that the broker's deliveries reach this process: a message to ourselves through a queue of our own, heard on the
//! very channel on which the work arrives. It is sent on another connection wherever messages are acknowledged: under an
//! alarm the broker stops reading from every connection that publishes, acknowledgements included. A count of consumers cannot tell: among several replicas it is never zero, however
//! deaf one of them is.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel};
use tokio::sync::watch;
use tokio::time::timeout;

use super::names::short;
use super::publisher::{Confirming, Parcel};
use crate::bus::PublishError;

/// How a message to ourselves is sent.
#[derive(Clone)]
pub(super) enum Sender {
    /// On the channel on which it is to be heard, for a connection that publishes anyway.
    Itself,
    /// On the connection that publishes.
    Publisher(Arc<Confirming>),
}

/// A queue that only this channel reads. It goes with the connection.
pub(super) struct Loopback {
    channel: Channel,
    sender: Sender,
    queue: ShortString,
    /// For a test that makes it deaf.
    #[cfg(test)]
    pub(super) tag: ShortString,
    sent: u64,
    heard: watch::Receiver<u64>,
}

impl Loopback {
    /// Opens it on `channel`, beside the consumer `tag`.
    pub(super) async fn open(channel: &Channel, tag: &ShortString, sender: Sender) -> lapin::Result<Self> {
        let options = QueueDeclareOptions::exclusive().auto_delete();
        let queue = channel.queue_declare(ShortString::default(), options, FieldTable::default()).await?;
        let queue = queue.name().clone();
        let tag = short(&format!("loopback.{tag}"));
        let options = BasicConsumeOptions { no_ack: true, exclusive: true, ..BasicConsumeOptions::default() };
        let consumer =
            channel.basic_consume(queue.clone(), tag.clone(), options, FieldTable::default()).await?;
        let (tell, heard) = watch::channel(0);
        tokio::spawn(listen(consumer, tell));
        Ok(Self {
            channel: channel.clone(),
            sender,
            queue,
            #[cfg(test)]
            tag,
            sent: 0,
            heard,
        })
    }

    /// Sends a message and waits for it. What the publisher cannot send proves nothing: it looks after itself.
    ///
    /// # Errors
    /// Why this process must be taken for deaf.
    pub(super) async fn prove(&mut self, within: Duration) -> Result<(), String> {
        self.sent += 1;
        let sent = match self.sender.clone() {
            Sender::Itself => timeout(within, self.send_itself())
                .await
                .unwrap_or_else(|_| Err("not confirmed in time".to_owned()))
                .map(|()| true),
            Sender::Publisher(publisher) => self.send_by(&publisher).await,
        };
        if !sent.map_err(|why| format!("a message to ourselves cannot be sent: {why}"))? {
            return Ok(());
        }
        let sent = self.sent;
        match timeout(within, self.heard.wait_for(|heard| *heard >= sent)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err("a message to ourselves cannot be heard: its consumer is gone".to_owned()),
            Err(_) => Err("a message to ourselves does not arrive: nothing does".to_owned()),
        }
    }

    async fn send_itself(&self) -> Result<(), String> {
        let (body, options) = (self.sent.to_be_bytes(), BasicPublishOptions::default());
        let (exchange, key) = (ShortString::default(), self.queue.clone());
        let properties = BasicProperties::default();
        let published = self.channel.basic_publish(exchange, key, options, &body, properties).await;
        // On a channel with confirms, one that nobody waits for would be kept for ever.
        published.map_err(|e| e.to_string())?.await.map(drop).map_err(|e| e.to_string())
    }

    /// Answers whether it is in the queue.
    async fn send_by(&self, publisher: &Confirming) -> Result<bool, String> {
        let parcel = Parcel {
            exchange: ShortString::default(),
            routing_key: self.queue.clone(),
            properties: BasicProperties::default().with_message_id(short(&uuid::Uuid::now_v7().to_string())),
            body: Bytes::copy_from_slice(&self.sent.to_be_bytes()),
        };
        match publisher.send(&parcel).await {
            Ok(()) => Ok(true),
            Err(PublishError::Unconfirmed(_)) => Ok(false),
            Err(PublishError::Unroutable(_)) => Err("its queue is gone".to_owned()),
        }
    }
}

async fn listen(mut consumer: lapin::Consumer, tell: watch::Sender<u64>) {
    while let Some(Ok(delivery)) = consumer.next().await {
        if let Ok(number) = <[u8; 8]>::try_from(delivery.data.as_slice()) {
            tell.send_replace(u64::from_be_bytes(number));
        }
    }
}
