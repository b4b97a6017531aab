//! Endpoints: where a project wants its events, with the sealed secret and how the endpoint is doing.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Json, Time};
use contracts::ids::{EndpointId, ProjectId};
use diesel::prelude::*;

use super::schema::endpoints;
use crate::domain::event::EventName;
use crate::domain::health::Health;

const ACTIVE: &str = "active";
const DISABLED: &str = "disabled";

/// A row.
#[derive(Clone, Debug, Queryable, Selectable)]
pub(crate) struct Endpoint {
    pub(crate) id: Id,
    pub(crate) project_id: Id,
    pub(crate) url: String,
    /// Sealed.
    pub(crate) secret: String,
    pub(crate) status: String,
    pub(crate) events: Json,
    pub(crate) consecutive_failures: i32,
    first_failure_at: Option<Time>,
    failed_attempts: i32,
    version: i64,
    pub(crate) created_at: Time,
    pub(crate) updated_at: Time,
}

impl Endpoint {
    /// How it is doing.
    pub(crate) fn health(&self) -> Health {
        Health {
            active: self.status == ACTIVE,
            consecutive_failures: self.consecutive_failures.unsigned_abs(),
            first_failure_at: self.first_failure_at.map(|at| at.0),
            failed_attempts: self.failed_attempts.unsigned_abs(),
        }
    }

    /// The names of the events that it wants.
    pub(crate) fn event_names(&self) -> Vec<String> {
        let names = self.events.0.as_array().into_iter().flatten();
        names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
    }
}

/// What a new endpoint is made of.
#[derive(Clone, Debug)]
pub(crate) struct NewEndpoint {
    pub(crate) id: EndpointId,
    pub(crate) project: ProjectId,
    pub(crate) url: String,
    pub(crate) sealed_secret: String,
    pub(crate) events: Vec<EventName>,
}

/// Stores an endpoint.
pub(crate) fn insert(conn: &mut Db, new: &NewEndpoint, now: DateTime<Utc>) -> Result<(), DbError> {
    let events: Vec<&str> = new.events.iter().map(|event| event.as_str()).collect();
    diesel::insert_into(endpoints::table)
        .values((
            endpoints::id.eq(Id::of(new.id)),
            endpoints::project_id.eq(Id::of(new.project)),
            endpoints::url.eq(&new.url),
            endpoints::secret.eq(&new.sealed_secret),
            endpoints::status.eq(ACTIVE),
            endpoints::events.eq(Json(events.into())),
            endpoints::consecutive_failures.eq(0),
            endpoints::failed_attempts.eq(0),
            endpoints::version.eq(1_i64),
            endpoints::created_at.eq(Time::from(now)),
            endpoints::updated_at.eq(Time::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// The endpoint, if it is there and belongs to the project.
pub(crate) fn find(conn: &mut Db, project: ProjectId, id: EndpointId) -> Result<Option<Endpoint>, DbError> {
    Ok(endpoints::table
        .filter(endpoints::project_id.eq(Id::of(project)).and(endpoints::id.eq(Id::of(id))))
        .select(Endpoint::as_select())
        .first(conn)
        .optional()?)
}

/// True when some project has an endpoint with this id.
pub(crate) fn exists(conn: &mut Db, id: EndpointId) -> Result<bool, DbError> {
    let found: i64 = endpoints::table.filter(endpoints::id.eq(Id::of(id))).count().get_result(conn)?;
    Ok(found > 0)
}

/// How many active endpoints a project has.
pub(crate) fn count_active(conn: &mut Db, project: ProjectId) -> Result<usize, DbError> {
    let active = endpoints::project_id.eq(Id::of(project)).and(endpoints::status.eq(ACTIVE));
    let count: i64 = endpoints::table.filter(active).count().get_result(conn)?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// A page, newest first.
pub(crate) fn page(
    conn: &mut Db,
    project: ProjectId,
    after: Option<EndpointId>,
    limit: i64,
) -> Result<Vec<Endpoint>, DbError> {
    let own = endpoints::table.filter(endpoints::project_id.eq(Id::of(project)));
    let newest_first = own.order(endpoints::id.desc()).limit(limit).select(Endpoint::as_select());
    Ok(match after {
        Some(after) => newest_first.filter(endpoints::id.lt(Id::of(after))).load(conn)?,
        None => newest_first.load(conn)?,
    })
}

/// The active endpoints of a project that want this event.
pub(crate) fn wanting(conn: &mut Db, project: ProjectId, event: EventName) -> Result<Vec<Endpoint>, DbError> {
    let active: Vec<Endpoint> = endpoints::table
        .filter(endpoints::project_id.eq(Id::of(project)).and(endpoints::status.eq(ACTIVE)))
        .order(endpoints::id)
        .select(Endpoint::as_select())
        .load(conn)?;
    Ok(active.into_iter().filter(|e| e.event_names().iter().any(|n| n == event.as_str())).collect())
}

/// The endpoints with these ids, in the order of their ids.
pub(crate) fn by_ids(conn: &mut Db, ids: &[Id]) -> Result<Vec<Endpoint>, DbError> {
    Ok(endpoints::table
        .filter(endpoints::id.eq_any(ids))
        .order(endpoints::id)
        .select(Endpoint::as_select())
        .load(conn)?)
}

/// Saves how an endpoint is doing now.
///
/// # Errors
/// [`DbError::Conflict`] when somebody else has changed it since it was loaded.
pub(crate) fn save_health(
    conn: &mut Db,
    loaded: &Endpoint,
    health: &Health,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let same = endpoints::id.eq(loaded.id).and(endpoints::version.eq(loaded.version));
    let touched = diesel::update(endpoints::table.filter(same))
        .set((
            endpoints::status.eq(if health.active { ACTIVE } else { DISABLED }),
            endpoints::consecutive_failures.eq(number(health.consecutive_failures)),
            endpoints::first_failure_at.eq(health.first_failure_at.map(Time::from)),
            endpoints::failed_attempts.eq(number(health.failed_attempts)),
            endpoints::version.eq(loaded.version + 1),
            endpoints::updated_at.eq(Time::from(now)),
        ))
        .execute(conn)?;
    if touched == 1 { Ok(()) } else { Err(DbError::Conflict) }
}
