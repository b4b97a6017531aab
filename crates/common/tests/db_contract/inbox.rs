//! Consuming once: a message has its effect one time, however often it comes.

use std::time::Duration;

use common::db::{Database, DbError, inbox};
use testkit::database::Engine;
use testkit::on_both_engines;
use uuid::Uuid;

use crate::tables::{Call, database, insert, labels};

on_both_engines!(
    a_message_is_new_the_first_time_only,
    consumers_are_told_apart,
    a_message_whose_effect_was_undone_is_new_again,
    two_replicas_with_the_same_message_have_one_effect,
    only_what_is_too_old_to_come_again_is_forgotten,
);

async fn is_new(database: &Database, consumer: &'static str, message: Uuid) -> bool {
    database.write(move |tx| inbox::first_time(tx, consumer, message)).await.expect("the inbox answers")
}

async fn a_message_is_new_the_first_time_only(engine: Engine) {
    let test = database(engine).await;
    let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
    assert!(is_new(&test.database, "usage", one).await);
    assert!(!is_new(&test.database, "usage", one).await);
    assert!(is_new(&test.database, "usage", other).await);
}

async fn consumers_are_told_apart(engine: Engine) {
    let test = database(engine).await;
    let message = Uuid::now_v7();
    assert!(is_new(&test.database, "usage", message).await);
    assert!(is_new(&test.database, "audit", message).await);
    assert!(!is_new(&test.database, "usage", message).await);
}

async fn a_message_whose_effect_was_undone_is_new_again(engine: Engine) {
    let test = database(engine).await;
    let message = Uuid::now_v7();
    let undone = test
        .database
        .write(move |tx| {
            assert!(inbox::first_time(tx, "usage", message)?);
            Err::<(), _>(DbError::Conflict)
        })
        .await;
    assert!(undone.is_err());
    assert!(is_new(&test.database, "usage", message).await);
    assert!(!is_new(&test.database, "usage", message).await);
}

async fn take_effect(database: Database, message: Uuid) -> Result<bool, DbError> {
    database
        .write(move |tx| {
            let new = inbox::first_time(tx, "usage", message)?;
            if new {
                insert(tx.conn, &Call::labelled(&Uuid::now_v7().to_string()))?;
            }
            Ok(new)
        })
        .await
}

async fn two_replicas_with_the_same_message_have_one_effect(engine: Engine) {
    let test = database(engine).await;
    for round in 1..=10 {
        let message = Uuid::now_v7();
        let one = tokio::spawn(take_effect(test.database.clone(), message));
        let other = tokio::spawn(take_effect(test.database.clone(), message));
        let (one, other) = (one.await.unwrap(), other.await.unwrap());
        for loser in [&one, &other] {
            assert!(matches!(loser, Ok(_) | Err(DbError::Duplicate { .. })), "{loser:?}");
        }
        assert_eq!(labels(&test.database).await.len(), round, "one effect for each message");
        assert!(!is_new(&test.database, "usage", message).await);
    }
}

async fn only_what_is_too_old_to_come_again_is_forgotten(engine: Engine) {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let test = database(engine).await;
    let (old, young) = (Uuid::now_v7(), Uuid::now_v7());
    assert!(is_new(&test.database, "usage", old).await);
    // Dead letters are kept for 14 days and may come again until then.
    test.clock.advance(14 * DAY);
    assert_eq!(forget(&test.database).await, 0);
    assert!(is_new(&test.database, "usage", young).await);
    test.clock.advance(2 * DAY);
    assert_eq!(forget(&test.database).await, 1);
    assert!(is_new(&test.database, "usage", old).await, "forgotten");
    assert!(!is_new(&test.database, "usage", young).await, "still known");
}

async fn forget(database: &Database) -> usize {
    let forgotten = database
        .write(|tx| {
            let now = tx.now();
            inbox::forget_old(tx.conn, now)
        })
        .await;
    forgotten.expect("the inbox is cleaned")
}
