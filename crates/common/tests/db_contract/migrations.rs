//! Bringing tables up to date: once, in order, all or nothing, and by whoever comes first.

use common::clock::Clock;
use common::db::{Database, DatabaseConfig, DbError, Durability, Migration, migrate, sql};
use diesel::RunQueryDsl as _;
use testkit::database::{Engine, drop_schemas, postgres_url};
use testkit::on_both_engines;
use uuid::Uuid;

on_both_engines!(
    every_step_is_applied_once_and_in_order,
    a_new_step_is_applied_on_top_of_the_old_ones,
    what_is_missing_is_named_until_it_is_applied,
    a_step_that_fails_leaves_nothing_half_applied,
    processes_that_migrate_at_the_same_time_share_the_work,
    a_step_with_a_text_for_postgres_uses_it_there_only,
    a_step_that_no_transaction_can_hold_stands_alone_on_postgres,
);

const fn step(name: &'static str, up: &'static str) -> Migration {
    Migration { name, up, postgres: None }
}

const CALLS: Migration = step("0001_calls", "CREATE TABLE calls (id UUID PRIMARY KEY NOT NULL)");
const TURNS: Migration =
    step("0002_turns", "CREATE TABLE turns (call_id UUID NOT NULL REFERENCES calls (id))");
const BROKEN: Migration = step(
    "0002_turns",
    "CREATE TABLE turns (id UUID PRIMARY KEY NOT NULL); INSERT INTO no_such_table VALUES (1)",
);

/// A place for a database in which nothing is yet.
struct Place {
    config: DatabaseConfig,
    schema: String,
    _folder: tempfile::TempDir,
}

impl Place {
    fn new(engine: Engine) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let schema = format!("test_{}", Uuid::now_v7().simple());
        let config = match engine {
            Engine::Sqlite => DatabaseConfig::Sqlite {
                path: folder.path().join("folder made on demand").join("test.sqlite"),
                durability: Durability::Full,
            },
            Engine::Postgres => {
                DatabaseConfig::Postgres { url: postgres_url(), schema: schema.clone(), connections: 1 }
            }
        };
        Self { config, schema, _folder: folder }
    }

    fn open(&self) -> Database {
        Database::open(&self.config, Clock::system()).expect("a database")
    }

    async fn migrate(&self, steps: &'static [Migration]) -> Result<Vec<&'static str>, DbError> {
        migrate::run(&self.open(), steps).await
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop_schemas(&self.schema);
    }
}

async fn has_table(database: &Database, table: &'static str) -> bool {
    let look = move |db: &mut common::db::Db| {
        diesel::sql_query(format!("SELECT 1 FROM {table}")).execute(db).map_err(DbError::from)
    };
    database.read(look).await.is_ok()
}

async fn every_step_is_applied_once_and_in_order(engine: Engine) {
    const STEPS: &[Migration] = &[CALLS, TURNS];
    let place = Place::new(engine);
    assert_eq!(
        place.migrate(STEPS).await.unwrap(),
        ["0000_platform", "0000_platform_backoff", "0001_calls", "0002_turns"]
    );
    assert_eq!(place.migrate(STEPS).await.unwrap(), Vec::<&str>::new());
    assert!(has_table(&place.open(), "turns").await);
}

async fn a_new_step_is_applied_on_top_of_the_old_ones(engine: Engine) {
    let place = Place::new(engine);
    place.migrate(&[CALLS]).await.unwrap();
    assert_eq!(place.migrate(&[CALLS, TURNS]).await.unwrap(), ["0002_turns"]);
}

async fn what_is_missing_is_named_until_it_is_applied(engine: Engine) {
    const STEPS: &[Migration] = &[CALLS, TURNS];
    let place = Place::new(engine);
    let database = place.open();
    let missing = migrate::missing(&database, STEPS).await.unwrap();
    assert_eq!(missing, ["0000_platform", "0000_platform_backoff", "0001_calls", "0002_turns"]);
    place.migrate(&[CALLS]).await.unwrap();
    assert_eq!(migrate::missing(&database, STEPS).await.unwrap(), ["0002_turns"]);
    place.migrate(STEPS).await.unwrap();
    assert_eq!(migrate::missing(&database, STEPS).await.unwrap(), Vec::<&str>::new());
}

