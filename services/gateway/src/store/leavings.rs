//! What a deleted project leaves behind in our tables, removed piece by piece. A new table that belongs to a project gets its
//! line in [`remove`].

use chrono::{DateTime, TimeDelta, Utc};
use common::bus::Cause;
use common::db::{Db, DbError, Id, Time, Tx};
use contracts::accounts::AppDeleted;
use contracts::ids::ProjectId;
use diesel::prelude::*;

use super::apps;
use super::schema::{api_keys, customers, idempotency_keys, phones, projects};

/// Removed in one transaction.
const PIECE: i64 = 500;
/// Requests that were already running when the project was deleted have ended by then.
const ALL_OVER: TimeDelta = TimeDelta::minutes(1);

/// Deleted projects that have not been looked through for the last time, and when they were deleted.
pub(crate) fn waiting(conn: &mut Db) -> Result<Vec<(ProjectId, DateTime<Utc>)>, DbError> {
    let rows: Vec<(Id, Option<Time>)> = projects::table
        .filter(projects::deleted_at.is_not_null().and(projects::emptied_at.is_null()))
        .order(projects::deleted_at)
        .limit(PIECE)
        .select((projects::id, projects::deleted_at))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(|(id, deleted_at)| Some((ProjectId(id.0), deleted_at?.0))).collect())
}

/// Removes a piece. True: there may be more.
pub(crate) fn remove(tx: &mut Tx<'_>, project: ProjectId) -> Result<bool, DbError> {
    for app in apps::ids(tx.conn, project)? {
        apps::delete(tx.conn, project, app)?;
        tx.stage(&AppDeleted { app_id: app.to_string() }, &Cause::own(project))?;
    }
    remove_rows(tx.conn, Id::of(project))
}

fn remove_rows(conn: &mut Db, project: Id) -> Result<bool, DbError> {
    let ids: Vec<Id> = customers::table
        .filter(customers::project_id.eq(project))
        .limit(PIECE)
        .select(customers::id)
        .load(conn)?;
    let own = phones::project_id.eq(project).and(phones::customer_id.eq_any(&ids));
    diesel::delete(phones::table.filter(own)).execute(conn)?;
    let own = customers::project_id.eq(project).and(customers::id.eq_any(&ids));
    diesel::delete(customers::table.filter(own)).execute(conn)?;
    if !ids.is_empty() {
        return Ok(true);
    }
    diesel::delete(api_keys::table.filter(api_keys::project_id.eq(project))).execute(conn)?;
    diesel::delete(idempotency_keys::table.filter(idempotency_keys::project_id.eq(project))).execute(conn)?;
    Ok(false)
}

/// Notes that a project is empty, once nothing can come any more.
pub(crate) fn finish(
    conn: &mut Db,
    project: ProjectId,
    deleted_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    if now - deleted_at < ALL_OVER {
        return Ok(());
    }
    diesel::update(projects::table.find(Id::of(project)))
        .set(projects::emptied_at.eq(Time::from(now)))
        .execute(conn)?;
    Ok(())
}
