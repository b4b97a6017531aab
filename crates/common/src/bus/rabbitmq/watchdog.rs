//! A consumer can go deaf without a word. From time to time each queue's consumer of this process proves that it hears, and
//! the broker is asked what it counts; if anything is wrong the connection is thrown away and made anew. While the broker
//! holds the connection back because of an alarm, nothing can be proved and nothing is judged.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use contracts::ServiceName;
use lapin::types::ShortString;
use lapin::{Channel, ConnectionStatus};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::link::Breaker;
use super::loopback::Loopback;
use super::{Shared, declare};

/// What is known of a consumer's work without asking the broker.
#[derive(Clone)]
pub(super) struct Pulse {
    /// Deliveries that it has had.
    pub(super) received: Arc<AtomicU64>,
    /// Room for more of them.
    pub(super) slots: Arc<Semaphore>,
}

/// One consumer of this process.
pub(super) struct Watched {
    /// The queue; `None` for answers to our own requests, which come through none.
    pub(super) queue: Option<ShortString>,
    pub(super) loopback: Loopback,
    pub(super) pulse: Option<Pulse>,
    pub(super) last: Option<Glance>,
}

/// What was seen at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Glance {
    /// Messages wait that no consumer has been given.
    waiting: bool,
    /// There is room for more.
    idle: bool,
    received: u64,
}

/// Messages wait, this process has room, and from one look to the next it was given none: others may be at work, but its
/// own consumer is deaf.
const fn is_starved(before: Glance, now: Glance) -> bool {
    before.waiting && before.idle && now.waiting && now.idle && before.received == now.received
}

impl Watched {
    async fn look(&mut self, asking: &Channel, within: Duration) -> Result<(), String> {
        let Some(queue) = self.queue.clone() else { return self.loopback.prove(within).await };
        let state = match timeout(within, declare::state(asking, &queue)).await {
            Ok(state) => state.map_err(|e| format!("{queue}: {e}"))?,
            Err(_) => return Err(format!("{queue}: the broker does not say who consumes it")),
        };
        if state.consumers == 0 {
            return Err(format!("{queue}: the broker counts no consumer"));
        }
        self.loopback.prove(within).await.map_err(|why| format!("{queue}: {why}"))?;
        let Some(pulse) = &self.pulse else { return Ok(()) };
        let now = Glance {
            waiting: state.ready > 0,
            idle: pulse.slots.available_permits() > 0,
            received: pulse.received.load(Ordering::Relaxed),
        };
        match self.last.replace(now) {
            Some(before) if is_starved(before, now) => {
                Err(format!("{queue}: messages wait and none comes to this process"))
            }
            _ => Ok(()),
        }
    }
}

/// All that is watched on one connection.
pub(super) struct Watchdog {
    /// A channel to ask on: a queue that is gone costs it.
    pub(super) asking: Channel,
    /// Knows whether the connection is held back.
    pub(super) status: ConnectionStatus,
    pub(super) watched: Vec<Watched>,
    /// Services whose dead letters are counted on the way.
    pub(super) services: Vec<ServiceName>,
    pub(super) shared: Shared,
    pub(super) breaker: Breaker,
    /// Consumers that are to stop have nothing to prove any more.
    pub(super) stopping: CancellationToken,
}

