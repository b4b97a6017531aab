//! The names on the broker, derived from message types and service names and typed nowhere else.

use std::collections::BTreeMap;
use std::time::Duration;

use contracts::ServiceName;

use super::{Consumer, Subscription};

/// Durable topic exchange of all events and commands.
pub const EVENTS: &str = "echo.events";
/// Durable topic exchange of requests.
pub const RPC: &str = "echo.rpc";
/// Direct exchange through which the retry queues give messages back to their queue.
pub const RETURN: &str = "echo.return";
/// Dead letters are kept this long.
pub const DEAD_KEPT: Duration = Duration::from_secs(14 * 24 * 3600);

/// A prefix for every name, so that several Echos (or tests) share one broker. Empty by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace(pub String);

impl Namespace {
    /// `name` within this namespace.
    #[must_use]
    pub fn name(&self, name: &str) -> String {
        if self.0.is_empty() { name.to_owned() } else { format!("{}.{name}", self.0) }
    }
}

/// The queue of one service for one subject, for example `call-orchestrator.telephony`.
#[must_use]
pub fn queue(service: ServiceName, subject: &str) -> String {
    format!("{service}.{subject}")
}

/// The queue of a service's dead letters.
#[must_use]
pub fn dead_queue(service: ServiceName) -> String {
    format!("{service}.dead")
}

/// The queue of requests to a service.
#[must_use]
pub fn rpc_queue(service: ServiceName) -> String {
    format!("rpc.{service}")
}

/// The shared retry queues: how long a message waits in each, shortest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryTiers(pub [Duration; 3]);

impl Default for RetryTiers {
    fn default() -> Self {
        Self([Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(300)])
    }
}

impl RetryTiers {
    /// The shortest wait that is not shorter than `delay`, else the longest.
    #[must_use]
    pub fn for_delay(&self, delay: Duration) -> Duration {
        let [_, _, longest] = self.0;
        self.0.into_iter().find(|tier| *tier >= delay).unwrap_or(longest)
    }

    /// The shortest wait.
    #[must_use]
    pub const fn shortest(&self) -> Duration {
        let [shortest, _, _] = self.0;
        shortest
    }
}

/// The name of a retry queue, for example `retry.30s`.
#[must_use]
pub fn retry_queue(tier: Duration) -> String {
    format!("retry.{tier:?}")
}

/// The fanout exchange in front of a retry queue, for example `echo.retry.30s`: a message sent there with the name of its
/// queue as routing key keeps that key while it waits, and finds back by it.
#[must_use]
pub fn retry_exchange(tier: Duration) -> String {
    format!("echo.{}", retry_queue(tier))
}

/// A consumer's subscriptions by queue.
#[must_use]
pub fn queues(consumer: &Consumer) -> BTreeMap<String, Vec<Subscription>> {
    let mut queues: BTreeMap<String, Vec<Subscription>> = BTreeMap::new();
    for subscription in &consumer.subscriptions {
        queues
            .entry(queue(consumer.service, subscription.message().subject))
            .or_default()
            .push(subscription.clone());
    }
    queues
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_waits_at_least_as_long_as_asked_up_to_the_longest_tier() {
        let tiers = RetryTiers::default();
        assert_eq!(tiers.for_delay(Duration::from_secs(1)), Duration::from_secs(5));
        assert_eq!(tiers.for_delay(Duration::from_secs(6)), Duration::from_secs(30));
        assert_eq!(tiers.for_delay(Duration::from_secs(3600)), Duration::from_secs(300));
    }

    #[test]
    fn a_retry_queue_is_named_by_its_wait() {
        assert_eq!(retry_queue(Duration::from_secs(300)), "retry.300s");
        assert_eq!(retry_exchange(Duration::from_millis(200)), "echo.retry.200ms");
    }
}
