//! Attempts: every try, written down before it is sent and completed with what came of it.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time};
use diesel::prelude::*;
use uuid::Uuid;

use super::schema::attempts;
use crate::sending::Answer;

const STARTED: &str = "started";
const FINISHED: &str = "finished";
const INTERRUPTED: &str = "interrupted";

/// Writes an automatic attempt down before it is sent.
pub(crate) fn start(
    conn: &mut Db,
    project: Id,
    delivery: Id,
    number: i32,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::insert_into(attempts::table)
        .values((
            attempts::id.eq(Id(Uuid::now_v7())),
            attempts::delivery_id.eq(delivery),
            attempts::project_id.eq(project),
            attempts::attempt_number.eq(number),
            attempts::triggered_by.eq("auto"),
            attempts::state.eq(STARTED),
            attempts::started_at.eq(Time::from(now)),
            attempts::success.eq(false),
        ))
        .execute(conn)?;
    Ok(())
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

/// Completes an attempt, also one that was given up for lost in the meantime.
pub(crate) fn finish(conn: &mut Db, delivery: Id, number: i32, answer: &Answer) -> Result<(), DbError> {
    let this = attempts::delivery_id.eq(delivery).and(attempts::attempt_number.eq(number));
    diesel::update(attempts::table.filter(this))
        .set((
            attempts::state.eq(FINISHED),
            attempts::http_status.eq(answer.http_status.map(i32::from)),
            attempts::response_body.eq(answer.body.as_deref()),
            attempts::duration_ms.eq(Some(answer.duration_ms)),
            attempts::success.eq(answer.is_success()),
            attempts::error_message.eq(answer.error.as_deref()),
        ))
        .execute(conn)?;
    Ok(())
}
