//! `apps`: documents that answer questions, and who may ask.

use common::db::{Db, DbError, Id, Json, Time};
use contracts::accounts::AppChanged;
use contracts::ids::{AppId, BusinessId, ProjectId};
use diesel::prelude::*;
use serde_json::json;

use super::Page;
use super::app_requests;
use super::schema::{app_keys, apps, projects};
use crate::domain::app::AppSpec;

/// An app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppRow {
    /// Which.
    pub(crate) id: AppId,
    /// Whose.
    pub(crate) business: BusinessId,
    /// In which project.
    pub(crate) project: ProjectId,
    /// What people call it.
    pub(crate) name: String,
    /// The sites from which browsers may ask.
    pub(crate) allowed_domains: Vec<String>,
    /// Refuse whoever does not say from which site they ask.
    pub(crate) require_origin: bool,
    /// Who is told of a new ticket.
    pub(crate) notify_emails: Vec<String>,
    /// Counts its changes, from 1.
    pub(crate) version: i64,
    /// When it was made.
    pub(crate) created_at: Time,
    /// When it last changed.
    pub(crate) updated_at: Time,
}

impl AppRow {
    /// A new app.
    pub(crate) fn new(business: BusinessId, project: ProjectId, spec: AppSpec, now: Time) -> Self {
        Self {
            id: AppId::new(),
            business,
            project,
            name: spec.name.into(),
            allowed_domains: spec.allowed_domains,
            require_origin: spec.require_origin,
            notify_emails: spec.notify_emails,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The same app with what is said about it now.
    pub(crate) fn with(&self, spec: AppSpec) -> Self {
        Self {
            name: spec.name.into(),
            allowed_domains: spec.allowed_domains,
            require_origin: spec.require_origin,
            notify_emails: spec.notify_emails,
            ..self.clone()
        }
    }

    /// What others are told of it.
    pub(crate) fn told(&self) -> AppChanged {
        AppChanged {
            app_id: self.id.to_string(),
            business_id: self.business.to_string(),
            project_id: self.project.to_string(),
            version: self.version.unsigned_abs(),
            name: self.name.clone(),
            notify_emails: self.notify_emails.clone(),
        }
    }
}

type Row = (Id, Id, Id, String, Json, bool, Json, i64, Time, Time);

impl TryFrom<Row> for AppRow {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        let (id, business, project, name, sites, require_origin, emails, version, created_at, updated_at) =
            row;
        let id = AppId::of(id.0);
        let texts = |json: Json| {
            serde_json::from_value(json.0).map_err(|e| DbError::Corrupt(format!("lists of app {id}: {e}")))
        };
        Ok(Self {
            id,
            business: BusinessId(business.0),
            project: ProjectId(project.0),
            name,
            allowed_domains: texts(sites)?,
            require_origin,
            notify_emails: texts(emails)?,
            version,
            created_at,
            updated_at,
        })
    }
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        apps::id,
        apps::business_id,
        apps::project_id,
        apps::name,
        apps::allowed_domains,
        apps::require_origin,
        apps::notify_emails,
        apps::version,
        apps::created_at,
        apps::updated_at,
    )
}

