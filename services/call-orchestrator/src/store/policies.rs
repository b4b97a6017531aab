//! What projects have set for their calls: the newest copy that was heard. A project that nothing was heard of has a row
//! under version 0, so that its old data is found.

use std::time::Duration;

use chrono::{DateTime, Utc};
use common::db::lease::{self, LeaseQuery};
use common::db::{Db, DbError, Id, Json, Time};
use contracts::ids::ProjectId;
use diesel::prelude::*;

use super::schema::policies;
use super::word;
use crate::domain::policy::Settings;

/// What is stored of a project.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Stored {
    /// Version of the settings; 0: nothing was heard yet.
    pub(crate) version: i64,
    /// What it has set.
    pub(crate) settings: Settings,
    /// It is gone.
    pub(crate) deleted: bool,
}

/// What is stored of a project, if anything is.
pub(crate) fn find(db: &mut Db, project: ProjectId) -> Result<Option<Stored>, DbError> {
    let row: Option<(i64, Json, bool)> = policies::table
        .find(Id::of(project))
        .select((policies::version, policies::settings, policies::deleted))
        .first(db)
        .optional()?;
    let stored = |(version, settings, deleted): (i64, Json, bool)| {
        Ok(Stored { version, settings: word(serde_json::from_value(settings.0))?, deleted })
    };
    row.map(stored).transpose()
}

/// Writes the row of a project that had none. Its data is looked through at `now`.
pub(crate) fn insert(
    db: &mut Db,
    project: ProjectId,
    stored: &Stored,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::insert_into(policies::table)
        .values((
            policies::id.eq(Id::of(project)),
            policies::version.eq(stored.version),
            policies::settings.eq(Json(word(serde_json::to_value(&stored.settings))?)),
            policies::deleted.eq(stored.deleted),
            policies::purge_at.eq(Time::from(now)),
        ))
        .execute(db)?;
    Ok(())
}

/// Replaces the row of a project, if it is still of the version `before` ([`DbError::Conflict`]).
pub(crate) fn replace(
    db: &mut Db,
    project: ProjectId,
    before: i64,
    stored: &Stored,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let row = policies::table.find(Id::of(project)).filter(policies::version.eq(before));
    let touched = diesel::update(row)
        .set((
            policies::version.eq(stored.version),
            policies::settings.eq(Json(word(serde_json::to_value(&stored.settings))?)),
            policies::deleted.eq(stored.deleted),
            policies::purge_at.eq(Time::from(now)),
        ))
        .execute(db)?;
    if touched == 1 { Ok(()) } else { Err(DbError::Conflict) }
}

const TO_PURGE: LeaseQuery = LeaseQuery { table: "policies", due: "purge_at <= $2", order: "purge_at" };

/// Leases projects whose old data is to be looked for.
pub(crate) fn claim_to_purge(
    db: &mut Db,
    now: DateTime<Utc>,
    hold: Duration,
    limit: u32,
) -> Result<Vec<ProjectId>, DbError> {
    let ids = lease::claim(db, &TO_PURGE, now, hold, limit)?;
    Ok(ids.into_iter().map(|id| ProjectId(id.0)).collect())
}

/// The data of a project has been looked through; again at `next`.
pub(crate) fn purged(db: &mut Db, project: ProjectId, next: DateTime<Utc>) -> Result<(), DbError> {
    diesel::update(policies::table.find(Id::of(project)))
        .set((policies::purge_at.eq(Time::from(next)), policies::lease_until.eq(None::<Time>)))
        .execute(db)?;
    Ok(())
}
