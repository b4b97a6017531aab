//! What waits, by endpoint and lane: moving it between lanes, ending it, counting it. Rows that are leased are left alone:
//! whoever holds them decides.

use chrono::{DateTime, Utc};
use common::clock;
use common::db::{Db, DbError, Id, Time};
use contracts::ids::{CustomerId, ProjectId};
use diesel::prelude::*;
use uuid::Builder;

use super::schema::{attempts, deliveries};
use crate::domain::admission::Lane;
use crate::domain::delivery::Status;

/// Moves all that waits for an endpoint into `lane`.
pub(crate) fn move_to(conn: &mut Db, endpoint: Id, lane: Lane) -> Result<(), DbError> {
    let waiting = deliveries::endpoint_id
        .eq(endpoint)
        .and(deliveries::next_retry_at.is_not_null())
        .and(deliveries::lease_until.is_null())
        .and(deliveries::lane.ne(lane.as_str()));
    diesel::update(deliveries::table.filter(waiting))
        .set(deliveries::lane.eq(lane.as_str()))
        .execute(conn)?;
    Ok(())
}

/// Ends all that waits for an endpoint.
pub(crate) fn give_up(conn: &mut Db, endpoint: Id, now: DateTime<Utc>) -> Result<(), DbError> {
    let waiting = deliveries::endpoint_id
        .eq(endpoint)
        .and(deliveries::next_retry_at.is_not_null())
        .and(deliveries::lease_until.is_null());
    diesel::update(deliveries::table.filter(waiting))
        .set((
            deliveries::status.eq(Status::Failed.as_str()),
            deliveries::next_retry_at.eq(None::<Time>),
            deliveries::updated_at.eq(Time::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Brings back up to `room` of what was set aside because its endpoint was busy, the longest waiting first.
pub(crate) fn refill(conn: &mut Db, endpoint: Id, room: usize) -> Result<usize, DbError> {
    let ids: Vec<Id> = deliveries::table
        .filter(
            deliveries::endpoint_id
                .eq(endpoint)
                .and(deliveries::lane.eq(Lane::Crowded.as_str()))
                .and(deliveries::next_retry_at.is_not_null()),
        )
        .order(deliveries::next_retry_at)
        .limit(i64::try_from(room).unwrap_or(i64::MAX))
        .select(deliveries::id)
        .load(conn)?;
    if ids.is_empty() {
        return Ok(0);
    }
    Ok(diesel::update(deliveries::table.filter(deliveries::id.eq_any(ids)))
        .set(deliveries::lane.eq(Lane::Normal.as_str()))
        .execute(conn)?)
}

/// Endpoints with deliveries that were set aside.
pub(crate) fn crowded_endpoints(conn: &mut Db) -> Result<Vec<Id>, DbError> {
    Ok(deliveries::table
        .filter(deliveries::lane.eq(Lane::Crowded.as_str()).and(deliveries::next_retry_at.is_not_null()))
        .select(deliveries::endpoint_id)
        .distinct()
        .load(conn)?)
}

/// How many deliveries are open in a lane, and when the one that is due first became due.
pub(crate) fn count(conn: &mut Db, lane: Lane) -> Result<(i64, Option<DateTime<Utc>>), DbError> {
    let open = deliveries::lane.eq(lane.as_str()).and(deliveries::next_retry_at.is_not_null());
    let waiting: i64 = deliveries::table.filter(open).count().get_result(conn)?;
    let first: Option<Option<Time>> = deliveries::table
        .filter(open)
        .order(deliveries::next_retry_at)
        .select(deliveries::next_retry_at)
        .first(conn)
        .optional()?;
    Ok((waiting, first.flatten().map(|at| at.0)))
}

/// Forgets a customer: blanks what was and would be sent about them and what was answered to it, and ends what waits, also
/// what is in flight: that arrives, or does not, without being decided about again.
pub(crate) fn forget(
    conn: &mut Db,
    project: ProjectId,
    customer: CustomerId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let theirs =
        || deliveries::project_id.eq(Id::of(project)).and(deliveries::customer_id.eq(Some(Id::of(customer))));
    let ids = deliveries::table.filter(theirs()).select(deliveries::id);
    diesel::update(attempts::table.filter(attempts::delivery_id.eq_any(ids)))
        .set(attempts::response_body.eq(None::<String>))
        .execute(conn)?;
    diesel::update(deliveries::table.filter(theirs().and(deliveries::next_retry_at.is_not_null())))
        .set((
            deliveries::status.eq(Status::Failed.as_str()),
            deliveries::next_retry_at.eq(None::<Time>),
            deliveries::lease_until.eq(None::<Time>),
            deliveries::updated_at.eq(Time::from(now)),
        ))
        .execute(conn)?;
    diesel::update(deliveries::table.filter(theirs()))
        .set((deliveries::payload.eq(""), deliveries::customer_id.eq(None::<Id>)))
        .execute(conn)?;
    Ok(())
}

/// How far clearing away has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cleared {
    /// There may be more.
    Part,
    /// What is left is in flight.
    AsFarAsPossible,
    /// Nothing is left.
    All,
}

/// Removes up to `most` deliveries of an endpoint with their attempts, except those in flight.
pub(crate) fn clear(conn: &mut Db, endpoint: Id, most: i64, now: DateTime<Utc>) -> Result<Cleared, DbError> {
    let free = deliveries::lease_until.is_null().or(deliveries::lease_until.lt(Time::from(now)));
    let ids: Vec<Id> = deliveries::table
        .filter(deliveries::endpoint_id.eq(endpoint).and(free))
        .limit(most)
        .select(deliveries::id)
        .load(conn)?;
    if !ids.is_empty() {
        diesel::delete(attempts::table.filter(attempts::delivery_id.eq_any(&ids))).execute(conn)?;
        diesel::delete(deliveries::table.filter(deliveries::id.eq_any(&ids))).execute(conn)?;
        return Ok(Cleared::Part);
    }
    let left = deliveries::table.filter(deliveries::endpoint_id.eq(endpoint)).select(deliveries::id);
    let left = left.first::<Id>(conn).optional()?;
    Ok(if left.is_some() { Cleared::AsFarAsPossible } else { Cleared::All })
}

/// Up to `most` deliveries of an endpoint that were made before `before` and have ended, the oldest first.
pub(crate) fn old(
    conn: &mut Db,
    (project, endpoint): (ProjectId, Id),
    before: DateTime<Utc>,
    most: i64,
) -> Result<Vec<Id>, DbError> {
    // A delivery's id says when it was made.
    let millis = clock::to_millis(before).unsigned_abs();
    let first_kept = Id(Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid());
    let own = deliveries::project_id.eq(Id::of(project)).and(deliveries::endpoint_id.eq(endpoint));
    Ok(deliveries::table
        .filter(own.and(deliveries::id.lt(first_kept)))
        .filter(deliveries::next_retry_at.is_null().and(deliveries::lease_until.is_null()))
        .order(deliveries::id)
        .limit(most)
        .select(deliveries::id)
        .load(conn)?)
}

/// Removes those of a project's deliveries that have still ended, with their attempts.
pub(crate) fn remove(conn: &mut Db, project: ProjectId, ids: &[Id]) -> Result<(), DbError> {
    let gone = || {
        let own = deliveries::project_id.eq(Id::of(project)).and(deliveries::id.eq_any(ids));
        own.and(deliveries::next_retry_at.is_null()).and(deliveries::lease_until.is_null())
    };
    let theirs = deliveries::table.filter(gone()).select(deliveries::id);
    diesel::delete(attempts::table.filter(attempts::delivery_id.eq_any(theirs))).execute(conn)?;
    diesel::delete(deliveries::table.filter(gone())).execute(conn)?;
    Ok(())
}
