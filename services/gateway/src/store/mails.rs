//! `mails`: what the webhook-dispatcher is to send and does not have yet.

use std::time::Duration;

use chrono::{DateTime, Utc};
use common::db::lease::{self, LeaseQuery};
use common::db::{Db, DbError, Id, Time};
use diesel::prelude::*;

use super::schema::mails;

const WAITING: LeaseQuery = LeaseQuery { table: "mails", due: "created_at <= $2", order: "created_at" };

/// A mail that waits.
#[derive(Clone, Debug, Queryable, Insertable, Selectable)]
#[diesel(table_name = mails)]
pub(crate) struct Row {
    pub(crate) id: Id,
    /// Sealed.
    pub(crate) content: String,
    pub(crate) send_before: Time,
    pub(crate) created_at: Time,
}

/// Writes one down.
pub(crate) fn insert(conn: &mut Db, row: &Row) -> Result<(), DbError> {
    diesel::insert_into(mails::table).values(row.clone()).execute(conn)?;
    Ok(())
}

/// Some that nobody is passing on, for `hold`, the oldest first.
pub(crate) fn claim(
    conn: &mut Db,
    now: DateTime<Utc>,
    hold: Duration,
    limit: u32,
) -> Result<Vec<Row>, DbError> {
    let ids = lease::claim(conn, &WAITING, now, hold, limit)?;
    Ok(mails::table.filter(mails::id.eq_any(ids)).select(Row::as_select()).load(conn)?)
}

/// Removes those that have been passed on, or are of no use any more.
pub(crate) fn remove(conn: &mut Db, ids: &[Id]) -> Result<(), DbError> {
    diesel::delete(mails::table.filter(mails::id.eq_any(ids))).execute(conn)?;
    Ok(())
}
