//! Time as rows see it: the database's clock, moved by the clock that the test holds.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use common::db::DbError;
use testkit::database::{Engine, TestDatabase};
use testkit::on_both_engines;

use crate::tables::database;

on_both_engines!(
    now_follows_the_injected_clock,
    measuring_keeps_what_the_injected_clock_is_ahead,
    a_transaction_has_one_time,
);

async fn time_of_a_transaction(test: &TestDatabase) -> DateTime<Utc> {
    test.database.write(|tx| Ok::<_, DbError>(tx.now())).await.expect("a transaction")
}

async fn now_follows_the_injected_clock(engine: Engine) {
    let test = database(engine).await;
    let (outside, inside) = (test.database.now(), time_of_a_transaction(&test).await);
    test.clock.advance(Duration::from_secs(10 * 3600));
    let hours = |from: DateTime<Utc>, to: DateTime<Utc>| (to - from).num_hours();
    assert_eq!(hours(outside, test.database.now()), 10);
    assert_eq!(hours(inside, time_of_a_transaction(&test).await), 10);
}

async fn measuring_keeps_what_the_injected_clock_is_ahead(engine: Engine) {
    let test = database(engine).await;
    test.clock.advance(Duration::from_secs(10 * 3600));
    test.database.measure_clock().await.unwrap();
    let apart = (test.database.now() - test.clock.now()).abs();
    assert!(apart < TimeDelta::minutes(1), "the server of the tests has our time, give or take: {apart}");
    test.clock.advance(Duration::from_secs(3600));
    assert!((test.database.now() - test.clock.now()).abs() < TimeDelta::minutes(1));
}

async fn a_transaction_has_one_time(engine: Engine) {
    let test = database(engine).await;
    let clock = test.clock.clone();
    let (before, after) = test
        .database
        .write(move |tx| {
            let before = tx.now();
            clock.advance(Duration::from_secs(60));
            Ok::<_, DbError>((before, tx.now()))
        })
        .await
        .unwrap();
    assert_eq!(before, after);
}
