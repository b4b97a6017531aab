//! What is written is what is read: ids, times, JSON and the plain types, filled, empty and at their limits.

use chrono::TimeDelta;
use common::db::{DbError, Id, Json, Time, sql};
use diesel::prelude::*;
use diesel::sql_query;
use serde_json::json;
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::tables::{Call, calls, database, insert, load, new_id, store, time};

on_both_engines!(
    every_column_type_reads_back_as_it_was_written,
    empty_columns_read_back_empty_and_can_be_filled_and_emptied,
    numbers_read_back_at_their_limits,
    json_keeps_nesting_unicode_and_the_kind_of_a_number,
    a_time_is_kept_to_the_microsecond_before_and_after_the_year_2000,
    a_time_finer_than_a_microsecond_is_cut_to_what_is_stored,
);

async fn every_column_type_reads_back_as_it_was_written(engine: Engine) {
    let test = database(engine).await;
    let call = Call {
        details: Json(json!({"asked": ["what", {"when": null}], "sure": true})),
        extra: Some(Json(json!([1, 2.5, "three"]))),
        parent: Some(new_id()),
        started_at: time("2025-03-01T10:20:30.123456Z"),
        ended_at: Some(time("2025-03-01T10:21:00.000001Z")),
        attempts: 3,
        cost: Some(0.1),
        bytes: 1 << 40,
        live: true,
        audio: Some((0..=255).collect()),
        version: 7,
        ..Call::labelled("it's a \"label\"; — naïve 漢字 \u{1f4de} \\ % _ \n\t")
    };
    store(&test.database, std::slice::from_ref(&call)).await;
    let id = call.id;
    assert_eq!(test.database.read(move |db| load(db, id)).await.unwrap(), call);
}

async fn empty_columns_read_back_empty_and_can_be_filled_and_emptied(engine: Engine) {
    let test = database(engine).await;
    let call = Call::labelled("empty");
    store(&test.database, std::slice::from_ref(&call)).await;
    let id = call.id;
    let (as_stored, filled, emptied) = test
        .database
        .write(move |tx| {
            let as_stored = load(tx.conn, id)?;
            let at = time("2025-03-01T11:00:00Z");
            set_optional(tx.conn, id, (Some(Json(json!({}))), Some(id), Some(at), Some(Vec::new())))?;
            let filled = load(tx.conn, id)?;
            set_optional(tx.conn, id, (None, None, None, None))?;
            Ok::<_, DbError>((as_stored, filled, load(tx.conn, id)?))
        })
        .await
        .unwrap();
    assert_eq!(as_stored, call);
    assert_eq!(filled.extra, Some(Json(json!({}))));
    assert_eq!(filled.parent, Some(id));
    assert_eq!(filled.ended_at, Some(time("2025-03-01T11:00:00Z")));
    assert_eq!(filled.audio, Some(Vec::new()), "empty bytes are not no bytes");
    assert_eq!(emptied, call);
}

type Optional = (Option<Json>, Option<Id>, Option<Time>, Option<Vec<u8>>);

fn set_optional(db: &mut common::db::Db, id: Id, to: Optional) -> Result<usize, DbError> {
    let (extra, parent, ended_at, audio) = to;
    Ok(diesel::update(calls::table.find(id))
        .set((
            calls::extra.eq(extra),
            calls::parent.eq(parent),
            calls::ended_at.eq(ended_at),
            calls::audio.eq(audio),
        ))
        .execute(db)?)
}

async fn numbers_read_back_at_their_limits(engine: Engine) {
    let test = database(engine).await;
    let least =
        Call { attempts: i32::MIN, bytes: i64::MIN, cost: Some(f64::MIN), ..Call::labelled("the least") };
    let most =
        Call { attempts: i32::MAX, bytes: i64::MAX, cost: Some(f64::MAX), ..Call::labelled("the most") };
    store(&test.database, &[least.clone(), most.clone()]).await;
    let (l, m) = (least.id, most.id);
    let read = test.database.read(move |db| Ok::<_, DbError>((load(db, l)?, load(db, m)?))).await.unwrap();
    assert_eq!(read, (least, most));
}

async fn json_keeps_nesting_unicode_and_the_kind_of_a_number(engine: Engine) {
    let test = database(engine).await;
    let values = [
        json!({}),
        json!([]),
        json!({"a": {"b": {"c": [[[{"d": [null, false, ""]}]]]}}}),
        json!({"naïve": "漢字 \u{1f4de} \u{200d} \u{e9} e\u{301}", "quotes": "\"'\\/", "controls": "\n\r\t\u{7f}"}),
        json!({"whole": 1, "real": 1.0, "large": u64::MAX, "small": i64::MIN, "tiny": 1e-300, "half": 0.5}),
        json!({"": "an empty key", "$ne": 1, "a.b": {"0": []}}),
    ];
    let written: Vec<Call> = values
        .iter()
        .enumerate()
        .map(|(n, value)| Call { details: Json(value.clone()), ..Call::labelled(&n.to_string()) })
        .collect();
    store(&test.database, &written).await;
    let read: Vec<Json> = test
        .database
        .read(|db| Ok::<_, DbError>(calls::table.order(calls::label).select(calls::details).load(db)?))
        .await
        .unwrap();
    assert_eq!(read.into_iter().map(|json| json.0).collect::<Vec<_>>(), values);
}

