//! Lends connections to blocking work. On `SQLite` all writes go through one connection ([`groups`]) and reads have their own;
//! on `PostgreSQL` one pool serves both.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::RunQueryDsl as _;
use diesel::r2d2::{Pool, PooledConnection};
use tokio::sync::{Notify, Semaphore};

use super::connection::{Deaths, Factory, Opener, Pooled};
use super::groups::{self, Groups};
use super::tx::After;
use super::{Db, DbError, Tx};
use crate::clock::Clock;
use crate::private;

/// Longest wait for a free connection, and for a turn to write.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How much of what was committed survives the loss of power (`SQLite` only; `PostgreSQL` always keeps it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Every commit reaches the disk: what was answered is kept, what was dialled is known.
    Full,
    /// A crash of the process loses nothing; a loss of power may lose the last moment.
    Normal,
}

/// Where the tables are.
#[derive(Clone, Debug)]
pub enum DatabaseConfig {
    /// A `SQLite` file.
    Sqlite {
        /// The file; made when it is not there.
        path: std::path::PathBuf,
        /// See [`Durability`].
        durability: Durability,
    },
    /// A `PostgreSQL` server.
    Postgres {
        /// `postgres://user:password@host/database`.
        url: String,
        /// The service's own schema.
        schema: String,
        /// Connections of this process.
        connections: u32,
    },
}

/// A service's own tables. Cloning shares the connections.
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

struct Inner {
    writer: Lane,
    /// How writes take turns on `SQLite`.
    groups: Option<Groups>,
    reader: Option<Lane>,
    /// Where the tables are on `PostgreSQL`.
    schema: Option<String>,
    clock: Clock,
    /// The database's clock minus ours, microseconds.
    skew_micros: AtomicI64,
    outbox: Notify,
}

/// Connections and the right to wait for one: blocking threads are never more than connections.
struct Lane {
    pool: Pool<Factory>,
    deaths: Deaths,
    permits: Arc<Semaphore>,
}

impl Database {
    /// Opens the database. Connections are made when they are first needed.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when a `SQLite` file or its folder cannot be made.
    pub fn open(config: &DatabaseConfig, clock: Clock) -> Result<Self, DbError> {
        let (writer, reader) = match config {
            DatabaseConfig::Sqlite { path, durability } => {
                private_file(path)?;
                let opener = Opener::Sqlite {
                    path: path.display().to_string(),
                    durable: *durability == Durability::Full,
                };
                (Lane::new(opener.clone(), 1), Some(Lane::new(opener, 2)))
            }
            DatabaseConfig::Postgres { url, schema, connections } => {
                (Lane::new(Opener::Pg { url: url.clone(), schema: schema.clone() }, *connections), None)
            }
        };
        let schema = match config {
            DatabaseConfig::Sqlite { .. } => None,
            DatabaseConfig::Postgres { schema, .. } => Some(schema.clone()),
        };
        let groups = reader.as_ref().map(|_| Groups::default());
        let (skew_micros, outbox) = (AtomicI64::new(0), Notify::new());
        Ok(Self { inner: Arc::new(Inner { writer, groups, reader, schema, clock, skew_micros, outbox }) })
    }

    /// The schema of the tables; `None` on `SQLite`.
    pub(super) fn schema(&self) -> Option<&str> {
        self.inner.schema.as_deref()
    }

    /// Now by the database's clock (as last measured), which all replicas share.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.inner.clock.now() + TimeDelta::microseconds(self.inner.skew_micros.load(Ordering::Relaxed))
    }

    /// Measures how far the database's clock is from ours. Called at the start and every half minute.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn measure_clock(&self) -> Result<(), DbError> {
        let skew = self.read(|db| skew_micros(db, &Clock::system())).await?;
        self.inner.skew_micros.store(skew, Ordering::Relaxed);
        Ok(())
    }

    /// Runs queries that change nothing.
    ///
    /// # Errors
    /// What `work` answers, or that there is no connection.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: FnOnce(&mut Db) -> Result<T, E> + Send + 'static,
    {
        let lane = self.inner.reader.as_ref().unwrap_or(&self.inner.writer);
        lane.run(move |pooled| {
            let result = work(&mut pooled.db);
            if result.is_err() {
                pooled.broken = !still_answers(&mut pooled.db);
            }
            result
        })
        .await
    }

    /// Runs a transaction: commits when `work` answers `Ok`, else rolls back. Staged messages are sent after the commit.
    ///
    /// A query's failure must be passed on: on `PostgreSQL` a transaction in which a statement has failed cannot commit.
    /// What may fail and be survived goes into a transaction of its own (`tx.conn.transaction(|db| …)`, a savepoint).
    ///
    /// # Errors
    /// What `work` answers, or that the transaction could not be committed.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        if let Some(groups) = self.groups() {
            return groups::write(self, groups, work).await;
        }
        let database = self.clone();
        self.inner.writer.run(move |pooled| database.transaction(pooled, work)).await
    }

    /// How writes take turns on `SQLite`.
    pub(super) fn groups(&self) -> Option<&Groups> {
        self.inner.groups.as_ref()
    }

    /// Runs a transaction on the connection that writes, and rolls back what is left of one that failed. Blocks.
    pub(super) fn on_the_writer(
        &self,
        work: impl FnOnce(&mut Db) -> diesel::QueryResult<()>,
    ) -> Result<(), DbError> {
        let Lane { pool, deaths, .. } = &self.inner.writer;
        let mut pooled = lend(pool, deaths)?;
        let result = work(&mut pooled.db).map_err(DbError::from);
        if result.is_err() {
            pooled.roll_back();
        }
        result
    }

    /// What was to happen after a commit.
    pub(super) fn after_commit(&self, after: After) {
        after.run(&self.inner.outbox);
    }

    fn transaction<T, E: From<DbError>>(
        &self,
        pooled: &mut Pooled,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        if let Err(e) = pooled.db.begin() {
            pooled.broken = true;
            return Err(DbError::from(e).into());
        }
        let mut tx = Tx::new(&mut pooled.db, self.now());
        let result = work(&mut tx);
        let after = tx.finish();
        let committed = result.and_then(|value| match pooled.db.commit() {
            Ok(()) => Ok(value),
            Err(e) => Err(DbError::from(e).into()),
        });
        match &committed {
            Ok(_) => self.after_commit(after),
            Err(_) => pooled.roll_back(),
        }
        committed
    }

    /// Resolves when a message has been staged since the last time.
    pub(crate) async fn outbox_filled(&self) {
        self.inner.outbox.notified().await;
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// When there is none.
    pub async fn ping(&self) -> Result<(), DbError> {
        self.read(|db| diesel::sql_query("SELECT 1").execute(db).map(drop).map_err(DbError::from)).await
    }
}

