//! The bridge as its neighbours see it: messages in and out, the real sandbox carrier on one side, a scripted orchestrator
//! on the other. Every story is told on both engines.

#![cfg(test)]

mod answered_by;
mod bodies;
mod callbacks;
mod crashes;
mod dialling;
mod documents;
mod line;
mod orchestrator;
mod signatures;
mod silence;
mod stopping;
mod strangers;
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
