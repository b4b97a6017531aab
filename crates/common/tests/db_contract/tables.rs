//! The tables that the tests work on, and what several of them do with these.

use common::db::{Database, Db, DbError, Id, Json, Migration, Time};
use diesel::prelude::*;
use testkit::database::{Engine, TestDatabase};
use uuid::Uuid;

pub(crate) const STEPS: &[Migration] = &[Migration {
    name: "0001_calls",
    up: "CREATE TABLE calls (
            id         UUID PRIMARY KEY NOT NULL,
            label      TEXT NOT NULL UNIQUE,
            details    JSONB NOT NULL,
            extra      JSONB,
            parent     UUID,
            started_at TIMESTAMPTZ NOT NULL,
            ended_at   TIMESTAMPTZ,
            attempts   INTEGER NOT NULL,
            cost       DOUBLE PRECISION,
            bytes      BIGINT NOT NULL,
            live       BOOLEAN NOT NULL,
            audio      BYTEA,
            version    BIGINT NOT NULL
         );
         CREATE TABLE turns (
            id      UUID PRIMARY KEY NOT NULL,
            call_id UUID NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
            said    TEXT NOT NULL
         );
         CREATE TABLE jobs (
            id          UUID PRIMARY KEY NOT NULL,
            due_at      TIMESTAMPTZ NOT NULL,
            lease_until TIMESTAMPTZ
         );",
    postgres: None,
}];

diesel::table! {
    use common::db::sql::{BigInt, Binary, Bool, Double, Integer, Jsonb, Nullable, Text, UtcTime, Uuid};
    calls (id) {
        id -> Uuid,
        label -> Text,
        details -> Jsonb,
        extra -> Nullable<Jsonb>,
        parent -> Nullable<Uuid>,
        started_at -> UtcTime,
        ended_at -> Nullable<UtcTime>,
        attempts -> Integer,
        cost -> Nullable<Double>,
        bytes -> BigInt,
        live -> Bool,
        audio -> Nullable<Binary>,
        version -> BigInt,
    }
}

diesel::table! {
    use common::db::sql::{Text, Uuid};
    turns (id) {
        id -> Uuid,
        call_id -> Uuid,
        said -> Text,
    }
}

diesel::table! {
    use common::db::sql::{Nullable, UtcTime, Uuid};
    jobs (id) {
        id -> Uuid,
        due_at -> UtcTime,
        lease_until -> Nullable<UtcTime>,
    }
}

diesel::joinable!(turns -> calls (call_id));
diesel::allow_tables_to_appear_in_same_query!(calls, turns);

/// A row with every column type there is.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = calls)]
pub(crate) struct Call {
    pub(crate) id: Id,
    pub(crate) label: String,
    pub(crate) details: Json,
    pub(crate) extra: Option<Json>,
    pub(crate) parent: Option<Id>,
    pub(crate) started_at: Time,
    pub(crate) ended_at: Option<Time>,
    pub(crate) attempts: i32,
    pub(crate) cost: Option<f64>,
    pub(crate) bytes: i64,
    pub(crate) live: bool,
    pub(crate) audio: Option<Vec<u8>>,
    pub(crate) version: i64,
}

impl Call {
    /// A call with nothing in its optional columns, started at `time("2025-03-01T10:00:00Z")`.
    pub(crate) fn labelled(label: &str) -> Self {
        Self {
            id: new_id(),
            label: label.to_owned(),
            details: Json(serde_json::json!({})),
            extra: None,
            parent: None,
            started_at: time("2025-03-01T10:00:00Z"),
            ended_at: None,
            attempts: 0,
            cost: None,
            bytes: 0,
            live: true,
            audio: None,
            version: 1,
        }
    }

    pub(crate) fn started(label: &str, at: &str) -> Self {
        Self { started_at: time(at), ..Self::labelled(label) }
    }
}

pub(crate) fn new_id() -> Id {
    Id(Uuid::now_v7())
}

/// A point in time from its RFC 3339 text.
pub(crate) fn time(text: &str) -> Time {
    Time::from(text.parse::<chrono::DateTime<chrono::Utc>>().expect("an RFC 3339 time"))
}

pub(crate) async fn database(engine: Engine) -> TestDatabase {
    TestDatabase::new(engine, STEPS).await
}

pub(crate) fn insert(db: &mut Db, call: &Call) -> Result<(), DbError> {
    diesel::insert_into(calls::table).values(call.clone()).execute(db)?;
    Ok(())
}

pub(crate) fn load(db: &mut Db, id: Id) -> Result<Call, DbError> {
    Ok(calls::table.find(id).select(Call::as_select()).first(db)?)
}

/// Stores `calls`, in this order.
pub(crate) async fn store(database: &Database, calls: &[Call]) {
    let calls = calls.to_vec();
    let stored = database.write(move |tx| calls.iter().try_for_each(|call| insert(tx.conn, call))).await;
    stored.expect("the calls are stored");
}

/// The labels of all calls, sorted.
pub(crate) async fn labels(database: &Database) -> Vec<String> {
    let labels = database
        .read(|db| Ok::<_, DbError>(calls::table.order(calls::label).select(calls::label).load(db)?))
        .await;
    labels.expect("the labels are read")
}
