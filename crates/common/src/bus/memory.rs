//! The bus inside one process. A queue is rows in the consumer's own database, so a crash loses nothing; requests are
//! calls of a function.

mod graves;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use contracts::ServiceName;
use contracts::rpc::{Call, Caller, Context, RpcError, Server, Streamed};
use prometheus::IntGaugeVec;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::dead_letters::DeadLetters;
use super::streams::{self, Asked};
use super::{Bus, CONCURRENCY, Consumer, Meta, Outcome, Outgoing, PublishError, Publisher, RPC_IN_FLIGHT};
use super::{Subscription, topology};
use crate::db::lease::LeaseQuery;
use crate::db::queue::{self, Queued};
use crate::db::{Database, DbError, Id};
use crate::metrics::Metrics;
use crate::trace;

/// Sweep for messages that became due without a nudge.
const SWEEP: Duration = Duration::from_millis(500);

/// For this long outcomes are kept that cannot be noted, and tried so often.
const NOTE_WITHIN: Duration = Duration::from_secs(30);
const NOTE_AGAIN: Duration = Duration::from_millis(200);

/// Where the dead letters of these services lie.
#[must_use]
pub fn dead_letters(tables: BTreeMap<ServiceName, Database>) -> Box<dyn DeadLetters> {
    Box::new(graves::Graves(tables))
}

/// The in-process bus.
#[derive(Clone)]
pub struct MemoryBus {
    inner: Arc<Inner>,
}

struct Inner {
    routes: Mutex<HashMap<String, Vec<Arc<Queue>>>>,
    servers: Mutex<HashMap<&'static str, Arc<dyn Server>>>,
    in_flight: Arc<Semaphore>,
    dead: Option<IntGaugeVec>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// One queue: where its rows are, who handles them.
struct Queue {
    name: String,
    database: Database,
    handlers: HashMap<String, Subscription>,
    nudge: Notify,
    query: LeaseQuery,
}

impl Default for MemoryBus {
    fn default() -> Self {
        Self::new(&Metrics::default())
    }
}

impl MemoryBus {
    /// A bus without consumers.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        Self {
            inner: Arc::new(Inner {
                routes: Mutex::default(),
                servers: Mutex::default(),
                in_flight: Arc::new(Semaphore::new(RPC_IN_FLIGHT)),
                dead: super::dead_gauge(metrics),
                stop: CancellationToken::new(),
                tasks: TaskTracker::new(),
            }),
        }
    }
}

#[async_trait]
impl Bus for MemoryBus {
    fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(self.clone())
    }

    fn caller(&self) -> Arc<dyn Caller> {
        Arc::new(self.clone())
    }

    async fn subscribe(&self, consumers: Vec<Consumer>) -> Result<(), String> {
        for consumer in consumers.iter().filter(|consumer| !consumer.subscriptions.is_empty()) {
            let given_back = consumer.database.write(|tx| queue::give_back(tx.conn)).await;
            given_back.map_err(|e: DbError| e.to_string())?;
            let (dead, stop) = (self.inner.dead.clone(), self.inner.stop.clone());
            self.inner.tasks.spawn(graves::keep(consumer.service, consumer.database.clone(), dead, stop));
        }
        let mut started = Vec::new();
        {
            let mut routes = lock(&self.inner.routes);
            let mut servers = lock(&self.inner.servers);
            for consumer in consumers {
                for (name, subscriptions) in topology::queues(&consumer) {
                    let queue = Arc::new(Queue::new(name, consumer.database.clone(), subscriptions));
                    for routing_key in queue.handlers.keys() {
                        routes.entry(routing_key.clone()).or_default().push(Arc::clone(&queue));
                    }
                    started.push(queue);
                }
                for server in consumer.servers {
                    let methods = server.methods().iter().chain(server.streams());
                    servers.extend(methods.map(|method| (*method, Arc::clone(&server))));
                }
            }
        }
        for queue in started {
            self.inner.tasks.spawn(queue.work(self.inner.stop.clone()));
        }
        Ok(())
    }

    async fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    async fn stop(&self, grace: Duration) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        if tokio::time::timeout(grace, self.inner.tasks.wait()).await.is_err() {
            tracing::warn!("some messages were still being handled; they will come again");
        }
    }

    async fn close(&self) {
        // Handlers and servers hold their services, which hold a caller of this bus: the ring is broken here, or nothing of it
        // would ever go.
        lock(&self.inner.servers).clear();
        lock(&self.inner.routes).clear();
    }
}

