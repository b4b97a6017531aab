#![doc = include_str!("../README.md")]

use std::sync::Arc;
use std::time::Duration;

use common::config::{ConfigError, Settings};
use common::db::Durability;
use common::platform::Platform;
use common::service::{Service, ServiceDef, Tables, Task};
use contracts::ServiceName;
use contracts::knowledge::{AnswersServer, KnowledgeServer};

mod answering;
mod app;
mod config;
mod domain;
mod embedder;
mod fetch;
mod handlers;
mod indexes;
mod store;
mod tasks;

use app::App;

/// The knowledge service.
pub const SERVICE: ServiceDef = ServiceDef {
    name: ServiceName::KnowledgeService,
    tables: Some(Tables {
        migrations: common::migrations![
            "0001_sources",
            "0002_chunks",
            "0003_changes",
            "0004_answers",
            "0006_embeddings"
        ],
        durability: Durability::Normal,
    }),
    listens: &[],
    build,
};

fn build(settings: &Settings, platform: &Platform) -> Result<Service, ConfigError> {
    let app = App::new(settings, platform)?;
    Ok(Service {
        servers: vec![Arc::new(KnowledgeServer(app.clone())), Arc::new(AnswersServer(app.clone()))],
        tasks: vec![
            // reads what was taken in
            Task::new("embed", Duration::from_secs(5), &app.embed_due, &app, tasks::embed::run),
            tasks::purge::task(&app), // removes answers that are kept no longer
        ],
        ..Service::default()
    })
}
