#![doc = include_str!("../README.md")]

mod app;
mod config;
mod domain;
mod handlers;
mod metrics;
mod sending;
mod store;
mod tasks;

use std::sync::Arc;

use common::bus::Subscription;
use common::config::{ConfigError, Settings};
use common::db::Durability;
use common::platform::Platform;
use common::service::{Service, ServiceDef, Tables};
use contracts::ServiceName;
use contracts::webhooks::{
    BotWebhooksServer, DeliveriesServer, EndpointsServer, MailsServer, TargetsServer, TicketNoticesServer,
};

use app::App;

/// The service as a value, for a process of its own and for the embedded Echo.
pub const SERVICE: ServiceDef = ServiceDef {
    name: ServiceName::WebhookDispatcher,
    tables: Some(Tables {
        migrations: common::migrations![
            "0001_deliveries",
            "0002_turns",
            "0003_targets",
            "0004_log",
            "0005_mails",
            "0006_retention",
            "0007_bots",
            "0008_tickets"
        ],
        // An event that was taken over is gone at its sender: it must be as safe here as it was there.
        durability: Durability::Full,
    }),
    listens: &[],
    build,
};

/// Table of contents: what it hears, what it answers, what it does from time to time.
fn build(settings: &Settings, platform: &Platform) -> Result<Service, ConfigError> {
    let app = App::new(settings, platform)?;
    Ok(Service {
        mounts: vec![],
        subscriptions: vec![
            Subscription::to(&app, handlers::call_started::handle),
            Subscription::to(&app, handlers::call_ended::handle),
            Subscription::to(&app, handlers::call_summarised::handle),
            Subscription::to(&app, handlers::bot_completed::handle),
            Subscription::to(&app, handlers::customer_erased::handle),
            Subscription::to(&app, handlers::project_deleted::handle),
            Subscription::to(&app, handlers::project_policy_changed::handle),
            Subscription::to(&app, handlers::app_changed::handle),
            Subscription::to(&app, handlers::app_deleted::handle),
            Subscription::to(&app, handlers::ticket_opened::handle),
        ],
        servers: vec![
            Arc::new(EndpointsServer(app.clone())),
            Arc::new(DeliveriesServer(app.clone())),
            Arc::new(TargetsServer(app.clone())),
            Arc::new(BotWebhooksServer(app.clone())),
            Arc::new(MailsServer(app.clone())),
            Arc::new(TicketNoticesServer(app.clone())),
        ],
        tasks: vec![
            tasks::send::task(&app),     // claims what is due and sends it
            tasks::finish::task(&app),   // writes down what became of it
            tasks::sweep::task(&app),    // finds what a process that is gone had set aside
            tasks::clear::task(&app),    // removes what was sent to deleted endpoints
            tasks::purge::task(&app),    // removes what projects keep no longer
            tasks::mail::task(&app),     // sends what people are written
            tasks::notices::slack(&app), // tells of tickets in Slack
            tasks::notices::mail(&app),  // and by mail
            tasks::notices::tidy(&app),  // ends what was not told in time, forgets what was
            tasks::observe::task(&app),  // counts what waits
        ],
    })
}
