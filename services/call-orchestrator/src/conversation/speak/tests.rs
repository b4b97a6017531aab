use common::db::{Database, DbError};
use contracts::ids::ProjectId;
use testkit::database::{Engine, TestDatabase};

use super::*;

async fn tables(engine: Engine) -> TestDatabase {
    TestDatabase::new(engine, crate::SERVICE.tables.unwrap().migrations).await
}

/// Two runs of the same turn: the first has lost it to the second.
async fn taken_over(tables: &TestDatabase) -> (Run, Run) {
    let old = Run {
        call: CallId::new(),
        turn: TurnNumber(1),
        generation: 1,
        opening: Opening::Speech { text: "Yes.".to_owned(), confidence: None },
    };
    let new = Run { generation: 2, ..old.clone() };
    let (first, second) = (old.clone(), new.clone());
    let opened = tables.database.write(move |tx| {
        let whose = (ProjectId::new(), first.call, first.turn);
        let lease = first.lease(tx.now());
        turns::open(tx.conn, whose, &first.opening, lease, true)?;
        // Three seconds later, when the lease is over.
        turns::take_over(tx.conn, second.key(), second.lease(lease.until))
    });
    opened.await.unwrap();
    tables.clock.advance(TURN_LEASE);
    (old, new)
}

async fn says(database: &Database, run: &Run, text: &str) -> bool {
    let (run, sentence) = (run.clone(), Sentence { text: text.to_owned(), last: None });
    database.write(move |tx| write(tx, &run, 0, std::slice::from_ref(&sentence))).await.unwrap()
}

async fn said(database: &Database, run: &Run) -> Vec<String> {
    let key = run.key();
    let turn = database.read(move |db| turns::find(db, key.0, key.1)).await.unwrap().unwrap();
    turn.view.sentences.into_iter().map(|s| s.text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_writer_of_an_old_generation_stores_nothing() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let tables = tables(engine).await;
        let (old, new) = taken_over(&tables).await;
        assert!(!says(&tables.database, &old, "I am late.").await);
        let (run, now) = (old.clone(), tables.database.now());
        let renewed = tables.database.write(move |tx| turns::renew(tx.conn, run.key(), run.lease(now))).await;
        assert!(!renewed.unwrap(), "nor does it give a sign of life");
        assert!(says(&tables.database, &new, "I took over.").await);
        assert_eq!(said(&tables.database, &new).await, ["I took over."]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_is_taken_over_by_one_of_two_and_not_from_a_run_that_lives() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let tables = tables(engine).await;
        let (_, new) = taken_over(&tables).await;
        let take = |generation| {
            let run = Run { generation, ..new.clone() };
            tables.database.write(move |tx| {
                let lease = run.lease(tx.now());
                turns::take_over(tx.conn, run.key(), lease)
            })
        };
        assert!(matches!(take(2).await, Err(DbError::Conflict)), "somebody else was faster");
        assert!(matches!(take(3).await, Err(DbError::Conflict)), "it lives");
        let run = new.clone();
        let close = tables.database.write(move |tx| {
            let now = tx.now();
            turns::close_lost(tx.conn, run.key(), Then::Listen, now)
        });
        assert!(matches!(close.await, Err(DbError::Conflict)), "it lives");
        tables.clock.advance(TURN_LEASE);
        take(3).await.unwrap();
    }
}
