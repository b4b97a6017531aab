//! The public HTTP edge: one file per resource; each decodes, authorises, calls and encodes.
//!
//! Which path leads to which handler stands in `routes.rs`, what the document says of it above the handler, and what is true of
//! all operations in `openapi.rs`. Every resource is registered by itself and wrapped by itself: other services may have routes on the same listener, and
//! a scope would swallow them.

mod agent_trials;
mod agents;
mod api_keys;
mod app_keys;
mod apps;
mod audit;
mod auth;
mod auth_passwords;
mod auth_sessions;
mod body;
mod bot_calls;
mod bot_webhooks;
mod bots;
mod business;
mod calls;
mod carrier;
mod connect;
mod customer_import;
mod customers;
mod deliveries;
mod docs;
mod edge;
mod fields;
mod idempotent;
pub(crate) mod imports;
mod invitations;
mod members;
mod notification_batch;
mod notification_preview;
mod notifications;
mod openapi;
mod own_app;
mod page;
mod pages;
mod phones;
mod project_settings;
mod projects;
mod query;
pub(crate) mod rate_limits;
mod reply;
pub(crate) mod request_id;
mod routes;
mod sdk;
mod suppressions;
mod usage;
pub(crate) mod voice_proxy;
mod webhooks;
mod widget;

use actix_web::web::ServiceConfig;

use crate::app::App;

/// All routes. What has no route of anybody's is answered here, too.
pub(crate) fn routes(app: &App) -> impl Fn(&mut ServiceConfig) + Send + Sync + 'static {
    routes::register(app)
}
