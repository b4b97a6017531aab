//! Numbers that asked a project not to be called.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time};
use contracts::ids::ProjectId;
use diesel::prelude::*;

use super::schema::suppressions;

/// Has this number asked not to be called?
pub(crate) fn contains(db: &mut Db, project: ProjectId, phone: &str) -> Result<bool, DbError> {
    let rows: i64 = suppressions::table
        .filter(suppressions::project_id.eq(Id::of(project)))
        .filter(suppressions::phone.eq(phone))
        .count()
        .get_result(db)?;
    Ok(rows > 0)
}

/// Which of these numbers have asked not to be called?
pub(crate) fn among(db: &mut Db, project: ProjectId, phones: &[&str]) -> Result<Vec<String>, DbError> {
    Ok(suppressions::table
        .filter(suppressions::project_id.eq(Id::of(project)))
        .filter(suppressions::phone.eq_any(phones))
        .select(suppressions::phone)
        .load(db)?)
}

/// Notes that it has.
pub(crate) fn add(
    db: &mut Db,
    project: ProjectId,
    phone: &str,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    if contains(db, project, phone)? {
        return Ok(());
    }
    diesel::insert_into(suppressions::table)
        .values((
            suppressions::id.eq(Id(uuid::Uuid::now_v7())),
            suppressions::project_id.eq(Id::of(project)),
            suppressions::phone.eq(phone),
            suppressions::reason.eq(reason),
            suppressions::created_at.eq(Time::from(now)),
        ))
        .execute(db)?;
    Ok(())
}
