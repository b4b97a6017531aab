//! Query forms that services use: filters, boxed filters, joins, orders, counts; and what a query can fail with.

use common::db::{Db, DbError, Id, MultiBackend, Time};
use diesel::dsl::{count_star, exists, not};
use diesel::prelude::*;
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::tables::{Call, calls, database, insert, labels, load, new_id, store, time, turns};

on_both_engines!(
    times_sort_and_compare_as_times,
    ids_sort_in_the_order_in_which_they_were_made,
    rows_are_found_by_a_list_of_ids,
    boxed_filters_take_the_conditions_that_are_given,
    pages_follow_one_another_without_gap_or_repetition,
    joins_find_what_belongs_together,
    empty_columns_are_told_from_filled_ones,
    updates_and_deletes_say_how_many_rows_they_touched,
    an_update_of_a_version_that_is_gone_touches_no_row,
    a_second_row_with_the_same_key_is_a_duplicate,
    a_row_that_is_not_there_is_not_found,
    a_deleted_row_takes_its_dependants_along,
);

async fn times_sort_and_compare_as_times(engine: Engine) {
    let test = database(engine).await;
    // As texts of varying width these would sort otherwise: the fraction is longer than the whole second.
    let sorted = [
        "1999-12-31T23:59:59.999999Z",
        "2025-03-01T10:00:00Z",
        "2025-03-01T10:00:00.000001Z",
        "2025-03-01T10:00:00.050Z",
        "2025-03-01T10:00:00.5Z",
        "2025-03-01T10:00:01Z",
        "2025-10-01T00:00:00Z",
    ];
    let shuffled = [3, 0, 6, 1, 5, 2, 4].map(|n| Call::started(sorted[n], sorted[n]));
    store(&test.database, &shuffled).await;
    let (read, before, from) = test
        .database
        .read(move |db| {
            let all: Vec<String> = calls::table.order(calls::started_at).select(calls::label).load(db)?;
            let middle = time("2025-03-01T10:00:00.05Z");
            let before: i64 = calls::table.filter(calls::started_at.lt(middle)).count().get_result(db)?;
            let from: i64 = calls::table.filter(calls::started_at.ge(middle)).count().get_result(db)?;
            Ok::<_, DbError>((all, before, from))
        })
        .await
        .unwrap();
    assert_eq!(read, sorted);
    assert_eq!((before, from), (3, 4));
}

async fn ids_sort_in_the_order_in_which_they_were_made(engine: Engine) {
    let test = database(engine).await;
    let made: Vec<Call> = (0..300).map(|n| Call::labelled(&n.to_string())).collect();
    let mut shuffled = made.clone();
    shuffled.sort_by_key(|call| call.label.chars().rev().collect::<String>());
    store(&test.database, &shuffled).await;
    let read: Vec<Id> = test
        .database
        .read(|db| Ok::<_, DbError>(calls::table.order(calls::id).select(calls::id).load(db)?))
        .await
        .unwrap();
    assert_eq!(read, made.iter().map(|call| call.id).collect::<Vec<_>>());
}

async fn rows_are_found_by_a_list_of_ids(engine: Engine) {
    let test = database(engine).await;
    let made: Vec<Call> = (0..5).map(|n| Call::labelled(&n.to_string())).collect();
    store(&test.database, &made).await;
    let wanted = vec![made[1].id, made[3].id, new_id()];
    let (found, none, by_text) = test
        .database
        .read(move |db| {
            let by_id = |db: &mut Db, ids: Vec<Id>| -> Result<Vec<String>, DbError> {
                let rows = calls::table.filter(calls::id.eq_any(ids)).order(calls::label);
                Ok(rows.select(calls::label).load(db)?)
            };
            let texts = calls::label.eq_any(vec!["0".to_owned(), "4".to_owned()]);
            let by_text: i64 = calls::table.filter(texts).count().get_result(db)?;
            Ok::<_, DbError>((by_id(db, wanted)?, by_id(db, Vec::new())?, by_text))
        })
        .await
        .unwrap();
    assert_eq!(found, ["1", "3"]);
    assert!(none.is_empty(), "an empty list finds nothing: {none:?}");
    assert_eq!(by_text, 2);
}

fn listed(db: &mut Db, live: Option<bool>, since: Option<Time>, ids: Option<Vec<Id>>) -> Vec<String> {
    let mut query = calls::table.select(calls::label).into_boxed::<MultiBackend>();
    if let Some(live) = live {
        query = query.filter(calls::live.eq(live));
    }
    if let Some(since) = since {
        query = query.filter(calls::started_at.ge(since));
    }
    if let Some(ids) = ids {
        query = query.filter(calls::id.eq_any(ids));
    }
    query.order(calls::label.desc()).limit(2).load(db).expect("a list")
}

