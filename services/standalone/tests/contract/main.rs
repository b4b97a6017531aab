//! What an integrator may rely on, one test for each promise: an HTTP client, a phone line to watch and a webhook endpoint,
//! against a whole running Echo and with no knowledge of what is inside. The name of a test says the promise; a file holds one
//! subject. Every promise is kept on both shipped pairs: `SQLite` with the in-process bus, and `PostgreSQL` with `RabbitMQ`.
//! The tests of a pair share one Echo, each with an account of its own.

#![cfg(test)]

mod client;
mod echo;
mod inbox;
mod line;
mod link;
mod shape;

mod agents;
mod api_keys;
mod auth;
mod authentication;
mod base_urls;
mod bot_crowd;
mod bot_requests;
mod bot_webhook;
mod bots;
mod connect_twilio;
mod customers;
mod deliveries;
mod errors;
mod notifications;
mod projects;
mod signature;
mod variables;
mod voice;
mod webhook_endpoints;
mod webhook_events;

/// Runs a promise on both pairs: an `async fn(Arc<Echo>)` for each name.
macro_rules! promises {
    ($($name:ident;)*) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                Box::pin(super::$name(crate::echo::shared(crate::echo::Pair::Embedded).await)).await;
            })*
        }
        mod distributed {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                Box::pin(super::$name(crate::echo::shared(crate::echo::Pair::Distributed).await)).await;
            })*
        }
    };
}
pub(crate) use promises;
