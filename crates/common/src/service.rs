//! A service as a value: its name, its migrations, and how it is built from settings and a platform into what it hears,
//! answers, serves and does from time to time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::ServiceConfig;
use contracts::ServiceName;
use contracts::rpc::Server;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::bus::Subscription;
use crate::config::{ConfigError, Settings};
use crate::db::{Durability, Migration};
use crate::platform::Platform;

/// How a service is made.
#[derive(Clone, Copy)]
pub struct ServiceDef {
    /// Its name.
    pub name: ServiceName,
    /// Its tables; `None` for a service without any.
    pub tables: Option<Tables>,
    /// Which listeners it may mount routes on, with their default addresses.
    pub listens: &'static [(&'static str, &'static str)],
    /// Builds it.
    pub build: fn(&Settings, &Platform) -> Result<Service, ConfigError>,
}

/// The tables of a service.
#[derive(Clone, Copy)]
pub struct Tables {
    /// The steps that make them, in order.
    pub migrations: &'static [Migration],
    /// What must survive the loss of power.
    pub durability: Durability,
}

/// What a service does once it is built.
#[derive(Default)]
pub struct Service {
    /// HTTP routes, by listener.
    pub mounts: Vec<Mount>,
    /// Messages that it hears.
    pub subscriptions: Vec<Subscription>,
    /// Requests that it answers.
    pub servers: Vec<Arc<dyn Server>>,
    /// What it does from time to time.
    pub tasks: Vec<Task>,
}

/// Routes on one listener.
#[derive(Clone)]
pub struct Mount {
    /// The setting that names the address, for example `ECHO_HTTP_ADDR`.
    pub listener: &'static str,
    /// Adds the routes.
    pub routes: Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>,
}

impl Mount {
    /// Routes on the public API's listener.
    pub fn public(routes: impl Fn(&mut ServiceConfig) + Send + Sync + 'static) -> Self {
        Self { listener: "ECHO_HTTP_ADDR", routes: Arc::new(routes) }
    }
}

type Run =
    Arc<dyn Fn(CancellationToken) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// A periodic job: idempotent, woken by its interval or a nudge, without retries of its own: the next round is the retry.
#[derive(Clone)]
pub struct Task {
    /// For logs.
    pub name: &'static str,
    /// At least this often.
    pub every: Duration,
    /// Wakes it earlier.
    pub nudge: Arc<Notify>,
    /// One round.
    pub run: Run,
}

impl Task {
    /// Runs `round` with `state` every so often and whenever `nudge` is notified. What it answers as error is logged.
    pub fn new<S, E, F, Fut>(
        name: &'static str,
        every: Duration,
        nudge: &Arc<Notify>,
        state: &S,
        round: F,
    ) -> Self
    where
        S: Clone + Send + Sync + 'static,
        E: std::fmt::Display,
        F: Fn(S) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
    {
        let (state, round) = (state.clone(), Arc::new(round));
        let run: Run = Arc::new(move |_| {
            let (state, round) = (state.clone(), Arc::clone(&round));
            Box::pin(async move { round(state).await.map_err(|e| e.to_string()) })
        });
        Self { name, every, nudge: Arc::clone(nudge), run }
    }

    /// Runs `work` from the start until the process stops, which the token tells it. If it ends earlier it is started again
    /// after a second.
    pub fn background<S, F, Fut>(name: &'static str, state: &S, work: F) -> Self
    where
        S: Clone + Send + Sync + 'static,
        F: Fn(S, CancellationToken) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let (state, work) = (state.clone(), Arc::new(work));
        let run: Run = Arc::new(move |stop| {
            let (state, work) = (state.clone(), Arc::clone(&work));
            Box::pin(async move {
                work(state, stop).await;
                Ok(())
            })
        });
        let nudge = Arc::new(Notify::new());
        nudge.notify_one();
        Self { name, every: Duration::from_secs(1), nudge, run }
    }
}
