//! One connection type over two engines, and how each is opened.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use diesel::connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager as _};
use diesel::pg::PgConnection;
use diesel::sqlite::SqliteConnection;
use diesel::{Connection as _, MultiConnection, QueryResult};

/// An open connection. Queries are written once; what the engines do differently stands in this folder.
#[derive(MultiConnection)]
pub enum Db {
    /// `PostgreSQL`.
    Pg(PgConnection),
    /// `SQLite`.
    Sqlite(SqliteConnection),
}

impl Db {
    /// True on `PostgreSQL`.
    #[must_use]
    pub const fn is_pg(&self) -> bool {
        matches!(self, Self::Pg(_))
    }

    /// Starts a transaction. On `SQLite` it takes the write lock at once: a transaction that reads first and writes later
    /// would fail with a stale snapshot.
    pub(super) fn begin(&mut self) -> QueryResult<()> {
        match self {
            Self::Pg(c) => AnsiTransactionManager::begin_transaction(c),
            Self::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE"),
        }
    }

    /// Commits. `PostgreSQL` answers COMMIT with success although it rolls back when a statement before it has failed and
    /// the failure was not passed on; a statement in front, in the same round trip, is refused in that state.
    pub(super) fn commit(&mut self) -> QueryResult<()> {
        match self {
            Self::Pg(c) => c.batch_execute("SELECT 1; COMMIT"),
            Self::Sqlite(c) => AnsiTransactionManager::commit_transaction(c),
        }
    }

    pub(super) fn rollback(&mut self) -> QueryResult<()> {
        match self {
            Self::Pg(c) => AnsiTransactionManager::rollback_transaction(c),
            Self::Sqlite(c) => AnsiTransactionManager::rollback_transaction(c),
        }
    }

    /// Starts a part of the transaction that can be undone alone.
    pub(super) fn begin_savepoint(&mut self) -> QueryResult<()> {
        match self {
            Self::Pg(c) => AnsiTransactionManager::begin_transaction(c),
            Self::Sqlite(c) => AnsiTransactionManager::begin_transaction(c),
        }
    }

    /// Ends such a part and keeps what it did.
    pub(super) fn release_savepoint(&mut self) -> QueryResult<()> {
        match self {
            Self::Pg(c) => AnsiTransactionManager::commit_transaction(c),
            Self::Sqlite(c) => AnsiTransactionManager::commit_transaction(c),
        }
    }

    /// How many transactions and savepoints are open. A connection whose state nobody knows has one open for ever.
    pub(super) fn depth(&mut self) -> u32 {
        let depth = match self {
            Self::Pg(c) => AnsiTransactionManager::transaction_manager_status_mut(c).transaction_depth(),
            Self::Sqlite(c) => AnsiTransactionManager::transaction_manager_status_mut(c).transaction_depth(),
        };
        depth.map_or(u32::MAX, |depth| depth.map_or(0, std::num::NonZeroU32::get))
    }

    pub(super) fn in_transaction(&mut self) -> bool {
        self.depth() > 0
    }
}

/// Opens connections of one database.
#[derive(Clone, Debug)]
pub(super) enum Opener {
    Pg { url: String, schema: String },
    Sqlite { path: String, durable: bool },
}

impl Opener {
    pub(super) fn open(&self) -> Result<Db, diesel::ConnectionError> {
        match self {
            Self::Pg { url, schema } => open_pg(url, schema).map(Db::Pg),
            Self::Sqlite { path, durable } => open_sqlite(path, *durable).map(Db::Sqlite),
        }
    }
}

/// A query that takes longer is a mistake.
pub(super) const STATEMENT_TIMEOUT: &str = "10s";

fn open_pg(url: &str, schema: &str) -> Result<PgConnection, diesel::ConnectionError> {
    let mut conn = PgConnection::establish(&with_deadlines(url))?;
    // A transaction that idles holds locks for nobody.
    conn.batch_execute(&format!(
        "SET search_path TO \"{schema}\"; SET statement_timeout = '{STATEMENT_TIMEOUT}'; \
         SET idle_in_transaction_session_timeout = '30s'; SET client_min_messages = warning"
    ))
    .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// A server that has gone silent (not closed) is given up after seconds and not after TCP's hours. What the operator's own
/// text says wins. Names: libpq, "Parameter Key Words".
fn with_deadlines(url: &str) -> String {
    const PARAMETERS: [(&str, &str); 5] = [
        ("connect_timeout", "5"),
        ("tcp_user_timeout", "15000"),
        ("keepalives_idle", "5"),
        ("keepalives_interval", "5"),
        ("keepalives_count", "2"),
    ];
    let is_url = url.contains("://");
    PARAMETERS.iter().filter(|(name, _)| !url.contains(name)).fold(url.to_owned(), |text, (name, value)| {
        match (is_url, text.contains('?')) {
            (true, false) => format!("{text}?{name}={value}"),
            (true, true) => format!("{text}&{name}={value}"),
            (false, _) => format!("{text} {name}={value}"),
        }
    })
}

fn open_sqlite(path: &str, durable: bool) -> Result<SqliteConnection, diesel::ConnectionError> {
    let mut conn = SqliteConnection::establish(path)?;
    let synchronous = if durable { "FULL" } else { "NORMAL" };
    conn.batch_execute(&format!(
        "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; \
         PRAGMA foreign_keys = ON; PRAGMA cache_size = -1024"
    ))
    .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// A connection in the pool, with a mark for "do not use this one again".
pub(super) struct Pooled {
    pub(super) db: Db,
    pub(super) broken: bool,
    /// [`Deaths`] when it was opened.
    opened_after: u64,
}

impl Pooled {
    /// Rolls back whatever is open. A connection on which that fails is not used again.
    pub(super) fn roll_back(&mut self) {
        while !self.broken && self.db.in_transaction() {
            self.broken = self.db.rollback().is_err();
        }
    }
}

/// How many connections were found dead. They seldom die alone: one that was opened before the last death is not lent out
/// again, so a restart of the server costs one failed call and not one for each connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Deaths(Arc<AtomicU64>);

impl Deaths {
    pub(super) fn note(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn none_since(&self, opened: &Pooled) -> bool {
        self.0.load(Ordering::Relaxed) == opened.opened_after
    }
}

/// The connection pool's factory.
pub(super) struct Factory {
    pub(super) opener: Opener,
    pub(super) deaths: Deaths,
}

impl diesel::r2d2::ManageConnection for Factory {
    type Connection = Pooled;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Pooled, Self::Error> {
        let opened_after = self.deaths.0.load(Ordering::Relaxed);
        let db = self.opener.open().map_err(diesel::r2d2::Error::ConnectionError)?;
        Ok(Pooled { db, broken: false, opened_after })
    }

    fn is_valid(&self, _: &mut Pooled) -> Result<(), Self::Error> {
        Ok(()) // never asked: a check on every loan doubles the round trips
    }

    fn has_broken(&self, conn: &mut Pooled) -> bool {
        conn.broken || conn.db.in_transaction()
    }
}
