#![doc = include_str!("../README.md")]

mod app;
mod call_seen;
mod carriers;
mod config;
mod conversation;
mod costs;
pub mod domain;
mod error;
mod events;
mod forgetting;
mod handlers;
mod rulebook;
mod stopping;
mod store;
mod story;
mod tasks;

use std::sync::Arc;
use std::time::Duration;

use common::bus::Subscription;
use common::config::{ConfigError, Settings};
use common::db::Durability;
use common::platform::Platform;
use common::service::{Service, ServiceDef, Tables, Task};
use contracts::ServiceName;
use contracts::calls::{
    BotCallsServer, BotsServer, ConversationServer, InboundServer, NotificationsServer, RulesServer,
    SimulationsServer, SuppressionsServer, UsageServer,
};
use tokio::sync::Notify;

use app::App;
use config::Config;

/// The call-orchestrator, for a process to run.
pub const SERVICE: ServiceDef = ServiceDef {
    name: ServiceName::CallOrchestrator,
    tables: Some(Tables {
        migrations: common::migrations![
            "0001_calls",
            "0002_carrier_code",
            "0003_handed_out",
            "0004_rules",
            "0005_notifications_api",
            "0006_conversation",
            "0007_costs",
            "0008_readings",
            "0009_indexes",
            "0010_bots",
            "0011_bot_calls",
            "0012_spend_days",
            "0013_recordings",
            "0014_knowledge"
        ],
        durability: Durability::Full,
    }),
    listens: &[],
    build,
};

fn build(settings: &Settings, platform: &Platform) -> Result<Service, ConfigError> {
    let app = App::new(Config::load(settings)?, platform);
    let never = Arc::new(Notify::new());
    Ok(Service {
        mounts: vec![],
        subscriptions: vec![
            Subscription::to(&app, handlers::cancel_notification::handle),
            Subscription::to(&app, handlers::project_policy_changed::handle),
            Subscription::to(&app, handlers::customer_changed::handle),
            Subscription::to(&app, handlers::customer_erased::handle),
            Subscription::to(&app, handlers::project_deleted::handle),
            Subscription::to(&app, handlers::dial_accepted::handle),
            Subscription::to(&app, handlers::dial_refused::handle),
            Subscription::to(&app, handlers::dial_failed::handle),
            Subscription::to(&app, handlers::call_progressed::handle),
            Subscription::to(&app, handlers::answered_by_detected::handle),
            Subscription::to(&app, handlers::call_priced::handle),
            Subscription::to(&app, handlers::call_recorded::handle),
        ],
        servers: vec![
            Arc::new(NotificationsServer(handlers::rpc::Notifications(app.clone()))),
            Arc::new(ConversationServer(handlers::rpc::Conversation(app.clone()))),
            Arc::new(SuppressionsServer(handlers::rpc::Suppressions(app.clone()))),
            Arc::new(RulesServer(handlers::rpc::Rules(app.clone()))),
            Arc::new(UsageServer(handlers::rpc::Usage(app.clone()))),
            Arc::new(InboundServer(handlers::rpc::Inbound(app.clone()))),
            Arc::new(SimulationsServer(handlers::rpc::Simulations(app.clone()))),
            Arc::new(BotsServer(handlers::rpc::Bots(app.clone()))),
            Arc::new(BotCallsServer(handlers::rpc::BotCalls(app.clone()))),
        ],
        tasks: vec![
            Task::new("dial due", Duration::from_millis(500), &app.dial_due, &app, tasks::dial_due::run),
            Task::background("summarise", &app, tasks::summarise::run),
            Task::new("read calls", Duration::from_secs(2), &app.reading_due, &app, tasks::read_calls::run),
            Task::new("erase", Duration::from_secs(1), &app.erase_due, &app, tasks::erase::run),
            Task::new("purge", Duration::from_secs(10), &never, &app, tasks::purge::run),
            Task::new("reap", Duration::from_secs(15), &never, &app, tasks::reap::run),
        ],
    })
}