impl Lane {
    fn new(opener: Opener, size: u32) -> Self {
        let deaths = Deaths::default();
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            .test_on_check_out(false)
            .connection_timeout(LONGEST_WAIT)
            .idle_timeout(None)
            .max_lifetime(None)
            .error_handler(Box::new(Quiet))
            .build_unchecked(Factory { opener, deaths: deaths.clone() });
        Self { pool, deaths, permits: Arc::new(Semaphore::new(size as usize)) }
    }

    async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: FnOnce(&mut Pooled) -> Result<T, E> + Send + 'static,
    {
        let permits = Arc::clone(&self.permits);
        let permit = tokio::time::timeout(LONGEST_WAIT, permits.acquire_owned())
            .await
            .map_err(|_| DbError::Unavailable("no connection became free within 5 s".to_owned()))?
            .map_err(|_| DbError::Unavailable("closed".to_owned()))?;
        let (pool, deaths) = (self.pool.clone(), self.deaths.clone());
        let task = tokio::task::spawn_blocking(crate::trace::carried(move || {
            let _permit = permit;
            let mut pooled = lend(&pool, &deaths)?;
            let result = work(&mut pooled);
            if pooled.broken {
                deaths.note();
            }
            result
        }));
        task.await.map_err(|e| DbError::Unavailable(format!("the work was dropped: {e}")))?
    }
}

/// A connection that nobody has reason to think dead.
fn lend(pool: &Pool<Factory>, deaths: &Deaths) -> Result<PooledConnection<Factory>, DbError> {
    loop {
        let mut pooled = pool.get().map_err(|e| DbError::Unavailable(e.to_string()))?;
        if deaths.none_since(&pooled) {
            return Ok(pooled);
        }
        pooled.broken = true;
    }
}

/// Makes file and folder of the tables so that only their user can read what people said; takes them away from others where
/// they are there already. What `SQLite` makes beside the file is as open as the file.
fn private_file(path: &std::path::Path) -> Result<(), DbError> {
    if path == std::path::Path::new(":memory:") {
        return Ok(()); // SQLite's name for no file
    }
    let cannot = |e: std::io::Error| DbError::Unavailable(format!("cannot make {}: {e}", path.display()));
    if let Some(folder) = path.parent() {
        private::folder(folder).map_err(cannot)?;
    }
    private::file(path).map_err(cannot)?;
    for beside in ["-wal", "-shm"] {
        private::tighten(std::path::Path::new(&format!("{}{beside}", path.display())));
    }
    Ok(())
}

fn skew_micros(db: &mut Db, clock: &Clock) -> Result<i64, DbError> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = super::sql::UtcTime)]
        at: super::Time,
    }
    if !db.is_pg() {
        return Ok(0); // SQLite lives in this process and has our clock
    }
    let before = clock.now();
    let row: Row = diesel::sql_query("SELECT clock_timestamp() AS at").get_result(db)?;
    let middle = before + (clock.now() - before) / 2;
    Ok((row.at.0 - middle).num_microseconds().unwrap_or(0))
}

fn still_answers(db: &mut Db) -> bool {
    !db.is_pg() || diesel::sql_query("SELECT 1").execute(db).is_ok()
}

/// A failed connect is reported to whoever waits for it; the pool's own log line would repeat it every second.
#[derive(Debug)]
struct Quiet;

impl<E> diesel::r2d2::HandleError<E> for Quiet {
    fn handle_error(&self, _: E) {}
}
