//! Brings a service's tables up to date: the platform's own (outbox, inbox, queue) first, then the service's. One SQL text
//! serves both engines; a step that cannot has `up.postgres.sql` beside it, and `=> postgres` behind its name says so.
//!
//! All missing steps are one transaction, except on `PostgreSQL` a step whose text says `CONCURRENTLY`: the server refuses
//! that within one. Such a step stands alone, each of its statements commits by itself, and it must bear being run again
//! from its beginning: `DROP INDEX CONCURRENTLY IF EXISTS` before `CREATE INDEX CONCURRENTLY`.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;

use super::connection::STATEMENT_TIMEOUT;
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

/// Names the steps of a service: `migrations!["0001_calls", "0002_index" => postgres, …]` reads
/// `migrations/0001_calls/up.sql` of the calling crate, and for the second one `up.postgres.sql` beside it, too.
#[macro_export]
macro_rules! migrations {
    ($($name:literal $(=> $engine:ident)?),* $(,)?) => {
        &[$($crate::db::Migration {
            name: $name,
            up: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $name, "/up.sql")),
            postgres: $crate::migrations!(@text $name $($engine)?),
        }),*]
    };
    (@text $name:literal) => {
        None
    };
    (@text $name:literal postgres) => {
        Some(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $name, "/up.postgres.sql")))
    };
}

const PLATFORM: &[Migration] = crate::migrations!["0000_platform", "0000_platform_backoff"];

/// Any number, the same in every replica: only one migrates at a time.
const ADVISORY_LOCK: i64 = 0x4563_686f;

/// A step over a large table takes its time; a statement that takes longer than this is stuck.
const STATEMENT_WITHIN: &str = "15min";
/// How long whoever comes second waits for the one that migrates.
const LOCK_WITHIN: Duration = Duration::from_secs(900);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Applies what is missing and answers the names of what was applied.
///
/// # Errors
/// When a step fails; then nothing of its transaction is applied.
pub async fn run(database: &Database, steps: &'static [Migration]) -> Result<Vec<&'static str>, DbError> {
    match database.schema().map(ToOwned::to_owned) {
        None => {
            database.write(move |tx| apply(tx.conn, tx.now().into(), &all(steps).collect::<Vec<_>>())).await
        }
        Some(schema) => {
            let now = database.now().into();
            database.read(move |db| on_postgres(db, now, &schema, steps)).await
        }
    }
}

/// One migrates at a time, and nobody waits for it within a transaction or a statement: `CREATE INDEX CONCURRENTLY` waits
/// for all of those to end.
fn on_postgres(
    db: &mut Db,
    now: Time,
    schema: &str,
    steps: &'static [Migration],
) -> Result<Vec<&'static str>, DbError> {
    lock(db)?;
    let applied = db
        .batch_execute(&format!("SET statement_timeout = '{STATEMENT_WITHIN}'"))
        .map_err(DbError::from)
        .and_then(|()| apply_in_parts(db, now, schema, steps));
    // Both belong to the connection, which others use next.
    let restored = db.batch_execute(&format!(
        "SET statement_timeout = '{STATEMENT_TIMEOUT}'; SELECT pg_advisory_unlock({ADVISORY_LOCK})"
    ));
    let applied = applied?;
    restored?;
    Ok(applied)
}

fn lock(db: &mut Db) -> Result<(), DbError> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = super::sql::Bool)]
        mine: bool,
    }
    let until = Instant::now() + LOCK_WITHIN;
    loop {
        let text = format!("SELECT pg_try_advisory_lock({ADVISORY_LOCK}) AS mine");
        let row: Row = diesel::sql_query(text).get_result(db)?;
        if row.mine {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(DbError::Unavailable("another process has been migrating for 15 minutes".to_owned()));
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Steps that go together in one transaction, or one that stands alone.
fn apply_in_parts(
    db: &mut Db,
    now: Time,
    schema: &str,
    steps: &'static [Migration],
) -> Result<Vec<&'static str>, DbError> {
    let steps: Vec<&Migration> = all(steps).collect();
    let mut done = Vec::new();
    for part in steps.chunk_by(|a, b| !a.stands_alone() && !b.stands_alone()) {
        match part {
            [alone] if alone.stands_alone() => done.extend(apply_alone(db, now, alone)?),
            together => done.extend(in_transaction(db, |db| {
                make_schema(db, schema)?;
                apply(db, now, together)
            })?),
        }
    }
    Ok(done)
}

fn in_transaction<T>(db: &mut Db, work: impl FnOnce(&mut Db) -> Result<T, DbError>) -> Result<T, DbError> {
    db.begin()?;
    let result = work(db).and_then(|value| Ok(db.commit().map(|()| value)?));
    if result.is_err() && db.in_transaction() {
        db.rollback()?;
    }
    result
}

fn apply_alone(db: &mut Db, now: Time, step: &Migration) -> Result<Option<&'static str>, DbError> {
    if applied(db)?.iter().any(|name| name == step.name) {
        return Ok(None);
    }
    for statement in statements(step.postgres.unwrap_or(step.up)) {
        db.batch_execute(statement)?;
    }
    note(db, now, step)?;
    Ok(Some(step.name))
}

/// The statements of a text in which each ends with a semicolon at the end of its line.
fn statements(text: &str) -> impl Iterator<Item = &str> {
    text.split(";\n").map(str::trim).filter(|statement| !statement.is_empty())
}

impl Migration {
    fn stands_alone(&self) -> bool {
        self.postgres.is_some_and(|text| text.contains("CONCURRENTLY"))
    }
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

// Not IF NOT EXISTS: it asks for the right to make schemas even where there is nothing to make.
fn make_schema(db: &mut Db, schema: &str) -> Result<(), DbError> {
    Ok(db.batch_execute(&format!(
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = '{schema}') \
         THEN CREATE SCHEMA \"{schema}\"; END IF; END $$"
    ))?)
}

fn apply(db: &mut Db, now: Time, steps: &[&'static Migration]) -> Result<Vec<&'static str>, DbError> {
    db.batch_execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY NOT NULL, applied_at TIMESTAMPTZ NOT NULL)",
    )?;
    let before = applied(db)?;
    let mut done = Vec::new();
    for step in steps.iter().filter(|m| !before.iter().any(|name| name == m.name)) {
        let text = if db.is_pg() { step.postgres.unwrap_or(step.up) } else { step.up };
        db.batch_execute(text)?;
        note(db, now, step)?;
        done.push(step.name);
    }
    Ok(done)
}

fn note(db: &mut Db, now: Time, step: &Migration) -> Result<(), DbError> {
    diesel::insert_into(schema_migrations::table)
        .values((schema_migrations::name.eq(step.name), schema_migrations::applied_at.eq(now)))
        .execute(db)?;
    Ok(())
}
