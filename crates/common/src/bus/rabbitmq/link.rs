//! A connection that comes back: connects, sets up what its role needs, watches, and when anything breaks throws all of it
//! away and begins again after 0.2 s to 2 s, for ever.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties, Event};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::metrics::BusMetrics;
use super::names::short;

const HEARTBEAT_SECONDS: u16 = 10;
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const SET_UP_WITHIN: Duration = Duration::from_secs(30);
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
/// The one end that was asked for.
const ANEW: &str = "to be set up anew";
/// Beside the events, in case the library does not tell of an end.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What a role needs on a fresh connection.
#[async_trait]
pub(super) trait SetUp: Send + Sync + 'static {
    /// What others use while the connection stands.
    type Session: Send + Sync + 'static;

    async fn set_up(&self, connection: &Connection, breaker: Breaker) -> lapin::Result<Self::Session>;

    /// Whether what stands lacks something that has been asked for since.
    fn outdated(&self, _session: &Self::Session) -> bool {
        false
    }
}

/// Held by whatever uses a connection: says that it does not work, and hears when it is gone.
#[derive(Clone)]
pub(super) struct Breaker {
    reason: mpsc::Sender<String>,
    gone: CancellationToken,
}

impl Breaker {
    pub(super) fn new() -> (Self, mpsc::Receiver<String>) {
        let (reason, tripped) = mpsc::channel(1);
        (Self { reason, gone: CancellationToken::new() }, tripped)
    }

    /// Throws the connection away, for this reason. The first reason counts.
    pub(super) fn trip(&self, why: impl Into<String>) {
        // Full: it has been tripped before.
        let _ = self.reason.try_send(why.into());
    }

    /// Cancelled once the connection is given up.
    pub(super) const fn gone(&self) -> &CancellationToken {
        &self.gone
    }
}

/// How to connect, and as what.
pub(super) struct Connector {
    uri: AMQPUri,
    role: &'static str,
    metrics: BusMetrics,
}

impl Connector {
    pub(super) fn new(uri: &AMQPUri, role: &'static str, metrics: &BusMetrics) -> Self {
        let mut uri = uri.clone();
        uri.query.heartbeat = Some(HEARTBEAT_SECONDS);
        uri.query.connection_timeout = u64::try_from(CONNECT_WITHIN.as_millis()).ok();
        Self { uri, role, metrics: metrics.clone() }
    }

    pub(super) async fn connect(&self) -> Result<Connection, String> {
        let name = format!("echo {} {}", self.role, std::process::id());
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        match timeout(CONNECT_WITHIN, Connection::connect_uri(self.uri.clone(), properties)).await {
            Ok(connected) => connected.map_err(|e| format!("cannot connect: {e}")),
            Err(_) => Err(format!("cannot connect: no answer within {} s", CONNECT_WITHIN.as_secs())),
        }
    }
}

type State<S> = Result<Arc<S>, String>;

/// A supervised connection. It is closed when this is dropped or closed.
pub(super) struct Link<S> {
    state: watch::Receiver<State<S>>,
    again: Arc<watch::Sender<u64>>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl<S> Drop for Link<S> {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl<S: Send + Sync + 'static> Link<S> {
    pub(super) fn start(connector: Connector, set_up: impl SetUp<Session = S>) -> Self {
        let (state, seen) = watch::channel(Err("not connected yet".to_owned()));
        let again = Arc::new(watch::channel(0).0);
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let asked = again.subscribe();
        let supervisor = Supervisor { connector, set_up, state, asked, stop: stop.clone() };
        tasks.spawn(supervisor.run());
        tasks.close();
        Self { state: seen, again, stop, tasks }
    }

    /// What stands now, or why nothing does.
    pub(super) fn now(&self) -> State<S> {
        self.state.borrow().clone()
    }

    /// What stands by `deadline`, or why nothing does.
    pub(super) async fn up(&self, deadline: Instant) -> State<S> {
        self.up_where(deadline, |_| true).await
    }

    /// The same, once it satisfies `fits`.
    pub(super) async fn up_where(&self, deadline: Instant, fits: impl Fn(&S) -> bool) -> State<S> {
        let mut state = self.state.clone();
        let fitting = state.wait_for(|state| state.as_ref().is_ok_and(|session| fits(session)));
        match tokio::time::timeout_at(deadline, fitting).await {
            Ok(Ok(state)) => state.clone(),
            Ok(Err(_)) => Err("stopped".to_owned()),
            Err(_) => Err(self.now().err().unwrap_or_else(|| "not set up in time".to_owned())),
        }
    }

    /// Sets everything up anew, if what stands is outdated.
    pub(super) fn renew(&self) {
        self.again.send_modify(|n| *n += 1);
    }

    /// Closes the connection and waits until it is.
    pub(super) async fn close(&self) {
        self.stop.cancel();
        // A connection that is already broken takes its time; the process need not wait for it.
        let _ = timeout(CLOSE_WITHIN * 2, self.tasks.wait()).await;
    }
}

struct Supervisor<U: SetUp> {
    connector: Connector,
    set_up: U,
    state: watch::Sender<State<U::Session>>,
    asked: watch::Receiver<u64>,
    stop: CancellationToken,
}

impl<U: SetUp> Supervisor<U> {
    async fn run(mut self) {
        let role = self.connector.role;
        let mut pause = Backoff::new(Duration::from_millis(200), Duration::from_secs(2));
        loop {
            let why = self.one_connection(&mut pause).await;
            self.connector.metrics.connected(role, false);
            self.connector.metrics.blocked(role, false);
            if self.stop.is_cancelled() {
                self.tell(Err("stopped".to_owned()));
                return;
            }
            if why == ANEW {
                continue;
            }
            tracing::warn!(connection = role, why, "no connection to the broker; will connect again");
            self.tell(Err(why));
            tokio::select! {
                () = tokio::time::sleep(pause.next()) => {}
                () = self.stop.cancelled() => {}
            }
        }
    }

