//! Taking work from a table: nobody takes what another holds, and what the dead held comes back.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use common::db::lease::{self, LeaseQuery};
use common::db::{Database, DbError, Id, Time};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use testkit::database::Engine;
use testkit::on_both_engines;
use tokio::runtime::Handle;

use crate::tables::{database, jobs, new_id};

const DUE: LeaseQuery = LeaseQuery { table: "jobs", due: "due_at <= $2", order: "due_at, id" };
const HOLD: Duration = Duration::from_secs(30);

on_both_engines!(
    concurrent_claimers_never_get_the_same_row_and_leave_none_behind,
    what_is_leased_comes_back_when_the_lease_has_run_out,
    a_claim_that_is_rolled_back_leases_nothing,
    the_first_in_order_are_leased_and_not_more_than_asked_for,
    the_limit_holds_where_the_planner_thinks_the_table_tiny,
    what_is_not_due_stays,
    a_condition_with_several_parts_stands_beside_the_lease,
    whoever_holds_some_of_the_same_names_is_alone_with_them,
);

/// Makes jobs that are due so many seconds from now and answers their ids in this order.
async fn make(database: &Database, due_in: &[i64]) -> Vec<Id> {
    let due_in = due_in.to_vec();
    let made = database
        .write(move |tx| {
            let now = tx.now();
            due_in
                .iter()
                .map(|seconds| {
                    let id = new_id();
                    let due_at = Time::from(now + TimeDelta::seconds(*seconds));
                    diesel::insert_into(jobs::table)
                        .values((jobs::id.eq(id), jobs::due_at.eq(due_at)))
                        .execute(tx.conn)?;
                    Ok::<_, DbError>(id)
                })
                .collect()
        })
        .await;
    made.expect("the jobs are made")
}

async fn claim(database: &Database, query: &'static LeaseQuery, limit: u32) -> Vec<Id> {
    let claimed = database
        .write(move |tx| {
            let now = tx.now();
            lease::claim(tx.conn, query, now, HOLD, limit)
        })
        .await;
    claimed.expect("the claim is answered")
}

async fn claim_until_nothing_is_left(database: Database) -> Vec<Id> {
    let mut mine = Vec::new();
    loop {
        let claimed = claim(&database, &DUE, 3).await;
        if claimed.is_empty() {
            return mine;
        }
        assert!(claimed.len() <= 3, "{claimed:?}");
        mine.extend(claimed);
    }
}

