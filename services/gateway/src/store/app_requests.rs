//! `app_requests`: how many requests an app has had in this hour, so that all replicas count together.

use common::db::{Db, DbError, Id, Time, lease};
use contracts::ids::AppId;
use diesel::prelude::*;

use super::schema::app_requests;
use crate::domain::window::{HOUR, Quota, Window};

/// Counts one more request of a kind, of which `limit` fit into an hour.
pub(crate) fn count(
    conn: &mut Db,
    app: AppId,
    (kind, limit): (&'static str, u32),
    now: Time,
) -> Result<Quota, DbError> {
    lease::exclusive(conn, &format!("requests of app {app}: {kind}"))?;
    let own = app_requests::app_id.eq(Id::of(app)).and(app_requests::kind.eq(kind));
    let found: Option<(i64, i64)> = app_requests::table
        .filter(own)
        .select((app_requests::hour, app_requests::requests))
        .first(conn)
        .optional()?;
    let now = now.0.timestamp();
    let mut window = found.map_or_else(Window::default, |(number, count)| Window {
        number,
        count: u32::try_from(count).unwrap_or(u32::MAX),
    });
    let quota = window.count(kind, (limit, HOUR), now);
    let counted = (app_requests::hour.eq(window.number), app_requests::requests.eq(i64::from(window.count)));
    match found {
        Some(_) if quota.exceeded => {}
        Some(_) => {
            diesel::update(app_requests::table.filter(own)).set(counted).execute(conn)?;
        }
        None => {
            diesel::insert_into(app_requests::table)
                .values((
                    app_requests::app_id.eq(Id::of(app)),
                    app_requests::kind.eq(kind),
                    counted.0,
                    counted.1,
                ))
                .execute(conn)?;
        }
    }
    Ok(quota)
}

/// Forgets the counts of an app.
pub(crate) fn forget(conn: &mut Db, app: AppId) -> Result<(), DbError> {
    diesel::delete(app_requests::table.filter(app_requests::app_id.eq(Id::of(app)))).execute(conn)?;
    Ok(())
}

/// Forgets the counts of hours that are over.
pub(crate) fn forget_old(conn: &mut Db, now: Time) -> Result<(), DbError> {
    let this = now.0.timestamp().div_euclid(HOUR);
    diesel::delete(app_requests::table.filter(app_requests::hour.lt(this))).execute(conn)?;
    Ok(())
}