async fn boxed_filters_take_the_conditions_that_are_given(engine: Engine) {
    let test = database(engine).await;
    let made = [
        Call::started("a", "2025-01-01T00:00:00Z"),
        Call { live: false, ..Call::started("b", "2025-02-01T00:00:00Z") },
        Call { live: false, ..Call::started("c", "2025-03-01T00:00:00Z") },
    ];
    store(&test.database, &made).await;
    let (a, b) = (made[0].id, made[1].id);
    test.database
        .read(move |db| {
            let february = Some(time("2025-02-01T00:00:00Z"));
            assert_eq!(listed(db, None, None, None), ["c", "b"]);
            assert_eq!(listed(db, Some(true), None, None), ["a"]);
            assert_eq!(listed(db, None, february, Some(vec![a, b])), ["b"]);
            assert_eq!(listed(db, Some(true), february, Some(vec![a, b])), Vec::<String>::new());
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
}

fn page_after(db: &mut Db, after: Option<(Time, Id)>) -> Result<Vec<(Time, Id)>, DbError> {
    let mut query = calls::table.select((calls::started_at, calls::id)).into_boxed::<MultiBackend>();
    if let Some((at, id)) = after {
        let same_moment = calls::started_at.eq(at).and(calls::id.gt(id));
        query = query.filter(calls::started_at.gt(at).or(same_moment));
    }
    Ok(query.order((calls::started_at, calls::id)).limit(3).load(db)?)
}

async fn pages_follow_one_another_without_gap_or_repetition(engine: Engine) {
    let test = database(engine).await;
    // Four at the same moment: the page ends in the middle of them.
    let made: Vec<Call> = (0..10)
        .map(|n| {
            let at = if (1..5).contains(&n) { 1 } else { n };
            Call::started(&n.to_string(), &format!("2025-03-01T10:00:{at:02}Z"))
        })
        .collect();
    store(&test.database, &made).await;
    let read = test
        .database
        .read(|db| {
            let mut read = page_after(db, None)?;
            while let page = page_after(db, read.last().copied())?
                && !page.is_empty()
            {
                read.extend(page);
            }
            Ok::<_, DbError>(read)
        })
        .await
        .unwrap();
    assert_eq!(read, made.iter().map(|call| (call.started_at, call.id)).collect::<Vec<_>>());
}

fn say(db: &mut Db, call: Id, said: &str) -> Result<(), DbError> {
    diesel::insert_into(turns::table)
        .values((turns::id.eq(new_id()), turns::call_id.eq(call), turns::said.eq(said)))
        .execute(db)?;
    Ok(())
}

async fn joins_find_what_belongs_together(engine: Engine) {
    let test = database(engine).await;
    let (talked, silent) = (Call::labelled("talked"), Call::labelled("silent"));
    let (inner, left, without) = test
        .database
        .write(move |tx| {
            insert(tx.conn, &talked)?;
            insert(tx.conn, &silent)?;
            say(tx.conn, talked.id, "hello")?;
            say(tx.conn, talked.id, "goodbye")?;
            let inner: Vec<(String, String)> = turns::table
                .inner_join(calls::table)
                .order(turns::id)
                .select((calls::label, turns::said))
                .load(tx.conn)?;
            let left: Vec<(Call, Option<String>)> = calls::table
                .left_join(turns::table)
                .filter(calls::id.eq(silent.id))
                .select((Call::as_select(), turns::said.nullable()))
                .load(tx.conn)?;
            let turn_of_call = turns::table.filter(turns::call_id.eq(calls::id));
            let without: Vec<String> =
                calls::table.filter(not(exists(turn_of_call))).select(calls::label).load(tx.conn)?;
            Ok::<_, DbError>((inner, left, without))
        })
        .await
        .unwrap();
    let pair = |said: &str| ("talked".to_owned(), said.to_owned());
    assert_eq!(inner, [pair("hello"), pair("goodbye")]);
    assert_eq!(
        left.iter().map(|(call, said)| (call.label.as_str(), said.clone())).collect::<Vec<_>>(),
        [("silent", None)]
    );
    assert_eq!(without, ["silent"]);
}

async fn empty_columns_are_told_from_filled_ones(engine: Engine) {
    let test = database(engine).await;
    let parent = new_id();
    let ended = time("2025-03-01T10:05:00Z");
    let child = Call { parent: Some(parent), ended_at: Some(ended), ..Call::labelled("child") };
    store(&test.database, &[child, Call::labelled("orphan")]).await;
    let (empty, filled, equal) = test
        .database
        .read(move |db| {
            let empty: Vec<String> =
                calls::table.filter(calls::parent.is_null()).select(calls::label).load(db)?;
            let filled: Vec<String> =
                calls::table.filter(calls::ended_at.is_not_null()).select(calls::label).load(db)?;
            let equal = calls::parent.eq(parent).and(calls::ended_at.le(ended));
            let equal: Vec<String> = calls::table.filter(equal).select(calls::label).load(db)?;
            Ok::<_, DbError>((empty, filled, equal))
        })
        .await
        .unwrap();
    assert_eq!((empty, filled, equal), (vec!["orphan".into()], vec!["child".into()], vec!["child".into()]));
}

async fn updates_and_deletes_say_how_many_rows_they_touched(engine: Engine) {
    let test = database(engine).await;
    store(&test.database, &["a", "b", "c"].map(Call::labelled)).await;
    let counts = test
        .database
        .write(|tx| {
            let not_a = calls::table.filter(calls::label.ne("a"));
            let updated =
                diesel::update(not_a).set(calls::attempts.eq(calls::attempts + 1)).execute(tx.conn)?;
            let deleted = diesel::delete(calls::table.filter(calls::attempts.eq(1))).execute(tx.conn)?;
            let none = diesel::delete(calls::table.filter(calls::attempts.eq(1))).execute(tx.conn)?;
            let left: i64 = calls::table.select(count_star()).get_result(tx.conn)?;
            Ok::<_, DbError>((updated, deleted, none, left))
        })
        .await
        .unwrap();
    assert_eq!(counts, (2, 2, 0, 1));
}

fn save(db: &mut Db, id: Id, version: i64, attempts: i32) -> Result<usize, DbError> {
    let as_loaded = calls::table.filter(calls::id.eq(id).and(calls::version.eq(version)));
    let changes = (calls::attempts.eq(attempts), calls::version.eq(version + 1));
    Ok(diesel::update(as_loaded).set(changes).execute(db)?)
}

async fn an_update_of_a_version_that_is_gone_touches_no_row(engine: Engine) {
    let test = database(engine).await;
    let call = Call::labelled("versioned");
    store(&test.database, std::slice::from_ref(&call)).await;
    let (first, second, stored) = test
        .database
        .write(move |tx| {
            let first = save(tx.conn, call.id, 1, 10)?;
            let second = save(tx.conn, call.id, 1, 20)?;
            Ok::<_, DbError>((first, second, load(tx.conn, call.id)?))
        })
        .await
        .unwrap();
    assert_eq!((first, second), (1, 0));
    assert_eq!((stored.version, stored.attempts), (2, 10));
}

async fn a_second_row_with_the_same_key_is_a_duplicate(engine: Engine) {
    let test = database(engine).await;
    let call = Call::labelled("once");
    store(&test.database, std::slice::from_ref(&call)).await;
    let same_label = Call::labelled("once");
    let same_id = Call { id: call.id, ..Call::labelled("another") };
    for (again, named) in
        [(same_label, "label"), (same_id, if engine == Engine::Postgres { "pkey" } else { "id" })]
    {
        let result = test.database.write(move |tx| insert(tx.conn, &again)).await;
        let Err(DbError::Duplicate { constraint }) = result else { panic!("{result:?}") };
        assert!(constraint.contains(named), "{constraint} names {named}");
    }
    assert_eq!(labels(&test.database).await, ["once"]);
}

async fn a_row_that_is_not_there_is_not_found(engine: Engine) {
    let test = database(engine).await;
    let read = test.database.read(|db| load(db, new_id())).await;
    assert!(matches!(read, Err(DbError::NotFound)), "{read:?}");
}

async fn a_deleted_row_takes_its_dependants_along(engine: Engine) {
    let test = database(engine).await;
    let call = Call::labelled("with turns");
    let (left, orphan) = test
        .database
        .write(move |tx| {
            insert(tx.conn, &call)?;
            say(tx.conn, call.id, "hello")?;
            diesel::delete(calls::table.find(call.id)).execute(tx.conn)?;
            let left: i64 = turns::table.count().get_result(tx.conn)?;
            let orphan = tx.conn.transaction(|db| say(db, call.id, "nobody listens"));
            Ok::<_, DbError>((left, orphan.is_err()))
        })
        .await
        .unwrap();
    assert_eq!((left, orphan), (0, true), "rows that refer to nothing");
}
