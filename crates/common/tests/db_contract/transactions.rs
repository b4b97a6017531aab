//! All or nothing: rows and messages commit together or not at all, and what is to happen afterwards happens only then.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use common::bus::Cause;
use common::db::{Database, DbError, outbox};
use contracts::calls::DialRequested;
use contracts::message::Message as _;
use diesel::Connection as _;
use testkit::database::Engine;
use testkit::on_both_engines;
use tokio::runtime::Handle;

use crate::tables::{Call, database, insert, labels};

on_both_engines!(
    a_commit_keeps_rows_and_messages,
    an_error_leaves_no_row_and_no_message,
    an_error_of_the_callers_own_type_rolls_back_and_comes_through,
    a_panic_rolls_back_and_the_next_transaction_works,
    what_is_due_after_the_commit_sees_what_was_committed,
    what_is_due_after_the_commit_does_not_happen_without_one,
    a_nested_transaction_that_fails_undoes_only_itself,
    a_nested_transaction_that_succeeds_is_undone_with_the_outer_one,
    a_failure_that_is_kept_quiet_never_passes_for_a_commit,
    a_message_too_large_for_the_bus_stops_the_transaction,
    readers_see_the_state_before_an_open_transaction,
);

async fn waiting_messages(database: &Database) -> i64 {
    database.read(outbox::depth).await.expect("the outbox is read")
}

fn insert_and_stage(tx: &mut common::db::Tx<'_>, label: &str) -> Result<(), DbError> {
    insert(tx.conn, &Call::labelled(label))?;
    tx.stage(&DialRequested::default(), &Cause::own("project"))
}

async fn a_commit_keeps_rows_and_messages(engine: Engine) {
    let test = database(engine).await;
    test.database.write(|tx| insert_and_stage(tx, "kept")).await.unwrap();
    assert_eq!(labels(&test.database).await, ["kept"]);
    assert_eq!(waiting_messages(&test.database).await, 1);
}

async fn an_error_leaves_no_row_and_no_message(engine: Engine) {
    let test = database(engine).await;
    let result = test
        .database
        .write(|tx| {
            insert_and_stage(tx, "undone")?;
            Err::<(), _>(DbError::Conflict)
        })
        .await;
    assert!(matches!(result, Err(DbError::Conflict)), "{result:?}");
    assert_eq!(labels(&test.database).await, Vec::<String>::new());
    assert_eq!(waiting_messages(&test.database).await, 0);
}

#[derive(Debug, PartialEq)]
enum Refusal {
    TooLate,
    Database(String),
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Self {
        Self::Database(error.to_string())
    }
}

async fn an_error_of_the_callers_own_type_rolls_back_and_comes_through(engine: Engine) {
    let test = database(engine).await;
    let result = test
        .database
        .write(|tx| {
            insert(tx.conn, &Call::labelled("undone"))?;
            Err::<(), _>(Refusal::TooLate)
        })
        .await;
    assert_eq!(result, Err(Refusal::TooLate));
    assert_eq!(labels(&test.database).await, Vec::<String>::new());
}

async fn a_panic_rolls_back_and_the_next_transaction_works(engine: Engine) {
    let test = database(engine).await;
    let result: Result<(), DbError> = test
        .database
        .write(|tx| {
            insert_and_stage(tx, "undone")?;
            panic!("a mistake in the program")
        })
        .await;
    assert!(matches!(result, Err(DbError::Unavailable(_))), "{result:?}");
    test.database.write(|tx| insert(tx.conn, &Call::labelled("next"))).await.unwrap();
    assert_eq!(labels(&test.database).await, ["next"]);
    assert_eq!(waiting_messages(&test.database).await, 0);
}

