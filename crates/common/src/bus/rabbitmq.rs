//! The bus over `RabbitMQ`, version 3.10 and later.
//!
//! Three connections: one publishes and is confirmed, one consumes, one carries requests; so a publisher that the broker
//! holds back never holds up an acknowledgement; the consuming connection never publishes. Each has a supervisor that connects, declares what it needs and
//! starts its consumers, and does all of that again whenever something breaks, for ever. The client library's own recovery
//! stays off: with it, a consumer can go deaf without an error.

mod consumer;
mod declare;
mod graves;
mod link;
mod loopback;
mod metrics;
mod names;
mod publisher;
mod rpc_client;
mod rpc_server;
mod rpc_session;
mod settle;
mod stream_client;
mod stream_server;
mod watchdog;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use contracts::rpc::Caller;
use lapin::types::ShortString;
use lapin::uri::AMQPUri;
use tokio_util::sync::CancellationToken;

use super::topology::{Namespace, RetryTiers};
use super::{Bus, Consumer, Publisher};
use crate::config::{ConfigError, Secret};
use crate::metrics::Metrics;
use consumer::Consuming;
use link::Connector;
use metrics::BusMetrics;
use names::Names;
use publisher::Confirming;
use rpc_client::RpcClient;

/// A target of the client library that logs returned messages with their whole bodies; requests hold what customers say.
pub(crate) const SILENT_LOG_TARGET: &str = "lapin::returned_messages";

/// A broker that is away when the process starts is waited for this long.
const START_WITHIN: Duration = Duration::from_secs(60);

/// What a test may set otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long messages wait in the three retry queues.
    pub retry_tiers: RetryTiers,
    /// How often each consumer has to prove that it hears.
    pub watch_every: Duration,
    /// How long a confirm is waited for. The message may be there or not.
    pub confirm_within: Duration,
    /// How long a start waits for the broker.
    pub start_within: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let watch_every = Duration::from_secs(15);
        let confirm_within = Duration::from_secs(5);
        Self { retry_tiers: RetryTiers::default(), watch_every, confirm_within, start_within: START_WITHIN }
    }
}

/// What the parts of the bus share.
#[derive(Clone)]
struct Shared {
    names: Names,
    metrics: BusMetrics,
    options: Options,
    /// Tells the consumers of this process from those of others.
    instance: Arc<str>,
}

impl Shared {
    /// The tag of this process's consumer of a queue.
    fn tag(&self, queue: &str) -> ShortString {
        names::short(&format!("{}.{queue}", self.instance))
    }
}

/// The bus over `RabbitMQ`. Dropping it without [`Bus::stop`] cuts off what runs; nothing is lost by that.
pub struct RabbitMq {
    uri: AMQPUri,
    shared: Shared,
    publishing: Mutex<Option<Arc<Confirming>>>,
    calling: Mutex<Option<Arc<RpcClient>>>,
    consuming: Mutex<Option<Arc<Consuming>>>,
    /// Cancelled when no more messages and requests are to be taken.
    stopping: CancellationToken,
}

impl RabbitMq {
    /// A bus at `url`, whose names all stand in `namespace`. Connects when it is first used.
    ///
    /// # Errors
    /// When the URL is none that names a broker, or the namespace is too long.
    pub fn new(url: Secret, namespace: Namespace, metrics: &Metrics) -> Result<Self, ConfigError> {
        let uri: AMQPUri = url.reveal().parse().map_err(|e| {
            // The parser's own words may quote the password, except for what it says about the form.
            let _: String = e;
            ConfigError::new(
                "ECHO_AMQP_URL",
                "not readable; give amqp://user:password@host:5672/vhost (or amqps://…)",
            )
        })?;
        Ok(Self {
            uri,
            shared: Shared {
                names: Names::new(namespace)?,
                metrics: BusMetrics::new(metrics),
                options: Options::default(),
                instance: uuid::Uuid::now_v7().simple().to_string().into(),
            },
            publishing: Mutex::default(),
            calling: Mutex::default(),
            consuming: Mutex::default(),
            stopping: CancellationToken::new(),
        })
    }

