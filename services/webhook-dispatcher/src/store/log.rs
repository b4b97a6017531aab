//! The log of an endpoint's deliveries, newest first. Which rows stand on a page is found in an index alone, however many
//! there are: with one filter by merging what that index has for each of the few values of the other.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time};
use contracts::ids::{DeliveryId, EndpointId, ProjectId};
use diesel::prelude::*;

use super::schema::deliveries;
use crate::domain::admission::Lane;
use crate::domain::delivery::{Status, Trigger};
use crate::domain::event::EventName;

/// A row.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = deliveries)]
pub(crate) struct Delivery {
    pub(crate) id: Id,
    pub(crate) project_id: Id,
    pub(crate) endpoint_id: Id,
    pub(crate) event_id: Id,
    pub(crate) event_name: String,
    /// Empty once its customer was forgotten.
    pub(crate) payload: String,
    pub(crate) status: String,
    pub(crate) attempt_count: i32,
    pub(crate) next_retry_at: Option<Time>,
    pub(crate) lease_until: Option<Time>,
    pub(crate) created_at: Time,
    pub(crate) updated_at: Time,
}

/// Which part of the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) status: Option<Status>,
    pub(crate) event: Option<EventName>,
    /// What there can be in this log.
    pub(crate) events: &'static [EventName],
    pub(crate) after: Option<DeliveryId>,
    pub(crate) limit: i64,
}

/// A page.
pub(crate) fn page(
    conn: &mut Db,
    project: ProjectId,
    endpoint: EndpointId,
    wanted: Wanted,
) -> Result<Vec<Delivery>, DbError> {
    let ids = match (wanted.event, wanted.status) {
        (None, None) => all(conn, project, endpoint, wanted)?,
        (event, status) => {
            let events = event.map_or(wanted.events.to_vec(), |event| vec![event]);
            let statuses = status.map_or(Status::ALL.to_vec(), |status| vec![status]);
            merged(conn, endpoint, (&events, &statuses), wanted)?
        }
    };
    Ok(deliveries::table
        .filter(deliveries::project_id.eq(Id::of(project)).and(deliveries::id.eq_any(ids)))
        .order(deliveries::id.desc())
        .select(Delivery::as_select())
        .load(conn)?)
}

fn all(conn: &mut Db, project: ProjectId, endpoint: EndpointId, wanted: Wanted) -> Result<Vec<Id>, DbError> {
    let own = deliveries::project_id.eq(Id::of(project)).and(deliveries::endpoint_id.eq(Id::of(endpoint)));
    let newest = deliveries::table
        .filter(own)
        .order((deliveries::project_id.desc(), deliveries::endpoint_id.desc(), deliveries::id.desc()))
        .limit(wanted.limit)
        .select(deliveries::id);
    Ok(match wanted.after {
        Some(after) => newest.filter(deliveries::id.lt(Id::of(after))).load(conn)?,
        None => newest.load(conn)?,
    })
}

/// One of the two lists has one entry, the other at most four.
fn merged(
    conn: &mut Db,
    endpoint: EndpointId,
    (events, statuses): (&[EventName], &[Status]),
    wanted: Wanted,
) -> Result<Vec<Id>, DbError> {
    let mut found = Vec::new();
    for (event, status) in events.iter().flat_map(|event| statuses.iter().map(move |status| (event, status)))
    {
        let alike = deliveries::endpoint_id
            .eq(Id::of(endpoint))
            .and(deliveries::event_name.eq(event.as_str()))
            .and(deliveries::status.eq(status.as_str()));
        let newest = deliveries::table
            .filter(alike)
            .order((
                deliveries::endpoint_id.desc(),
                deliveries::event_name.desc(),
                deliveries::status.desc(),
                deliveries::id.desc(),
            ))
            .limit(wanted.limit)
            .select(deliveries::id);
        let ids: Vec<Id> = match wanted.after {
            Some(after) => newest.filter(deliveries::id.lt(Id::of(after))).load(conn)?,
            None => newest.load(conn)?,
        };
        found.extend(ids);
    }
    found.sort_by_key(|id| Reverse(*id));
    found.truncate(usize::try_from(wanted.limit).unwrap_or(usize::MAX));
    Ok(found)
}

/// The delivery, if it is one to this endpoint of the project.
pub(crate) fn find(
    conn: &mut Db,
    project: ProjectId,
    endpoint: EndpointId,
    id: DeliveryId,
) -> Result<Option<Delivery>, DbError> {
    Ok(deliveries::table
        .filter(deliveries::project_id.eq(Id::of(project)).and(deliveries::endpoint_id.eq(Id::of(endpoint))))
        .filter(deliveries::id.eq(Id::of(id)))
        .select(Delivery::as_select())
        .first(conn)
        .optional()?)
}

/// Makes a delivery due at once, because a person asked for it.
///
/// # Errors
/// [`DbError::Conflict`] when it has been claimed or changed since it was loaded.
pub(crate) fn ask_for(
    conn: &mut Db,
    loaded: &Delivery,
    (trigger, lane): (Trigger, Lane),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let resume = match trigger {
        Trigger::Auto => None,
        Trigger::Manual { resume } => resume,
    };
    let same = deliveries::id
        .eq(loaded.id)
        .and(deliveries::attempt_count.eq(loaded.attempt_count))
        .and(deliveries::status.eq(&loaded.status))
        .and(deliveries::lease_until.is_null());
    let touched = diesel::update(deliveries::table.filter(same))
        .set((
            deliveries::status.eq(Status::Pending.as_str()),
            deliveries::manual.eq(true),
            deliveries::resume_at.eq(resume.map(Time::from)),
            deliveries::next_retry_at.eq(Some(Time::from(now))),
            deliveries::lane.eq(lane.as_str()),
            deliveries::updated_at.eq(Time::from(now)),
        ))
        .execute(conn)?;
    if touched == 1 { Ok(()) } else { Err(DbError::Conflict) }
}
