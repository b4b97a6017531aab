#![doc = include_str!("../README.md")]

mod app;
mod config;
mod domain;
mod error;
mod handlers;
mod http;
mod identity;
mod mails;
mod metrics;
mod store;
mod tasks;

use std::sync::Arc;
use std::time::Duration;

use common::bus::Subscription;
use common::config::{ConfigError, Settings};
use common::db::Durability;
use common::platform::Platform;
use common::service::{Mount, Service, ServiceDef, Tables, Task};
use contracts::ServiceName;
use tokio::sync::Notify;

use app::App;

/// The gateway.
pub const SERVICE: ServiceDef = ServiceDef {
    name: ServiceName::Gateway,
    tables: Some(Tables {
        migrations: common::migrations![
            "0001_accounts",
            "0002_placings",
            "0003_identity",
            "0004_agents_customers",
            "0005_inviters",
            "0006_connections",
            "0007_mails",
            "0008_phone_status",
            "0009_apps",
            "0010_app_requests"
        ],
        durability: Durability::Full,
    }),
    listens: &[("ECHO_HTTP_ADDR", "127.0.0.1:8080")],
    build,
};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);
const OFTEN: Duration = Duration::from_secs(2);

/// Builds the gateway.
///
/// # Errors
/// Which setting is wrong.
fn build(settings: &Settings, platform: &Platform) -> Result<Service, ConfigError> {
    let app = App::new(settings, platform)?;
    let never = Arc::new(Notify::new());
    Ok(Service {
        mounts: vec![Mount::public(http::routes(&app))],
        subscriptions: vec![Subscription::to(&app, handlers::phone_reachability_changed::handle)],
        servers: vec![],
        tasks: vec![
            Task::new("forget what has expired", HOUR, &never, &app, tasks::forget_expired::run),
            Task::new("empty deleted projects", MINUTE, &app.deletions, &app, tasks::empty_deleted::run),
            Task::new("pass mail on", OFTEN, &app.mails_due, &app, tasks::pass_on_mails::run),
            Task::new("undo connections", OFTEN, &never, &app, tasks::undo_connections::run),
            Task::new("withdraw what nobody knows", OFTEN, &never, &app, tasks::withdraw_unknown::run),
        ],
    })
}