    fn tell(&self, state: State<U::Session>) {
        // What stood before goes with it.
        drop(self.state.send_replace(state));
    }

    /// Answers why it ended.
    async fn one_connection(&mut self, pause: &mut Backoff) -> String {
        let stop = self.stop.clone();
        let connection = tokio::select! {
            connected = self.connector.connect() => match connected {
                Ok(connection) => connection,
                Err(why) => return why,
            },
            () = stop.cancelled() => return "stopped".to_owned(),
        };
        let (breaker, tripped) = Breaker::new();
        // Whatever this future is dropped by, those who use the connection hear of it.
        let _gone = breaker.gone.clone().drop_guard();
        let why = tokio::select! {
            why = self.serve(&connection, breaker.clone(), tripped, pause) => why,
            () = stop.cancelled() => "stopped".to_owned(),
        };
        breaker.gone.cancel();
        self.tell(Err(why.clone()));
        // It may be broken already; the broker notices an end by itself.
        let _ = timeout(CLOSE_WITHIN, connection.close(200, short("bye"))).await;
        why
    }

    async fn serve(
        &mut self,
        connection: &Connection,
        breaker: Breaker,
        mut tripped: mpsc::Receiver<String>,
        pause: &mut Backoff,
    ) -> String {
        let role = self.connector.role;
        let mut events = connection.events_listener().boxed();
        self.asked.borrow_and_update();
        let session = match timeout(SET_UP_WITHIN, self.set_up.set_up(connection, breaker.clone())).await {
            Ok(Ok(session)) => Arc::new(session),
            Ok(Err(e)) => return format!("cannot be set up: {e}"),
            Err(_) => return format!("not set up within {} s", SET_UP_WITHIN.as_secs()),
        };
        pause.reset();
        self.tell(Ok(Arc::clone(&session)));
        self.connector.metrics.connected(role, true);
        tracing::info!(connection = role, "connected to the broker");
        loop {
            tokio::select! {
                why = tripped.recv() => return why.unwrap_or_else(|| "given up".to_owned()),
                event = events.next() => if let Some(why) = self.heard(event) { return why },
                _ = self.asked.changed() => if self.set_up.outdated(&session) {
                    return ANEW.to_owned();
                },
                () = tokio::time::sleep(LOOK_EVERY) => if !connection.status().connected() {
                    return "the connection ended".to_owned();
                },
            }
        }
    }

    /// Answers why the connection is over, if it is.
    fn heard(&self, event: Option<Event>) -> Option<String> {
        let role = self.connector.role;
        match event {
            Some(Event::Error(e)) => return Some(e.to_string()),
            Some(Event::ConnectionBlocked(reason)) => {
                tracing::error!(
                    connection = role,
                    reason,
                    "the broker has raised an alarm and takes nothing"
                );
                self.connector.metrics.blocked(role, true);
            }
            Some(Event::ConnectionUnblocked) => {
                tracing::info!(connection = role, "the broker takes messages again");
                self.connector.metrics.blocked(role, false);
            }
            Some(_) => {}
            None => return Some("the connection ended".to_owned()),
        }
        None
    }
}

/// Waits that double from the first to the longest, each between half and all of its length so that replicas spread out.
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    pub(super) const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first }
    }

    pub(super) fn next(&mut self) -> Duration {
        let full = self.next;
        self.next = (full * 2).min(self.longest);
        // Without randomness replicas come together, which is no more than impolite.
        let spread = getrandom::u32().map_or(1.0, |n| f64::from(n) / f64::from(u32::MAX));
        full.mul_f64(0.5 + spread / 2.0)
    }

    pub(super) const fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_begin_again_after_a_reset() {
        let (first, longest) = (Duration::from_millis(200), Duration::from_secs(2));
        let mut pause = Backoff::new(first, longest);
        let waits: Vec<Duration> = (0..8).map(|_| pause.next()).collect();
        assert!(waits[0] >= first / 2 && waits[0] <= first, "{waits:?}");
        assert!(waits[7] >= longest / 2 && waits[7] <= longest, "{waits:?}");
        pause.reset();
        assert!(pause.next() <= first);
    }
}
