//! Consumes the queues of the process's services. Each consumer is watched: see [`super::watchdog`].

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use contracts::ServiceName;
use futures_util::StreamExt as _;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Connection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::link::{Breaker, Connector, Link, SetUp};
use super::loopback::{Loopback, Sender};
use super::publisher::Confirming;
use super::settle::Job;
use super::watchdog::{Pulse, Watchdog, Watched};
use super::{Shared, declare};
use crate::bus::{CONCURRENCY, Consumer, Subscription, topology};

/// Bounds what comes twice after a crash; twice the concurrency keeps the handlers busy.
const PREFETCH: u16 = 64;
const _: () = assert!(PREFETCH as usize <= 2 * CONCURRENCY, "no more than twice what is worked on");
const CANCEL_WITHIN: Duration = Duration::from_secs(2);

/// One queue and who handles what is in it.
pub(super) struct Queue {
    pub(super) name: ShortString,
    pub(super) service: ServiceName,
    pub(super) handlers: HashMap<String, Subscription>,
    /// Shared by all connections that ever were: a handler outlives the connection that its message came by.
    pulse: Pulse,
}

/// What every handler of this process uses.
pub(super) struct Workshop {
    pub(super) shared: Shared,
    pub(super) publisher: Arc<Confirming>,
    pub(super) stopping: CancellationToken,
    handlers: TaskTracker,
}

/// The consuming connection.
pub(super) struct Consuming {
    link: Link<Session>,
    workshop: Arc<Workshop>,
}

/// Keeps the channels open for as long as handlers may acknowledge on them.
pub(super) struct Session {
    _channels: Vec<Channel>,
}

struct Queues {
    queues: Vec<Arc<Queue>>,
    workshop: Arc<Workshop>,
}

impl Consuming {
    /// Starts; `None` when there is nothing to consume.
    pub(super) fn start(
        connector: Connector,
        shared: &Shared,
        consumers: &[Consumer],
        publisher: Arc<Confirming>,
        stopping: CancellationToken,
    ) -> Option<Self> {
        let queues: Vec<Arc<Queue>> = consumers.iter().flat_map(|c| queues_of(c, shared)).collect();
        if queues.is_empty() {
            return None;
        }
        let handlers = TaskTracker::new();
        let workshop = Arc::new(Workshop { shared: shared.clone(), publisher, stopping, handlers });
        let link = Link::start(connector, Queues { queues, workshop: Arc::clone(&workshop) });
        Some(Self { link, workshop })
    }

    pub(super) async fn up(&self, deadline: Instant) -> Result<(), String> {
        self.link.up(deadline).await.map(drop)
    }

    pub(super) fn ready(&self) -> Result<(), String> {
        self.link.now().map(drop)
    }

    /// After the word to stop: waits for the handlers and closes the connection. What was delivered and not acknowledged
    /// then goes back into its queue.
    pub(super) async fn stop(&self, deadline: Instant) {
        self.workshop.handlers.close();
        if timeout_at(deadline, self.workshop.handlers.wait()).await.is_err() {
            tracing::warn!("some messages were still being handled; they will come again");
        }
        self.link.close().await;
    }
}

fn queues_of(consumer: &Consumer, shared: &Shared) -> Vec<Arc<Queue>> {
    let queue = |(name, subscriptions): (String, Vec<Subscription>)| {
        Arc::new(Queue {
            name: shared.names.of(&name),
            service: consumer.service,
            handlers: subscriptions.into_iter().map(|s| (s.message().routing_key(), s)).collect(),
            pulse: Pulse { received: Arc::default(), slots: Arc::new(Semaphore::new(CONCURRENCY)) },
        })
    };
    topology::queues(consumer).into_iter().map(queue).collect()
}

#[async_trait]
impl SetUp for Queues {
    type Session = Session;