async fn what_is_due_after_the_commit_sees_what_was_committed(engine: Engine) {
    let test = database(engine).await;
    let (seen, sees) = mpsc::channel();
    let (reader, runtime) = (test.database.clone(), Handle::current());
    test.database
        .write(move |tx| {
            let seen_before = seen.clone();
            tx.after_commit(move || {
                // Through a connection of its own, as whoever is woken up would look.
                seen.send(("after", runtime.block_on(labels(&reader)))).expect("somebody listens");
            });
            insert(tx.conn, &Call::labelled("committed"))?;
            seen_before.send(("inside", Vec::new())).expect("somebody listens");
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
    let seen: Vec<_> = sees.into_iter().collect();
    assert_eq!(seen, [("inside", vec![]), ("after", vec!["committed".to_owned()])], "in this order, once");
}

async fn what_is_due_after_the_commit_does_not_happen_without_one(engine: Engine) {
    let test = database(engine).await;
    let done = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&done);
    let result = test
        .database
        .write(move |tx| {
            tx.after_commit(move || {
                count.fetch_add(1, Ordering::SeqCst);
            });
            Err::<(), _>(DbError::Conflict)
        })
        .await;
    assert!(result.is_err());
    assert_eq!(done.load(Ordering::SeqCst), 0);
    assert_eq!(Arc::strong_count(&done), 1, "the action itself is gone");
}

async fn a_nested_transaction_that_fails_undoes_only_itself(engine: Engine) {
    let test = database(engine).await;
    test.database
        .write(|tx| {
            insert(tx.conn, &Call::labelled("outer"))?;
            let nested = tx.conn.transaction(|db| {
                insert(db, &Call::labelled("inner"))?;
                insert(db, &Call::labelled("outer")) // there already
            });
            assert!(matches!(nested, Err(DbError::Duplicate { .. })), "{nested:?}");
            insert(tx.conn, &Call::labelled("outer, later"))
        })
        .await
        .unwrap();
    assert_eq!(labels(&test.database).await, ["outer", "outer, later"]);
}

async fn a_nested_transaction_that_succeeds_is_undone_with_the_outer_one(engine: Engine) {
    let test = database(engine).await;
    let result = test
        .database
        .write(|tx| {
            tx.conn.transaction(|db| insert(db, &Call::labelled("inner")))?;
            Err::<(), _>(DbError::Conflict)
        })
        .await;
    assert!(result.is_err());
    assert_eq!(labels(&test.database).await, Vec::<String>::new());
}

async fn a_failure_that_is_kept_quiet_never_passes_for_a_commit(engine: Engine) {
    let test = database(engine).await;
    let done = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&done);
    let result = test
        .database
        .write(move |tx| {
            tx.after_commit(move || {
                count.fetch_add(1, Ordering::SeqCst);
            });
            insert(tx.conn, &Call::labelled("first"))?;
            let _quiet = insert(tx.conn, &Call::labelled("first"));
            Ok::<_, DbError>(())
        })
        .await;
    // SQLite undoes the failed statement and commits the rest; PostgreSQL can only undo everything, and must say so.
    let committed = result.is_ok();
    assert_eq!(committed, engine == Engine::Sqlite, "{result:?}");
    assert_eq!(labels(&test.database).await.len(), usize::from(committed));
    assert_eq!(done.load(Ordering::SeqCst), usize::from(committed));
    test.database.write(|tx| insert(tx.conn, &Call::labelled("next"))).await.unwrap();
}

async fn a_message_too_large_for_the_bus_stops_the_transaction(engine: Engine) {
    let test = database(engine).await;
    let large = DialRequested { attempt_id: "x".repeat(outbox::MAX_BODY), ..DialRequested::default() };
    let result = test
        .database
        .write(move |tx| {
            insert(tx.conn, &Call::labelled("undone"))?;
            tx.stage(&large, &Cause::default())
        })
        .await;
    let problem = result.expect_err("too large").to_string();
    assert!(problem.contains(DialRequested::NAME), "{problem}");
    assert_eq!(labels(&test.database).await, Vec::<String>::new());
}

async fn readers_see_the_state_before_an_open_transaction(engine: Engine) {
    let test = database(engine).await;
    let (reader, runtime) = (test.database.clone(), Handle::current());
    let seen = test
        .database
        .write(move |tx| {
            insert(tx.conn, &Call::labelled("not yet"))?;
            Ok::<_, DbError>(runtime.block_on(labels(&reader)))
        })
        .await
        .unwrap();
    assert_eq!(seen, Vec::<String>::new());
    assert_eq!(labels(&test.database).await, ["not yet"]);
}
