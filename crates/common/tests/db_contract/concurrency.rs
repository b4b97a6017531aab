//! Many at the same time: nobody is turned away, nothing is lost, and of two who decided on the same state one is told.

use std::sync::mpsc;

use common::clock::Clock;
use common::db::{Database, DatabaseConfig, DbError, Durability, Id, Tx, migrate, sql};
use diesel::prelude::*;
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::tables::{Call, STEPS, calls, database, insert, labels, load, store};

const TASKS: usize = 8;
const WRITES: usize = 50;

on_both_engines!(
    writers_and_readers_at_the_same_time_all_succeed,
    more_work_than_connections_waits_its_turn,
    of_two_who_loaded_the_same_version_one_saves,
    whoever_fails_or_panics_among_many_undoes_only_itself,
    a_commit_that_fails_is_told_to_everybody_whose_rows_it_loses,
);

/// Inserts a row and raises a counter in each of [`WRITES`] transactions, and reads after each.
async fn write_and_read(database: Database, counter: Id, writer: usize) -> Result<(), DbError> {
    for n in 0..WRITES {
        let call = Call::labelled(&format!("{writer}-{n}"));
        let id = call.id;
        database
            .write(move |tx| {
                insert(tx.conn, &call)?;
                let raised = calls::version.eq(calls::version + 1);
                diesel::update(calls::table.find(counter)).set(raised).execute(tx.conn)?;
                Ok::<_, DbError>(())
            })
            .await?;
        database.read(move |db| load(db, id)).await?;
    }
    Ok(())
}

async fn assert_all_written(databases: [Database; 2]) {
    let counter = Call { version: 0, ..Call::labelled("counter") };
    let id = counter.id;
    store(&databases[0], &[counter]).await;
    let tasks: Vec<_> = (0..TASKS)
        .map(|writer| tokio::spawn(write_and_read(databases[writer % 2].clone(), id, writer)))
        .collect();
    for task in tasks {
        task.await.unwrap().expect("every write and every read succeeds");
    }
    let (rows, counted) = databases[0]
        .read(move |db| {
            let rows: i64 = calls::table.count().get_result(db)?;
            Ok::<_, DbError>((rows, load(db, id)?.version))
        })
        .await
        .unwrap();
    assert_eq!((rows, counted), (401, 400));
}