    async fn set_up(&self, connection: &Connection, breaker: Breaker) -> lapin::Result<Session> {
        let own = connection.create_channel().await?;
        self.declare(&own).await?;
        let (mut channels, mut watched) = (vec![own.clone()], Vec::new());
        let sender = Sender::Publisher(Arc::clone(&self.workshop.publisher));
        for queue in &self.queues {
            let channel = connection.create_channel().await?;
            channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
            let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
            let tag = self.workshop.shared.tag(queue.name.as_str());
            let consumer = channel.basic_consume(queue.name.clone(), tag.clone(), options, arguments).await?;
            channels.push(channel.clone());
            watched.push(Watched {
                queue: Some(queue.name.clone()),
                loopback: Loopback::open(&channel, &tag, sender.clone()).await?,
                pulse: Some(queue.pulse.clone()),
                last: None,
            });
            let line = Line {
                queue: Arc::clone(queue),
                workshop: Arc::clone(&self.workshop),
                channel,
                breaker: breaker.clone(),
            };
            self.workshop.handlers.spawn(line.run(consumer));
        }
        let watchdog = Watchdog {
            asking: own,
            status: connection.status().clone(),
            watched,
            services: self.services(),
            shared: self.workshop.shared.clone(),
            breaker,
            stopping: self.workshop.stopping.clone(),
        };
        tokio::spawn(watchdog.run());
        Ok(Session { _channels: channels })
    }
}

impl Queues {
    fn services(&self) -> Vec<ServiceName> {
        let services: BTreeSet<ServiceName> = self.queues.iter().map(|q| q.service).collect();
        services.into_iter().collect()
    }

    async fn declare(&self, channel: &Channel) -> lapin::Result<()> {
        let Shared { names, options, .. } = &self.workshop.shared;
        declare::events(channel, names).await?;
        declare::retries(channel, names, &options.retry_tiers).await?;
        for queue in &self.queues {
            let keys: Vec<String> = queue.handlers.keys().cloned().collect();
            declare::dead(channel, names, queue.service).await?;
            declare::work(channel, names, queue.service, &queue.name, &keys).await?;
        }
        Ok(())
    }
}

/// One consumer on one connection.
struct Line {
    queue: Arc<Queue>,
    workshop: Arc<Workshop>,
    channel: Channel,
    breaker: Breaker,
}

impl Line {
    async fn run(self, mut consumer: lapin::Consumer) {
        let queue = self.queue.name.as_str();
        tokio::select! {
            why = self.hand_out(&mut consumer) => {
                // The end of the stream, and not the error before it, is what must never go unnoticed.
                self.breaker.trip(format!("{queue}: {why}"));
            }
            () = self.breaker.gone().cancelled() => {}
            () = self.workshop.stopping.cancelled() => {
                let cancel = self.channel.basic_cancel(consumer.tag(), BasicCancelOptions::default());
                if !matches!(timeout(CANCEL_WITHIN, cancel).await, Ok(Ok(()))) {
                    tracing::debug!(queue, "the consumer ends with its connection");
                }
            }
        }
    }

    /// Gives each delivery to a handler of its own; answers why there are no more.
    async fn hand_out(&self, consumer: &mut lapin::Consumer) -> String {
        loop {
            let slot = match Arc::clone(&self.queue.pulse.slots).acquire_owned().await {
                Ok(slot) => slot,
                Err(closed) => return closed.to_string(),
            };
            match consumer.next().await {
                Some(Ok(delivery)) => self.handle(delivery, slot),
                Some(Err(e)) => return e.to_string(),
                None => return "the broker has cancelled the consumer".to_owned(),
            }
        }
    }

    fn handle(&self, delivery: lapin::message::Delivery, slot: OwnedSemaphorePermit) {
        let queue = self.queue.name.as_str();
        self.queue.pulse.received.fetch_add(1, Ordering::Relaxed);
        if delivery.redelivered {
            self.workshop.shared.metrics.redeliveries.add_one(queue);
        }
        let job = Job {
            queue: Arc::clone(&self.queue),
            workshop: Arc::clone(&self.workshop),
            breaker: self.breaker.clone(),
            delivery,
        };
        self.workshop.handlers.spawn(async move {
            job.settle().await;
            drop(slot);
        });
    }
}
