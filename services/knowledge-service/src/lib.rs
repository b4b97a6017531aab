#![doc = include_str!("../README.md")]

use std::sync::Arc;
use std::time::Duration;

use common::bus::Subscription;
use common::config::{ConfigError, Settings};
use common::db::Durability;
use common::platform::Platform;
use common::service::{Service, ServiceDef, Tables, Task};
use contracts::ServiceName;
use contracts::knowledge::{AnswersServer, KnowledgeServer, TicketsServer};

mod answering;
mod app;
mod config;
mod domain;
mod embedder;
mod fetch;
mod found;
mod handlers;
mod indexes;
mod store;
mod tasks;
mod ticketing;

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
            "0005_tickets",
            "0006_embeddings"
        ],
        // A ticket that was opened and a document that was deleted stay so, also after a loss of power.
        durability: Durability::Full,
    }),
    listens: &[],
    build,
};

fn build(settings: &Settings, platform: &Platform) -> Result<Service, ConfigError> {
    let app = App::new(settings, platform)?;
    Ok(Service {
        subscriptions: vec![
            Subscription::to(&app, handlers::question_unanswered::handle),
            Subscription::to(&app, handlers::app_deleted::handle),
        ],
        servers: vec![
            Arc::new(KnowledgeServer(app.clone())),
            Arc::new(AnswersServer(app.clone())),
            Arc::new(TicketsServer(app.clone())),
        ],
        tasks: vec![
            // reads what was taken in
            Task::new("embed", Duration::from_secs(5), &app.embed_due, &app, tasks::embed::run),
            tasks::purge::task(&app), // removes answers and resolved tickets that are kept no longer
        ],
        ..Service::default()
    })
}