    /// The same with other times. For tests.
    #[must_use]
    pub fn with_options(mut self, options: Options) -> Self {
        self.shared.options = options;
        self
    }

    fn connector(&self, role: &'static str) -> Connector {
        Connector::new(&self.uri, role, &self.shared.metrics)
    }

    fn publishing(&self) -> Arc<Confirming> {
        let mut slot = lock(&self.publishing);
        Arc::clone(
            slot.get_or_insert_with(|| {
                Arc::new(Confirming::start(self.connector("publishing"), &self.shared))
            }),
        )
    }

    fn calling(&self) -> Arc<RpcClient> {
        let mut slot = lock(&self.calling);
        let start = || RpcClient::start(self.connector("rpc"), &self.shared, self.stopping.clone());
        Arc::clone(slot.get_or_insert_with(|| Arc::new(start())))
    }

    /// Starts consuming, unless there is nothing to consume.
    fn consume(&self, consumers: &[Consumer], publisher: Arc<Confirming>) -> Option<Arc<Consuming>> {
        let started = Consuming::start(
            self.connector("consuming"),
            &self.shared,
            consumers,
            publisher,
            self.stopping.clone(),
        )?;
        let started = Arc::new(started);
        *lock(&self.consuming) = Some(Arc::clone(&started));
        Some(started)
    }
}

#[async_trait]
impl Bus for RabbitMq {
    fn publisher(&self) -> Arc<dyn Publisher> {
        self.publishing()
    }

    fn caller(&self) -> Arc<dyn Caller> {
        self.calling()
    }

    async fn subscribe(&self, consumers: Vec<Consumer>) -> Result<(), String> {
        let within = self.shared.options.start_within;
        let publishing = self.publishing();
        let calling = self.calling();
        let servers = consumers.iter().flat_map(|c| c.servers.iter().cloned()).collect();
        let consuming = self.consume(&consumers, Arc::clone(&publishing));
        let deadline = tokio::time::Instant::now() + within;
        publishing.up(deadline).await?;
        calling.serve(servers, deadline).await?;
        if let Some(consuming) = consuming {
            consuming.up(deadline).await?;
        }
        Ok(())
    }

    async fn ready(&self) -> Result<(), String> {
        if self.stopping.is_cancelled() {
            return Err("stopping".to_owned());
        }
        let publishing = lock(&self.publishing).as_ref().map(|p| p.ready());
        let calling = lock(&self.calling).as_ref().map(|c| c.ready());
        let consuming = lock(&self.consuming).as_ref().map(|c| c.ready());
        let parts = [("publishing", publishing), ("rpc", calling), ("consuming", consuming)];
        let problems: Vec<String> = parts
            .into_iter()
            .filter_map(|(role, state)| state?.err().map(|why| format!("{role}: {why}")))
            .collect();
        if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
    }

    async fn stop(&self, grace: Duration) {
        self.stopping.cancel();
        let deadline = tokio::time::Instant::now() + grace;
        let (consuming, calling) = (lock(&self.consuming).take(), lock(&self.calling).take());
        if let Some(consuming) = consuming {
            consuming.stop(deadline).await;
        }
        if let Some(calling) = calling {
            calling.stop(deadline).await;
        }
    }

    async fn close(&self) {
        // The relays have published what the last handlers staged.
        lock(&self.publishing).take();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(url: &str, namespace: &str) -> Result<RabbitMq, ConfigError> {
        RabbitMq::new(Secret::new(url), Namespace(namespace.to_owned()), &Metrics::default())
    }

    #[test]
    fn a_url_is_checked_without_a_connection_and_never_quoted() {
        assert!(made("amqp://guest:guest@broker.invalid/%2f", "").is_ok());
        let problem = made("http://user:verysecret@host/", "").err().unwrap();
        assert_eq!(problem.name, "ECHO_AMQP_URL");
        assert!(!problem.to_string().contains("verysecret"), "{problem}");
    }

    #[test]
    fn a_namespace_must_leave_room_for_names() {
        assert_eq!(made("amqp://host", &"n".repeat(101)).err().unwrap().name, "ECHO_AMQP_NAMESPACE");
    }
}
