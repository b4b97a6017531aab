//! Messages between services. Two buses keep the same promises: [`memory`] inside one process, with the consumer's own
//! tables as queues, and [`rabbitmq`] between processes. One conformance suite runs against both.
//!
//! A message is published by the outbox relay and never directly; a handler answers an [`Outcome`] and never touches the
//! bus. At least once on the wire, once in effect: handlers use a natural key or [`crate::db::inbox`].

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use contracts::ServiceName;
use contracts::message::{Message, MessageType};
use contracts::rpc::{Caller, Context, RpcError, Server};
use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::{Database, DbError};
use crate::metrics::Metrics;
use crate::trace;

pub mod dead_letters;
pub mod memory;
pub mod rabbitmq;
mod streams;
pub mod topology;

/// What caused a message: travels with it and into everything that it causes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cause {
    /// The public request at the beginning of it all.
    pub request_id: String,
    /// The tenant.
    pub tenant: String,
    /// Trace id, 32 hex digits.
    pub trace_id: String,
}

impl Cause {
    /// On behalf of `tenant`: a part of what is being handled here, else the program's own doing and a new trace.
    pub fn own(tenant: impl ToString) -> Self {
        let new = || Self { trace_id: trace::new_id(), ..Self::default() };
        Self { tenant: tenant.to_string(), ..trace::current().unwrap_or_else(new) }
    }

    fn of(context: &Context) -> Self {
        let Context { request_id, tenant, trace_id, .. } = context.clone();
        Self { request_id, tenant, trace_id }
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::json!({"request_id": self.request_id, "tenant": self.tenant, "trace_id": self.trace_id})
    }

    pub(crate) fn from_json(value: &serde_json::Value) -> Self {
        Self::deserialize(value).unwrap_or_default()
    }
}

/// A message on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The id of its outbox row: the same however often it is published.
    pub id: Uuid,
    /// `<service>.<message>.v<n>`.
    pub routing_key: String,
    /// What caused it.
    pub cause: Cause,
    /// The encoded message.
    pub body: Bytes,
}

/// Why a message was not confirmed. It stays in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// No queue is bound for it: a consumer has never been started.
    #[error("no queue takes {0}: has the consuming service ever been started?")]
    Unroutable(String),
    /// The bus is away or did not confirm in time.
    #[error("not confirmed: {0}")]
    Unconfirmed(String),
}

/// Publishes batches. Used by the outbox relay only.
#[async_trait]
pub trait Publisher: Send + Sync + 'static {
    /// Answers for each message, in order, whether it is safely queued for every consumer.
    async fn publish(&self, batch: Vec<Outgoing>) -> Vec<Result<(), PublishError>>;
}

/// What a handler makes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has had its effect, now or earlier.
    Done,
    /// Not now: again after this long, at most [`MAX_ATTEMPTS`] times.
    RetryAfter(Duration),
    /// Never: keep it with this reason for an operator to see.
    Dead(String),
    /// Something that the handler needs is away. Consuming pauses; no attempt is counted.
    Unavailable(String),
}

/// A message that was retried this often is dead.
pub const MAX_ATTEMPTS: u32 = 10;
/// A handler that takes longer is cut off, and the message comes again.
pub const HANDLER_DEADLINE: Duration = Duration::from_secs(45);
/// Messages of one queue that one replica works on at the same time.
pub const CONCURRENCY: usize = 32;
/// Requests that one replica answers at the same time; one more is told [`contracts::rpc::RpcError::Busy`].
pub const RPC_IN_FLIGHT: usize = 4096;

impl From<DbError> for Outcome {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(why) => Self::Unavailable(why),
            DbError::Conflict | DbError::Duplicate { .. } => Self::RetryAfter(Duration::from_secs(1)),
            other => Self::Dead(other.to_string()),
        }
    }
}

impl<E: Into<Self>> From<Result<(), E>> for Outcome {
    fn from(result: Result<(), E>) -> Self {
        result.map_or_else(Into::into, |()| Self::Done)
    }
}

/// What travels beside a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// The same on every delivery of this message.
    pub message_id: Uuid,
    /// What caused it.
    pub cause: Cause,
}

type Running = Pin<Box<dyn Future<Output = Outcome> + Send>>;
type Handler = Arc<dyn Fn(Meta, Bytes) -> Running + Send + Sync>;

/// A message type and what a service does with it.
#[derive(Clone)]
pub struct Subscription {
    message: MessageType,
    handler: Handler,
}

