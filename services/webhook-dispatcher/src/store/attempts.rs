//! Attempts: every try, written down before it is sent and completed with what came of it.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time};
use diesel::prelude::*;
use uuid::Uuid;

use super::schema::{attempts, deliveries};
use crate::domain::delivery::Trigger;
use crate::sending::Answer;

/// A row, as the log shows it.
#[derive(Clone, Debug, Queryable, Selectable)]
pub(crate) struct Attempt {
    pub(crate) id: Id,
    pub(crate) delivery_id: Id,
    pub(crate) attempt_number: i32,
    pub(crate) triggered_by: String,
    pub(crate) started_at: Time,
    pub(crate) http_status: Option<i32>,
    pub(crate) response_body: Option<String>,
    pub(crate) duration_ms: Option<i64>,
    pub(crate) success: bool,
    pub(crate) error_message: Option<String>,
}

/// The latest attempts at a delivery, the first of them first.
pub(crate) fn of(conn: &mut Db, delivery: Id, most: i64) -> Result<Vec<Attempt>, DbError> {
    let mut found: Vec<Attempt> = attempts::table
        .filter(attempts::delivery_id.eq(delivery))
        .order(attempts::attempt_number.desc())
        .limit(most)
        .select(Attempt::as_select())
        .load(conn)?;
    found.reverse();
    Ok(found)
}

/// The latest attempts at each of these deliveries, at most `most`; the first of them first.
pub(crate) fn of_each(conn: &mut Db, ids: &[Id], most: i32) -> Result<Vec<Attempt>, DbError> {
    let latest = attempts::attempt_number.gt(deliveries::attempt_count - most);
    Ok(attempts::table
        .inner_join(deliveries::table.on(deliveries::id.eq(attempts::delivery_id)))
        .filter(attempts::delivery_id.eq_any(ids).and(latest))
        .order((attempts::delivery_id, attempts::attempt_number))
        .select(Attempt::as_select())
        .load(conn)?)
}

const STARTED: &str = "started";
const FINISHED: &str = "finished";
const INTERRUPTED: &str = "interrupted";

/// Writes an attempt down before it is sent.
pub(crate) fn start(
    conn: &mut Db,
    project: Id,
    delivery: Id,
    (number, trigger): (i32, &str),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::insert_into(attempts::table)
        .values((
            attempts::id.eq(Id(Uuid::now_v7())),
            attempts::delivery_id.eq(delivery),
            attempts::project_id.eq(project),
            attempts::attempt_number.eq(number),
            attempts::triggered_by.eq(trigger),
            attempts::state.eq(STARTED),
            attempts::started_at.eq(Time::from(now)),
            attempts::success.eq(false),
        ))
        .execute(conn)?;
    Ok(())
}

/// Writes down the only attempt at what was sent already.
pub(crate) fn note(
    conn: &mut Db,
    project: Id,
    delivery: Id,
    (begun, answer): (DateTime<Utc>, &Answer),
) -> Result<(), DbError> {
    start(conn, project, delivery, (1, Trigger::Auto.as_str()), begun)?;
    finish(conn, delivery, 1, (answer, false))
}

/// Closes attempts whose sender did not live to tell what came of them.
pub(crate) fn interrupt(conn: &mut Db, deliveries: &[Id]) -> Result<(), DbError> {
    if deliveries.is_empty() {
        return Ok(());
    }
    let open = attempts::delivery_id.eq_any(deliveries).and(attempts::state.eq(STARTED));
    diesel::update(attempts::table.filter(open))
        .set((
            attempts::state.eq(INTERRUPTED),
            attempts::error_message.eq("the dispatcher was interrupted; whether it arrived is not known"),
        ))
        .execute(conn)?;
    Ok(())
}

/// Completes an attempt, also one that was given up for lost in the meantime. The answer is not kept of a delivery whose
/// customer was forgotten.
pub(crate) fn finish(
    conn: &mut Db,
    delivery: Id,
    number: i32,
    (answer, erased): (&Answer, bool),
) -> Result<(), DbError> {
    let this = attempts::delivery_id.eq(delivery).and(attempts::attempt_number.eq(number));
    diesel::update(attempts::table.filter(this))
        .set((
            attempts::state.eq(FINISHED),
            attempts::http_status.eq(answer.http_status.map(i32::from)),
            attempts::response_body.eq(answer.body.as_deref().filter(|_| !erased)),
            attempts::duration_ms.eq(Some(answer.duration_ms)),
            attempts::success.eq(answer.is_success()),
            attempts::error_message.eq(answer.error.as_deref()),
        ))
        .execute(conn)?;
    Ok(())
}