/// Stores a new app.
pub(crate) fn insert(conn: &mut Db, app: &AppRow) -> Result<(), DbError> {
    diesel::insert_into(apps::table)
        .values((
            apps::id.eq(Id::of(app.id)),
            apps::business_id.eq(Id::of(app.business)),
            apps::project_id.eq(Id::of(app.project)),
            apps::name.eq(&app.name),
            apps::allowed_domains.eq(Json(json!(app.allowed_domains))),
            apps::require_origin.eq(app.require_origin),
            apps::notify_emails.eq(Json(json!(app.notify_emails))),
            apps::version.eq(app.version),
            apps::created_at.eq(app.created_at),
            apps::updated_at.eq(app.updated_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Stores a changed app: its next version. [`DbError::Conflict`] when somebody else was faster.
pub(crate) fn save(conn: &mut Db, app: &mut AppRow, now: Time) -> Result<(), DbError> {
    let own = apps::project_id.eq(Id::of(app.project)).and(apps::id.eq(Id::of(app.id)));
    let saved = diesel::update(apps::table.filter(own).filter(apps::version.eq(app.version)))
        .set((
            apps::name.eq(&app.name),
            apps::allowed_domains.eq(Json(json!(app.allowed_domains))),
            apps::require_origin.eq(app.require_origin),
            apps::notify_emails.eq(Json(json!(app.notify_emails))),
            apps::version.eq(app.version + 1),
            apps::updated_at.eq(now),
        ))
        .execute(conn)?;
    if saved != 1 {
        return Err(DbError::Conflict);
    }
    (app.version, app.updated_at) = (app.version + 1, now);
    Ok(())
}

/// An app of a project.
pub(crate) fn get(conn: &mut Db, project: ProjectId, id: AppId) -> Result<Option<AppRow>, DbError> {
    let own = apps::project_id.eq(Id::of(project)).and(apps::id.eq(Id::of(id)));
    let row: Option<Row> = apps::table.filter(own).select(columns()).first(conn).optional()?;
    row.map(AppRow::try_from).transpose()
}

/// An app, whosever it is: who asks has shown nothing yet. Not there when its project is gone.
pub(crate) fn find(conn: &mut Db, id: AppId) -> Result<Option<AppRow>, DbError> {
    let row: Option<Row> = apps::table
        .inner_join(projects::table.on(projects::id.eq(apps::project_id)))
        .filter(apps::id.eq(Id::of(id)).and(projects::deleted_at.is_null()))
        .select(columns())
        .first(conn)
        .optional()?;
    row.map(AppRow::try_from).transpose()
}

/// Whether a business has an app with this id.
pub(crate) fn is_of(conn: &mut Db, business: BusinessId, named: &str) -> Result<bool, DbError> {
    let Ok(id) = named.parse() else { return Ok(false) };
    Ok(find(conn, id)?.is_some_and(|app| app.business == business))
}

/// A page of a project's apps, newest first.
pub(crate) fn list(conn: &mut Db, project: ProjectId, page: Page) -> Result<Vec<AppRow>, DbError> {
    let mut query = apps::table.filter(apps::project_id.eq(Id::of(project))).into_boxed();
    if let Some(after) = page.after {
        query = query.filter(apps::id.lt(Id(after)));
    }
    let rows: Vec<Row> = query.order(apps::id.desc()).limit(page.limit).select(columns()).load(conn)?;
    rows.into_iter().map(AppRow::try_from).collect()
}

/// How many apps a business has.
pub(crate) fn count(conn: &mut Db, business: BusinessId) -> Result<i64, DbError> {
    Ok(apps::table.filter(apps::business_id.eq(Id::of(business))).count().get_result(conn)?)
}

/// The apps of a project.
pub(crate) fn ids(conn: &mut Db, project: ProjectId) -> Result<Vec<AppId>, DbError> {
    let own = apps::project_id.eq(Id::of(project));
    let ids: Vec<Id> = apps::table.filter(own).order(apps::id).select(apps::id).load(conn)?;
    Ok(ids.into_iter().map(|id| AppId::of(id.0)).collect())
}

/// Deletes an app of a project with its keys. False: it is not there.
pub(crate) fn delete(conn: &mut Db, project: ProjectId, id: AppId) -> Result<bool, DbError> {
    let own = apps::project_id.eq(Id::of(project)).and(apps::id.eq(Id::of(id)));
    let there: i64 = apps::table.filter(own).count().get_result(conn)?;
    if there == 0 {
        return Ok(false);
    }
    diesel::delete(app_keys::table.filter(app_keys::app_id.eq(Id::of(id)))).execute(conn)?;
    diesel::delete(apps::table.filter(own)).execute(conn)?;
    app_requests::forget(conn, id)?;
    Ok(true)
}