async fn writers_and_readers_at_the_same_time_all_succeed(engine: Engine) {
    let test = database(engine).await;
    assert_all_written([test.database.clone(), test.database.clone()]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_may_write_to_the_same_sqlite_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.sqlite");
    let config = DatabaseConfig::Sqlite { path, durability: Durability::Normal };
    let open = || Database::open(&config, Clock::system()).unwrap();
    let databases = [open(), open()];
    migrate::run(&databases[0], STEPS).await.unwrap();
    assert_all_written(databases).await;
}

async fn more_work_than_connections_waits_its_turn(engine: Engine) {
    let test = database(engine).await;
    let reads: Vec<_> = (0..100)
        .map(|_| {
            let database = test.database.clone();
            tokio::spawn(async move { database.ping().await })
        })
        .collect();
    for read in reads {
        read.await.unwrap().unwrap();
    }
}

/// Transactions that all wait while another one holds the writer, if there is only one.
async fn crowd<T: Send + 'static>(
    database: &Database,
    many: usize,
    work: fn(&mut Tx<'_>, usize) -> Result<T, DbError>,
) -> Vec<Result<T, DbError>> {
    let (held, is_held) = tokio::sync::oneshot::channel();
    let (release, released) = mpsc::channel();
    let holder = database.clone();
    let hold = tokio::spawn(async move {
        holder
            .write(move |_| {
                held.send(()).expect("the test waits");
                released.recv().expect("the test goes on");
                Ok::<_, DbError>(())
            })
            .await
    });
    is_held.await.unwrap();
    let database = database.clone();
    let writes: Vec<_> = (0..many)
        .map(|n| {
            let database = database.clone();
            tokio::spawn(async move { database.write(move |tx| work(tx, n)).await })
        })
        .collect();
    release.send(()).unwrap();
    // It may share a commit with the crowd, and what becomes of it.
    let _: Result<(), DbError> = hold.await.unwrap();
    let mut results = Vec::new();
    for write in writes {
        results.push(write.await.unwrap());
    }
    results
}

async fn whoever_fails_or_panics_among_many_undoes_only_itself(engine: Engine) {
    let test = database(engine).await;
    let results = crowd(&test.database, 40, |tx, n| {
        insert(tx.conn, &Call::labelled(&format!("{n:02}")))?;
        match n % 4 {
            1 => Err(DbError::Conflict),
            2 => tx.conn.transaction(|_| panic!("a mistake in the program, in a nested transaction")),
            _ => Ok(n),
        }
    })
    .await;
    for (n, result) in results.iter().enumerate() {
        match n % 4 {
            1 => assert!(matches!(result, Err(DbError::Conflict)), "{n}: {result:?}"),
            2 => assert!(matches!(result, Err(DbError::Unavailable(_))), "{n}: {result:?}"),
            _ => assert!(matches!(result, Ok(m) if *m == n), "{n}: {result:?}"),
        }
    }
    let kept: Vec<_> = (0..40).filter(|n| matches!(n % 4, 0 | 3)).map(|n| format!("{n:02}")).collect();
    assert_eq!(labels(&test.database).await, kept);
}

async fn a_commit_that_fails_is_told_to_everybody_whose_rows_it_loses(engine: Engine) {
    let test = database(engine).await;
    test.database
        .write(|tx| {
            // Only the commit asks whether the parent is there.
            let table = "CREATE TABLE children (label TEXT PRIMARY KEY NOT NULL, parent TEXT REFERENCES \
                         children (label) DEFERRABLE INITIALLY DEFERRED)";
            diesel::sql_query(table).execute(tx.conn).map(drop).map_err(DbError::from)
        })
        .await
        .unwrap();
    let results = crowd(&test.database, 12, |tx, n| {
        let parent = if n == 7 { "'nobody'" } else { "NULL" };
        let row = format!("INSERT INTO children (label, parent) VALUES ('{n}', {parent})");
        diesel::sql_query(row).execute(tx.conn)?;
        let lost =
            diesel::sql_query("UPDATE children SET label = label WHERE label = '7'").execute(tx.conn)?;
        // Whoever sees the row that will be lost refuses because of it.
        if n != 7 && lost > 0 { Err(DbError::Conflict) } else { Ok(()) }
    })
    .await;
    let refused = results.iter().filter(|result| matches!(result, Err(DbError::Conflict))).count();
    assert_eq!(refused, 0, "somebody was refused because of a row that never was: {results:?}");
    let told = results.iter().filter(|result| result.is_ok()).count();
    assert!(results[7].is_err(), "{results:?}");
    let kept = test
        .database
        .read(|db| {
            #[derive(diesel::QueryableByName)]
            struct Count {
                #[diesel(sql_type = sql::BigInt)]
                kept: i64,
            }
            let count: Count = diesel::sql_query("SELECT COUNT(*) AS kept FROM children").get_result(db)?;
            Ok::<_, DbError>(count.kept)
        })
        .await
        .unwrap();
    assert_eq!(usize::try_from(kept).unwrap(), told, "{results:?}");
    test.database.write(|tx| insert(tx.conn, &Call::labelled("next"))).await.unwrap();
}

async fn load_decide_save(database: Database, id: Id, loaded: mpsc::Sender<()>) -> Result<(), DbError> {
    let call = database.read(move |db| load(db, id)).await?;
    loaded.send(()).expect("somebody waits");
    database
        .write(move |tx| {
            let as_loaded = calls::table.filter(calls::id.eq(id).and(calls::version.eq(call.version)));
            let changes = (calls::version.eq(call.version + 1), calls::attempts.eq(call.attempts + 1));
            match diesel::update(as_loaded).set(changes).execute(tx.conn)? {
                1 => Ok(()),
                _ => Err(DbError::Conflict),
            }
        })
        .await
}

async fn of_two_who_loaded_the_same_version_one_saves(engine: Engine) {
    let test = database(engine).await;
    let call = Call::labelled("contested");
    let id = call.id;
    store(&test.database, &[call]).await;
    // The row is held until both have loaded it.
    let (loaded, both_loaded) = mpsc::channel();
    let (one, other) = (loaded.clone(), loaded);
    let (held, is_held) = tokio::sync::oneshot::channel();
    let holder = test.database.clone();
    let hold = tokio::spawn(async move {
        holder
            .write(move |tx| {
                diesel::update(calls::table.find(id)).set(calls::live.eq(false)).execute(tx.conn)?;
                held.send(()).expect("the test waits");
                both_loaded.recv().expect("the first has loaded");
                both_loaded.recv().expect("the second has loaded");
                Ok::<_, DbError>(())
            })
            .await
    });
    is_held.await.unwrap();
    let one = tokio::spawn(load_decide_save(test.database.clone(), id, one));
    let other = tokio::spawn(load_decide_save(test.database.clone(), id, other));
    let results = [one.await.unwrap(), other.await.unwrap()];
    hold.await.unwrap().unwrap();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    assert!(results.iter().any(|result| matches!(result, Err(DbError::Conflict))), "{results:?}");
    let stored = test.database.read(move |db| load(db, id)).await.unwrap();
    assert_eq!((stored.version, stored.attempts), (2, 1));
}

/// Touches the first row, says so, waits for the other to have done the same, and goes for the other's row.
async fn touch_both(
    database: Database,
    (first, second): (Id, Id),
    ready: mpsc::Sender<()>,
    other_ready: mpsc::Receiver<()>,
) -> Result<(), DbError> {
    database
        .write(move |tx| {
            let raised = calls::attempts.eq(calls::attempts + 1);
            diesel::update(calls::table.find(first)).set(raised).execute(tx.conn)?;
            ready.send(()).expect("the other waits");
            other_ready.recv().expect("the other is there");
            diesel::update(calls::table.find(second)).set(raised).execute(tx.conn)?;
            Ok(())
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_on_postgres_is_a_conflict_for_one_and_nothing_for_the_other() {
    let test = database(Engine::Postgres).await;
    let (a, b) = (Call::labelled("a"), Call::labelled("b"));
    let (a_id, b_id) = (a.id, b.id);
    store(&test.database, &[a, b]).await;
    let (one_ready, one_is_ready) = mpsc::channel();
    let (other_ready, other_is_ready) = mpsc::channel();
    let (one, other) = tokio::join!(
        touch_both(test.database.clone(), (a_id, b_id), one_ready, other_is_ready),
        touch_both(test.database.clone(), (b_id, a_id), other_ready, one_is_ready),
    );
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    assert!(matches!(one.and(other), Err(DbError::Conflict)));
    let stored = test.database.read(move |db| Ok::<_, DbError>((load(db, a_id)?, load(db, b_id)?))).await;
    let (a, b) = stored.unwrap();
    assert_eq!((a.attempts, b.attempts), (1, 1), "one transaction, whole");
}
