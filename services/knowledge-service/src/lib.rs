#![doc = include_str!("../README.md")]

use std::sync::Arc;

use common::config::{ConfigError, Settings};
use common::db::Durability;
use common::platform::Platform;
use common::service::{Service, ServiceDef, Tables};
use contracts::ServiceName;
use contracts::knowledge::KnowledgeServer;

mod app;
mod domain;
mod handlers;
mod indexes;
mod store;

use app::App;

/// The knowledge service.
pub const SERVICE: ServiceDef = ServiceDef {
    name: ServiceName::KnowledgeService,
    tables: Some(Tables {
        migrations: common::migrations!["0001_sources", "0002_chunks", "0003_changes"],
        durability: Durability::Normal,
    }),
    listens: &[],
    build,
};

fn build(settings: &Settings, platform: &Platform) -> Result<Service, ConfigError> {
    let app = App::new(settings, platform)?;
    Ok(Service { servers: vec![Arc::new(KnowledgeServer(app))], ..Service::default() })
}
