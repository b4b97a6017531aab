//! `placings`: notifications that are being placed, and must be withdrawn when nobody is left who knows what became of them.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time};
use contracts::ids::{NotificationId, ProjectId};
use diesel::prelude::*;

use super::schema::placings;
use crate::domain::idempotency::LEASE;

/// A notification that is being placed.
#[derive(Clone, Debug)]
pub(crate) struct Placing {
    /// The id that it will have.
    pub(crate) id: NotificationId,
    /// Whose it is.
    pub(crate) project: ProjectId,
    /// The request that asked for it, for logs.
    pub(crate) request_id: String,
}

/// Notes it, before anybody else hears of it. Whoever works on it has as long as one who works on a key.
pub(crate) fn insert(conn: &mut Db, placing: &Placing, now: DateTime<Utc>) -> Result<(), DbError> {
    diesel::insert_into(placings::table)
        .values((
            placings::id.eq(Id::of(placing.id)),
            placings::project_id.eq(Id::of(placing.project)),
            placings::request_id.eq(&placing.request_id),
            placings::withdraw_at.eq(Time::from(now + LEASE)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Ends it. False: somebody else already has.
pub(crate) fn end(conn: &mut Db, placing: &Placing) -> Result<bool, DbError> {
    let own = placings::table
        .filter(placings::project_id.eq(Id::of(placing.project)))
        .filter(placings::id.eq(Id::of(placing.id)));
    Ok(diesel::delete(own).execute(conn)? == 1)
}

/// Some of those that nobody works on any more, the oldest first.
pub(crate) fn overdue(conn: &mut Db, now: DateTime<Utc>, limit: i64) -> Result<Vec<Placing>, DbError> {
    let rows: Vec<(Id, Id, String)> = placings::table
        .filter(placings::withdraw_at.le(Time::from(now)))
        .order(placings::withdraw_at)
        .limit(limit)
        .select((placings::id, placings::project_id, placings::request_id))
        .load(conn)?;
    let placing = |(id, project, request_id): (Id, Id, String)| Placing {
        id: NotificationId(id.0),
        project: ProjectId(project.0),
        request_id,
    };
    Ok(rows.into_iter().map(placing).collect())
}