impl Watchdog {
    pub(super) async fn run(mut self) {
        let every = self.shared.options.watch_every;
        let (gone, stopping) = (self.breaker.gone().clone(), self.stopping.clone());
        loop {
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                () = gone.cancelled() => return,
                () = stopping.cancelled() => return,
            }
            if self.status.blocked() {
                continue;
            }
            let looked = tokio::select! {
                looked = self.look(every) => looked,
                () = stopping.cancelled() => return,
            };
            if let Err(why) = looked
                && !self.status.blocked()
            {
                return self.breaker.trip(why);
            }
        }
    }

    async fn look(&mut self, within: Duration) -> Result<(), String> {
        for watched in &mut self.watched {
            watched.look(&self.asking, within).await?;
        }
        for service in &self.services {
            let queue = self.shared.names.dead_queue(*service);
            match timeout(within, declare::state(&self.asking, &queue)).await {
                Ok(state) => {
                    self.shared.metrics.dead(*service, state.map_err(|e| format!("{queue}: {e}"))?.ready);
                }
                Err(_) => return Err(format!("{queue}: the broker does not say what lies there")),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use lapin::options::{BasicCancelOptions, BasicConsumeOptions, QueueDeclareOptions};
    use lapin::types::FieldTable;
    use lapin::{Connection, ConnectionProperties};
    use tokio::sync::mpsc;

    use super::super::Options;
    use super::super::loopback::Sender;
    use super::super::metrics::BusMetrics;
    use super::super::names::{Names, short};
    use super::*;
    use crate::bus::topology::Namespace;
    use crate::metrics::Metrics;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[expect(
        clippy::disallowed_methods,
        reason = "tests are told by their environment where the servers are"
    )]
    async fn broker() -> Connection {
        let url = std::env::var("ECHO_TEST_AMQP_URL")
            .unwrap_or_else(|_| "amqp://guest:guest@127.0.0.1:5672/%2f".to_owned());
        let connected = Connection::connect(&url, ConnectionProperties::default()).await;
        connected.unwrap_or_else(|e| panic!("RabbitMQ is needed (apt-get install rabbitmq-server): {e}"))
    }

    async fn own_queue(channel: &Channel) -> ShortString {
        let options = QueueDeclareOptions::exclusive().auto_delete();
        let queue = channel.queue_declare(ShortString::default(), options, FieldTable::default()).await;
        queue.unwrap().name().clone()
    }

    async fn consume(channel: &Channel, queue: &ShortString, tag: &str) -> lapin::Consumer {
        let options = BasicConsumeOptions::default();
        channel.basic_consume(queue.clone(), short(tag), options, FieldTable::default()).await.unwrap()
    }

    /// A watchdog over `queue`, and what it says when something is wrong.
    async fn watch(connection: &Connection, watched: Watched) -> mpsc::Receiver<String> {
        let (breaker, tripped) = Breaker::new();
        let shared = Shared {
            names: Names::new(Namespace::default()).unwrap(),
            metrics: BusMetrics::new(&Metrics::default()),
            options: Options { watch_every: Duration::from_millis(500), ..Options::default() },
            instance: "test".into(),
        };
        let watchdog = Watchdog {
            asking: connection.create_channel().await.unwrap(),
            status: connection.status().clone(),
            watched: vec![watched],
            services: Vec::new(),
            shared,
            breaker,
            stopping: CancellationToken::new(),
        };
        tokio::spawn(watchdog.run());
        tripped
    }

    async fn watched(channel: &Channel, queue: &ShortString) -> Watched {
        let loopback = Loopback::open(channel, &short("ours"), Sender::Itself).await.unwrap();
        Watched { queue: Some(queue.clone()), loopback, pulse: None, last: None }
    }

    async fn why(mut tripped: mpsc::Receiver<String>) -> String {
        timeout(PATIENCE, tripped.recv()).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn a_queue_on_which_the_broker_counts_no_consumer_brings_the_connection_down() {
        let connection = broker().await;
        let channel = connection.create_channel().await.unwrap();
        let queue = own_queue(&channel).await;
        let tripped = watch(&connection, watched(&channel, &queue).await).await;
        let why = why(tripped).await;
        assert!(why.contains("the broker counts no consumer"), "{why}");
    }

    #[tokio::test]
    async fn a_process_that_hears_nothing_is_found_although_another_one_consumes_the_same_queue() {
        let connection = broker().await;
        let (ours, others) =
            (connection.create_channel().await.unwrap(), connection.create_channel().await.unwrap());
        let queue = own_queue(&ours).await;
        let _ours = consume(&ours, &queue, "ours").await;
        let _others = consume(&others, &queue, "others").await;
        let mut watched = watched(&ours, &queue).await;
        watched.loopback.prove(PATIENCE).await.unwrap();
        // Nothing reaches this channel's consumers any more, and the broker still counts both.
        ours.basic_cancel(watched.loopback.tag.clone(), BasicCancelOptions::default()).await.unwrap();
        let why = why(watch(&connection, watched).await).await;
        assert!(why.contains("a message to ourselves"), "{why}");
    }

    #[tokio::test]
    async fn a_consumer_that_gets_nothing_while_messages_wait_is_found() {
        let connection = broker().await;
        let channel = connection.create_channel().await.unwrap();
        let queue = own_queue(&channel).await;
        // It counts, and nothing comes to it: the broker waits for it to settle what it was given.
        channel.basic_qos(1, lapin::options::BasicQosOptions::default()).await.unwrap();
        let _deaf = consume(&channel, &queue, "ours").await;
        for _ in 0..2 {
            let options = lapin::options::BasicPublishOptions::default();
            let properties = lapin::BasicProperties::default();
            let sent =
                channel.basic_publish(ShortString::default(), queue.clone(), options, b"?", properties);
            sent.await.unwrap().await.unwrap();
        }
        let pulse = Pulse { received: Arc::default(), slots: Arc::new(Semaphore::new(1)) };
        let watched = Watched { pulse: Some(pulse), ..watched(&channel, &queue).await };
        let why = why(watch(&connection, watched).await).await;
        assert!(why.contains("none comes to this process"), "{why}");
    }

    #[test]
    fn only_who_has_room_and_is_passed_over_is_starved() {
        let glance = |waiting, idle, received| Glance { waiting, idle, received };
        assert!(is_starved(glance(true, true, 3), glance(true, true, 3)));
        assert!(!is_starved(glance(true, true, 3), glance(true, true, 4)), "it was given one");
        assert!(!is_starved(glance(true, false, 3), glance(true, true, 3)), "it had no room");
        assert!(!is_starved(glance(false, true, 3), glance(true, true, 3)), "nothing waited");
    }
}