#[async_trait]
impl Publisher for MemoryBus {
    async fn publish(&self, batch: Vec<Outgoing>) -> Vec<Result<(), PublishError>> {
        let mut results: Vec<Result<(), PublishError>> = vec![Ok(()); batch.len()];
        let mut by_queue: BTreeMap<String, (Arc<Queue>, Vec<(usize, Outgoing)>)> = BTreeMap::new();
        {
            let routes = lock(&self.inner.routes);
            for (at, (message, result)) in batch.into_iter().zip(&mut results).enumerate() {
                let Some(queues) = routes.get(&message.routing_key) else {
                    *result = Err(PublishError::Unroutable(message.routing_key));
                    continue;
                };
                for queue in queues {
                    let entry =
                        by_queue.entry(queue.name.clone()).or_insert_with(|| (Arc::clone(queue), Vec::new()));
                    entry.1.push((at, message.clone()));
                }
            }
        }
        for (queue, messages) in by_queue.into_values() {
            let positions: Vec<usize> = messages.iter().map(|(at, _)| *at).collect();
            if let Err(e) = queue.push(messages).await {
                for at in positions {
                    if let Some(result) = results.get_mut(at) {
                        *result = Err(PublishError::Unconfirmed(e.to_string()));
                    }
                }
            }
        }
        results
    }
}

#[async_trait]
impl Caller for MemoryBus {
    async fn call(&self, call: Call, context: Context, request: Bytes) -> Result<Bytes, RpcError> {
        let (server, permit) = self.inner.admit(call)?;
        let (deadline, context) = (context.deadline, trace::complete(context));
        // A task of its own: a caller who goes away does not stop the work half way, as it would not over a broker.
        let answer = self.inner.tasks.spawn(async move {
            let _permit = permit;
            super::answer(server, call.method, context, request).await
        });
        match tokio::time::timeout(deadline, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(e)) => Err(RpcError::Internal(format!("the answer was lost: {e}"))),
            Err(_) => Err(RpcError::DeadlineExceeded),
        }
    }

    async fn open(&self, call: Call, context: Context, request: Bytes) -> Result<Streamed<Bytes>, RpcError> {
        let (server, permit) = self.inner.admit(call)?;
        let asked = Asked { server, method: call.method, context: trace::complete(context), request };
        streams::begin(&self.inner.tasks, permit, asked).await
    }
}

impl Inner {
    /// Who answers a call, and the room for it.
    fn admit(&self, call: Call) -> Result<(Arc<dyn Server>, OwnedSemaphorePermit), RpcError> {
        let server = lock(&self.servers).get(call.method).cloned();
        let server =
            server.ok_or_else(|| RpcError::Unavailable(format!("{} does not run here", call.service)))?;
        let permit = Arc::clone(&self.in_flight).try_acquire_owned().map_err(|_| RpcError::Busy)?;
        Ok((server, permit))
    }
}

impl Queue {
    fn new(name: String, database: Database, subscriptions: Vec<Subscription>) -> Self {
        // The name is the program's own, from service and subject; it is part of the query text so that one helper leases
        // rows of every table.
        let due: &'static str =
            Box::leak(format!("queue = '{name}' AND dead_reason IS NULL AND due_at <= $2").into_boxed_str());
        let handlers = subscriptions.into_iter().map(|s| (s.message().routing_key(), s)).collect();
        let query = LeaseQuery { table: "bus_queue", due, order: "due_at" };
        Self { name, database, handlers, nudge: Notify::new(), query }
    }

    async fn push(&self, messages: Vec<(usize, Outgoing)>) -> Result<(), DbError> {
        let name = self.name.clone();
        self.database
            .write(move |tx| messages.iter().try_for_each(|(_, message)| queue::push(tx, &name, message)))
            .await?;
        self.nudge.notify_one();
        Ok(())
    }

