//! Tickets that people are told of, sealed; of one that everybody was told of nothing is left but that it was there.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time};
use contracts::ids::AppId;
use diesel::prelude::*;
use uuid::Uuid;

use super::schema::{notices, tickets};

/// Whether the ticket was heard of before.
pub(crate) fn is_there(conn: &mut Db, app: AppId, id: Uuid) -> Result<bool, DbError> {
    let own = tickets::app_id.eq(Id::of(app)).and(tickets::id.eq(Id(id)));
    let found: Option<Id> = tickets::table.filter(own).select(tickets::id).first(conn).optional()?;
    Ok(found.is_some())
}

/// Keeps a ticket of which nobody is told yet.
pub(crate) fn insert(
    conn: &mut Db,
    app: AppId,
    (id, sealed): (Uuid, &str),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::insert_into(tickets::table)
        .values((
            tickets::id.eq(Id(id)),
            tickets::app_id.eq(Id::of(app)),
            tickets::content.eq(sealed),
            tickets::created_at.eq(Time::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Tickets of an app that wait for it to say who is told.
pub(crate) fn untold(conn: &mut Db, app: AppId) -> Result<Vec<Uuid>, DbError> {
    let own = tickets::app_id.eq(Id::of(app)).and(tickets::told_at.is_null());
    let found: Vec<Id> = tickets::table.filter(own).order(tickets::id).select(tickets::id).load(conn)?;
    Ok(found.into_iter().map(|id| id.0).collect())
}

/// The notices of a ticket are made.
pub(crate) fn told(conn: &mut Db, app: AppId, id: Uuid, now: DateTime<Utc>) -> Result<(), DbError> {
    let own = tickets::app_id.eq(Id::of(app)).and(tickets::id.eq(Id(id)));
    diesel::update(tickets::table.filter(own))
        .set(tickets::told_at.eq(Some(Time::from(now))))
        .execute(conn)?;
    Ok(())
}

/// Blanks the ticket, if all its notices have ended. The app is locked: two that end at the same moment see each other.
pub(crate) fn blank_if_over(conn: &mut Db, app: AppId, id: Id) -> Result<(), DbError> {
    let waiting = notices::app_id
        .eq(Id::of(app))
        .and(notices::ticket_id.eq(id))
        .and(notices::next_try_at.is_not_null());
    let waits: Option<Id> = notices::table.filter(waiting).select(notices::id).first(conn).optional()?;
    if waits.is_none() {
        let own = tickets::app_id.eq(Id::of(app)).and(tickets::id.eq(id));
        diesel::update(tickets::table.filter(own)).set(tickets::content.eq("")).execute(conn)?;
    }
    Ok(())
}

/// Forgets tickets whose app has said nothing of itself since `then`. Answers how many.
pub(crate) fn forget_untold(conn: &mut Db, then: DateTime<Utc>) -> Result<usize, DbError> {
    let old = tickets::told_at.is_null().and(tickets::created_at.lt(Time::from(then)));
    Ok(diesel::delete(tickets::table.filter(old)).execute(conn)?)
}

/// Forgets tickets from before `then` of which everybody was told.
pub(crate) fn forget(conn: &mut Db, then: DateTime<Utc>) -> Result<(), DbError> {
    let old = tickets::content.eq("").and(tickets::created_at.lt(Time::from(then)));
    diesel::delete(tickets::table.filter(old)).execute(conn)?;
    Ok(())
}

/// Removes all tickets of an app.
pub(crate) fn remove(conn: &mut Db, app: AppId) -> Result<(), DbError> {
    diesel::delete(tickets::table.filter(tickets::app_id.eq(Id::of(app)))).execute(conn)?;
    Ok(())
}
