//! Tables: one query text over `PostgreSQL` and `SQLite`.
//!
//! [`Database`] lends connections to blocking work off the async threads: [`Database::read`] for queries,
//! [`Database::write`] for a transaction, in which messages are staged ([`Tx::stage`]) so that state and message commit
//! together. Ids are made by the program; leases and due times come from [`Database::now`], the database's clock.
//!
//! What does not work on both engines stays out of queries: `returning`, inserting a `Vec`, `on_conflict`, row locks. The
//! few places that need one of them are helpers in this folder.

#[expect(missing_docs, reason = "the derive writes public items without any")]
mod connection;
mod error;
mod groups;
pub mod inbox;
pub mod lease;
mod many;
pub mod migrate;
pub mod outbox;
mod pool;
pub(crate) mod queue;
mod schema;
mod tx;
pub mod types;

pub use connection::{Db, MultiBackend};
pub use error::DbError;
pub use many::insert_many;
pub use migrate::Migration;
pub use pool::{Database, DatabaseConfig, Durability};
pub use tx::Tx;
pub use types::{Id, Json, Time, sql};