async fn a_step_that_fails_leaves_nothing_half_applied(engine: Engine) {
    let place = Place::new(engine);
    let problem = place.migrate(&[CALLS, BROKEN]).await.unwrap_err().to_string();
    assert!(problem.contains("no_such_table"), "{problem}");
    let database = place.open();
    assert!(!has_table(&database, "calls").await, "the step before it belongs to the same run");
    assert!(!has_table(&database, "turns").await, "nor the first half of the step itself");
    let repaired = place.migrate(&[CALLS, TURNS]).await.unwrap();
    assert_eq!(repaired, ["0000_platform", "0000_platform_backoff", "0001_calls", "0002_turns"]);
}

async fn processes_that_migrate_at_the_same_time_share_the_work(engine: Engine) {
    const STEPS: &[Migration] = &[CALLS, TURNS];
    for _ in 0..3 {
        let place = Place::new(engine);
        let (a, b, c) = tokio::join!(place.migrate(STEPS), place.migrate(STEPS), place.migrate(STEPS));
        let mut applied = [a.unwrap(), b.unwrap(), c.unwrap()].concat();
        applied.sort_unstable();
        assert_eq!(
            applied,
            ["0000_platform", "0000_platform_backoff", "0001_calls", "0002_turns"],
            "each by one of them"
        );
    }
}

async fn a_step_with_a_text_for_postgres_uses_it_there_only(engine: Engine) {
    const STEPS: &[Migration] = &[Migration {
        name: "0001_engines",
        up: "CREATE TABLE in_sqlite (id UUID PRIMARY KEY NOT NULL)",
        postgres: Some("CREATE TABLE in_postgres (id uuid PRIMARY KEY)"),
    }];
    let place = Place::new(engine);
    place.migrate(STEPS).await.unwrap();
    let database = place.open();
    assert_eq!(has_table(&database, "in_sqlite").await, engine == Engine::Sqlite);
    assert_eq!(has_table(&database, "in_postgres").await, engine == Engine::Postgres);
}

/// What `CREATE INDEX CONCURRENTLY` waits for: every replica that migrates at the same moment.
async fn a_step_that_no_transaction_can_hold_stands_alone_on_postgres(engine: Engine) {
    const INDEX: Migration = Migration {
        name: "0002_index",
        up: "CREATE INDEX turns_by_call ON calls (id)",
        postgres: Some(
            "DROP INDEX CONCURRENTLY IF EXISTS turns_by_call;\nCREATE INDEX CONCURRENTLY turns_by_call ON calls (id);\n",
        ),
    };
    const LATER: Migration = step("0003_turns", "CREATE TABLE turns (id UUID PRIMARY KEY NOT NULL)");
    const STEPS: &[Migration] = &[CALLS, INDEX, LATER];
    let place = Place::new(engine);
    let (a, b, c) = tokio::join!(place.migrate(STEPS), place.migrate(STEPS), place.migrate(STEPS));
    let mut applied = [a.unwrap(), b.unwrap(), c.unwrap()].concat();
    applied.sort_unstable();
    let all = ["0000_platform", "0000_platform_backoff", "0001_calls", "0002_index", "0003_turns"];
    assert_eq!(applied, all, "each by one of them");
    assert!(has_table(&place.open(), "turns").await);
}

#[derive(diesel::QueryableByName)]
struct Setting {
    #[diesel(sql_type = sql::Text)]
    value: String,
}

#[tokio::test]
async fn a_step_may_take_minutes_and_the_queries_after_it_may_not() {
    const STEPS: &[Migration] =
        &[step("0001_slow", "CREATE TABLE seen AS SELECT current_setting('statement_timeout') AS value")];
    let place = Place::new(Engine::Postgres);
    let database = place.open();
    migrate::run(&database, STEPS).await.unwrap();
    let asked = |query: &'static str| {
        let read = move |db: &mut common::db::Db| {
            Ok::<_, DbError>(diesel::sql_query(query).get_result::<Setting>(db)?.value)
        };
        database.read(read)
    };
    assert_eq!(asked("SELECT value FROM seen").await.unwrap(), "15min");
    assert_eq!(asked("SELECT current_setting('statement_timeout') AS value").await.unwrap(), "10s");
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_a_database_that_is_slow() {
    let place = Place::new(Engine::Postgres);
    let told = place
        .open()
        .read(|db| {
            diesel::sql_query("SET statement_timeout = '1ms'").execute(db)?;
            Ok::<_, DbError>(diesel::sql_query("SELECT pg_sleep(60)").execute(db).map(drop)?)
        })
        .await
        .unwrap_err();
    assert!(told.is_away(), "{told:?}");
}