async fn concurrent_claimers_never_get_the_same_row_and_leave_none_behind(engine: Engine) {
    let test = database(engine).await;
    let made = make(&test.database, &[-1; 60]).await;
    let claimers: Vec<_> =
        (0..4).map(|_| tokio::spawn(claim_until_nothing_is_left(test.database.clone()))).collect();
    let mut claimed = Vec::new();
    for claimer in claimers {
        claimed.extend(claimer.await.unwrap());
    }
    assert_eq!(claimed.len(), made.len(), "no row twice");
    assert_eq!(claimed.into_iter().collect::<BTreeSet<_>>(), made.into_iter().collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_a_claimer_skips_what_an_open_transaction_has_claimed() {
    let test = database(Engine::Postgres).await;
    let made = make(&test.database, &[-5, -4, -3, -2, -1]).await;
    let (other, runtime) = (test.database.clone(), Handle::current());
    let (first, second) = test
        .database
        .write(move |tx| {
            let now = tx.now();
            let first = lease::claim(tx.conn, &DUE, now, HOLD, 2)?;
            // Would wait for ever if it waited for the rows of this transaction.
            Ok::<_, DbError>((first, runtime.block_on(claim(&other, &DUE, 2))))
        })
        .await
        .unwrap();
    assert_eq!((first.as_slice(), second.as_slice()), (&made[..2], &made[2..4]));
    assert_eq!(claim(&test.database, &DUE, 2).await, made[4..]);
}

async fn what_is_leased_comes_back_when_the_lease_has_run_out(engine: Engine) {
    let test = database(engine).await;
    let made = make(&test.database, &[-1, -1]).await;
    assert_eq!(claim(&test.database, &DUE, 10).await, made);
    test.clock.advance(HOLD - Duration::from_secs(5));
    assert_eq!(claim(&test.database, &DUE, 10).await, []);
    test.clock.advance(Duration::from_secs(6));
    assert_eq!(claim(&test.database, &DUE, 10).await, made);
    assert_eq!(claim(&test.database, &DUE, 10).await, [], "and is leased anew");
}

async fn a_claim_that_is_rolled_back_leases_nothing(engine: Engine) {
    let test = database(engine).await;
    let made = make(&test.database, &[-1]).await;
    let undone = test
        .database
        .write(|tx| {
            let now = tx.now();
            assert_eq!(lease::claim(tx.conn, &DUE, now, HOLD, 10)?.len(), 1);
            Err::<(), _>(DbError::Conflict)
        })
        .await;
    assert!(undone.is_err());
    assert_eq!(claim(&test.database, &DUE, 10).await, made);
}

async fn the_first_in_order_are_leased_and_not_more_than_asked_for(engine: Engine) {
    let test = database(engine).await;
    let made = make(&test.database, &[-10, -40, -20, -30]).await;
    let sorted = |mut ids: Vec<Id>| {
        ids.sort();
        ids
    };
    assert_eq!(claim(&test.database, &DUE, 0).await, []);
    assert_eq!(claim(&test.database, &DUE, 2).await, sorted(vec![made[1], made[3]]));
    assert_eq!(claim(&test.database, &DUE, 1).await, [made[2]]);
    assert_eq!(claim(&test.database, &DUE, 9).await, [made[0]]);
}

async fn the_limit_holds_where_the_planner_thinks_the_table_tiny(engine: Engine) {
    let test = database(engine).await;
    // Statistics from a quiet hour, then a burst: the state of every queue that is usually empty.
    make(&test.database, &[-1]).await;
    test.database.read(|db| db.batch_execute("ANALYZE jobs").map_err(DbError::from)).await.unwrap();
    make(&test.database, &[-1; 60]).await;
    let sizes = [claim(&test.database, &DUE, 10).await.len(), claim(&test.database, &DUE, 10).await.len()];
    assert_eq!(sizes, [10, 10]);
}

async fn what_is_not_due_stays(engine: Engine) {
    let test = database(engine).await;
    let made = make(&test.database, &[-1, 60]).await;
    assert_eq!(claim(&test.database, &DUE, 10).await, made[..1]);
    test.clock.advance(Duration::from_secs(61));
    assert_eq!(claim(&test.database, &DUE, 10).await, made);
}

async fn a_condition_with_several_parts_stands_beside_the_lease(engine: Engine) {
    const EITHER: LeaseQuery = LeaseQuery { table: "jobs", due: "due_at <= $2 OR due_at > $2", order: "id" };
    let test = database(engine).await;
    let made = make(&test.database, &[-1, 60]).await;
    assert_eq!(claim(&test.database, &EITHER, 10).await, made);
    assert_eq!(claim(&test.database, &EITHER, 10).await, [], "what is leased is not due");
}

async fn whoever_holds_some_of_the_same_names_is_alone_with_them(engine: Engine) {
    let test = database(engine).await;
    let names = ["one's", "two", "{three}"].map(str::to_owned);
    let counting: Vec<_> = (0..12)
        .map(|turn| {
            let (database, mut names) = (test.database.clone(), names.to_vec());
            names.rotate_left(turn % 3);
            names.truncate(2);
            tokio::spawn(async move {
                let counted = database.write(move |tx| {
                    lease::exclusive_all(tx.conn, names.clone())?;
                    let count: i64 = jobs::table.count().get_result(tx.conn)?;
                    let due_at = Time::from(tx.now());
                    diesel::insert_into(jobs::table)
                        .values((jobs::id.eq(new_id()), jobs::due_at.eq(due_at)))
                        .execute(tx.conn)?;
                    Ok::<_, DbError>(count)
                });
                counted.await.expect("nobody waits for somebody who waits")
            })
        })
        .collect();
    let mut seen = Vec::new();
    for counted in counting {
        seen.push(counted.await.expect("the task ends"));
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..12).collect::<Vec<i64>>(), "two of them counted at the same moment");
}
