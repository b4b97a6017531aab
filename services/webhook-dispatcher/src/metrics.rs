//! Numbers for operators: how attempts end, how much waits, and for how long.

use std::time::Duration;

use common::metrics::Metrics;
use prometheus::{HistogramVec, IntCounterVec, IntGaugeVec};

/// The service's numbers.
pub(crate) struct Numbers {
    attempts: Option<IntCounterVec>,
    unwritten: Option<IntCounterVec>,
    seconds: Option<HistogramVec>,
    calls_now: Option<HistogramVec>,
    calls_refused: Option<IntCounterVec>,
    mails: Option<IntCounterVec>,
    notices: Option<IntCounterVec>,
    waiting: Option<IntGaugeVec>,
    oldest_due: Option<IntGaugeVec>,
}

impl Numbers {
    /// Registers them.
    pub(crate) fn register(metrics: &Metrics) -> Self {
        Self {
            attempts: metrics.counter(
                "echo_webhook_dispatcher_attempts_total",
                "Attempts by how they ended: success, failed, gone (410), late (after its lease).",
                &["result"],
            ),
            unwritten: metrics.counter(
                "echo_webhook_dispatcher_unwritten_total",
                "Times that ends of attempts, also at mails and notices, could not be written down, and were tried again or let go.",
                &[],
            ),
            seconds: metrics.seconds(
                "echo_webhook_dispatcher_attempt_seconds",
                "How long attempts took, until the last byte of the answer.",
                &["result"],
            ),
            calls_now: metrics.seconds(
                "echo_webhook_dispatcher_call_now_seconds",
                "How long requests into users' systems took while phone calls ran, by outcome: answered, refused, timed_out, \
                 unreachable, unreadable.",
                &["outcome"],
            ),
            calls_refused: metrics.counter(
                "echo_webhook_dispatcher_call_now_busy_total",
                "Such requests that were not made because too many were in flight.",
                &[],
            ),
            mails: metrics.counter(
                "echo_webhook_dispatcher_mails_total",
                "Tries to send mail by how they ended: sent, refused, failed (and tried again); and expired, not sent in time.",
                &["result"],
            ),
            notices: metrics.counter(
                "echo_webhook_dispatcher_notices_total",
                "Tries to tell of a ticket by channel (slack, mail) and how they ended: sent, refused, failed (and tried again); \
                 and expired, not told in time, with the channel none where the app had never said whom to tell.",
                &["channel", "result"],
            ),
            waiting: metrics.gauge(
                "echo_webhook_dispatcher_deliveries_waiting",
                "Deliveries that have not ended, by lane: normal, crowded, slow.",
                &["lane"],
            ),
            oldest_due: metrics.gauge(
                "echo_webhook_dispatcher_oldest_due_seconds",
                "For how long the longest waiting delivery has been due, by lane.",
                &["lane"],
            ),
        }
    }

    /// An attempt has ended after so many milliseconds.
    pub(crate) fn attempt(&self, result: &str, millis: i64) {
        if let Some(counter) = &self.attempts {
            counter.with_label_values(&[result]).inc();
        }
        if let Some(histogram) = &self.seconds {
            let millis = i32::try_from(millis).unwrap_or(i32::MAX);
            histogram.with_label_values(&[result]).observe(f64::from(millis) / 1000.0);
        }
    }

    /// A request while a phone call ran has ended after so long.
    pub(crate) fn call_now(&self, outcome: &str, took: Duration) {
        if let Some(histogram) = &self.calls_now {
            histogram.with_label_values(&[outcome]).observe(took.as_secs_f64());
        }
    }

    /// So many mails, or tries to send one, have come to this.
    pub(crate) fn mails(&self, result: &str, count: usize) {
        if let Some(counter) = &self.mails {
            counter.with_label_values(&[result]).inc_by(u64::try_from(count).unwrap_or_default());
        }
    }

    /// So many notices of tickets, or tries to send one, have come to this.
    pub(crate) fn notices(&self, channel: &str, result: &str, count: usize) {
        if let Some(counter) = &self.notices {
            let count = u64::try_from(count).unwrap_or_default();
            counter.with_label_values(&[channel, result]).inc_by(count);
        }
    }

    /// Such a request found no place.
    pub(crate) fn call_now_busy(&self) {
        if let Some(counter) = &self.calls_refused {
            counter.with_label_values::<&str>(&[]).inc();
        }
    }

    /// Ends of attempts could not be written down.
    pub(crate) fn unwritten(&self) {
        if let Some(counter) = &self.unwritten {
            counter.with_label_values::<&str>(&[]).inc();
        }
    }

    /// What waits in a lane now.
    pub(crate) fn lane(&self, lane: &str, waiting: i64, oldest_due_seconds: i64) {
        if let Some(gauge) = &self.waiting {
            gauge.with_label_values(&[lane]).set(waiting);
        }
        if let Some(gauge) = &self.oldest_due {
            gauge.with_label_values(&[lane]).set(oldest_due_seconds);
        }
    }
}
