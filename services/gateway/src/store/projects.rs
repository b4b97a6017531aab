//! `projects`: isolated environments of a business, and what they have set.

use common::db::{Db, DbError, Id, Json, Time};
use contracts::ids::{BusinessId, ProjectId};
use diesel::prelude::*;
use serde::Deserialize;

use super::schema::projects;
use crate::domain::retry::Retry;

/// Settings that calls need; what is not stored has its default.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct ProjectSettings {
    /// BCP-47 tag.
    pub(crate) language: String,
    /// The carrier's name for the voice.
    pub(crate) voice: String,
    /// When a number is rung again; absent: one attempt.
    pub(crate) retry: Option<Retry>,
}

impl Default for ProjectSettings {
    fn default() -> Self {
        Self { language: "en-US".to_owned(), voice: "man".to_owned(), retry: None }
    }
}

/// Stores a new project with default settings.
pub(crate) fn insert(
    conn: &mut Db,
    business: BusinessId,
    id: ProjectId,
    name: &str,
    now: Time,
) -> Result<(), DbError> {
    diesel::insert_into(projects::table)
        .values((
            projects::id.eq(Id::of(id)),
            projects::business_id.eq(Id::of(business)),
            projects::name.eq(name),
            projects::settings.eq(Json(serde_json::json!({}))),
            projects::version.eq(1_i64),
            projects::created_at.eq(now),
            projects::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// The named project of a business, or its first one.
pub(crate) fn pick(
    conn: &mut Db,
    business: BusinessId,
    named: Option<ProjectId>,
) -> Result<Option<ProjectId>, DbError> {
    let there = projects::business_id.eq(Id::of(business)).and(projects::deleted_at.is_null());
    let mut query = projects::table.filter(there).into_boxed();
    if let Some(id) = named {
        query = query.filter(projects::id.eq(Id::of(id)));
    }
    let id: Option<Id> = query.order(projects::id).select(projects::id).first(conn).optional()?;
    Ok(id.map(|id| ProjectId(id.0)))
}

/// The projects of a business by name, the oldest first.
pub(crate) fn names(conn: &mut Db, business: BusinessId) -> Result<Vec<(ProjectId, String)>, DbError> {
    let rows: Vec<(Id, String)> = projects::table
        .filter(projects::business_id.eq(Id::of(business)).and(projects::deleted_at.is_null()))
        .order(projects::id)
        .select((projects::id, projects::name))
        .load(conn)?;
    Ok(rows.into_iter().map(|(id, name)| (ProjectId(id.0), name)).collect())
}

/// What a project has set.
pub(crate) fn settings(conn: &mut Db, id: ProjectId) -> Result<ProjectSettings, DbError> {
    let stored: Json = projects::table.find(Id::of(id)).select(projects::settings).first(conn)?;
    ProjectSettings::deserialize(stored.0)
        .map_err(|e| DbError::Corrupt(format!("settings of project {id}: {e}")))
}

/// All projects of a business, oldest first.
pub(crate) fn ids(conn: &mut Db, business: BusinessId) -> Result<Vec<ProjectId>, DbError> {
    let ids: Vec<Id> = projects::table
        .filter(projects::business_id.eq(Id::of(business)))
        .order(projects::id)
        .select(projects::id)
        .load(conn)?;
    Ok(ids.into_iter().map(|id| ProjectId(id.0)).collect())
}
