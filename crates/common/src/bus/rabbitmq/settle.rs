//! What becomes of one delivery: it is handled, and then acknowledged, put into a retry queue, or put among the dead, always
//! in the order in which a crash in between makes it come twice and never lose it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use lapin::message::Delivery;
use lapin::options::BasicAckOptions;
use lapin::types::ShortString;
use tokio::time::Instant;

use super::consumer::{Queue, Workshop};
use super::link::{Backoff, Breaker};
use super::publisher::Parcel;
use super::wire::Received;
use crate::bus::{MAX_ATTEMPTS, Meta, Outcome, PublishError};

/// A handler that panicked gets its message back after this long; it counts as an attempt.
const AFTER_PANIC: Duration = Duration::from_secs(5);
/// The broker closes a channel on which something stays unacknowledged for 30 minutes, which would count as a delivery of
/// everything on it. Before that, a message that must wait longer waits in a retry queue.
const HOLD: Duration = Duration::from_secs(10 * 60);

/// A delivery and all that settling it takes.
pub(super) struct Job {
    pub(super) queue: Arc<Queue>,
    pub(super) workshop: Arc<Workshop>,
    pub(super) breaker: Breaker,
    pub(super) delivery: Delivery,
}

/// What to do with the delivery.
enum Verdict {
    Done,
    /// Into the retry queue for this long, with this many attempts on record.
    Again(Duration, u32),
    Dead(String),
    /// Leave it to the broker.
    Leave,
}

impl Job {
    pub(super) async fn settle(mut self) {
        let body = Bytes::from(std::mem::take(&mut self.delivery.data));
        let received = Received::read(&self.delivery);
        let queue = self.queue.name.as_str();
        let metrics = &self.workshop.shared.metrics;
        let settled = match self.verdict(&received, &body).await {
            Verdict::Done => true,
            Verdict::Again(delay, attempts) => {
                metrics.retries.add_one(queue);
                self.postpone(&received, body, delay, attempts).await
            }
            Verdict::Dead(reason) => {
                let id = received.message_id.unwrap_or_default();
                tracing::error!(queue, message_id = %id, name = received.routing_key, reason, "dead letter");
                metrics.dead_letters.add_one(queue);
                self.bury(&received, body, &reason).await
            }
            Verdict::Leave => false,
        };
        if settled {
            self.acknowledge().await;
        }
    }

    async fn verdict(&self, received: &Received, body: &Bytes) -> Verdict {
        let Some(message_id) = received.message_id else {
            return Verdict::Dead("its message id is not a UUID: not sent by Echo".to_owned());
        };
        let Some(subscription) = self.queue.handlers.get(&received.routing_key) else {
            return Verdict::Dead(format!("nobody handles {}", received.routing_key));
        };
        let since = Instant::now();
        let mut pause = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));
        loop {
            let meta = Meta { message_id, cause: received.cause.clone() };
            let handled = AssertUnwindSafe(subscription.handle(meta, body.clone())).catch_unwind().await;
            let outcome = handled.unwrap_or_else(|_| {
                tracing::error!(queue = self.queue.name.as_str(), %message_id, "a handler panicked");
                Outcome::RetryAfter(AFTER_PANIC)
            });
            match outcome {
                Outcome::Done => return Verdict::Done,
                Outcome::Dead(reason) => return Verdict::Dead(reason),
                Outcome::RetryAfter(_) if received.attempts + 1 >= MAX_ATTEMPTS => {
                    return Verdict::Dead(format!("given up after {MAX_ATTEMPTS} attempts"));
                }
                Outcome::RetryAfter(delay) => return Verdict::Again(delay, received.attempts + 1),
                Outcome::Unavailable(_) if since.elapsed() >= HOLD => {
                    return Verdict::Again(Duration::ZERO, received.attempts);
                }
                Outcome::Unavailable(why) => {
                    tracing::warn!(queue = self.queue.name.as_str(), %message_id, why, "paused");
                    if !self.wait(&mut pause).await {
                        return Verdict::Leave;
                    }
                }
            }
        }
    }

    /// False when the delivery is not ours any more, or the process stops.
    async fn wait(&self, pause: &mut Backoff) -> bool {
        tokio::select! {
            () = tokio::time::sleep(pause.next()) => !self.delivery.acker.poisoned(),
            () = self.workshop.stopping.cancelled() => false,
            () = self.breaker.gone().cancelled() => false,
        }
    }

    async fn postpone(&self, received: &Received, body: Bytes, delay: Duration, attempts: u32) -> bool {
        let shared = &self.workshop.shared;
        let tier = shared.options.retry_tiers.for_delay(delay);
        let parcel = Parcel {
            exchange: shared.names.retry_exchange(tier),
            routing_key: self.queue.name.clone(),
            properties: received.again(attempts),
            body,
        };
        self.pass_on(&parcel).await
    }

    async fn bury(&self, received: &Received, body: Bytes, reason: &str) -> bool {
        let parcel = Parcel {
            exchange: ShortString::default(),
            routing_key: self.workshop.shared.names.dead_queue(self.queue.service),
            properties: received.dead(self.queue.name.as_str(), reason),
            body,
        };
        self.pass_on(&parcel).await
    }

    /// Publishes until it is confirmed; false when the original is to be left where it is instead.
    async fn pass_on(&self, parcel: &Parcel) -> bool {
        let mut pause = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));
        loop {
            match self.workshop.publisher.send(parcel).await {
                Ok(()) => return true,
                Err(PublishError::Unroutable(key)) => {
                    self.breaker.trip(format!("{key}: the queue is gone"));
                    return false;
                }
                Err(PublishError::Unconfirmed(why)) => {
                    tracing::warn!(queue = self.queue.name.as_str(), why, "cannot pass a message on yet");
                }
            }
            if !self.wait(&mut pause).await {
                return false;
            }
        }
    }

    async fn acknowledge(&self) {
        match self.delivery.acker.ack(BasicAckOptions::default()).await {
            Ok(true) => {}
            Ok(false) | Err(_) => {
                let queue = self.queue.name.as_str();
                self.workshop.shared.metrics.lost_acks.add_one(queue);
                tracing::warn!(
                    queue,
                    "an acknowledgement did not reach the broker; the message will come again"
                );
            }
        }
    }
}
