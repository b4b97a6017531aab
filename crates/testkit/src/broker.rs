//! The broker of the tests, and clearing away what a test made on it.

use common::bus::topology::{self, Namespace, RetryTiers};
use contracts::ServiceName;
use lapin::options::{ExchangeDeleteOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};

const SERVICES: [ServiceName; 6] = [
    ServiceName::Gateway,
    ServiceName::CallOrchestrator,
    ServiceName::TelephonyBridge,
    ServiceName::WebhookDispatcher,
    ServiceName::KnowledgeService,
    ServiceName::SandboxCarrier,
];
const SUBJECTS: [&str; 5] = ["accounts", "calls", "telephony", "webhooks", "knowledge"];

/// `ECHO_TEST_AMQP_URL`, or the broker of a fresh installation on this machine.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "tests are told by their environment where the servers are")]
pub fn amqp_url() -> String {
    std::env::var("ECHO_TEST_AMQP_URL").unwrap_or_else(|_| "amqp://guest:guest@127.0.0.1:5672/%2f".to_owned())
}

/// Removes every queue and exchange of a namespace.
///
/// # Errors
/// When the broker is away or refuses.
pub async fn clear(namespace: &str) -> Result<(), lapin::Error> {
    let namespace = Namespace(namespace.to_owned());
    let connection = Connection::connect(&amqp_url(), ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let mut exchanges: Vec<String> =
        [topology::EVENTS, topology::RPC, topology::RETURN].map(str::to_owned).into();
    let mut queues = Vec::new();
    for tier in RetryTiers::default().0 {
        exchanges.push(topology::retry_exchange(tier));
        queues.push(topology::retry_queue(tier));
    }
    for service in SERVICES {
        queues.extend([topology::dead_queue(service), topology::rpc_queue(service)]);
        queues.extend(SUBJECTS.map(|subject| topology::queue(service, subject)));
    }
    for queue in queues {
        channel.queue_delete(namespace.name(&queue).into(), QueueDeleteOptions::default()).await?;
    }
    for exchange in exchanges {
        channel.exchange_delete(namespace.name(&exchange).into(), ExchangeDeleteOptions::default()).await?;
    }
    connection.close(200, "bye".into()).await
}

/// How many dead letters lie in a namespace of the broker at `url`.
///
/// # Errors
/// When the broker is away.
pub async fn dead_letters(url: &str, namespace: &str) -> Result<u32, lapin::Error> {
    let namespace = Namespace(namespace.to_owned());
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let mut dead = 0;
    for service in SERVICES {
        // A service that hears nothing has no such queue; asking for it costs the channel.
        let channel = connection.create_channel().await?;
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let name = namespace.name(&topology::dead_queue(service));
        if let Ok(queue) = channel.queue_declare(name.into(), options, FieldTable::default()).await {
            dead += queue.message_count();
        }
    }
    connection.close(200, "bye".into()).await?;
    Ok(dead)
}
