//! Services with tables of their own over one of the two buses; and processes that run on them, one after the other.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::bus::dead_letters::DeadLetters;
use common::bus::memory::{self, MemoryBus};
use common::bus::rabbitmq::{Options, RabbitMq};
use common::bus::{Bus, Cause, Consumer, Publisher, Subscription};
use common::config::Secret;
use common::db::outbox::{self, OutboxNumbers};
use common::db::{Database, DbError, sql};
use common::metrics::Metrics;
use contracts::ServiceName;
use contracts::accounts::CancelNotification;
use contracts::rpc::Server;
use diesel::RunQueryDsl as _;
use testkit::database::{Engine, TestDatabase};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::broker::{self, Broker};

/// A dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) routing_key: String,
    pub(crate) reason: String,
}

/// The publishing service, two that listen, and what lies between them.
pub(crate) struct World {
    gateway: TestDatabase,
    orchestrator: TestDatabase,
    dispatcher: TestDatabase,
    metrics: Mutex<Metrics>,
    /// `None`: the in-process bus.
    pub(crate) broker: Option<Broker>,
}

impl World {
    pub(crate) async fn memory() -> Self {
        Self::new(None).await
    }

    pub(crate) async fn rabbitmq() -> Self {
        Self::new(Some(Broker::new())).await
    }

    /// On a broker that belongs to the test, which must outlive this.
    pub(crate) async fn rabbitmq_at(url: &str) -> Self {
        Self::new(Some(Broker::at(url.to_owned()))).await
    }

    async fn new(broker: Option<Broker>) -> Self {
        let tables = || TestDatabase::new(Engine::Sqlite, &[]);
        let (gateway, orchestrator, dispatcher) = (tables().await, tables().await, tables().await);
        Self { gateway, orchestrator, dispatcher, metrics: Mutex::default(), broker }
    }

    fn tables(&self, service: ServiceName) -> &TestDatabase {
        match service {
            ServiceName::Gateway => &self.gateway,
            ServiceName::CallOrchestrator => &self.orchestrator,
            ServiceName::WebhookDispatcher => &self.dispatcher,
            other => panic!("{other} has no tables in this test"),
        }
    }

    pub(crate) fn database(&self, service: ServiceName) -> Database {
        self.tables(service).database.clone()
    }

    /// A new bus over the same tables or the same namespace, with nothing started.
    pub(crate) fn bus(&self) -> Arc<dyn Bus> {
        match &self.broker {
            None => Arc::new(MemoryBus::new(&self.new_metrics())),
            Some(broker) => self.bus_at(&broker.url),
        }
    }

    /// A new bus that reaches the broker by another way.
    pub(crate) fn bus_at(&self, url: &str) -> Arc<dyn Bus> {
        self.bus_with(url, Options::default())
    }

    /// A new bus on the broker with other times.
    pub(crate) fn bus_with(&self, url: &str, options: Options) -> Arc<dyn Bus> {
        Arc::new(self.rabbit(url).with_options(Options { retry_tiers: broker::TIERS, ..options }))
    }

    fn rabbit(&self, url: &str) -> RabbitMq {
        let namespace = self.broker.as_ref().expect("a broker").namespace.clone();
        RabbitMq::new(Secret::new(url), namespace, &self.new_metrics()).unwrap()
    }

    fn new_metrics(&self) -> Metrics {
        let metrics = Metrics::default();
        *self.metrics.lock().unwrap() = metrics.clone();
        metrics
    }

    /// The numbers of the latest bus.
    pub(crate) fn numbers(&self) -> String {
        self.metrics.lock().unwrap().rendered()
    }

    /// What an operator uses.
    pub(crate) fn dead_letters(&self) -> Box<dyn DeadLetters> {
        match &self.broker {
            None => {
                let tables = [ServiceName::CallOrchestrator, ServiceName::WebhookDispatcher];
                memory::dead_letters(tables.map(|service| (service, self.database(service))).into())
            }
            Some(broker) => Box::new(self.rabbit(&broker.url)),
        }
    }

    /// Lets time pass for the listeners' tables.
    pub(crate) fn pass(&self, time: Duration) {
        self.orchestrator.clock.advance(time);
        self.dispatcher.clock.advance(time);
    }

    /// Starts a process in which these services listen and answer, and all have relays.
    pub(crate) async fn start(&self, consumers: Vec<Consumer>) -> Process {
        self.start_on(self.bus(), consumers).await
    }

    pub(crate) async fn start_on(&self, bus: Arc<dyn Bus>, consumers: Vec<Consumer>) -> Process {
        bus.subscribe(consumers).await.unwrap();
        self.relays_on(bus)
    }

