//! Answers requests: each in a task of its own, so many at once and no more.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use contracts::ServiceName;
use contracts::rpc::{RpcError, Server};
use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicPublishOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Connection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::link::Breaker;
use super::loopback::{Loopback, Sender};
use super::stream_server::Control;
use super::watchdog::Watched;
use super::{Shared, declare, lock, stream_server, wire};
use crate::bus::streams::{self, Asked};
use crate::bus::{self, RPC_IN_FLIGHT};

const CANCEL_WITHIN: Duration = Duration::from_secs(2);

type Methods = HashMap<&'static str, Arc<dyn Server>>;

/// Who answers in this process.
pub(super) struct Desk {
    seated: Mutex<(u64, Vec<Arc<dyn Server>>)>,
    in_flight: Arc<Semaphore>,
    stopping: CancellationToken,
    answering: TaskTracker,
}

impl Desk {
    pub(super) fn new(stopping: CancellationToken) -> Self {
        let in_flight = Arc::new(Semaphore::new(RPC_IN_FLIGHT));
        Self { seated: Mutex::default(), in_flight, stopping, answering: TaskTracker::new() }
    }

    /// Seats `servers`, who answer from the next connection on. Answers the number of this opening.
    pub(super) fn seat(&self, servers: Vec<Arc<dyn Server>>) -> u64 {
        let mut seated = lock(&self.seated);
        seated.0 += 1;
        seated.1.extend(servers);
        seated.0
    }

    /// The number of the latest opening.
    pub(super) fn opening(&self) -> u64 {
        lock(&self.seated).0
    }

    /// Declares and consumes the queue of each service that answers here. Answers the number of the opening, the channels,
    /// which are to be kept, and the consumers, which are to be watched.
    pub(super) async fn open(
        &self,
        connection: &Connection,
        shared: &Shared,
        breaker: &Breaker,
    ) -> lapin::Result<(u64, Vec<Channel>, Vec<Watched>)> {
        let (opening, services) = self.by_service();
        let (mut channels, mut watched) = (Vec::new(), Vec::new());
        if services.is_empty() {
            return Ok((opening, channels, watched));
        }
        let (control, hearing) = Control::open(connection, breaker).await?;
        channels.push(hearing);
        for (service, methods) in services {
            let channel = connection.create_channel().await?;
            declare::requests(&channel, &shared.names, service).await?;
            let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
            let queue = shared.names.rpc_queue(service);
            let tag = shared.tag(queue.as_str());
            let arguments = FieldTable::default();
            let requests = channel.basic_consume(queue.clone(), tag.clone(), options, arguments).await?;
            channels.push(channel.clone());
            let loopback = Loopback::open(&channel, &tag, Sender::Itself).await?;
            watched.push(Watched { queue: Some(queue), loopback, pulse: None, last: None });
            let clerk = Clerk {
                methods,
                channel,
                control: Arc::clone(&control),
                breaker: breaker.clone(),
                in_flight: Arc::clone(&self.in_flight),
                stopping: self.stopping.clone(),
                answering: self.answering.clone(),
            };
            self.answering.spawn(Arc::new(clerk).work(requests));
        }
        Ok((opening, channels, watched))
    }

    pub(super) const fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    fn by_service(&self) -> (u64, BTreeMap<ServiceName, Methods>) {
        let seated = lock(&self.seated);
        let mut services: BTreeMap<ServiceName, Methods> = BTreeMap::new();
        for server in &seated.1 {
            let methods = server.methods().iter().chain(server.streams());
            let methods = methods.map(|method| (*method, Arc::clone(server)));
            services.entry(server.service()).or_default().extend(methods);
        }
        (seated.0, services)
    }

    /// After the word to stop: waits for what is being answered.
    pub(super) async fn finish(&self, deadline: Instant) {
        self.answering.close();
        if timeout_at(deadline, self.answering.wait()).await.is_err() {
            tracing::warn!("some requests were still being answered");
        }
        // A server holds its service, which holds a caller of this bus: the ring is broken here.
        lock(&self.seated).1.clear();
    }
}

/// Answers the requests to one service on one connection.
struct Clerk {
    methods: Methods,
    channel: Channel,
    control: Arc<Control>,
    breaker: Breaker,
    in_flight: Arc<Semaphore>,
    stopping: CancellationToken,
    answering: TaskTracker,
}

