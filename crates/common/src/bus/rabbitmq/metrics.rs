//! The numbers of the broker's side.

use contracts::ServiceName;
use prometheus::{IntCounterVec, IntGaugeVec};

use crate::bus::dead_gauge;
use crate::metrics::Metrics;

/// `echo_bus_…`, each by queue or by connection.
#[derive(Clone)]
pub(super) struct BusMetrics {
    pub(super) dead_letters: Counter,
    pub(super) retries: Counter,
    pub(super) redeliveries: Counter,
    pub(super) lost_acks: Counter,
    dead: Option<IntGaugeVec>,
    connected: Option<IntGaugeVec>,
    blocked: Option<IntGaugeVec>,
}

/// A counter with one label.
#[derive(Clone)]
pub(super) struct Counter(Option<IntCounterVec>);

impl Counter {
    pub(super) fn add_one(&self, label: &str) {
        if let Some(counter) = &self.0 {
            counter.with_label_values(&[label]).inc();
        }
    }
}

impl BusMetrics {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let by_queue = |name, help| Counter(metrics.counter(name, help, &["queue"]));
        Self {
            dead_letters: by_queue("echo_bus_dead_letters_total", "Messages put away with a reason"),
            retries: by_queue("echo_bus_retries_total", "Messages that a handler wants again later"),
            redeliveries: by_queue("echo_bus_redeliveries_total", "Messages that the broker delivered again"),
            lost_acks: by_queue(
                "echo_bus_lost_acks_total",
                "Acknowledgements that did not reach the broker; each is a redelivery to come",
            ),
            dead: dead_gauge(metrics),
            connected: metrics.gauge(
                "echo_bus_connected",
                "1 while the connection stands and all is declared",
                &["connection"],
            ),
            blocked: metrics.gauge(
                "echo_bus_blocked",
                "1 while the broker takes nothing because of an alarm",
                &["connection"],
            ),
        }
    }

    pub(super) fn dead(&self, service: ServiceName, count: u32) {
        if let Some(gauge) = &self.dead {
            gauge.with_label_values(&[service.as_str()]).set(count.into());
        }
    }

    pub(super) fn connected(&self, role: &str, yes: bool) {
        set(self.connected.as_ref(), role, yes);
    }

    pub(super) fn blocked(&self, role: &str, yes: bool) {
        set(self.blocked.as_ref(), role, yes);
    }
}

fn set(gauge: Option<&IntGaugeVec>, role: &str, yes: bool) {
    if let Some(gauge) = gauge {
        gauge.with_label_values(&[role]).set(i64::from(yes));
    }
}