    /// A process that does not even publish.
    pub(crate) fn without_relays_on(bus: Arc<dyn Bus>) -> Process {
        Process { bus, stop: CancellationToken::new(), relays: TaskTracker::new() }
    }

    /// A process that only publishes as yet.
    pub(crate) fn relays_on(&self, bus: Arc<dyn Bus>) -> Process {
        let process = Self::without_relays_on(bus);
        for tables in [&self.gateway, &self.orchestrator, &self.dispatcher] {
            process.relay(&tables.database, process.bus.publisher());
        }
        process
    }

    /// A service that listens.
    pub(crate) fn consumer(&self, service: ServiceName, subscriptions: Vec<Subscription>) -> Consumer {
        Consumer { service, database: self.database(service), subscriptions, servers: Vec::new() }
    }

    /// A service that answers.
    pub(crate) fn server(&self, server: Arc<dyn Server>) -> Consumer {
        let service = server.service();
        let database = self.database(service);
        Consumer { service, database, subscriptions: Vec::new(), servers: vec![server] }
    }

    /// The gateway withdraws notifications, in one transaction.
    pub(crate) async fn stage(&self, notifications: &[String], cause: &Cause) {
        let (messages, cause) = (cancellations(notifications), cause.clone());
        self.database(ServiceName::Gateway)
            .write(move |tx| messages.iter().try_for_each(|message| tx.stage(message, &cause)))
            .await
            .map_err(|e: DbError| e.to_string())
            .unwrap();
    }

    /// The same in a transaction that does not commit.
    pub(crate) async fn stage_and_roll_back(&self, notifications: &[String]) {
        let messages = cancellations(notifications);
        let rolled_back: Result<(), DbError> = self
            .database(ServiceName::Gateway)
            .write(move |tx| {
                messages.iter().try_for_each(|message| tx.stage(message, &Cause::default()))?;
                Err(DbError::Conflict)
            })
            .await;
        rolled_back.unwrap_err();
    }

    /// How many messages the gateway has not handed over yet.
    pub(crate) async fn unsent(&self) -> i64 {
        self.database(ServiceName::Gateway).read(outbox::depth).await.unwrap()
    }

    pub(crate) async fn dead(&self, service: ServiceName) -> Vec<Letter> {
        if let Some(broker) = &self.broker {
            return broker.dead(service).await;
        }
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = sql::Text)]
            routing_key: String,
            #[diesel(sql_type = sql::Text)]
            dead_reason: String,
        }
        let query =
            "SELECT routing_key, dead_reason FROM bus_queue WHERE dead_reason IS NOT NULL ORDER BY id";
        let rows = self
            .database(service)
            .read(move |db| Ok::<Vec<Row>, DbError>(diesel::sql_query(query).load(db)?))
            .await
            .unwrap();
        rows.into_iter().map(|r| Letter { routing_key: r.routing_key, reason: r.dead_reason }).collect()
    }

    /// `Ok` with the dead letters once there are `count`, else what there is.
    pub(crate) async fn dead_times(
        &self,
        service: ServiceName,
        count: usize,
    ) -> Result<Vec<Letter>, Vec<Letter>> {
        let dead = self.dead(service).await;
        if dead.len() >= count { Ok(dead) } else { Err(dead) }
    }

    /// Lets what waits in the listeners' queues come due. On the broker it does so by itself.
    pub(crate) fn hurry(&self) {
        if self.broker.is_none() {
            self.pass(Duration::from_secs(61));
        }
    }
}

fn cancellations(notifications: &[String]) -> Vec<CancelNotification> {
    let message = |id: &String| CancelNotification {
        project_id: "11111111-1111-4111-8111-111111111111".to_owned(),
        notification_id: id.clone(),
    };
    notifications.iter().map(message).collect()
}

/// A bus and the relays on it.
pub(crate) struct Process {
    pub(crate) bus: Arc<dyn Bus>,
    stop: CancellationToken,
    relays: TaskTracker,
}

impl Process {
    /// Relays what is staged in `database`.
    pub(crate) fn relay(&self, database: &Database, publisher: Arc<dyn Publisher>) {
        self.relays.spawn(outbox::relay(
            database.clone(),
            publisher,
            OutboxNumbers::default(),
            self.stop.clone(),
        ));
    }

    /// Stops in the order in which a process stops.
    pub(crate) async fn stop(self) {
        self.bus.stop(Duration::from_secs(10)).await;
        self.stop.cancel();
        self.relays.close();
        self.relays.wait().await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
