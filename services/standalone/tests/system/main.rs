//! The promises of the product, one file each, kept by a whole Echo that is seen from outside: HTTP in, phone calls at the
//! sandbox carrier, webhooks out. Every story runs on both shipped pairs: `SQLite` with the in-process bus, and `PostgreSQL`
//! with `RabbitMQ`.

#![cfg(test)]

mod echo;

mod carrier_is_nasty;
mod carriers;
mod how_calls_end;
mod intake;
mod knowledge;
mod model_fails;
mod notifications;
mod quickstart;
mod restart;
mod slack;
mod what_is_said;

/// Runs a story on both pairs.
macro_rules! on_both_pairs {
    ($($(#[$meta:meta])* $name:ident;)*) => {
        mod embedded {
            $($(#[$meta])* #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(crate::echo::Pair::Embedded).await; })*
        }
        mod distributed {
            $($(#[$meta])* #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(crate::echo::Pair::Distributed).await; })*
        }
    };
}
pub(crate) use on_both_pairs;
