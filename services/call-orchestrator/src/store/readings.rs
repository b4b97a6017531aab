//! What is read out of calls by which customers rang back after the end of their notification.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use common::db::lease::{self, LeaseQuery};
use common::db::{Db, DbError, Id, Json, Time};
use contracts::ids::{CallId, ProjectId};
use diesel::prelude::*;

use super::notifications::Found;
use super::schema::readings;
use super::word;

/// Writes down that a call is to be read.
pub(crate) fn insert(
    db: &mut Db,
    project: ProjectId,
    call: CallId,
    ended_at: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::insert_into(readings::table)
        .values((
            readings::id.eq(Id::of(call)),
            readings::project_id.eq(Id::of(project)),
            readings::ended_at.eq(Time::from(ended_at)),
        ))
        .execute(db)?;
    Ok(())
}

const DUE: LeaseQuery = LeaseQuery { table: "readings", due: "outcome IS NULL", order: "ended_at" };

/// Leases calls that are to be read.
pub(crate) fn claim(
    db: &mut Db,
    now: DateTime<Utc>,
    hold: Duration,
    limit: u32,
) -> Result<Vec<CallId>, DbError> {
    let ids = lease::claim(db, &DUE, now, hold, limit)?;
    Ok(ids.into_iter().map(|id| CallId(id.0)).collect())
}

/// Writes down what a call has brought. Nothing where somebody else was faster, or the customer is forgotten.
pub(crate) fn note(db: &mut Db, project: ProjectId, call: CallId, found: &Found) -> Result<(), DbError> {
    let outcome = Json(word(serde_json::to_value(found))?);
    diesel::update(
        readings::table
            .filter(readings::project_id.eq(Id::of(project)))
            .filter(readings::id.eq(Id::of(call)))
            .filter(readings::outcome.is_null()),
    )
    .set(readings::outcome.eq(Some(outcome)))
    .execute(db)?;
    Ok(())
}

/// What these calls have brought, as far as they were read.
pub(crate) fn of(
    db: &mut Db,
    project: ProjectId,
    calls: &[CallId],
) -> Result<HashMap<CallId, Found>, DbError> {
    let ids: Vec<Id> = calls.iter().map(|id| Id::of(*id)).collect();
    let rows: Vec<(Id, Option<Json>)> = readings::table
        .filter(readings::project_id.eq(Id::of(project)))
        .filter(readings::id.eq_any(ids))
        .select((readings::id, readings::outcome))
        .load(db)?;
    let read = rows.into_iter().filter_map(|(id, outcome)| Some((CallId(id.0), outcome?)));
    read.map(|(id, outcome)| Ok((id, word(serde_json::from_value(outcome.0))?))).collect()
}

/// Forgets what these calls have brought.
pub(super) fn forget(db: &mut Db, calls: &[Id]) -> Result<(), DbError> {
    diesel::delete(readings::table.filter(readings::id.eq_any(calls))).execute(db)?;
    Ok(())
}
