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
mod store;

use app::App;

/// The knowledge service.
pub const SERVICE: ServiceDef = ServiceDef {
    name: ServiceName::KnowledgeService,
    tables: Some(Tables { migrations: common::migrations!["0001_sources"], durability: Durability::Normal }),
    listens: &[],
    build,
};

fn build(_settings: &Settings, platform: &Platform) -> Result<Service, ConfigError> {
    let app = App::new(platform);
    Ok(Service {
        // Search → handlers/search.rs
        servers: vec![Arc::new(KnowledgeServer(app))],
        ..Service::default()
    })
}
