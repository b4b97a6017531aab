//! What the settings say a process stands on: files and an in-process bus, or `PostgreSQL` and `RabbitMQ`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use contracts::ServiceName;

use super::Process;
use crate::bus::Bus;
use crate::bus::dead_letters::DeadLetters;
use crate::bus::memory::{self, MemoryBus};
use crate::bus::rabbitmq::RabbitMq;
use crate::bus::topology::Namespace;
use crate::clock::Clock;
use crate::config::{ConfigError, Secret, Settings};
use crate::crypto::Keys;
use crate::db::{Database, DatabaseConfig, Durability};
use crate::metrics::Metrics;
use crate::service::ServiceDef;

pub(super) struct Foundation {
    pub(super) bus: Arc<dyn Bus>,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) keys: Keys,
    /// Beside the sandbox carrier, tenants may name endpoints on this machine.
    pub(super) loopback_open: bool,
    databases: BTreeMap<ServiceName, Database>,
}

impl Foundation {
    pub(super) fn lay(process: Process, settings: &Settings, clock: Clock) -> Result<Self, ConfigError> {
        let data_dir = if process.embedded { Some(settings.data_dir()?) } else { None };
        let metrics = Metrics::default();
        let mut databases = BTreeMap::new();
        for def in process.services {
            let named = tables(def, settings, data_dir.as_deref())?;
            let config = if settings.is_rehearsal() { nowhere() } else { named };
            let database = Database::open(&config, clock.clone())
                .map_err(|e| ConfigError::new("ECHO_DATA_DIR", e.to_string()))?;
            databases.insert(def.name, database);
        }
        let keys = if bare(process) { Keys::passing() } else { Keys::load(settings, data_dir.as_deref()) }?;
        Ok(Self {
            bus: bus(process, settings, &metrics)?,
            clock,
            metrics,
            keys,
            loopback_open: settings.get("ECHO_CARRIER", "twilio".to_owned())? == "sandbox",
            databases,
        })
    }

    pub(super) fn database(&self, service: ServiceName) -> Result<Database, ConfigError> {
        self.databases.get(&service).cloned().ok_or_else(|| {
            ConfigError::new("ECHO_DATABASE_URL", format!("{service} does not run in this process"))
        })
    }
}

/// Tables that nobody keeps.
fn nowhere() -> DatabaseConfig {
    DatabaseConfig::Sqlite { path: ":memory:".into(), durability: Durability::Normal }
}

/// A process without tables has nothing to keep and nobody to talk to but its clients.
fn bare(process: Process) -> bool {
    process.services.iter().all(|def| def.tables.is_none())
}

/// Where the tables of a service are.
fn tables(
    def: &ServiceDef,
    settings: &Settings,
    data_dir: Option<&Path>,
) -> Result<DatabaseConfig, ConfigError> {
    let Some(tables) = def.tables else { return Ok(nowhere()) };
    match (settings.secret("ECHO_DATABASE_URL"), data_dir) {
        (Some(url), _) => postgres(&url, settings, def.name),
        (None, Some(dir)) => Ok(DatabaseConfig::Sqlite {
            path: dir.join(format!("{}.sqlite", def.name)),
            durability: tables.durability,
        }),
        (None, None) => {
            Err(ConfigError::new("ECHO_DATABASE_URL", "required: postgres://user:password@host/database"))
        }
    }
}

fn postgres(url: &Secret, settings: &Settings, service: ServiceName) -> Result<DatabaseConfig, ConfigError> {
    // Several Echos (or tests) in one database keep their schemas apart by a prefix.
    let prefix = settings.get("ECHO_SCHEMA_PREFIX", String::new())?;
    let plain = prefix.len() <= 32
        && prefix.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !plain {
        return Err(ConfigError::new("ECHO_SCHEMA_PREFIX", "up to 32 lower-case letters, digits and _"));
    }
    Ok(DatabaseConfig::Postgres {
        url: url.reveal().to_owned(),
        schema: format!("{prefix}{}", service.snake()),
        connections: settings.get("ECHO_DATABASE_CONNECTIONS", 8)?,
    })
}

/// Where the dead letters of a process's services lie: on the broker, else in their tables.
pub(super) fn dead_letters(
    process: Process,
    settings: &Settings,
) -> Result<Box<dyn DeadLetters>, ConfigError> {
    if let Some(broker) = broker(settings, &Metrics::default())? {
        return Ok(Box::new(broker));
    }
    let data_dir = if process.embedded { Some(settings.data_dir()?) } else { None };
    let mut databases = BTreeMap::new();
    for def in process.services.iter().filter(|def| def.tables.is_some()) {
        let config = tables(def, settings, data_dir.as_deref())?;
        let database = Database::open(&config, Clock::system())
            .map_err(|e| ConfigError::new("ECHO_DATA_DIR", e.to_string()))?;
        databases.insert(def.name, database);
    }
    Ok(memory::dead_letters(databases))
}

fn broker(settings: &Settings, metrics: &Metrics) -> Result<Option<RabbitMq>, ConfigError> {
    let Some(url) = settings.secret("ECHO_AMQP_URL") else { return Ok(None) };
    let namespace = Namespace(settings.get("ECHO_AMQP_NAMESPACE", String::new())?);
    RabbitMq::new(url, namespace, metrics).map(Some)
}

fn bus(process: Process, settings: &Settings, metrics: &Metrics) -> Result<Arc<dyn Bus>, ConfigError> {
    match broker(settings, metrics)? {
        // A broker connects as soon as it is asked for a client.
        Some(_) if settings.is_rehearsal() => Ok(Arc::new(MemoryBus::new(metrics))),
        Some(broker) => Ok(Arc::new(broker)),
        None if process.embedded || bare(process) => Ok(Arc::new(MemoryBus::new(metrics))),
        None => Err(ConfigError::new("ECHO_AMQP_URL", "required: amqp://user:password@host/vhost")),
    }
}
