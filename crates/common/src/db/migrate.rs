//! Brings a service's tables up to date: the platform's own (outbox, inbox, queue) first, then the service's. One SQL text
//! serves both engines; a step that cannot has `up.postgres.sql` beside it.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;

use super::schema::schema_migrations;
use super::{Database, Db, DbError, Time};

/// One step. Names sort in the order of application: `0001_calls`.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its folder's name.
    pub name: &'static str,
    /// SQL for both engines, or for `SQLite` when `postgres` is given.
    pub up: &'static str,
    /// SQL for `PostgreSQL` where it must differ.
    pub postgres: Option<&'static str>,
}

/// Names the steps of a service: `migrations!["0001_calls", …]` reads `migrations/0001_calls/up.sql` of the calling crate.
#[macro_export]
macro_rules! migrations {
    ($($name:literal),* $(,)?) => {
        &[$($crate::db::Migration {
            name: $name,
            up: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $name, "/up.sql")),
            postgres: None,
        }),*]
    };
}

const PLATFORM: &[Migration] = crate::migrations!["0000_platform", "0000_platform_backoff"];

/// Any number, the same in every replica: only one migrates at a time.
const ADVISORY_LOCK: i64 = 0x4563_686f;

/// Applies what is missing and answers the names of what was applied.
///
/// # Errors
/// When a step fails; then no step of this run is applied.
pub async fn run(database: &Database, steps: &'static [Migration]) -> Result<Vec<&'static str>, DbError> {
    let schema = database.schema().map(ToOwned::to_owned);
    database.write(move |tx| apply(tx.conn, tx.now().into(), schema.as_deref(), steps)).await
}

/// The names of steps that are not applied yet.
///
/// # Errors
/// When the database cannot be asked.
pub async fn missing(database: &Database, steps: &'static [Migration]) -> Result<Vec<&'static str>, DbError> {
    database
        .read(move |db| {
            let applied = match applied(db) {
                Err(e) if e.is_away() => return Err(e),
                known => known.unwrap_or_default(), // the table of steps is made by the first run
            };
            Ok(all(steps).filter(|m| !applied.contains(&m.name.to_owned())).map(|m| m.name).collect())
        })
        .await
}

fn all(steps: &'static [Migration]) -> impl Iterator<Item = &'static Migration> {
    PLATFORM.iter().chain(steps)
}

fn applied(db: &mut Db) -> Result<Vec<String>, DbError> {
    Ok(schema_migrations::table.select(schema_migrations::name).load(db)?)
}

fn apply(
    db: &mut Db,
    now: Time,
    schema: Option<&str>,
    steps: &'static [Migration],
) -> Result<Vec<&'static str>, DbError> {
    if let Some(schema) = schema {
        // Not IF NOT EXISTS: it asks for the right to make schemas even where there is nothing to make.
        db.batch_execute(&format!(
            "SELECT pg_advisory_xact_lock({ADVISORY_LOCK}); DO $$ BEGIN IF NOT EXISTS \
             (SELECT FROM pg_namespace WHERE nspname = '{schema}') THEN CREATE SCHEMA \"{schema}\"; END IF; END $$"
        ))?;
    }
    db.batch_execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY NOT NULL, applied_at TIMESTAMPTZ NOT NULL)",
    )?;
    let before = applied(db)?;
    let mut done = Vec::new();
    for step in all(steps).filter(|m| !before.iter().any(|name| name == m.name)) {
        let text = if db.is_pg() { step.postgres.unwrap_or(step.up) } else { step.up };
        db.batch_execute(text)?;
        diesel::insert_into(schema_migrations::table)
            .values((schema_migrations::name.eq(step.name), schema_migrations::applied_at.eq(now)))
            .execute(db)?;
        done.push(step.name);
    }
    Ok(done)
}
