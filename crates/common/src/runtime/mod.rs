//! From a list of services to a process: configuration → migrate → bind → build → subscribe → ready, and back again in
//! order: not ready → stop taking → finish what runs → close. A microservice is a list of one; the embedded Echo is a list
//! of all: the same code path.

mod cli;
mod foundation;
mod running;

pub use cli::{Cli, CommandRuns, ExtraCommand, main, until_told_to_stop};
pub use running::Running;

use std::sync::Arc;

use contracts::ServiceName;

use crate::bus::{Bus, Consumer};
use crate::clock::Clock;
use crate::config::{ConfigError, Settings};
use crate::db::{Database, outbox};
use crate::egress::EgressPolicy;
use crate::http::ops::{self, Readiness};
use crate::http::server::Listeners;
use crate::platform::Platform;
use crate::service::{Service, ServiceDef};
use foundation::Foundation;
use running::Parts;

/// A program: which services it runs and on what it stands.
#[derive(Clone, Copy)]
pub struct Process {
    /// The binary's name.
    pub name: &'static str,
    /// One sentence for `--help`.
    pub about: &'static str,
    /// Its services.
    pub services: &'static [ServiceDef],
    /// May stand on files and an in-process bus; otherwise database and broker must be named.
    pub embedded: bool,
}

/// Why a process did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is wrong or missing.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The tables could not be brought up to date.
    #[error("tables of {service}: {problem}")]
    Migrate {
        /// Whose tables.
        service: ServiceName,
        /// What went wrong.
        problem: String,
    },
    /// The bus could not be reached or its queues not be declared.
    #[error("bus: {0}")]
    Bus(String),
    /// The operating system refused something.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

struct Built {
    def: ServiceDef,
    platform: Platform,
    service: Service,
}

/// Starts everything and answers once it is ready.
///
/// # Errors
/// Why not; whatever had been started is stopped again.
pub async fn start(process: Process, mut settings: Settings, clock: Clock) -> Result<Running, StartError> {
    let mut listeners = bind(process, &mut settings)?;
    let foundation = Foundation::lay(process, &settings, clock)?;
    migrate(process, &foundation).await?;
    let built = build(process, &settings, &foundation).await?;
    let readiness = Readiness::new(
        built
            .iter()
            .filter(|b| b.def.tables.is_some())
            .map(|b| (b.def.name.as_str(), b.platform.database.clone()))
            .collect(),
        Arc::clone(&foundation.bus),
    );
    let ops_routes = ops::routes(readiness.clone(), foundation.metrics.clone());
    let mut parts = Parts::new(readiness, Arc::clone(&foundation.bus));
    parts.serve(&mut listeners, "ECHO_OPS_ADDR", vec![Arc::new(ops_routes)])?;
    foundation.bus.subscribe(consumers(&built)).await.map_err(StartError::Bus)?;
    start_relays(&built, &*foundation.bus, &mut parts);
    start_tasks(&built, &mut parts);
    serve_all(process, &built, &mut listeners, &mut parts)?;
    parts.ready(settings)
}

/// Takes all ports before anything else happens, and fixes the settings to what was really bound.
fn bind(process: Process, settings: &mut Settings) -> Result<Listeners, ConfigError> {
    let mut listeners = Listeners::default();
    let services = process.services.iter().flat_map(|def| def.listens.iter().copied());
    let ops = std::iter::once(("ECHO_OPS_ADDR", "127.0.0.1:9080"));
    for (setting, default) in services.chain(ops) {
        let default = default.parse().map_err(|e| ConfigError::new(setting, format!("bad default: {e}")))?;
        let address = settings.get(setting, default)?;
        let bound = listeners.bind(setting, address)?;
        settings.set(setting, bound.to_string());
    }
    Ok(listeners)
}

/// Brings every service's tables up to date.
///
/// # Errors
/// Which service's tables, and why.
async fn migrate(process: Process, foundation: &Foundation) -> Result<(), StartError> {
    for def in process.services {
        let Some(tables) = def.tables else { continue };
        let database = foundation.database(def.name)?;
        let applied = crate::db::migrate::run(&database, tables.migrations)
            .await
            .map_err(|e| StartError::Migrate { service: def.name, problem: e.to_string() })?;
        if !applied.is_empty() {
            tracing::info!(service = %def.name, steps = applied.join(", "), "tables brought up to date");
        }
        database
            .measure_clock()
            .await
            .map_err(|e| StartError::Migrate { service: def.name, problem: e.to_string() })?;
    }
    Ok(())
}

async fn build(
    process: Process,
    settings: &Settings,
    foundation: &Foundation,
) -> Result<Vec<Built>, StartError> {
    let egress = EgressPolicy::new(settings.list("ECHO_EGRESS_ALLOW")?);
    let egress = if foundation.loopback_open { egress.with_loopback() } else { egress };
    process
        .services
        .iter()
        .map(|def| {
            let platform = Platform {
                service: def.name,
                database: foundation.database(def.name)?,
                caller: foundation.bus.caller(),
                clock: foundation.clock.clone(),
                metrics: foundation.metrics.clone(),
                keys: foundation.keys.clone(),
                egress: egress.clone(),
            };
            let service = (def.build)(settings, &platform)?;
            Ok(Built { def: *def, platform, service })
        })
        .collect()
}

fn consumers(built: &[Built]) -> Vec<Consumer> {
    built
        .iter()
        .map(|b| Consumer {
            service: b.def.name,
            database: b.platform.database.clone(),
            subscriptions: b.service.subscriptions.clone(),
            servers: b.service.servers.clone(),
        })
        .collect()
}

fn start_relays(built: &[Built], bus: &dyn Bus, parts: &mut Parts) {
    for b in built.iter().filter(|b| b.def.tables.is_some()) {
        parts.spawn_relay(|stop| outbox::relay(b.platform.database.clone(), bus.publisher(), stop));
        parts.spawn_upkeep(b.platform.database.clone());
    }
}

fn start_tasks(built: &[Built], parts: &mut Parts) {
    for task in built.iter().flat_map(|b| b.service.tasks.iter()) {
        parts.spawn_task(task.clone());
    }
}

fn serve_all(
    process: Process,
    built: &[Built],
    listeners: &mut Listeners,
    parts: &mut Parts,
) -> Result<(), StartError> {
    for (setting, _) in process.services.iter().flat_map(|def| def.listens.iter().copied()) {
        let mounts = built.iter().flat_map(|b| b.service.mounts.iter()).filter(|m| m.listener == setting);
        let routes: Vec<_> = mounts.map(|m| Arc::clone(&m.routes)).collect();
        parts.serve(listeners, setting, routes)?;
    }
    Ok(())
}

/// Only brings the tables up to date.
///
/// # Errors
/// As [`start`].
pub async fn migrate_only(process: Process, settings: Settings) -> Result<(), StartError> {
    let foundation = Foundation::lay(process, &settings, Clock::system())?;
    migrate(process, &foundation).await
}

/// The database of a service in this process's settings. For operator commands and tests.
///
/// # Errors
/// When the settings do not say where it is.
pub fn database(
    process: Process,
    settings: &Settings,
    service: ServiceName,
    clock: Clock,
) -> Result<Database, StartError> {
    Foundation::lay(process, settings, clock)?.database(service).map_err(Into::into)
}
