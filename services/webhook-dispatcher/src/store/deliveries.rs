//! Deliveries: one event to one endpoint. A delivery is open as long as `next_retry_at` is set; the number of its latest
//! attempt is its fence: who holds an older number may no longer decide about it.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time};
use contracts::ids::DeliveryId;
use diesel::prelude::*;

use super::schema::deliveries;
use crate::domain::admission::Lane;
use crate::domain::delivery::{After, Before, Status, Trigger};
use crate::domain::event::Event;

/// Makes the delivery `id` of `event` to `endpoint`, due at once, that waits in `lane`.
pub(crate) fn insert(
    conn: &mut Db,
    event: &Event,
    (id, endpoint): (DeliveryId, Id),
    lane: Lane,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::insert_into(deliveries::table)
        .values((
            deliveries::id.eq(Id::of(id)),
            deliveries::project_id.eq(Id::of(event.project)),
            deliveries::endpoint_id.eq(endpoint),
            deliveries::event_id.eq(Id::of(event.id)),
            deliveries::customer_id.eq(event.customer.map(Id::of)),
            deliveries::event_name.eq(event.name.as_str()),
            deliveries::payload.eq(&event.payload),
            deliveries::status.eq(Status::Pending.as_str()),
            deliveries::attempt_count.eq(0),
            deliveries::failed_attempts.eq(0),
            deliveries::next_retry_at.eq(Some(Time::from(now))),
            deliveries::lane.eq(lane.as_str()),
            deliveries::created_at.eq(Time::from(now)),
            deliveries::updated_at.eq(Time::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Makes the delivery `id` of what was sent already, once, and is over.
pub(crate) fn insert_over(
    conn: &mut Db,
    event: &Event,
    (id, endpoint): (DeliveryId, Id),
    success: bool,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let (status, failed) = if success { (Status::Success, 0) } else { (Status::Failed, 1) };
    diesel::insert_into(deliveries::table)
        .values((
            deliveries::id.eq(Id::of(id)),
            deliveries::project_id.eq(Id::of(event.project)),
            deliveries::endpoint_id.eq(endpoint),
            deliveries::event_id.eq(Id::of(event.id)),
            deliveries::event_name.eq(event.name.as_str()),
            deliveries::payload.eq(&event.payload),
            deliveries::status.eq(status.as_str()),
            deliveries::attempt_count.eq(1),
            deliveries::failed_attempts.eq(failed),
            deliveries::lane.eq(Lane::Normal.as_str()),
            deliveries::created_at.eq(Time::from(now)),
            deliveries::updated_at.eq(Time::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// The endpoints that an event has deliveries to.
pub(crate) fn endpoints_of(conn: &mut Db, event: &Event) -> Result<Vec<Id>, DbError> {
    Ok(deliveries::table
        .filter(
            deliveries::project_id.eq(Id::of(event.project)).and(deliveries::event_id.eq(Id::of(event.id))),
        )
        .select(deliveries::endpoint_id)
        .load(conn)?)
}

/// What must be known of a delivery when an attempt of it has ended.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct Fence {
    pub(crate) id: Id,
    /// The number of its latest attempt.
    pub(crate) number: i32,
    failed_attempts: i32,
    manual: bool,
    resume_at: Option<Time>,
    next_retry_at: Option<Time>,
    /// Its customer was forgotten.
    pub(crate) erased: bool,
}

impl Fence {
    /// True when the attempt with this number decides.
    pub(crate) fn is_for(&self, number: i32) -> bool {
        self.number == number && self.next_retry_at.is_some()
    }

    /// The delivery before that.
    pub(crate) fn before(&self) -> Before {
        let resume = self.resume_at.map(|at| at.0);
        let trigger = if self.manual { Trigger::Manual { resume } } else { Trigger::Auto };
        Before { failed: self.failed_attempts.unsigned_abs(), trigger }
    }
}

/// The fences of these deliveries.
pub(crate) fn fences(conn: &mut Db, ids: &[Id]) -> Result<Vec<Fence>, DbError> {
    Ok(deliveries::table
        .filter(deliveries::id.eq_any(ids))
        .select((
            deliveries::id,
            deliveries::attempt_count,
            deliveries::failed_attempts,
            deliveries::manual,
            deliveries::resume_at,
            deliveries::next_retry_at,
            deliveries::payload.eq(""),
        ))
        .load(conn)?)
}

/// Settles deliveries that came to the same end with attempts of the same number.
///
/// # Errors
/// [`DbError::Conflict`] when one of them has been claimed again or ended in between.
pub(crate) fn settle(
    conn: &mut Db,
    ids: &[Id],
    fence: i32,
    (after, lane): (&After, Lane),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let ours = deliveries::id
        .eq_any(ids)
        .and(deliveries::attempt_count.eq(fence))
        .and(deliveries::next_retry_at.is_not_null());
    let touched = diesel::update(deliveries::table.filter(ours))
        .set((
            deliveries::status.eq(after.status.as_str()),
            deliveries::failed_attempts.eq(i32::try_from(after.failed_attempts).unwrap_or(i32::MAX)),
            deliveries::next_retry_at.eq(after.due.map(Time::from)),
            deliveries::lane.eq(lane.as_str()),
            deliveries::lease_until.eq(None::<Time>),
            deliveries::manual.eq(false),
            deliveries::resume_at.eq(None::<Time>),
            deliveries::updated_at.eq(Time::from(now)),
        ))
        .execute(conn)?;
    if touched == ids.len() { Ok(()) } else { Err(DbError::Conflict) }
}

/// Leases deliveries that are due.
///
/// # Errors
/// [`DbError::Conflict`] when somebody else was faster.
pub(crate) fn lease(conn: &mut Db, ids: &[Id], until: DateTime<Utc>) -> Result<(), DbError> {
    if ids.is_empty() {
        return Ok(());
    }
    let open = deliveries::id.eq_any(ids).and(deliveries::next_retry_at.is_not_null());
    let touched = diesel::update(deliveries::table.filter(open))
        .set(deliveries::lease_until.eq(Some(Time::from(until))))
        .execute(conn)?;
    if touched == ids.len() { Ok(()) } else { Err(DbError::Conflict) }
}

/// Puts claimed deliveries back, into `lane`.
pub(crate) fn put_back(conn: &mut Db, ids: &[Id], lane: Lane) -> Result<(), DbError> {
    if ids.is_empty() {
        return Ok(());
    }
    diesel::update(deliveries::table.filter(deliveries::id.eq_any(ids)))
        .set((deliveries::lane.eq(lane.as_str()), deliveries::lease_until.eq(None::<Time>)))
        .execute(conn)?;
    Ok(())
}

/// Ends deliveries without another attempt.
pub(crate) fn give_up(conn: &mut Db, ids: &[Id], now: DateTime<Utc>) -> Result<(), DbError> {
    if ids.is_empty() {
        return Ok(());
    }
    diesel::update(deliveries::table.filter(deliveries::id.eq_any(ids)))
        .set((
            deliveries::status.eq(Status::Failed.as_str()),
            deliveries::next_retry_at.eq(None::<Time>),
            deliveries::lease_until.eq(None::<Time>),
            deliveries::updated_at.eq(Time::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}
