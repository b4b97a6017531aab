//! The service as its neighbours see it: messages and rpcs in, signed requests out, rows left behind. Every story is told on
//! both engines.

#![cfg(test)]

mod answers;
mod endpoints;
mod fan_out;
mod lanes;
mod leases;
mod receiver;
mod schedule;
mod world;

/// Runs stories on `SQLite` and on `PostgreSQL`.
macro_rules! on_both_engines {
    ($($story:ident),* $(,)?) => {$(
        mod $story {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                Box::pin(super::$story(testkit::database::Engine::Sqlite)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                Box::pin(super::$story(testkit::database::Engine::Postgres)).await;
            }
        }
    )*};
}
pub(crate) use on_both_engines;
