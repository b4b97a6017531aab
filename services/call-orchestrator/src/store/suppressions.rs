//! Numbers that asked a project not to be called.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time};
use contracts::ids::ProjectId;
use diesel::prelude::*;
use uuid::Uuid;

use super::schema::suppressions;

/// A number that is not to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suppression {
    pub(crate) id: Uuid,
    /// E.164.
    pub(crate) phone: String,
    /// Empty when nobody said.
    pub(crate) reason: String,
    /// `api`, or `call`: asked for in a call.
    pub(crate) source: String,
    pub(crate) created_at: DateTime<Utc>,
}

type Row = (Id, String, String, String, Time);

fn read((id, phone, reason, source, created_at): Row) -> Suppression {
    Suppression { id: id.0, phone, reason, source, created_at: created_at.0 }
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        suppressions::id,
        suppressions::phone,
        suppressions::reason,
        suppressions::source,
        suppressions::created_at,
    )
}

/// The row of a number, if it has asked not to be called.
pub(crate) fn find(db: &mut Db, project: ProjectId, phone: &str) -> Result<Option<Suppression>, DbError> {
    let row: Option<Row> = suppressions::table
        .filter(suppressions::project_id.eq(Id::of(project)))
        .filter(suppressions::phone.eq(phone))
        .select(columns())
        .first(db)
        .optional()?;
    Ok(row.map(read))
}

/// Has this number asked not to be called?
pub(crate) fn contains(db: &mut Db, project: ProjectId, phone: &str) -> Result<bool, DbError> {
    Ok(find(db, project, phone)?.is_some())
}

/// Which of these numbers have asked not to be called?
pub(crate) fn among(db: &mut Db, project: ProjectId, phones: &[&str]) -> Result<Vec<String>, DbError> {
    Ok(suppressions::table
        .filter(suppressions::project_id.eq(Id::of(project)))
        .filter(suppressions::phone.eq_any(phones))
        .select(suppressions::phone)
        .load(db)?)
}

/// Notes that a number has asked not to be called. Answers the row: the first one, where it has asked before.
pub(crate) fn add(
    db: &mut Db,
    project: ProjectId,
    phone: &str,
    (reason, source): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Suppression, DbError> {
    if let Some(known) = find(db, project, phone)? {
        return Ok(known);
    }
    let row = Suppression {
        id: Uuid::now_v7(),
        phone: phone.to_owned(),
        reason: reason.to_owned(),
        source: source.to_owned(),
        created_at: now,
    };
    diesel::insert_into(suppressions::table)
        .values((
            suppressions::id.eq(Id(row.id)),
            suppressions::project_id.eq(Id::of(project)),
            suppressions::phone.eq(&row.phone),
            suppressions::reason.eq(&row.reason),
            suppressions::source.eq(&row.source),
            suppressions::created_at.eq(Time::from(now)),
        ))
        .execute(db)?;
    Ok(row)
}

/// A page of a project's list, newest first; only this number, if one is named.
pub(crate) fn list(
    db: &mut Db,
    project: ProjectId,
    phone: Option<&str>,
    (after, limit): (Option<Uuid>, u32),
) -> Result<Vec<Suppression>, DbError> {
    let mut query = suppressions::table
        .filter(suppressions::project_id.eq(Id::of(project)))
        .order(suppressions::id.desc())
        .limit(i64::from(limit))
        .select(columns())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(suppressions::id.lt(Id(after)));
    }
    if let Some(phone) = phone {
        query = query.filter(suppressions::phone.eq(phone.to_owned()));
    }
    let rows: Vec<Row> = query.load(db)?;
    Ok(rows.into_iter().map(read).collect())
}

/// Takes a number off the list. False: it was not there.
pub(crate) fn remove(db: &mut Db, project: ProjectId, id: Uuid) -> Result<bool, DbError> {
    let row = suppressions::table
        .filter(suppressions::project_id.eq(Id::of(project)))
        .filter(suppressions::id.eq(Id(id)));
    Ok(diesel::delete(row).execute(db)? > 0)
}

/// Forgets the whole list of a project.
pub(crate) fn forget_project(db: &mut Db, project: ProjectId) -> Result<(), DbError> {
    diesel::delete(suppressions::table.filter(suppressions::project_id.eq(Id::of(project)))).execute(db)?;
    Ok(())
}