impl Subscription {
    /// Hears `M`: `handle(state, meta, message)`.
    pub fn to<M, S, F, Fut>(state: &S, handle: F) -> Self
    where
        M: Message,
        S: Clone + Send + Sync + 'static,
        F: Fn(S, Meta, M) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        let state = state.clone();
        let handle = Arc::new(handle);
        let handler: Handler = Arc::new(move |meta, body| match M::decode(body) {
            Ok(message) => Box::pin(handle(state.clone(), meta, message)),
            Err(e) => Box::pin(async move { Outcome::Dead(format!("cannot read it: {e}")) }),
        });
        Self { message: MessageType::of::<M>(), handler }
    }

    /// The type it hears.
    #[must_use]
    pub const fn message(&self) -> MessageType {
        self.message
    }

    /// Runs the handler under the deadline, inside a span that names message, tenant and request.
    pub(crate) async fn handle(&self, meta: Meta, body: Bytes) -> Outcome {
        use tracing::Instrument as _;
        let span = tracing::info_span!(
            "message",
            name = self.message.name,
            message_id = %meta.message_id,
            tenant = %meta.cause.tenant,
            request_id = %meta.cause.request_id,
            trace_id = %meta.cause.trace_id,
            call = tracing::field::Empty,
        );
        let cause = meta.cause.clone();
        let (name, handler) = (self.message.name, Arc::clone(&self.handler));
        let again = Outcome::RetryAfter(Duration::from_secs(5));
        let work = trace::scope(cause, async move { handler(meta, body).await });
        let work = AssertUnwindSafe(work).catch_unwind();
        let handled = async {
            match tokio::time::timeout(HANDLER_DEADLINE, work).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) => {
                    tracing::error!(name, "a handler panicked");
                    again
                }
                Err(_) => {
                    tracing::warn!(name, "a handler took longer than 45 s and was cut off");
                    again
                }
            }
        };
        handled.instrument(span).await
    }
}

/// Lets `server` answer inside a span that names method, tenant, request and trace. Both buses answer through here.
async fn answer(
    server: Arc<dyn Server>,
    method: &str,
    context: Context,
    request: Bytes,
) -> Result<Bytes, RpcError> {
    use tracing::Instrument as _;
    let span = rpc_span(method, &context);
    let answer = trace::scope(Cause::of(&context), server.answer(method, context, request));
    let answer = AssertUnwindSafe(answer).catch_unwind();
    let answered = async {
        answer.await.unwrap_or_else(|_| {
            tracing::error!(method, "an answer panicked");
            Err(RpcError::Internal("the answer was lost".to_owned()))
        })
    };
    answered.instrument(span).await
}

fn rpc_span(method: &str, context: &Context) -> tracing::Span {
    tracing::info_span!(
        "rpc",
        method,
        tenant = %context.tenant,
        request_id = %context.request_id,
        trace_id = %context.trace_id,
        call = tracing::field::Empty,
    )
}

/// A service as the bus sees it.
#[derive(Clone)]
pub struct Consumer {
    /// Its name: names its queues.
    pub service: ServiceName,
    /// Its tables: the in-process bus keeps its queues there.
    pub database: Database,
    /// What it hears.
    pub subscriptions: Vec<Subscription>,
    /// What it answers.
    pub servers: Vec<Arc<dyn Server>>,
}

/// Carries messages and requests.
#[async_trait]
pub trait Bus: Send + Sync + 'static {
    /// For the outbox relay.
    fn publisher(&self) -> Arc<dyn Publisher>;
    /// For rpc clients.
    fn caller(&self) -> Arc<dyn Caller>;
    /// Declares the consumers' queues and starts to deliver to them; resolves once they are declared. Called once.
    ///
    /// # Errors
    /// When the queues cannot be declared within the time a start may take.
    async fn subscribe(&self, consumers: Vec<Consumer>) -> Result<(), String>;
    /// Can messages flow?
    ///
    /// # Errors
    /// Why not.
    async fn ready(&self) -> Result<(), String>;
    /// Takes no more messages and requests and finishes what runs (at most `grace`). What that staged can still be published.
    async fn stop(&self, grace: Duration);
    /// The end: nothing is published any more, and nothing of the services is held.
    async fn close(&self);
}

/// How many dead letters lie there, by service. Both buses show it.
fn dead_gauge(metrics: &Metrics) -> Option<prometheus::IntGaugeVec> {
    metrics.gauge("echo_bus_dead_letters", "Dead letters that wait for an operator", &["service"])
}
