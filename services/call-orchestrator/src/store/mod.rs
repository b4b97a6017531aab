//! This service's tables, one file each. The project, for bots the business, is the first argument of every query that a tenant can cause; what
//! the bridge and our own tasks ask is keyed by ids that only they know.

pub(crate) mod bot_calls;
pub(crate) mod bots;
pub(crate) mod calls;
pub(crate) mod costs;
pub(crate) mod erasures;
pub(crate) mod notifications;
pub(crate) mod opening;
pub(crate) mod policies;
pub(crate) mod readings;
pub(crate) mod recordings;
mod schema;
pub(crate) mod shown;
pub(crate) mod standings;
pub(crate) mod suppressions;
pub(crate) mod timed;
pub(crate) mod tool_calls;
pub(crate) mod turns;
pub(crate) mod usage;
pub(crate) mod waiting;
pub(crate) mod withdrawals;

use common::db::DbError;

/// A count or a duration as an `INTEGER` column.
fn int(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// Reads a word that only this program writes.
fn word<T, E: std::fmt::Display>(read: Result<T, E>) -> Result<T, DbError> {
    read.map_err(|e| DbError::Corrupt(e.to_string()))
}
