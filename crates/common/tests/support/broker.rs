//! A namespace of its own on the broker, seen from outside, and cleared away afterwards.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

use common::bus::topology::{self, Namespace, RetryTiers};
use contracts::ServiceName;
use lapin::options::{
    BasicAckOptions, BasicGetOptions, BasicPublishOptions, ExchangeDeleteOptions, QueueDeleteOptions,
};
use lapin::types::AMQPValue;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use uuid::Uuid;

use super::Letter;

/// Waits short enough for a test.
pub(crate) const TIERS: RetryTiers =
    RetryTiers([Duration::from_millis(100), Duration::from_millis(300), Duration::from_millis(600)]);

const SERVICES: [ServiceName; 6] = [
    ServiceName::Gateway,
    ServiceName::CallOrchestrator,
    ServiceName::TelephonyBridge,
    ServiceName::WebhookDispatcher,
    ServiceName::KnowledgeService,
    ServiceName::SandboxCarrier,
];

/// One namespace on the broker of the tests.
pub(crate) struct Broker {
    pub(crate) namespace: Namespace,
    pub(crate) url: String,
}

/// `ECHO_TEST_AMQP_URL`, or the broker of a fresh installation on this machine.
#[expect(clippy::disallowed_methods, reason = "tests are told by their environment where the servers are")]
pub(crate) fn amqp_url() -> String {
    std::env::var("ECHO_TEST_AMQP_URL").unwrap_or_else(|_| "amqp://guest:guest@127.0.0.1:5672/%2f".to_owned())
}

/// The host and port of [`amqp_url`], for a proxy in front of it.
pub(crate) fn amqp_address() -> SocketAddr {
    let url = url::Url::parse(&amqp_url()).unwrap();
    let host = (url.host_str().unwrap().to_owned(), url.port().unwrap_or(5672));
    host.to_socket_addrs().unwrap().next().unwrap()
}

impl Broker {
    pub(crate) fn new() -> Self {
        Self::at(amqp_url())
    }

    /// On a broker that belongs to the test, which must outlive this.
    pub(crate) fn at(url: String) -> Self {
        Self { namespace: Namespace(format!("test-{}", Uuid::now_v7().simple())), url }
    }

    /// A URL of the broker at another address.
    pub(crate) fn url_at(address: SocketAddr) -> String {
        let mut url = url::Url::parse(&amqp_url()).unwrap();
        url.set_host(Some(&address.ip().to_string())).unwrap();
        url.set_port(Some(address.port())).unwrap();
        url.to_string()
    }

    async fn connect(&self) -> (Connection, Channel) {
        let connection = Connection::connect(&self.url, ConnectionProperties::default()).await;
        let connection = connection.unwrap_or_else(|e| {
            panic!(
                "no RabbitMQ at ECHO_TEST_AMQP_URL (default amqp://guest:guest@127.0.0.1:5672/%2f): {e}. \
                 Install and start it: apt-get install rabbitmq-server"
            )
        });
        let channel = connection.create_channel().await.unwrap();
        (connection, channel)
    }

    fn name(&self, name: &str) -> lapin::types::ShortString {
        self.namespace.name(name).into()
    }

    /// The dead letters of a service. They stay there.
    pub(crate) async fn dead(&self, service: ServiceName) -> Vec<Letter> {
        let (_connection, channel) = self.connect().await;
        let queue = self.name(&topology::dead_queue(service));
        let mut letters = Vec::new();
        while let Some(letter) = channel.basic_get(queue.clone(), BasicGetOptions::default()).await.unwrap() {
            let headers = letter.properties.headers().clone().unwrap_or_default();
            let text = |name: &str| {
                let value = headers.inner().get(name).and_then(AMQPValue::as_long_string);
                value.map(ToString::to_string).unwrap_or_default()
            };
            letters.push(Letter { routing_key: text("echo-routing-key"), reason: text("echo-reason") });
        }
        letters
    }

    /// Puts a message into a queue past all exchanges.
    pub(crate) async fn smuggle(&self, queue: &str, routing_key: &str, body: &[u8]) {
        let (_connection, channel) = self.connect().await;
        let properties = BasicProperties::default()
            .with_message_id(Uuid::now_v7().to_string().into())
            .with_type(routing_key.into());
        let options = BasicPublishOptions::default();
        channel
            .basic_publish("".into(), self.name(queue), options, body, properties)
            .await
            .unwrap()
            .await
            .unwrap();
    }

    /// Takes one message out of a queue.
    pub(crate) async fn take(&self, queue: &str) {
        let (_connection, channel) = self.connect().await;
        let taken = channel.basic_get(self.name(queue), BasicGetOptions::default()).await.unwrap();
        let acker = taken.expect("a message").delivery.acker;
        assert!(acker.ack(BasicAckOptions::default()).await.unwrap());
        // The broker has read all that came before.
        channel.close(200, "bye".into()).await.unwrap();
    }

    /// Deletes a queue under the feet of its consumers.
    pub(crate) async fn delete_queue(&self, queue: &str) {
        let (_connection, channel) = self.connect().await;
        channel.queue_delete(self.name(queue), QueueDeleteOptions::default()).await.unwrap();
    }

    async fn clear(&self) {
        let (connection, channel) = self.connect().await;
        let subjects = ["accounts", "calls", "telephony", "webhooks", "knowledge"];
        let tiers = TIERS.0.into_iter().chain(RetryTiers::default().0);
        let mut exchanges = vec![topology::EVENTS.to_owned(), topology::RPC.into(), topology::RETURN.into()];
        let mut queues = Vec::new();
        for tier in tiers {
            exchanges.push(topology::retry_exchange(tier));
            queues.push(topology::retry_queue(tier));
        }
        for service in SERVICES {
            queues.extend([topology::dead_queue(service), topology::rpc_queue(service)]);
            queues.extend(subjects.map(|subject| topology::queue(service, subject)));
        }
        for queue in queues {
            channel.queue_delete(self.name(&queue), QueueDeleteOptions::default()).await.unwrap();
        }
        for exchange in exchanges {
            channel.exchange_delete(self.name(&exchange), ExchangeDeleteOptions::default()).await.unwrap();
        }
        connection.close(200, "bye".into()).await.unwrap();
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // A destructor cannot wait on the test's own runtime, which may be the one that is ending.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(self.clear());
            });
        });
    }
}
