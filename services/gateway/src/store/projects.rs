//! `projects`: isolated environments of a business, and what they have set.

use common::db::{Db, DbError, Id, Json, Time, lease};
use contracts::accounts::ProjectPolicy;
use contracts::ids::{BusinessId, ProjectId};
use diesel::prelude::*;
use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::Page;
use super::schema::projects;
use crate::domain::project_settings::ProjectSettings;

/// A project.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    /// Which.
    pub(crate) id: ProjectId,
    /// Whose.
    pub(crate) business: BusinessId,
    /// A label.
    pub(crate) name: String,
    /// What it has set.
    pub(crate) settings: ProjectSettings,
    /// Counts its changes, from 1.
    pub(crate) version: i64,
    /// When it was made.
    pub(crate) created_at: Time,
    /// When it last changed.
    pub(crate) updated_at: Time,
}

impl Project {
    /// What the rules before dialling ask for.
    pub(crate) fn policy(&self) -> ProjectPolicy {
        self.settings.policy(self.id.to_string(), self.version)
    }
}

type Row = (Id, Id, String, Json, i64, Time, Time);

impl TryFrom<Row> for Project {
    type Error = DbError;

    fn try_from(
        (id, business, name, settings, version, created_at, updated_at): Row,
    ) -> Result<Self, DbError> {
        let id = ProjectId(id.0);
        let settings = ProjectSettings::deserialize(settings.0)
            .map_err(|e| DbError::Corrupt(format!("settings of project {id}: {e}")))?;
        Ok(Self { id, business: BusinessId(business.0), name, settings, version, created_at, updated_at })
    }
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        projects::id,
        projects::business_id,
        projects::name,
        projects::settings,
        projects::version,
        projects::created_at,
        projects::updated_at,
    )
}

/// The settings that differ from the defaults: what is stored, so that a default can change for whoever has not chosen.
fn stored(settings: &ProjectSettings) -> Result<Json, DbError> {
    let object = |settings: &ProjectSettings| match serde_json::to_value(settings) {
        Ok(Value::Object(object)) => Ok(object),
        other => Err(DbError::Corrupt(format!("settings that are no object: {other:?}"))),
    };
    let default = object(&ProjectSettings::default())?;
    let own: Map<String, Value> =
        object(settings)?.into_iter().filter(|(name, value)| default.get(name) != Some(value)).collect();
    Ok(Json(Value::Object(own)))
}

/// Stores a new project.
pub(crate) fn insert(conn: &mut Db, project: &Project) -> Result<(), DbError> {
    diesel::insert_into(projects::table)
        .values((
            projects::id.eq(Id::of(project.id)),
            projects::business_id.eq(Id::of(project.business)),
            projects::name.eq(&project.name),
            projects::settings.eq(stored(&project.settings)?),
            projects::version.eq(project.version),
            projects::created_at.eq(project.created_at),
            projects::updated_at.eq(project.updated_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Stores a changed project: its next version. Whoever changes one holds it ([`hold`]).
pub(crate) fn save(conn: &mut Db, project: &mut Project, now: Time) -> Result<(), DbError> {
    let of_business =
        projects::business_id.eq(Id::of(project.business)).and(projects::id.eq(Id::of(project.id)));
    let saved =
        diesel::update(projects::table.filter(of_business.and(projects::version.eq(project.version))))
            .set((
                projects::name.eq(&project.name),
                projects::settings.eq(stored(&project.settings)?),
                projects::version.eq(project.version + 1),
                projects::updated_at.eq(now),
            ))
            .execute(conn)?;
    if saved != 1 {
        return Err(DbError::Conflict);
    }
    (project.version, project.updated_at) = (project.version + 1, now);
    Ok(())
}

/// Until the transaction ends, nobody else makes, changes or deletes a project of this business.
pub(crate) fn hold(conn: &mut Db, business: BusinessId) -> Result<(), DbError> {
    lease::exclusive(conn, &format!("projects of business {business}"))
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

/// A project of a business.
pub(crate) fn get(conn: &mut Db, business: BusinessId, id: ProjectId) -> Result<Option<Project>, DbError> {
    let there = projects::business_id.eq(Id::of(business)).and(projects::deleted_at.is_null());
    let row: Option<Row> = projects::table
        .filter(there.and(projects::id.eq(Id::of(id))))
        .select(columns())
        .first(conn)
        .optional()?;
    row.map(Project::try_from).transpose()
}

/// A page of a business's projects, the newest first.
pub(crate) fn list(conn: &mut Db, business: BusinessId, page: Page) -> Result<Vec<Project>, DbError> {
    let there = projects::business_id.eq(Id::of(business)).and(projects::deleted_at.is_null());
    let mut query = projects::table.filter(there).into_boxed();
    if let Some(after) = page.after {
        query = query.filter(projects::id.lt(Id(after)));
    }
    let rows: Vec<Row> = query.order(projects::id.desc()).limit(page.limit).select(columns()).load(conn)?;
    rows.into_iter().map(Project::try_from).collect()
}

/// How many projects a business has.
pub(crate) fn count(conn: &mut Db, business: BusinessId) -> Result<i64, DbError> {
    let there = projects::business_id.eq(Id::of(business)).and(projects::deleted_at.is_null());
    Ok(projects::table.filter(there).count().get_result(conn)?)
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

/// The project of a credential, which has proved that it is there.
pub(crate) fn of_credential(conn: &mut Db, id: ProjectId) -> Result<Project, DbError> {
    let row: Row = projects::table.find(Id::of(id)).select(columns()).first(conn)?;
    row.try_into()
}

/// What the rules before dialling ask for.
pub(crate) fn policy(conn: &mut Db, id: ProjectId) -> Result<ProjectPolicy, DbError> {
    Ok(of_credential(conn, id)?.policy())
}

/// Deletes a project: its row stays, empty. What belongs to it is removed by [`super::leavings`].
pub(crate) fn delete(conn: &mut Db, business: BusinessId, id: ProjectId, now: Time) -> Result<(), DbError> {
    let own = projects::business_id.eq(Id::of(business)).and(projects::id.eq(Id::of(id)));
    diesel::update(projects::table.filter(own))
        .set((
            projects::name.eq(""),
            projects::settings.eq(Json(Value::Object(Map::new()))),
            projects::version.eq(projects::version + 1),
            projects::updated_at.eq(now),
            projects::deleted_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
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