impl Clerk {
    async fn work(self: Arc<Self>, mut requests: lapin::Consumer) {
        let mut open = true;
        loop {
            let request = tokio::select! {
                request = requests.next() => request,
                () = self.breaker.gone().cancelled() => return,
                () = self.stopping.cancelled(), if open => {
                    open = false;
                    let cancel = self.channel.basic_cancel(requests.tag(), BasicCancelOptions::default());
                    if !matches!(timeout(CANCEL_WITHIN, cancel).await, Ok(Ok(()))) {
                        return;
                    }
                    // What had been delivered by then comes out of the stream before its end, and is answered.
                    continue;
                }
            };
            match request {
                Some(Ok(request)) => self.take(request),
                Some(Err(e)) => return self.breaker.trip(format!("requests: {e}")),
                None if open => {
                    return self.breaker.trip("requests: the broker has cancelled the consumer");
                }
                None => return,
            }
        }
    }

    fn take(self: &Arc<Self>, request: Delivery) {
        let slot = Arc::clone(&self.in_flight).try_acquire_owned().ok();
        let this = Arc::clone(self);
        self.answering.spawn(async move {
            match this.method(&request) {
                Some((method, server)) if server.streams().contains(&method) => {
                    this.stream(request, slot, (method, server)).await;
                }
                _ => this.answer(request, slot).await,
            }
        });
    }

    fn method(&self, request: &Delivery) -> Option<(&'static str, Arc<dyn Server>)> {
        let method = request.properties.kind().as_ref().map_or("", ShortString::as_str);
        self.methods.get_key_value(method).map(|(method, server)| (*method, Arc::clone(server)))
    }

    async fn answer(&self, mut request: Delivery, slot: Option<OwnedSemaphorePermit>) {
        let received = Instant::now();
        let deadline = wire::context(&request).deadline;
        let body = Bytes::from(std::mem::take(&mut request.data));
        let result = if slot.is_some() { self.ask(&request, body).await } else { Err(RpcError::Busy) };
        if received.elapsed() >= deadline {
            return; // nobody waits any more
        }
        if let Err(e) = reply(&self.channel, &request, wire::answer(&request, result)).await {
            tracing::warn!(error = %e, "an answer could not be sent");
        }
    }

    async fn ask(&self, request: &Delivery, body: Bytes) -> Result<Bytes, RpcError> {
        let Some((method, server)) = self.method(request) else {
            let method = request.properties.kind().as_ref().map_or("", ShortString::as_str);
            return Err(RpcError::unknown_method(method));
        };
        bus::answer(server, method, wire::context(request), body).await
    }

    /// Answers in frames, until the end, or until the reader or the connection has gone.
    async fn stream(
        &self,
        mut request: Delivery,
        slot: Option<OwnedSemaphorePermit>,
        (method, server): (&'static str, Arc<dyn Server>),
    ) {
        let body = Bytes::from(std::mem::take(&mut request.data));
        let asked = Asked { server, method, context: wire::context(&request), request: body };
        let begun = match slot {
            Some(slot) => tokio::select! {
                begun = streams::begin(&self.answering, slot, asked) => begun,
                () = self.breaker.gone().cancelled() => return,
            },
            None => Err(RpcError::Busy),
        };
        let reader = self.control.enter();
        let sending = stream_server::send(&self.channel, &request, begun, &reader);
        tokio::select! {
            sent = sending => if let Err(e) = sent {
                tracing::warn!(method, error = %e, "a stream could not be sent");
            },
            () = reader.gone() => tracing::debug!(method, "the reader of a stream has gone"),
            () = self.breaker.gone().cancelled() => {}
        }
    }
}

/// Sends what [`wire`] has made to whoever asked.
pub(super) async fn reply(
    channel: &Channel,
    request: &Delivery,
    (properties, body): (BasicProperties, Bytes),
) -> lapin::Result<()> {
    let Some(reply_to) = request.properties.reply_to().clone() else { return Ok(()) };
    let options = BasicPublishOptions::default();
    channel.basic_publish(ShortString::default(), reply_to, options, &body, properties).await.map(drop)
}
