//! The webhooks of bots: endpoints that their projects do not see, one for each bot, with the address of the newest call. What
//! signs is the bot's secret, in [`super::targets`].

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Json, Time, lease};
use contracts::ids::{EndpointId, ProjectId};
use diesel::prelude::*;

use super::endpoints::{self as all, ACTIVE, DELETED, Endpoint};
use super::schema::endpoints;
use crate::domain::health::Health;
use crate::domain::owner::Owner;

/// Keeps others who would make or remove something of this bot waiting until this transaction has ended.
pub(crate) fn lock(conn: &mut Db, bot: &Owner) -> Result<(), DbError> {
    lease::exclusive(conn, &format!("webhook of {} of {}", bot.id(), bot.business))
}

/// The webhook of a bot, if it has had something to tell.
pub(crate) fn find(conn: &mut Db, bot: &Owner) -> Result<Option<Endpoint>, DbError> {
    let own = endpoints::business_id.eq(Id::of(bot.business)).and(endpoints::bot_id.eq(bot.id()));
    Ok(endpoints::table
        .filter(own.and(endpoints::status.ne(DELETED)))
        .select(Endpoint::as_select())
        .first(conn)
        .optional()?)
}

/// A bot has something to tell for the first time.
///
/// # Errors
/// [`DbError::Duplicate`] when somebody else was faster.
pub(crate) fn insert(
    conn: &mut Db,
    (project, bot): (ProjectId, &Owner),
    (url, since): (&str, DateTime<Utc>),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::insert_into(endpoints::table)
        .values((
            endpoints::id.eq(Id::of(EndpointId::new())),
            endpoints::project_id.eq(Id::of(project)),
            endpoints::business_id.eq(Id::of(bot.business)),
            endpoints::bot_id.eq(bot.id()),
            endpoints::url.eq(url),
            endpoints::url_at.eq(Time::from(since)),
            endpoints::secret.eq(""),
            endpoints::status.eq(ACTIVE),
            endpoints::events.eq(Json(serde_json::json!([]))),
            endpoints::consecutive_failures.eq(0),
            endpoints::failed_attempts.eq(0),
            endpoints::version.eq(1_i64),
            endpoints::created_at.eq(Time::from(now)),
            endpoints::updated_at.eq(Time::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// A bot's webhook has this address since then, and is doing like this.
///
/// # Errors
/// [`DbError::Conflict`] when somebody else has changed it since it was loaded.
pub(crate) fn move_to(
    conn: &mut Db,
    loaded: &Endpoint,
    (url, since): (&str, DateTime<Utc>),
    health: &Health,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    all::save_health(conn, loaded, health, now)?;
    diesel::update(endpoints::table.filter(endpoints::id.eq(loaded.id)))
        .set((endpoints::url.eq(url), endpoints::url_at.eq(Time::from(since))))
        .execute(conn)?;
    Ok(())
}

/// A newer call names the address that a bot's webhook has: older ones do not change it.
pub(crate) fn still_at(conn: &mut Db, id: Id, since: DateTime<Utc>) -> Result<(), DbError> {
    diesel::update(endpoints::table.filter(endpoints::id.eq(id)))
        .set(endpoints::url_at.eq(Time::from(since)))
        .execute(conn)?;
    Ok(())
}
