//! Proof that the broker's deliveries reach this process: a message to ourselves through a queue of our own, on the very
//! channel on which the work arrives. A count of consumers cannot tell: among several replicas it is never zero, however
//! deaf one of them is.

use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel};
use tokio::sync::watch;
use tokio::time::timeout;

use super::names::short;

/// A queue that only this channel reads and writes. It goes with the connection.
pub(super) struct Loopback {
    channel: Channel,
    queue: ShortString,
    /// For a test that makes it deaf.
    #[cfg(test)]
    pub(super) tag: ShortString,
    sent: u64,
    heard: watch::Receiver<u64>,
}

impl Loopback {
    /// Opens it on `channel`, beside the consumer `tag`.
    pub(super) async fn open(channel: &Channel, tag: &ShortString) -> lapin::Result<Self> {
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
            queue,
            #[cfg(test)]
            tag,
            sent: 0,
            heard,
        })
    }

    /// Sends a message and waits for it.
    ///
    /// # Errors
    /// Why this process must be taken for deaf.
    pub(super) async fn prove(&mut self, within: Duration) -> Result<(), String> {
        self.sent += 1;
        let sent = self.sent;
        let round = async {
            let (body, options) = (sent.to_be_bytes(), BasicPublishOptions::default());
            let (exchange, key) = (ShortString::default(), self.queue.clone());
            let properties = BasicProperties::default();
            let published = self.channel.basic_publish(exchange, key, options, &body, properties).await;
            // On a channel with confirms, one that nobody waits for would be kept for ever.
            published.map_err(|e| e.to_string())?.await.map_err(|e| e.to_string())?;
            self.heard
                .wait_for(|heard| *heard >= sent)
                .await
                .map(drop)
                .map_err(|_| "its consumer is gone".to_owned())
        };
        match timeout(within, round).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => Err(format!("a message to ourselves cannot be sent: {why}")),
            Err(_) => Err("a message to ourselves does not arrive: nothing does".to_owned()),
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
