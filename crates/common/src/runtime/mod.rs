//! From a list of services to a process: configuration → migrate → bind → build → subscribe → listen → ready, and back again in
//! order: not ready → stop taking → finish what runs → close. A microservice is a list of one; the embedded Echo is a list
//! of all: the same code path.

mod cli;
mod dead_letters;
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
use crate::http::server::{ListenError, Ports};
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
    /// An address is taken, or not one of this machine.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The process that was asked is not well.
    #[error("{0}")]
    Unwell(String),
    /// The operating system refused something.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl StartError {
    /// The exit code that says it.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Unwell(_) | Self::Io(_) => 1,
            Self::Config(_) => 2,
            Self::Migrate { .. } => 3,
            Self::Bus(_) => 4,
            Self::Listen(_) => 5,
        }
    }
}

struct Built {
    def: ServiceDef,
    platform: Platform,
    service: Service,
}

/// The operations endpoint: the one address that answers from the beginning to the end.
const OPS: (&str, &str) = ("ECHO_OPS_ADDR", "127.0.0.1:9080");

/// Starts everything and answers once it is ready.
///
/// # Errors
/// Why not; whatever had been started is stopped again.
pub async fn start(process: Process, mut settings: Settings, clock: Clock) -> Result<Running, StartError> {
    let mut ports = Ports::default();
    bind(&mut ports, &mut settings, std::iter::once(OPS))?;
    let foundation = Foundation::lay(process, &settings, clock)?;
    let readiness = Readiness::new(databases(process, &foundation)?, Arc::clone(&foundation.bus));
    let mut parts = Parts::new(readiness, Arc::clone(&foundation.bus));
    match bring_up(process, &mut settings, &foundation, &mut ports, &mut parts).await {
        Ok(()) => Ok(parts.ready(settings)),
        Err(problem) => {
            parts.stop().await;
            Err(problem)
        }
    }
}

async fn bring_up(
    process: Process,
    settings: &mut Settings,
    foundation: &Foundation,
    ports: &mut Ports,
    parts: &mut Parts,
) -> Result<(), StartError> {
    let ops_routes = ops::routes(parts.readiness(), foundation.metrics.clone());
    parts.serve(ports, OPS.0, vec![Arc::new(ops_routes)])?;
    migrate(process, foundation).await?;
    bind(ports, settings, addresses(process))?;
    let built = build(process, settings, foundation).await?;
    foundation.bus.subscribe(consumers(&built)).await.map_err(StartError::Bus)?;
    start_relays(&built, &*foundation.bus, parts);
    start_tasks(&built, parts);
    serve_all(process, &built, ports, parts)
}

/// The tables that must answer for the process to be ready.
fn databases(
    process: Process,
    foundation: &Foundation,
) -> Result<Vec<(&'static str, Database)>, ConfigError> {
    let with_tables = process.services.iter().filter(|def| def.tables.is_some());
    with_tables.map(|def| Ok((def.name.as_str(), foundation.database(def.name)?))).collect()
}

/// The settings that name the addresses of a process's services, with their defaults.
fn addresses(process: Process) -> impl Iterator<Item = (&'static str, &'static str)> {
    process.services.iter().flat_map(|def| def.listens.iter().copied())
}

/// Takes ports, and fixes the settings to what was really bound.
fn bind(
    ports: &mut Ports,
    settings: &mut Settings,
    addresses: impl Iterator<Item = (&'static str, &'static str)>,
) -> Result<(), StartError> {
    for (setting, default) in addresses {
        let bound = ports.bind(setting, address(settings, setting, default)?)?;
        settings.set(setting, bound.to_string());
    }
    Ok(())
}

fn address(
    settings: &Settings,
    setting: &'static str,
    default: &str,
) -> Result<std::net::SocketAddr, ConfigError> {
    let default = default.parse().map_err(|e| ConfigError::new(setting, format!("bad default: {e}")))?;
    settings.get(setting, default)
}

/// What the process would run with, secrets masked, and the first setting that is wrong. Nothing is opened, bound, made or
/// started.
#[must_use]
pub fn rehearse(process: Process, settings: &Settings) -> (String, Option<ConfigError>) {
    let problem = try_settings(process, settings).err();
    (settings.printed(), problem)
}

fn try_settings(process: Process, settings: &Settings) -> Result<(), ConfigError> {
    crate::telemetry::filter(settings)?;
    for (setting, default) in std::iter::once(OPS).chain(addresses(process)) {
        address(settings, setting, default)?;
    }
    let foundation = Foundation::lay(process, settings, Clock::system())?;
    let egress = egress(settings, &foundation)?;
    for def in process.services {
        (def.build)(settings, &platform(def, &foundation, &egress)?)?;
    }
    Ok(())
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
    let egress = egress(settings, foundation)?;
    process
        .services
        .iter()
        .map(|def| {
            let platform = platform(def, foundation, &egress)?;
            let service = (def.build)(settings, &platform)?;
            Ok(Built { def: *def, platform, service })
        })
        .collect()
}

fn egress(settings: &Settings, foundation: &Foundation) -> Result<EgressPolicy, ConfigError> {
    let egress = EgressPolicy::new(settings.list("ECHO_EGRESS_ALLOW")?);
    Ok(if foundation.loopback_open { egress.with_loopback() } else { egress })
}

fn platform(
    def: &ServiceDef,
    foundation: &Foundation,
    egress: &EgressPolicy,
) -> Result<Platform, ConfigError> {
    Ok(Platform {
        service: def.name,
        database: foundation.database(def.name)?,
        caller: foundation.bus.caller(),
        clock: foundation.clock.clone(),
        metrics: foundation.metrics.clone(),
        keys: foundation.keys.clone(),
        egress: egress.clone(),
    })
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
    let Some(first) = built.first() else { return };
    let numbers = outbox::OutboxNumbers::new(&first.platform.metrics);
    for b in built.iter().filter(|b| b.def.tables.is_some()) {
        let numbers = numbers.of(b.def.name.as_str());
        parts.spawn_relay(|stop| outbox::relay(b.platform.database.clone(), bus.publisher(), numbers, stop));
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
    ports: &mut Ports,
    parts: &mut Parts,
) -> Result<(), StartError> {
    for (setting, _) in addresses(process) {
        let mounts = built.iter().flat_map(|b| b.service.mounts.iter()).filter(|m| m.listener == setting);
        let routes: Vec<_> = mounts.map(|m| Arc::clone(&m.routes)).collect();
        parts.serve(ports, setting, routes)?;
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
