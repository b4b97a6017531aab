//! Dead letters on the broker, for an operator. They are taken one by one and held until the channel is closed, which puts
//! back whatever was not settled.

use async_trait::async_trait;
use contracts::ServiceName;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{Channel, Confirmation, Connection};

use super::names::short;
use super::{RabbitMq, declare, wire};
use crate::bus::dead_letters::{DeadLetter, DeadLetters, Fate, Which};

#[async_trait]
impl DeadLetters for RabbitMq {
    async fn list(&self, service: ServiceName, limit: usize) -> Result<Vec<DeadLetter>, String> {
        let yard = Yard::open(self, service).await?;
        let mut letters = Vec::new();
        for _ in 0..yard.count.min(limit) {
            let Some(delivery) = yard.next().await? else { break };
            letters.push(wire::dead_letter(&delivery));
        }
        yard.close().await;
        Ok(letters)
    }

    async fn settle(&self, service: ServiceName, which: &Which, fate: Fate) -> Result<u64, String> {
        let yard = Yard::open(self, service).await?;
        let mut settled = 0;
        let mut result = Ok(());
        // No more than lay there at the beginning: what is replayed may die again at once.
        for _ in 0..yard.count {
            let Some(delivery) = yard.next().await? else { break };
            let letter = wire::dead_letter(&delivery);
            if which.holds(letter.message_id) {
                result = yard.settle(delivery, &letter, fate).await;
                if result.is_err() {
                    break;
                }
                settled += 1;
            }
        }
        yard.close().await;
        result.map(|()| settled)
    }
}

/// The dead queue of a service, on a connection of its own.
struct Yard {
    connection: Connection,
    channel: Channel,
    queue: ShortString,
    count: usize,
}

impl Yard {
    async fn open(bus: &RabbitMq, service: ServiceName) -> Result<Self, String> {
        let connection = bus.connector("dead letters").connect().await?;
        let queue = bus.shared.names.dead_queue(service);
        let asking = connection.create_channel().await.map_err(|e| e.to_string())?;
        let count = match declare::state(&asking, &queue).await {
            Ok(state) => usize::try_from(state.ready).unwrap_or(usize::MAX),
            Err(e) if e.to_string().contains("NOT_FOUND") => 0, // it hears nothing, so nothing of it can die
            Err(e) => return Err(e.to_string()),
        };
        let channel = connection.create_channel().await.map_err(|e| e.to_string())?;
        channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(|e| e.to_string())?;
        Ok(Self { connection, channel, queue, count })
    }

    async fn next(&self) -> Result<Option<Delivery>, String> {
        let got = self.channel.basic_get(self.queue.clone(), BasicGetOptions::default()).await;
        Ok(got.map_err(|e| e.to_string())?.map(|message| message.delivery))
    }

    /// A letter leaves the dead queue only once the broker has it elsewhere.
    async fn settle(&self, delivery: Delivery, letter: &DeadLetter, fate: Fate) -> Result<(), String> {
        if fate == Fate::Replay {
            self.give_back(&delivery, letter).await?;
        }
        match delivery.acker.ack(BasicAckOptions::default()).await {
            Ok(true) => Ok(()),
            Ok(false) => Err("the connection was lost".to_owned()),
            Err(e) => Err(e.to_string()),
        }
    }

    async fn give_back(&self, delivery: &Delivery, letter: &DeadLetter) -> Result<(), String> {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let properties = wire::revived(delivery, letter);
        let published = self.channel.basic_publish(
            ShortString::default(),
            short(&letter.queue),
            options,
            &delivery.data,
            properties,
        );
        let confirmed = published.await.map_err(|e| e.to_string())?.await.map_err(|e| e.to_string())?;
        match confirmed {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(_)) => Err(format!("the queue `{}` is gone", letter.queue)),
            Confirmation::Nack(_) | Confirmation::NotRequested => Err("the broker refused it".to_owned()),
        }
    }

    async fn close(self) {
        // What was taken and not settled goes back with the connection, however that ends.
        let _ = self.connection.close(200, short("bye")).await;
    }
}
