//! The gateway from outside: through HTTP and the bus only, with stand-ins for its neighbours, on both engines.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so"
)]

mod agent_trials;
mod agents;
mod api_keys;
mod apps;
mod audit;
mod auth;
mod bad_bodies;
mod bad_fields;
mod batch;
mod bot_calls;
mod bot_webhooks;
mod bots;
mod carrier;
mod connect;
mod customers;
mod doors;
mod edge;
mod fakes;
mod firebase;
mod idempotency;
mod import;
mod limits;
mod members;
mod notifications;
mod orders;
mod pages;
mod paging;
mod passwords;
mod phones;
mod preview;
mod processes;
mod projects;
mod questions;
mod quickstart;
mod roles;
mod sessions;
mod support;
mod suppressions;
mod tenancy;
mod tickets;
mod usage;
mod voice;
mod webhooks;
mod widget;
