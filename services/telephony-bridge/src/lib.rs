#![doc = include_str!("../README.md")]

mod app;
mod carrier;
mod carriers;
pub mod check;
mod config;
mod connecting;
mod dialling;
mod domain;
mod error;
mod events;
mod handlers;
mod http;
mod progress;
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
use contracts::telephony::CarriersServer;
use tokio::sync::Notify;

use app::App;
use config::Config;

/// The telephony-bridge, for a process to run.
pub const SERVICE: ServiceDef = ServiceDef {
    name: ServiceName::TelephonyBridge,
    tables: Some(Tables {
        migrations: common::migrations![
            "0001_attempts",
            "0002_carriers",
            "0005_leave_message",
            "0006_inbound",
            "0007_prices",
            "0008_erasure",
            "0009_bots",
            "0010_second_legs",
            "0011_recordings",
            "0012_forget_callers",
            "0013_nobody_reached",
            "0014_own_voice"
        ],
        durability: Durability::Full,
    }),
    listens: &[("ECHO_HTTP_ADDR", "127.0.0.1:8080")],
    build,
};

fn build(settings: &Settings, platform: &Platform) -> Result<Service, ConfigError> {
    let app = App::new(Config::load(settings)?, platform)?;
    let started = Arc::new(Notify::new());
    started.notify_one();
    let stale = Arc::new(Notify::new());
    stale.notify_one();
    Ok(Service {
        mounts: vec![Mount::public(http::routes(&app))],
        subscriptions: vec![
            Subscription::to(&app, handlers::dial_requested::handle),
            Subscription::to(&app, handlers::stop_call_requested::handle),
            Subscription::to(&app, handlers::leave_message_requested::handle),
            Subscription::to(&app, handlers::delete_recording_requested::handle),
            Subscription::to(&app, handlers::customer_erased::handle),
            Subscription::to(&app, handlers::project_deleted::handle),
        ],
        servers: vec![Arc::new(CarriersServer(handlers::carriers::Carriers(app.clone())))],
        tasks: vec![
            Task::new("after start", Duration::from_secs(3600 * 24), &started, &app, |app: App| async move {
                tasks::reconcile::after_start(&app).await
            }),
            Task::new(
                "reconcile",
                Duration::from_secs(2),
                &Arc::new(Notify::new()),
                &app,
                tasks::reconcile::run,
            ),
            Task::new(
                "ask prices",
                Duration::from_secs(2),
                &Arc::new(Notify::new()),
                &app,
                tasks::ask_prices::run,
            ),
            Task::new(
                "forget numbers",
                Duration::from_secs(5),
                &app.forget_due,
                &app,
                tasks::forget_numbers::run,
            ),
            Task::new("forget carriers", Duration::from_secs(600), &stale, &app, tasks::forget_carriers::run),
        ],
    })
}
