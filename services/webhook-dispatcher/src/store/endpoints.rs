//! Endpoints: where a project wants its events, with the sealed secret and how the endpoint is doing. A bot's webhook is one of
//! them that its project does not see: see [`super::bots`].

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Json, Time};
use contracts::ids::{BusinessId, EndpointId, ProjectId};
use diesel::prelude::*;

use super::schema::endpoints;
use super::targets::Target;
use crate::domain::event::EventName;
use crate::domain::health::Health;
use crate::domain::owner::Owner;

pub(super) const ACTIVE: &str = "active";
const DISABLED: &str = "disabled";
/// Seen by nobody; its log is being cleared away.
pub(super) const DELETED: &str = "deleted";

/// A row.
#[derive(Clone, Debug, Queryable, Selectable)]
pub(crate) struct Endpoint {
    pub(crate) id: Id,
    pub(crate) project_id: Id,
    pub(crate) url: String,
    /// Sealed. Of a bot's webhook empty, until it is claimed.
    pub(crate) secret: String,
    pub(crate) status: String,
    pub(crate) events: Json,
    pub(crate) consecutive_failures: i32,
    first_failure_at: Option<Time>,
    failed_attempts: i32,
    version: i64,
    pub(crate) created_at: Time,
    pub(crate) updated_at: Time,
    /// Sealed; good until then.
    previous_secret: Option<String>,
    previous_until: Option<Time>,
    business_id: Option<Id>,
    bot_id: Option<String>,
    /// Since when a bot's has its address.
    pub(crate) url_at: Option<Time>,
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

    /// The sealed secret before the current one, while it is still good.
    pub(crate) fn previous_secret(&self, now: DateTime<Utc>) -> Option<&str> {
        let good = self.previous_until.is_some_and(|until| until.0 > now);
        self.previous_secret.as_deref().filter(|_| good)
    }

    /// The bot whose webhook it is.
    pub(crate) fn bot(&self) -> Option<Owner> {
        let business = BusinessId(self.business_id?.0);
        Owner::parse(business, self.bot_id.as_deref()?).ok()
    }

    /// The same, signed with these secrets.
    pub(super) fn signed_with(&mut self, target: Target) {
        self.secret = target.secret;
        self.previous_secret = target.previous_secret;
        self.previous_until = target.previous_until;
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
        .filter(endpoints::status.ne(DELETED).and(endpoints::bot_id.is_null()))
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
    let active = active.and(endpoints::bot_id.is_null());
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
    let there = endpoints::status.ne(DELETED).and(endpoints::bot_id.is_null());
    let own = endpoints::table.filter(endpoints::project_id.eq(Id::of(project)).and(there));
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
        .filter(endpoints::bot_id.is_null())
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
            endpoints::status.eq(status(loaded, health)),
            endpoints::consecutive_failures.eq(number(health.consecutive_failures)),
            endpoints::first_failure_at.eq(health.first_failure_at.map(Time::from)),
            endpoints::failed_attempts.eq(number(health.failed_attempts)),
            endpoints::version.eq(loaded.version + 1),
            endpoints::updated_at.eq(Time::from(now)),
        ))
        .execute(conn)?;
    if touched == 1 { Ok(()) } else { Err(DbError::Conflict) }
}

/// One that was deleted meanwhile stays so.
fn status(loaded: &Endpoint, health: &Health) -> &'static str {
    match (health.active, loaded.status.as_str()) {
        (true, _) => ACTIVE,
        (false, DELETED) => DELETED,
        (false, _) => DISABLED,
    }
}

/// What a project changes about an endpoint.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub(crate) url: Option<String>,
    pub(crate) active: Option<bool>,
    pub(crate) events: Option<Vec<EventName>>,
}

/// Saves what a project has changed, and how the endpoint is doing after it.
///
/// # Errors
/// [`DbError::Conflict`] when somebody else has changed it since it was loaded.
pub(crate) fn change(
    conn: &mut Db,
    loaded: &Endpoint,
    change: &Change,
    health: &Health,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    save_health(conn, loaded, health, now)?;
    let events = change
        .events
        .as_ref()
        .map(|events| Json(events.iter().map(|event| event.as_str()).collect::<Vec<_>>().into()));
    diesel::update(endpoints::table.filter(endpoints::id.eq(loaded.id)))
        .set((
            endpoints::url.eq(change.url.as_ref().unwrap_or(&loaded.url)),
            endpoints::events.eq(events.as_ref().unwrap_or(&loaded.events)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Replaces the secret; the one before it is good until `until`.
///
/// # Errors
/// [`DbError::Conflict`] when somebody else has changed the endpoint since it was loaded.
pub(crate) fn rotate(
    conn: &mut Db,
    loaded: &Endpoint,
    sealed: &str,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let same = endpoints::id.eq(loaded.id).and(endpoints::version.eq(loaded.version));
    let touched = diesel::update(endpoints::table.filter(same))
        .set((
            endpoints::secret.eq(sealed),
            endpoints::previous_secret.eq(&loaded.secret),
            endpoints::previous_until.eq(Time::from(until)),
            endpoints::version.eq(loaded.version + 1),
            endpoints::updated_at.eq(Time::from(now)),
        ))
        .execute(conn)?;
    if touched == 1 { Ok(()) } else { Err(DbError::Conflict) }
}

/// Hides an endpoint from everybody; it is cleared away with its log.
pub(crate) fn delete(conn: &mut Db, id: Id, now: DateTime<Utc>) -> Result<(), DbError> {
    diesel::update(endpoints::table.filter(endpoints::id.eq(id)))
        .set((
            endpoints::status.eq(DELETED),
            endpoints::version.eq(endpoints::version + 1),
            endpoints::updated_at.eq(Time::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// All endpoints of a project that have not been deleted, those of bots too.
pub(crate) fn of_project(conn: &mut Db, project: ProjectId) -> Result<Vec<Id>, DbError> {
    let there = endpoints::project_id.eq(Id::of(project)).and(endpoints::status.ne(DELETED));
    Ok(endpoints::table.filter(there).order(endpoints::id).select(endpoints::id).load(conn)?)
}

/// Endpoints that were deleted and are to be cleared away.
pub(crate) fn deleted(conn: &mut Db) -> Result<Vec<Id>, DbError> {
    const MOST: i64 = 100;
    let deleted = endpoints::table.filter(endpoints::status.eq(DELETED));
    Ok(deleted.order(endpoints::id).limit(MOST).select(endpoints::id).load(conn)?)
}

/// Removes an endpoint without a log.
pub(crate) fn remove(conn: &mut Db, id: Id) -> Result<(), DbError> {
    let gone = endpoints::id.eq(id).and(endpoints::status.eq(DELETED));
    diesel::delete(endpoints::table.filter(gone)).execute(conn)?;
    Ok(())
}

/// A page of all endpoints, those of every project: with which project each belongs to.
pub(crate) fn all_after(
    conn: &mut Db,
    after: Option<Id>,
    limit: i64,
) -> Result<Vec<(ProjectId, Id)>, DbError> {
    let mut query = endpoints::table.into_boxed();
    if let Some(after) = after {
        query = query.filter(endpoints::id.gt(after));
    }
    let rows: Vec<(Id, Id)> =
        query.order(endpoints::id).limit(limit).select((endpoints::project_id, endpoints::id)).load(conn)?;
    Ok(rows.into_iter().map(|(project, endpoint)| (ProjectId(project.0), endpoint)).collect())
}
