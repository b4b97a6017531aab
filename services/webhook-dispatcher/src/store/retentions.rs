//! How long projects keep what was sent.

use chrono::TimeDelta;
use common::db::{Db, DbError, Id};
use contracts::ids::ProjectId;
use diesel::prelude::*;

use super::schema::retentions;

/// Days, for a project that has not said anything: what `proto/accounts/v1/policy.proto` says.
const DEFAULT: i32 = 90;

/// Notes what a project says, unless something newer is known. Zero days mean the default.
///
/// # Errors
/// [`DbError::Duplicate`] when another replica learns of the project for the first time just now.
pub(crate) fn learn(conn: &mut Db, project: ProjectId, days: u32, version: i64) -> Result<(), DbError> {
    let days = i32::try_from(days).ok().filter(|days| *days > 0).unwrap_or(DEFAULT);
    let said = (retentions::days.eq(days), retentions::version.eq(version));
    let own = retentions::table.find(Id::of(project));
    let known: Option<i64> = own.select(retentions::version).first(conn).optional()?;
    match known {
        None => {
            diesel::insert_into(retentions::table)
                .values((retentions::project_id.eq(Id::of(project)), said))
                .execute(conn)?;
        }
        Some(older) if older < version => {
            let older = retentions::project_id.eq(Id::of(project)).and(retentions::version.lt(version));
            diesel::update(retentions::table.filter(older)).set(said).execute(conn)?;
        }
        Some(_) => {}
    }
    Ok(())
}

/// How long a project keeps what was sent.
pub(crate) fn of(conn: &mut Db, project: ProjectId) -> Result<TimeDelta, DbError> {
    let days: Option<i32> =
        retentions::table.find(Id::of(project)).select(retentions::days).first(conn).optional()?;
    Ok(TimeDelta::days(i64::from(days.unwrap_or(DEFAULT))))
}

/// Forgets what a project has said.
pub(crate) fn forget(conn: &mut Db, project: ProjectId) -> Result<(), DbError> {
    diesel::delete(retentions::table.find(Id::of(project))).execute(conn)?;
    Ok(())
}