    /// Leases messages and hands them out, at most [`CONCURRENCY`] at a time, until `stop`.
    async fn work(self: Arc<Self>, stop: CancellationToken) {
        let (settled, settling) = mpsc::channel(CONCURRENCY * 2);
        let settler = tokio::spawn(Arc::clone(&self).settle(settling, stop.clone()));
        let slots = Arc::new(Semaphore::new(CONCURRENCY));
        while !stop.is_cancelled() {
            let free = slots.available_permits();
            let taken = if free == 0 { 0 } else { self.hand_out(free, &slots, &settled).await };
            if free > 0 && taken == free {
                continue;
            }
            tokio::select! {
                () = self.nudge.notified() => {}
                () = tokio::time::sleep(SWEEP) => {}
                () = stop.cancelled() => {}
            }
        }
        drop(settled);
        if settler.await.is_err() {
            tracing::error!(queue = self.name, "the settling task ended badly; its messages will come again");
        }
    }

    async fn hand_out(
        self: &Arc<Self>,
        limit: usize,
        slots: &Arc<Semaphore>,
        settled: &mpsc::Sender<(Queued, Outcome)>,
    ) -> usize {
        let query = self.query;
        let claimed = match self.database.write(move |tx| queue::claim(tx, &query, limit)).await {
            Ok(claimed) => claimed,
            Err(e) => {
                tracing::warn!(queue = self.name, error = %e, "cannot read the queue; will try again");
                return 0;
            }
        };
        let taken = claimed.len();
        for queued in claimed {
            let Ok(slot) = Arc::clone(slots).acquire_owned().await else { break };
            let (this, settled) = (Arc::clone(self), settled.clone());
            tokio::spawn(async move {
                let outcome = this.handle(&queued).await;
                drop(slot);
                if settled.send((queued, outcome)).await.is_err() {
                    tracing::warn!(
                        queue = this.name,
                        "stopped before an outcome was noted; the message will come again"
                    );
                }
                this.nudge.notify_one();
            });
        }
        taken
    }

    async fn handle(&self, queued: &Queued) -> Outcome {
        let message = &queued.message;
        let Some(subscription) = self.handlers.get(&message.routing_key) else {
            return Outcome::Dead(format!("nobody handles {}", message.routing_key));
        };
        let meta = Meta { message_id: message.id, cause: message.cause.clone() };
        subscription.handle(meta, message.body.clone()).await
    }

    /// Notes outcomes, as many as are there in one transaction.
    async fn settle(
        self: Arc<Self>,
        mut outcomes: mpsc::Receiver<(Queued, Outcome)>,
        stop: CancellationToken,
    ) {
        let mut batch = Vec::new();
        while outcomes.recv_many(&mut batch, CONCURRENCY * 2).await > 0 {
            let rows: Vec<_> = batch
                .drain(..)
                .map(|(queued, outcome)| {
                    self.report(&queued.message, &outcome);
                    (queued.row, queued.attempts, outcome)
                })
                .collect();
            self.note(Arc::new(rows), &stop).await;
        }
    }

    /// Again and again: what is given up here is handled a second time, and only when its lease has run out.
    async fn note(&self, rows: Arc<Vec<(Id, i32, Outcome)>>, stop: &CancellationToken) {
        let until = Instant::now() + NOTE_WITHIN;
        loop {
            let noting = Arc::clone(&rows);
            let Err(e) = self.database.write(move |tx| queue::settle(tx, &noting)).await else { return };
            let error: DbError = e;
            let again = !stop.is_cancelled() && Instant::now() < until;
            tracing::warn!(queue = self.name, %error, again, "outcomes could not be noted");
            if !again {
                return;
            }
            tokio::time::sleep(NOTE_AGAIN).await;
        }
    }

    fn report(&self, message: &Outgoing, outcome: &Outcome) {
        let (queue, id) = (&self.name, message.id);
        match outcome {
            Outcome::Done => {}
            Outcome::RetryAfter(delay) => {
                tracing::info!(queue, message_id = %id, ?delay, "to be handled again")
            }
            Outcome::Dead(reason) => tracing::error!(queue, message_id = %id, reason, "dead letter"),
            Outcome::Unavailable(reason) => tracing::warn!(queue, message_id = %id, reason, "paused"),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
