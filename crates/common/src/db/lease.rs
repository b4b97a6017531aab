//! Taking work from a table so that no two replicas take the same: rows are leased by an `UPDATE` that skips what others
//! hold, and come back by themselves when whoever leased them dies. A table that uses it has the columns `id UUID` and
//! `lease_until TIMESTAMPTZ NULL`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::RunQueryDsl as _;

use super::{Db, DbError, Id, Time, sql};

/// Which rows to lease. The texts are part of the program, never input.
#[derive(Clone, Copy, Debug)]
pub struct LeaseQuery {
    /// The table.
    pub table: &'static str,
    /// Which rows are due, beside not being leased: SQL over the row in which `$2` is the current time.
    pub due: &'static str,
    /// Which come first.
    pub order: &'static str,
}

#[derive(diesel::QueryableByName)]
struct Leased {
    #[diesel(sql_type = sql::Uuid)]
    id: Id,
}

/// Leases up to `limit` due rows for `hold` and says which.
///
/// # Errors
/// When the update fails.
pub fn claim(
    conn: &mut Db,
    query: &LeaseQuery,
    now: DateTime<Utc>,
    hold: Duration,
    limit: u32,
) -> Result<Vec<Id>, DbError> {
    let LeaseQuery { table, due, order } = query;
    // SQLite has one writer at a time, so there is nobody to skip.
    let skip = if conn.is_pg() { "FOR UPDATE SKIP LOCKED" } else { "" };
    // MATERIALIZED: a planner that thinks the table tiny would run the selection once per row and lease more than `limit`.
    // `$1` stands first: SQLite numbers parameters by where they first appear.
    let text = format!(
        "UPDATE {table} SET lease_until = $1 WHERE id IN (WITH due_rows AS MATERIALIZED (SELECT id FROM {table} \
         WHERE ({due}) AND (lease_until IS NULL OR lease_until < $2) ORDER BY {order} LIMIT {limit} {skip}) \
         SELECT id FROM due_rows) RETURNING id"
    );
    let rows: Vec<Leased> = diesel::sql_query(text)
        .bind::<sql::UtcTime, _>(Time::from(now + hold))
        .bind::<sql::UtcTime, _>(Time::from(now))
        .load(conn)?;
    let mut ids: Vec<Id> = rows.into_iter().map(|r| r.id).collect();
    ids.sort();
    Ok(ids)
}

/// Until the transaction ends, nobody else is past this line with the same `name`. For decisions over several rows, such as
/// "at most so many at a time".
///
/// # Errors
/// When the lock cannot be had within the time a statement may take.
pub fn exclusive(conn: &mut Db, name: &str) -> Result<(), DbError> {
    if conn.is_pg() {
        diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
            .bind::<sql::Text, _>(name)
            .execute(conn)?;
    } // SQLite has one writer at a time anyway
    Ok(())
}

/// The same with many names at once. They are taken in one order, so that two who want some of the same never wait for each
/// other.
///
/// # Errors
/// When the locks cannot be had within the time a statement may take.
pub fn exclusive_all(conn: &mut Db, mut names: Vec<String>) -> Result<(), DbError> {
    if conn.is_pg() {
        names.sort_unstable();
        // OFFSET 0: the planner must not take the locks before the names are in order.
        let text = "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM (SELECT value AS name FROM \
                    jsonb_array_elements_text($1::jsonb) WITH ORDINALITY ORDER BY ordinality OFFSET 0) AS names";
        diesel::sql_query(text)
            .bind::<sql::Text, _>(serde_json::Value::from(names).to_string())
            .execute(conn)?;
    }
    Ok(())
}
