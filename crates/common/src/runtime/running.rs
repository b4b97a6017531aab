//! A process that runs: what was started, in the order in which it must be stopped.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::StartError;
use crate::bus::Bus;
use crate::config::Settings;
use crate::db::{Database, DbError, inbox};
use crate::http::ops::Readiness;
use crate::http::server::{self, Ports, Routes};
use crate::service::Task;

/// How long what runs may take to finish when the process stops.
const GRACE: Duration = Duration::from_secs(20);
/// How often old inbox rows go and the database's clock is measured again.
const UPKEEP: Duration = Duration::from_secs(30);

/// A started process.
pub struct Running {
    parts: Parts,
    settings: Settings,
}

pub(super) struct Parts {
    readiness: Readiness,
    bus: Arc<dyn Bus>,
    servers: Vec<ServerHandle>,
    /// Periodic tasks: stopped before the bus, so that nothing new begins.
    tasks: Stage,
    /// Outbox relays: stopped after the bus has finished its handlers, so that what they staged goes out.
    relays: Stage,
}

struct Stage {
    stop: CancellationToken,
    tracker: TaskTracker,
}

impl Stage {
    fn new() -> Self {
        Self { stop: CancellationToken::new(), tracker: TaskTracker::new() }
    }

    async fn finish(&self, what: &str) {
        self.stop.cancel();
        self.tracker.close();
        if tokio::time::timeout(GRACE, self.tracker.wait()).await.is_err() {
            tracing::warn!(what, "did not finish in time");
        }
    }
}

impl Parts {
    pub(super) fn new(readiness: Readiness, bus: Arc<dyn Bus>) -> Self {
        Self { readiness, bus, servers: Vec::new(), tasks: Stage::new(), relays: Stage::new() }
    }

    pub(super) fn serve(
        &mut self,
        ports: &mut Ports,
        setting: &'static str,
        routes: Routes,
    ) -> Result<(), StartError> {
        let Some(listener) = ports.listen(setting)? else { return Ok(()) };
        self.servers.push(server::serve(listener, routes, workers(setting))?);
        Ok(())
    }

    pub(super) fn spawn_relay<F: Future<Output = ()> + Send + 'static>(
        &self,
        relay: impl FnOnce(CancellationToken) -> F,
    ) {
        self.relays.tracker.spawn(relay(self.relays.stop.clone()));
    }

    pub(super) fn spawn_upkeep(&self, database: Database) {
        let stop = self.tasks.stop.clone();
        self.tasks.tracker.spawn(async move {
            while !wait(&stop, UPKEEP).await {
                let forget = database.write(|tx| {
                    let now = tx.now();
                    inbox::forget_old(tx.conn, now)
                });
                let done: Result<_, DbError> =
                    async { forget.await.map(drop).and(database.measure_clock().await) }.await;
                if let Err(error) = done {
                    tracing::warn!(%error, "upkeep of the tables");
                }
            }
        });
    }

    pub(super) fn spawn_task(&self, task: Task) {
        let stop = self.tasks.stop.clone();
        self.tasks.tracker.spawn(async move {
            loop {
                tokio::select! {
                    () = task.nudge.notified() => {}
                    () = tokio::time::sleep(task.every) => {}
                    () = stop.cancelled() => return,
                }
                match AssertUnwindSafe((task.run)(stop.clone())).catch_unwind().await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => {
                        tracing::warn!(task = task.name, error, "a round failed; the next one tries again")
                    }
                    Err(_) => tracing::error!(task = task.name, "a round panicked; the next one tries again"),
                }
            }
        });
    }

    pub(super) fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    pub(super) fn ready(self, settings: Settings) -> Running {
        self.readiness.open();
        Running { parts: self, settings }
    }

    /// Stops what runs, in order; also what has only begun to start.
    pub(super) async fn stop(self) {
        self.readiness.close();
        self.tasks.finish("periodic tasks").await;
        for server in &self.servers {
            server.stop(true).await;
        }
        self.bus.stop(GRACE).await;
        self.relays.finish("outbox relays").await;
        self.bus.close().await;
    }
}

/// Waits, and says whether it was because of `stop`.
async fn wait(stop: &CancellationToken, how_long: Duration) -> bool {
    tokio::select! {
        () = stop.cancelled() => true,
        () = tokio::time::sleep(how_long) => false,
    }
}

/// One worker serves the operations endpoint; the others share the cores.
fn workers(setting: &str) -> usize {
    if setting == "ECHO_OPS_ADDR" {
        1
    } else {
        std::thread::available_parallelism().map_or(2, |n| n.get().min(8))
    }
}

impl Running {
    /// A setting as it turned out, for example the address that was really bound.
    #[must_use]
    pub fn setting(&self, name: &'static str) -> String {
        self.settings.get(name, String::new()).unwrap_or_default()
    }

    /// Each part that is not well, with its reason; empty when ready.
    pub async fn problems(&self) -> Vec<(String, String)> {
        self.parts.readiness.problems().await
    }

    /// Stops in order: not ready → take no more requests → finish messages → send what was staged → close.
    pub async fn stop(self) {
        self.parts.stop().await;
    }
}
