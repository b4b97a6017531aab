//! The gateway's numbers.

use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use common::metrics::Metrics;
use prometheus::{HistogramVec, IntCounterVec};

/// Counts what was asked and how long it took.
#[derive(Clone)]
pub(crate) struct GatewayMetrics {
    requests: Option<IntCounterVec>,
    seconds: Option<HistogramVec>,
}

impl GatewayMetrics {
    /// Registers them.
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self {
            requests: metrics.counter(
                "echo_gateway_requests_total",
                "Requests answered, by route, method and status",
                &["route", "method", "status"],
            ),
            seconds: metrics.seconds(
                "echo_gateway_request_seconds",
                "Time from the request's head to the answer's head, by route and method",
                &["route", "method"],
            ),
        }
    }

    /// Notes an answer. Methods that are none of HTTP's own count as one.
    pub(crate) fn answered(&self, route: &str, method: &Method, status: StatusCode, took: Duration) {
        const KNOWN: [Method; 7] = [
            Method::GET,
            Method::POST,
            Method::PATCH,
            Method::PUT,
            Method::DELETE,
            Method::HEAD,
            Method::OPTIONS,
        ];
        let method = if KNOWN.contains(method) { method.as_str() } else { "OTHER" };
        if let Some(requests) = &self.requests {
            requests.with_label_values(&[route, method, status.as_str()]).inc();
        }
        if let Some(seconds) = &self.seconds {
            seconds.with_label_values(&[route, method]).observe(took.as_secs_f64());
        }
    }
}