async fn a_time_is_kept_to_the_microsecond_before_and_after_the_year_2000(engine: Engine) {
    let test = database(engine).await;
    let times = [
        "0001-01-01T00:00:00.000001Z",
        "1969-12-31T23:59:59.999999Z",
        "1999-12-31T23:59:59.999999Z",
        "2000-01-01T00:00:00Z",
        "2024-02-29T12:00:00.5Z",
        "2038-01-19T03:14:08.000010Z",
        "9999-12-31T23:59:59.999999Z",
    ];
    let written: Vec<Call> = times.iter().map(|at| Call::started(at, at)).collect();
    store(&test.database, &written).await;
    let read: Vec<Time> = test
        .database
        .read(|db| Ok::<_, DbError>(calls::table.order(calls::label).select(calls::started_at).load(db)?))
        .await
        .unwrap();
    assert_eq!(read, times.map(time));
}

async fn a_time_finer_than_a_microsecond_is_cut_to_what_is_stored(engine: Engine) {
    let test = database(engine).await;
    let fine = time("2025-03-01T10:00:00.000001Z").0 + TimeDelta::nanoseconds(999);
    let call = Call { started_at: Time::from(fine), ..Call::labelled("fine") };
    store(&test.database, std::slice::from_ref(&call)).await;
    let found: i64 = test
        .database
        .read(move |db| {
            let same = calls::table.filter(calls::started_at.eq(Time::from(fine)));
            Ok::<_, DbError>(same.count().get_result(db)?)
        })
        .await
        .unwrap();
    assert_eq!((call.started_at, found), (time("2025-03-01T10:00:00.000001Z"), 1));
}

#[derive(QueryableByName)]
struct ColumnType {
    #[diesel(sql_type = sql::Text)]
    name: String,
    #[diesel(sql_type = sql::Text)]
    kind: String,
}

#[tokio::test]
async fn postgres_stores_its_own_column_types() {
    let test = database(Engine::Postgres).await;
    let columns: Vec<ColumnType> = test
        .database
        .read(|db| {
            let text = "SELECT column_name::text AS name, data_type::text AS kind FROM information_schema.columns \
                        WHERE table_schema = current_schema() AND table_name = 'calls' ORDER BY ordinal_position";
            Ok::<_, DbError>(sql_query(text).load(db)?)
        })
        .await
        .unwrap();
    let columns: Vec<(&str, &str)> = columns.iter().map(|c| (c.name.as_str(), c.kind.as_str())).collect();
    let expected = [
        ("id", "uuid"),
        ("label", "text"),
        ("details", "jsonb"),
        ("extra", "jsonb"),
        ("parent", "uuid"),
        ("started_at", "timestamp with time zone"),
        ("ended_at", "timestamp with time zone"),
        ("attempts", "integer"),
        ("cost", "double precision"),
        ("bytes", "bigint"),
        ("live", "boolean"),
        ("audio", "bytea"),
        ("version", "bigint"),
    ];
    assert_eq!(columns, expected);
}

#[tokio::test]
async fn postgres_finds_a_row_by_the_native_text_of_its_id_time_and_json() {
    let test = database(Engine::Postgres).await;
    let call = Call {
        details: Json(json!({"who": {"name": "Ada"}})),
        ..Call::started("native", "2025-03-01T10:20:30.123456Z")
    };
    let found = test
        .database
        .write(move |tx| {
            insert(tx.conn, &call)?;
            let text = format!(
                "UPDATE calls SET version = version WHERE id = '{}'::uuid AND details #>> '{{who,name}}' = 'Ada' \
                 AND started_at = '2025-03-01 11:20:30.123456+01'::timestamptz",
                call.id.0
            );
            Ok::<_, DbError>(sql_query(text).execute(tx.conn)?)
        })
        .await
        .unwrap();
    assert_eq!(found, 1);
}

#[tokio::test]
async fn a_time_that_postgres_knows_and_the_program_does_not_is_a_corrupt_row() {
    let test = database(Engine::Postgres).await;
    assert_corrupt(&test, "UPDATE calls SET started_at = 'infinity'").await;
}

#[tokio::test]
async fn text_that_is_no_json_or_no_time_in_sqlite_is_a_corrupt_row() {
    let test = database(Engine::Sqlite).await;
    assert_corrupt(&test, "UPDATE calls SET details = '{half'").await;
    let test = database(Engine::Sqlite).await;
    assert_corrupt(&test, "UPDATE calls SET started_at = 'yesterday'").await;
    let test = database(Engine::Sqlite).await;
    assert_corrupt(&test, "UPDATE calls SET parent = 'nobody'").await;
}

async fn assert_corrupt(test: &testkit::database::TestDatabase, spoil: &'static str) {
    let call = Call::labelled("spoilt");
    store(&test.database, std::slice::from_ref(&call)).await;
    test.database
        .write(move |tx| sql_query(spoil).execute(tx.conn).map(drop).map_err(DbError::from))
        .await
        .unwrap();
    let id = call.id;
    let read = test.database.read(move |db| load(db, id)).await;
    assert!(matches!(read, Err(DbError::Corrupt(_))), "{spoil}: {read:?}");
}
