//! A server that ends connections, or is not there: the call at hand is told, the next one works, nothing is half done.

use std::sync::{Arc, Barrier};

use common::clock::Clock;
use common::db::{Database, DatabaseConfig, Db, DbError, Durability, sql};
use diesel::prelude::*;
use diesel::sql_query;
use testkit::database::{Engine, postgres_url};
use uuid::Uuid;

use crate::tables::{Call, database, insert, labels};

/// As many as the test database may open.
const CONNECTIONS: usize = 4;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = sql::BigInt)]
    n: i64,
}

/// Ends the server's side of every connection whose last query carries `marker`, and answers how many there were.
fn terminate(marker: &str) -> i64 {
    let mut operator = PgConnection::establish(&postgres_url()).expect("a connection of the operator");
    let text = format!(
        "SELECT count(pg_terminate_backend(pid, 5000)) AS n FROM pg_stat_activity \
         WHERE query LIKE '%{marker}%' AND pid <> pg_backend_pid()"
    );
    sql_query(text).get_result::<Count>(&mut operator).expect("an answer").n
}

fn mark(db: &mut Db, marker: &str) -> Result<(), DbError> {
    sql_query(format!("SELECT 1 /* {marker} */")).execute(db)?;
    Ok(())
}

fn new_marker() -> String {
    Uuid::now_v7().simple().to_string()
}

/// Opens every connection that the pool may have and marks it.
async fn mark_all(database: &Database, marker: &str) {
    let all_there = Arc::new(Barrier::new(CONNECTIONS));
    let reads: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (database, all_there, marker) = (database.clone(), Arc::clone(&all_there), marker.to_owned());
            tokio::spawn(async move {
                let work = move |db: &mut Db| {
                    all_there.wait();
                    mark(db, &marker)
                };
                database.read(work).await
            })
        })
        .collect();
    for read in reads {
        read.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ends_all_connections_costs_one_failed_read() {
    let test = database(Engine::Postgres).await;
    let marker = new_marker();
    mark_all(&test.database, &marker).await;
    assert_eq!(terminate(&marker), 4);
    let told = test.database.ping().await;
    assert!(matches!(told, Err(DbError::Unavailable(_))), "{told:?}");
    mark_all(&test.database, &new_marker()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ends_all_connections_costs_one_failed_write() {
    let test = database(Engine::Postgres).await;
    let marker = new_marker();
    mark_all(&test.database, &marker).await;
    assert_eq!(terminate(&marker), 4);
    let told = test.database.write(|tx| insert(tx.conn, &Call::labelled("lost"))).await;
    assert!(matches!(told, Err(DbError::Unavailable(_))), "{told:?}");
    for label in ["a", "b", "c", "d", "e"] {
        test.database.write(|tx| insert(tx.conn, &Call::labelled(label))).await.unwrap();
    }
    assert_eq!(labels(&test.database).await, ["a", "b", "c", "d", "e"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_ends_in_a_transaction_leaves_nothing_behind() {
    let test = database(Engine::Postgres).await;
    let marker = new_marker();
    let told = test
        .database
        .write(move |tx| {
            insert(tx.conn, &Call::labelled("undone"))?;
            mark(tx.conn, &marker)?;
            assert_eq!(terminate(&marker), 1);
            insert(tx.conn, &Call::labelled("never"))
        })
        .await;
    assert!(matches!(told, Err(DbError::Unavailable(_))), "{told:?}");
    test.database.write(|tx| insert(tx.conn, &Call::labelled("next"))).await.unwrap();
    assert_eq!(labels(&test.database).await, ["next"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_ends_before_the_commit_does_not_pass_for_one() {
    let test = database(Engine::Postgres).await;
    let marker = new_marker();
    let told = test
        .database
        .write(move |tx| {
            tx.after_commit(|| panic!("there was no commit"));
            insert(tx.conn, &Call::labelled("undone"))?;
            mark(tx.conn, &marker)?;
            assert_eq!(terminate(&marker), 1);
            Ok::<_, DbError>(())
        })
        .await;
    assert!(matches!(told, Err(DbError::Unavailable(_))), "{told:?}");
    assert_eq!(labels(&test.database).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_away_and_says_where() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = DatabaseConfig::Postgres {
        url: format!("postgres://postgres@{free}/postgres"),
        schema: "nowhere".to_owned(),
        connections: 1,
    };
    let database = Database::open(&config, Clock::system()).unwrap();
    let told = database.ping().await.unwrap_err();
    assert!(told.is_away(), "{told:?}");
    assert!(told.to_string().contains(&free.port().to_string()), "{told}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().join("below a file").join("test.sqlite");
    let durability = common::db::Durability::Full;
    let opened = Database::open(&DatabaseConfig::Sqlite { path, durability }, Clock::system());
    let problem = opened.err().expect("it cannot be opened").to_string();
    assert!(problem.contains("below a file"), "{problem}");
}

#[tokio::test]
async fn files_of_sqlite_are_for_their_user_only_also_those_that_were_there() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    // As an earlier version or a copy may have left them.
    let open = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    open(folder.path(), 0o755);
    let path = folder.path().join("calls.sqlite");
    std::fs::write(&path, "").unwrap();
    open(&path, 0o644);
    let config = DatabaseConfig::Sqlite { path, durability: Durability::Normal };
    let database = Database::open(&config, Clock::system()).unwrap();
    common::db::migrate::run(&database, &[]).await.unwrap();
    let files: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|e| (e.file_name().into_string().unwrap(), e.metadata().unwrap().permissions().mode() & 0o777))
        .collect();
    assert!(files.len() >= 2, "{files:?}");
    assert!(files.iter().all(|(_, mode)| *mode == 0o600), "{files:?}");
}
