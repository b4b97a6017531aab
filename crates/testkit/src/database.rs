//! A database for one test, on either engine, gone when the test is over.

use common::clock::Clock;
use common::db::{Database, DatabaseConfig, Durability, Migration};
use diesel::RunQueryDsl as _;

/// Runs each named `async fn(Engine)` of the calling module on `SQLite` and on `PostgreSQL`.
#[macro_export]
macro_rules! on_both_engines {
    ($($story:ident),* $(,)?) => {$(
        mod $story {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                Box::pin(super::$story($crate::database::Engine::Sqlite)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                Box::pin(super::$story($crate::database::Engine::Postgres)).await;
            }
        }
    )*};
}

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A `SQLite` file in a temporary folder.
    Sqlite,
    /// A schema of its own on the `PostgreSQL` server at `ECHO_TEST_DATABASE_URL`
    /// (default `postgres://postgres@127.0.0.1:5432/postgres`).
    Postgres,
}

/// A migrated database for one test.
pub struct TestDatabase {
    /// The database.
    pub database: Database,
    /// Its clock.
    pub clock: Clock,
    _folder: tempfile::TempDir,
    schema: Option<String>,
}

impl TestDatabase {
    /// Makes one with the platform's tables and those of `steps`.
    ///
    /// # Panics
    /// When the engine does not answer: a test never skips.
    pub async fn new(engine: Engine, steps: &'static [Migration]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let clock = Clock::system();
        let schema = format!("test_{}", uuid::Uuid::now_v7().simple());
        let config = match engine {
            Engine::Sqlite => DatabaseConfig::Sqlite {
                path: folder.path().join("test.sqlite"),
                durability: Durability::Normal,
            },
            Engine::Postgres => {
                DatabaseConfig::Postgres { url: postgres_url(), schema: schema.clone(), connections: 4 }
            }
        };
        let database = Database::open(&config, clock.clone()).expect("a database");
        common::db::migrate::run(&database, steps).await.unwrap_or_else(|e| {
            panic!("{engine:?} is needed for this test (see `make test`): {e}");
        });
        Self { database, clock, _folder: folder, schema: (engine == Engine::Postgres).then_some(schema) }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some(schema) = &self.schema {
            drop_schemas(schema);
        }
    }
}

/// Where the `PostgreSQL` of the tests is.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "tests are told by their environment where the servers are")]
pub fn postgres_url() -> String {
    std::env::var("ECHO_TEST_DATABASE_URL")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned())
}

#[derive(diesel::QueryableByName)]
struct Counted {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

/// The number that a query of the form `SELECT count(*) AS count FROM …` answers, on the server at `url`.
///
/// # Errors
/// When the server is away or cannot answer that.
pub fn count(url: &str, query: &str) -> Result<i64, String> {
    use diesel::Connection as _;
    let mut conn = diesel::PgConnection::establish(url).map_err(|e| e.to_string())?;
    let row: Counted = diesel::sql_query(query).get_result(&mut conn).map_err(|e| e.to_string())?;
    Ok(row.count)
}

/// The same in a `SQLite` file.
///
/// # Errors
/// When the file cannot be read or cannot answer that.
pub fn count_in_file(file: &std::path::Path, query: &str) -> Result<i64, String> {
    let row: Counted = diesel::sql_query(query).get_result(&mut file_at(file)?).map_err(|e| e.to_string())?;
    Ok(row.count)
}

fn file_at(file: &std::path::Path) -> Result<diesel::SqliteConnection, String> {
    use diesel::Connection as _;
    let url = file.display().to_string();
    let mut conn = diesel::SqliteConnection::establish(&url).map_err(|e| e.to_string())?;
    // Whoever writes the file at this moment is waited for.
    diesel::sql_query("PRAGMA busy_timeout = 5000").execute(&mut conn).map_err(|e| e.to_string())?;
    Ok(conn)
}

#[derive(diesel::QueryableByName)]
struct Read {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

/// The texts that a query of the form `SELECT … AS text FROM …` answers, on the server at `url`.
///
/// # Errors
/// When the server is away or cannot answer that.
pub fn texts(url: &str, query: &str) -> Result<Vec<String>, String> {
    use diesel::Connection as _;
    let mut conn = diesel::PgConnection::establish(url).map_err(|e| e.to_string())?;
    let rows: Vec<Read> = diesel::sql_query(query).load(&mut conn).map_err(|e| e.to_string())?;
    Ok(rows.into_iter().map(|row| row.text).collect())
}

/// The same in a `SQLite` file.
///
/// # Errors
/// When the file cannot be read or cannot answer that.
pub fn texts_in_file(file: &std::path::Path, query: &str) -> Result<Vec<String>, String> {
    let rows: Vec<Read> = diesel::sql_query(query).load(&mut file_at(file)?).map_err(|e| e.to_string())?;
    Ok(rows.into_iter().map(|row| row.text).collect())
}

/// A table of the server of the tests that nobody else can read or write, until this is dropped.
pub struct Locked {
    connection: diesel::PgConnection,
    backend: i64,
}

impl Locked {
    /// Takes `table` for itself.
    ///
    /// # Errors
    /// When the server is away, or there is no such table.
    pub fn table(table: &str) -> Result<Self, String> {
        use diesel::Connection as _;
        use diesel::connection::SimpleConnection as _;
        let mut connection = diesel::PgConnection::establish(&postgres_url()).map_err(|e| e.to_string())?;
        let backend: Counted = diesel::sql_query("SELECT pg_backend_pid()::bigint AS count")
            .get_result(&mut connection)
            .map_err(|e| e.to_string())?;
        connection.batch_execute(&format!("BEGIN; LOCK TABLE {table}")).map_err(|e| e.to_string())?;
        Ok(Self { connection, backend: backend.count })
    }

    /// The ports from which those speak who wait for it.
    ///
    /// # Errors
    /// When the server is away.
    pub fn waiting(&mut self) -> Result<Vec<u16>, String> {
        // What a transaction has once seen of others does not change for it.
        let anew = diesel::sql_query("SELECT pg_stat_clear_snapshot()").execute(&mut self.connection);
        let query = format!(
            "SELECT client_port::bigint AS count FROM pg_stat_activity WHERE {} = ANY (pg_blocking_pids(pid))",
            self.backend
        );
        let rows = anew.and_then(|_| diesel::sql_query(query).load(&mut self.connection));
        let rows: Vec<Counted> = rows.map_err(|e| e.to_string())?;
        Ok(rows.into_iter().filter_map(|row| u16::try_from(row.count).ok()).collect())
    }
}

/// Removes every schema whose name starts with `prefix`; what cannot be removed is left for the next clean-up.
pub fn drop_schemas(prefix: &str) {
    use diesel::Connection as _;
    let Ok(mut conn) = diesel::PgConnection::establish(&postgres_url()) else { return };
    let text = format!(
        "DO $$ DECLARE s text; BEGIN FOR s IN SELECT nspname FROM pg_namespace WHERE nspname LIKE '{prefix}%' \
         LOOP EXECUTE format('DROP SCHEMA %I CASCADE', s); END LOOP; END $$"
    );
    // A test that failed half way may hold locks; its schema is garbage, not a failure.
    let _ = diesel::sql_query(text).execute(&mut conn);
}
