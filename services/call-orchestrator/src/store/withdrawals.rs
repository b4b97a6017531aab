//! Notifications that were withdrawn before they arrived: the withdrawal wins.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time};
use contracts::ids::{NotificationId, ProjectId};
use diesel::prelude::*;

use super::schema::withdrawals;

/// Was it withdrawn?
pub(crate) fn contains(db: &mut Db, project: ProjectId, id: NotificationId) -> Result<bool, DbError> {
    let rows: i64 = withdrawals::table
        .filter(withdrawals::project_id.eq(Id::of(project)))
        .filter(withdrawals::notification_id.eq(Id::of(id)))
        .count()
        .get_result(db)?;
    Ok(rows > 0)
}

/// Notes that it was.
pub(crate) fn add(
    db: &mut Db,
    project: ProjectId,
    id: NotificationId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    if contains(db, project, id)? {
        return Ok(());
    }
    diesel::insert_into(withdrawals::table)
        .values((
            withdrawals::notification_id.eq(Id::of(id)),
            withdrawals::project_id.eq(Id::of(project)),
            withdrawals::created_at.eq(Time::from(now)),
        ))
        .execute(db)?;
    Ok(())
}

/// Forgets withdrawals from before `before`: what they were meant for is not on its way any more.
pub(crate) fn forget(db: &mut Db, before: DateTime<Utc>) -> Result<(), DbError> {
    diesel::delete(withdrawals::table.filter(withdrawals::created_at.lt(Time::from(before)))).execute(db)?;
    Ok(())
}
