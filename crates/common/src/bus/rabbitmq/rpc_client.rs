//! Sends requests and waits for their answers, at most until their deadline.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use contracts::rpc::{Call, Caller, Context, RpcError, Server, Streamed};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::link::{Connector, Link};
use super::rpc_server::Desk;
use super::rpc_session::{Requests, Session};
use super::{Shared, stream_client, wire};
use crate::trace;

/// A connection that is just being made is waited for this long; a broker that is away is reported.
const CONNECTION_WITHIN: Duration = Duration::from_secs(1);
/// The same for a request that is sent again because its connection broke: making another one takes a moment.
const CONNECTION_AGAIN_WITHIN: Duration = Duration::from_secs(5);
/// Nothing waits longer for an answer, whatever its context says.
const LONGEST_DEADLINE: Duration = Duration::from_secs(3600);

/// The rpc connection: the client's side, and the desk at which requests are answered.
pub(super) struct RpcClient {
    link: Link<Session>,
    desk: Arc<Desk>,
    next_id: AtomicU64,
    /// Calls of this process that wait for their answer.
    calls: TaskTracker,
}

/// Why one try has no answer.
enum Failure {
    /// The final word.
    Answer(RpcError),
    /// The connection broke; the request may have been answered or not.
    Broke(String),
}

impl RpcClient {
    pub(super) fn start(connector: Connector, shared: &Shared, stopping: CancellationToken) -> Self {
        let desk = Arc::new(Desk::new(stopping));
        let requests = Requests { shared: shared.clone(), desk: Arc::clone(&desk) };
        let link = Link::start(connector, requests);
        Self { link, desk, next_id: AtomicU64::new(1), calls: TaskTracker::new() }
    }

    /// From now on `servers` answer here; resolves once their queues are consumed.
    pub(super) async fn serve(&self, servers: Vec<Arc<dyn Server>>, deadline: Instant) -> Result<(), String> {
        if servers.is_empty() {
            return self.link.up(deadline).await.map(drop);
        }
        let opening = self.desk.seat(servers);
        self.link.renew();
        self.link.up_where(deadline, |session| session.serving >= opening).await.map(drop)
    }

    pub(super) fn ready(&self) -> Result<(), String> {
        self.link.now().map(drop)
    }

    /// After the word to stop: finishes what is being answered, there and here, then closes.
    pub(super) async fn stop(&self, deadline: Instant) {
        self.desk.finish(deadline).await;
        self.calls.close();
        if timeout_at(deadline, self.calls.wait()).await.is_err() {
            tracing::warn!("some requests are still without an answer");
        }
        self.link.close().await;
    }

    fn next_id(&self) -> String {
        self.next_id.fetch_add(1, Ordering::Relaxed).to_string()
    }

    async fn session(&self, within: Duration, deadline: Instant) -> Result<Arc<Session>, Failure> {
        let connected_by = deadline.min(Instant::now() + within);
        // What has just broken may still stand there.
        let session = self.link.up_where(connected_by, Session::hears);
        session.await.map_err(|why| Failure::Answer(RpcError::Unavailable(why)))
    }

    async fn open_once(
        &self,
        call: Call,
        context: Context,
        request: Bytes,
    ) -> Result<Streamed<Bytes>, Failure> {
        let token = self.calls.token();
        let deadline = Instant::now() + context.deadline.min(LONGEST_DEADLINE);
        let session = self.session(CONNECTION_WITHIN, deadline).await?;
        let id = self.next_id();
        let frames = session.await_frames(&id, stream_client::AHEAD).ok_or_else(lost_already)?;
        send(&session, call, &context, (&request, &id, deadline)).await?;
        stream_client::begin(session, frames, deadline, token).await.map_err(Failure::Answer)
    }

    async fn one_try(
        &self,
        call: Call,
        context: &Context,
        request: &Bytes,
        (connected_within, deadline): (Duration, Instant),
    ) -> Result<Bytes, Failure> {
        let session = self.session(connected_within, deadline).await?;
        let id = self.next_id();
        let awaited = session.await_answer(&id).ok_or_else(lost_already)?;
        send(&session, call, context, (request, &id, deadline)).await?;
        match timeout_at(deadline, awaited.answer()).await {
            Ok(Some(answer)) => answer.map_err(Failure::Answer),
            Ok(None) => {
                Err(Failure::Broke("the connection was lost while waiting for the answer".to_owned()))
            }
            Err(_) => Err(Failure::Answer(RpcError::DeadlineExceeded)),
        }
    }
}

fn lost_already() -> Failure {
    Failure::Broke("the connection has just been lost".to_owned())
}

/// Hands a request to the broker.
async fn send(
    session: &Session,
    call: Call,
    context: &Context,
    (request, id, deadline): (&Bytes, &str, Instant),
) -> Result<(), Failure> {
    let remaining = deadline.saturating_duration_since(Instant::now());
    let properties = wire::request(call.method, context, remaining, id);
    match timeout_at(deadline, session.send(call.service.as_str(), properties, request)).await {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => {
            let why = format!("{} has never been started", call.service);
            Err(Failure::Answer(RpcError::Unavailable(why)))
        }
        Ok(Err(e)) => {
            session.trip(&format!("a request could not be sent: {e}"));
            Err(Failure::Broke(e.to_string()))
        }
        Err(_) => Err(Failure::Answer(RpcError::DeadlineExceeded)),
    }
}

#[async_trait]
impl Caller for RpcClient {
    async fn call(&self, call: Call, context: Context, request: Bytes) -> Result<Bytes, RpcError> {
        let _call = self.calls.token();
        let context = trace::complete(context);
        let deadline = Instant::now() + context.deadline.min(LONGEST_DEADLINE);
        let mut first = true;
        loop {
            let connected_within = if first { CONNECTION_WITHIN } else { CONNECTION_AGAIN_WITHIN };
            match self.one_try(call, &context, &request, (connected_within, deadline)).await {
                Ok(answer) => return Ok(answer),
                Err(Failure::Answer(error)) => return Err(error),
                Err(Failure::Broke(why)) if first && call.idempotent && Instant::now() < deadline => {
                    tracing::info!(method = call.method, why, "asking again");
                    first = false;
                }
                Err(Failure::Broke(why)) => return Err(RpcError::Unavailable(why)),
            }
        }
    }

    async fn open(&self, call: Call, context: Context, request: Bytes) -> Result<Streamed<Bytes>, RpcError> {
        match self.open_once(call, trace::complete(context), request).await {
            Ok(stream) => Ok(stream),
            Err(Failure::Answer(error)) => Err(error),
            Err(Failure::Broke(why)) => Err(RpcError::Unavailable(why)),
        }
    }
}
