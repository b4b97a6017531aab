//! `/projects`: the isolated environments of a business, and what they set for their calls.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use common::bus::Cause;
use common::db::{DbError, Time, Tx};
use contracts::accounts::{ProjectDeleted, ProjectPolicyChanged};
use contracts::ids::ProjectId;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::body;
use super::fields::{Fields, decode};
use super::idempotent::{self, Keep};
use super::openapi::ErrorBody;
use super::own_app;
use super::page::{PageParams, Paging};
use super::project_settings::SettingsBody;
use super::query::path_id;
use super::reply::{Made, time};
use crate::app::App;
use crate::domain::api_key::ApiKey;
use crate::domain::audit::Action;
use crate::domain::problem::Problem;
use crate::domain::project_settings::{Changes, ProjectSettings};
use crate::domain::role::Operation;
use crate::domain::text::Label;
use crate::error::ApiError;
use crate::identity::credential::{Subject, Tenant, authorise};
use crate::store::api_keys;
use crate::store::audit::{self, Event};
use crate::store::projects::{self, Project};

/// The setting that names the app whose documents agents know, in an error and in a body.
const KNOWLEDGE: &str = "settings/knowledge_app_id";
const KNOWLEDGE_IN_BODY: &str = "/settings/knowledge_app_id";
/// Most projects of a business.
const MOST: i64 = 100;
/// What the first key of a project is called.
const FIRST_KEY: &str = "default";

/// Who asks, in the project of the path `/projects/{project}/…`: a key has one project, a member those of the business. Any
/// other one is not there for them.
///
/// # Errors
/// 401, 403, 404.
pub(super) async fn authorise_path(
    app: &App,
    request: &HttpRequest,
    operation: Operation,
) -> Result<Tenant, ApiError> {
    let tenant = authorise(app, request, operation).await?;
    let not_there = || ApiError::not_found("project", "Project");
    let named: ProjectId = path_id(request, "project").ok_or_else(not_there)?;
    if named == tenant.project {
        return Ok(tenant);
    }
    if matches!(tenant.subject, Subject::Key(_)) {
        return Err(not_there());
    }
    let business = tenant.business;
    let found = app.platform.database.read(move |db| projects::pick(db, business, Some(named))).await?;
    found.map(|project| Tenant { project, ..tenant }).ok_or_else(not_there)
}

/// A project as it is answered.
#[derive(Serialize, ToSchema)]
#[schema(as = Project, example = json!({
    "id": "e56b4c35-882d-4604-9944-9763d314ea59", "business_id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f34", "name": "staging",
    "settings": {
        "language": "en-US", "voice": "man", "timezone": "Europe/Berlin", "calling_hours": null, "require_consent": false,
        "allowed_countries": null, "max_concurrent_calls": 10, "max_calls_per_day": null, "monthly_spend_cap": null,
        "retry": {"max_attempts": 1, "delay_seconds": [], "on": []}, "disclosure_line": null, "knowledge_app_id": null,
        "retention_days": 90
    },
    "created_at": "2026-03-18T17:43:46.714Z", "updated_at": "2026-03-18T17:43:46.714Z"
}))]
pub(super) struct ProjectBody {
    id: Uuid,
    business_id: Uuid,
    name: String,
    settings: SettingsBody,
    created_at: String,
    updated_at: String,
}

/// A project on the one occasion when its first key is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = ProjectWithKey, example = json!({
    "id": "e56b4c35-882d-4604-9944-9763d314ea59", "name": "staging",
    "api_key": "echo_6f437a610fbb1c9e8d7a6b5c4f3e2d1c0b9a8f7e6d5c4b3a2f1e0d9c8b7a6f5e",
    "business_id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f34",
    "settings": {
        "language": "en-US", "voice": "man", "timezone": "Europe/Berlin", "calling_hours": null, "require_consent": false,
        "allowed_countries": null, "max_concurrent_calls": 10, "max_calls_per_day": null, "monthly_spend_cap": null,
        "retry": {"max_attempts": 1, "delay_seconds": [], "on": []}, "disclosure_line": null, "knowledge_app_id": null,
        "retention_days": 90
    },
    "created_at": "2026-03-18T17:43:46.714Z", "updated_at": "2026-03-18T17:43:46.714Z"
}))]
pub(super) struct NewProjectBody {
    id: Uuid,
    name: String,
    /// Its first key: shown here and never again.
    api_key: String,
    business_id: Uuid,
    settings: SettingsBody,
    created_at: String,
    updated_at: String,
}

/// What a project is made of or changed to.
#[derive(ToSchema)]
#[schema(as = NewProject, example = json!({"name": "staging", "settings": {"timezone": "Europe/Berlin"}}))]
#[expect(dead_code, reason = "the document's view of what `create` reads")]
pub(super) struct ProjectRequest {
    /// A label.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What is left out has its default.
    #[schema(required = false)]
    settings: SettingsBody,
}

/// What a project is changed to.
#[derive(ToSchema)]
#[schema(as = ProjectChanges, example = json!({"settings": {"max_calls_per_day": 500, "calling_hours": null}}))]
#[expect(dead_code, reason = "the document's view of what `change` reads")]
pub(super) struct ChangeRequest {
    /// A label.
    #[schema(required = false, min_length = 1, max_length = 200)]
    name: String,
    /// Field by field; null brings a field's default back.
    #[schema(required = false)]
    settings: SettingsBody,
}

impl From<Project> for ProjectBody {
    fn from(project: Project) -> Self {
        Self {
            id: project.id.into(),
            business_id: project.business.into(),
            name: project.name,
            settings: project.settings.into(),
            created_at: time(project.created_at),
            updated_at: time(project.updated_at),
        }
    }
}

impl NewProjectBody {
    fn new(project: Project, key: &ApiKey) -> Self {
        Self {
            id: project.id.into(),
            name: project.name,
            api_key: key.reveal().to_owned(),
            business_id: project.business.into(),
            settings: project.settings.into(),
            created_at: time(project.created_at),
            updated_at: time(project.updated_at),
        }
    }
}

fn not_found() -> ApiError {
    ApiError::not_found("project", "Project")
}

/// The project in the path, if this credential sees it: a key its own one, a member all of the business.
fn named(request: &HttpRequest, tenant: &Tenant) -> Result<ProjectId, ApiError> {
    let id: ProjectId = path_id(request, "id").ok_or_else(not_found)?;
    match tenant.subject {
        Subject::Key(_) if id != tenant.project => Err(not_found()),
        _ => Ok(id),
    }
}

/// Make a project with its first key, which is shown in this answer and never again.
#[utoipa::path(
    post,
    path = "/api/v1/projects",
    operation_id = "createProject",
    tag = "projects",
    request_body = ProjectRequest,
    responses(
        (status = 201, description = "The project and its first key.", body = NewProjectBody),
        (status = 409, description = "`project_limit_reached`: a business has at most 100 projects.", body = ErrorBody)
    )
)]
pub(crate) async fn create(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::ManageProjects).await?;
    let body = body::json(&request, payload).await?;
    let (name, changes) = decode(&body, |fields| {
        let name = fields.text("name", Label::parse);
        let changes = fields.nested("settings", Changes::parse);
        Some((name?, changes?.unwrap_or_default()))
    })?;
    own_app::require(&app, tenant.business, KNOWLEDGE, body.pointer(KNOWLEDGE_IN_BODY)).await?;
    let keyed = idempotent::keyed(&request, &tenant, &body)?;
    let key = ApiKey::generate().map_err(ApiError::internal)?;
    idempotent::locally(&app, keyed, Keep::Nothing, move |tx| {
        let now = Time::from(tx.now());
        let project = Project {
            id: ProjectId::new(),
            business: tenant.business,
            name: name.as_ref().to_owned(),
            settings: settled(&changes, ProjectSettings::default())?,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        add(tx, &tenant, &project, &key)?;
        Made::created(&NewProjectBody::new(project, &key))
    })
    .await
}

fn add(tx: &mut Tx<'_>, tenant: &Tenant, project: &Project, key: &ApiKey) -> Result<(), ApiError> {
    projects::hold(tx.conn, tenant.business)?;
    if projects::count(tx.conn, tenant.business)? >= MOST {
        let message = format!("A business has at most {MOST} projects; delete one that is not used any more");
        return Err(ApiError::conflict("project_limit_reached", message));
    }
    projects::insert(tx.conn, project)?;
    api_keys::insert(tx.conn, project.id, FIRST_KEY, key, project.created_at)?;
    if project.settings != ProjectSettings::default() {
        tell(tx, project)?;
    }
    let event = Event::on(Action::ProjectMade, project.id).with(json!({"name": project.name}));
    Ok(audit::note(tx, &tenant.actor(), event)?)
}

/// Tells whoever holds a project's policy what it is now.
fn tell(tx: &mut Tx<'_>, project: &Project) -> Result<(), DbError> {
    let changed = ProjectPolicyChanged { project_id: project.id.to_string(), policy: Some(project.policy()) };
    tx.stage(&changed, &Cause::own(project.id))
}

/// The projects: with a key its own one, with a member's token all of the business.
#[utoipa::path(
    get,
    path = "/api/v1/projects",
    operation_id = "listProjects",
    tag = "projects",
    params(PageParams),
    responses((status = 200, description = "Newest first.", body = Vec<ProjectBody>))
)]
pub(crate) async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let paging = Paging::of(&request)?;
    let rows = paging.rows();
    let found = app.platform.database.read(move |db| match tenant.subject {
        Subject::Key(_) if paging_is_over(rows, tenant.project) => Ok(Vec::new()),
        Subject::Key(_) => {
            projects::get(db, tenant.business, tenant.project).map(|own| own.into_iter().collect())
        }
        Subject::User(_) => projects::list(db, tenant.business, rows),
    });
    let mut rows: Vec<Project> = found.await.map_err(ApiError::from)?;
    let next = paging.cut(&mut rows, |row| row.id.into());
    let items: Vec<ProjectBody> = rows.into_iter().map(ProjectBody::from).collect();
    Ok(paging.answer(&app, &request, &items, next.as_deref()))
}

/// Whether the only project of a key stands before the page that is asked for.
fn paging_is_over(page: crate::store::Page, project: ProjectId) -> bool {
    page.after.is_some_and(|after| Uuid::from(project) >= after)
}

/// A project with everything that it sets.
#[utoipa::path(
    get,
    path = "/api/v1/projects/{id}",
    operation_id = "getProject",
    tag = "projects",
    params(("id" = Uuid, Path, description = "Which project.")),
    responses((status = 200, description = "The project.", body = ProjectBody))
)]
pub(crate) async fn read(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let id = named(&request, &tenant)?;
    let found = app.platform.database.read(move |db| projects::get(db, tenant.business, id)).await;
    let project = found.map_err(ApiError::from)?.ok_or_else(not_found)?;
    Ok(HttpResponse::Ok().json(ProjectBody::from(project)))
}

/// What a caller wants changed.
struct Change {
    name: Option<Label>,
    settings: Changes,
}

impl Change {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let name = fields.optional_text("name", Label::parse);
        let settings = fields.nested("settings", Changes::parse);
        Some(Self { name: name?, settings: settings?.unwrap_or_default() })
    }
}

/// The settings with the changes.
fn settled(changes: &Changes, before: ProjectSettings) -> Result<ProjectSettings, ApiError> {
    let inside = |problems: Vec<Problem>| problems.into_iter().map(|problem| problem.inside("settings"));
    changes.applied_to(before).map_err(|problems| ApiError::invalid(inside(problems).collect()))
}

/// Change a project's name or settings: field by field, null for a default. What waits in it follows the new settings.
#[utoipa::path(
    patch,
    path = "/api/v1/projects/{id}",
    operation_id = "updateProject",
    tag = "projects",
    params(("id" = Uuid, Path, description = "Which project.")),
    request_body = ChangeRequest,
    responses((status = 200, description = "The project as it is now.", body = ProjectBody))
)]
pub(crate) async fn change(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::ManageProjects).await?;
    let id = named(&request, &tenant)?;
    let body = body::json(&request, payload).await?;
    let change = decode(&body, Change::read)?;
    own_app::require(&app, tenant.business, KNOWLEDGE, body.pointer(KNOWLEDGE_IN_BODY)).await?;
    let write = app.platform.database.write(move |tx| {
        projects::hold(tx.conn, tenant.business)?;
        let before = projects::get(tx.conn, tenant.business, id)?.ok_or_else(not_found)?;
        let mut project = before.clone();
        project.settings = settled(&change.settings, project.settings)?;
        project.name = change.name.map_or(project.name, String::from);
        keep(tx, &tenant, &mut project, &before)?;
        Ok::<_, ApiError>(project)
    });
    Ok(HttpResponse::Ok().json(ProjectBody::from(write.await?)))
}

/// Stores what has changed, and tells of it; nothing where nothing has.
fn keep(tx: &mut Tx<'_>, tenant: &Tenant, project: &mut Project, before: &Project) -> Result<(), ApiError> {
    if project.name == before.name && project.settings == before.settings {
        return Ok(());
    }
    let now = Time::from(tx.now());
    projects::save(tx.conn, project, now)?;
    tell(tx, project)?;
    let event = Event::on(Action::ProjectChanged, project.id).with(differences(project, before));
    Ok(audit::note(tx, &tenant.actor(), event)?)
}

/// What has changed, as it was and as it is.
fn differences(project: &Project, before: &Project) -> serde_json::Value {
    let shown = |project: &Project| {
        let mut all = json!(SettingsBody::from(project.settings.clone()));
        all["name"] = json!(project.name);
        all
    };
    let (now, then) = (shown(project), shown(before));
    let fields = now.as_object().into_iter().flatten();
    let changed = fields.filter(|(name, value)| then.get(name) != Some(value));
    changed.map(|(name, value)| (name.clone(), json!({"from": then[name], "to": value}))).collect()
}

/// Delete a project and everything in it. What waits in it is stopped, its keys are refused by every replica within five
/// seconds. The last project of a business stays.
#[utoipa::path(
    delete,
    path = "/api/v1/projects/{id}",
    operation_id = "deleteProject",
    tag = "projects",
    params(("id" = Uuid, Path, description = "Which project.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 409, description = "`last_project`: a business has at least one project.", body = ErrorBody)
    )
)]
pub(crate) async fn remove(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::ManageProjects).await?;
    let id = named(&request, &tenant)?;
    let this = app.get_ref().clone();
    let write = app.platform.database.write(move |tx| {
        projects::hold(tx.conn, tenant.business)?;
        let project = projects::get(tx.conn, tenant.business, id)?.ok_or_else(not_found)?;
        if projects::count(tx.conn, tenant.business)? <= 1 {
            let message = "This is the last project of the business; make another one first";
            return Err(ApiError::conflict("last_project", message));
        }
        let now = Time::from(tx.now());
        projects::delete(tx.conn, tenant.business, id, now)?;
        tx.stage(&ProjectDeleted { project_id: id.to_string() }, &Cause::own(id))?;
        let event = Event::on(Action::ProjectDeleted, id).with(json!({"name": project.name}));
        audit::note(tx, &tenant.actor(), event)?;
        tx.after_commit(move || {
            this.keys.forget(|owner| owner.project_id == id);
            this.standings.forget(|standing| standing.project == id);
            this.deletions.notify_one();
        });
        Ok(())
    });
    write.await?;
    Ok(HttpResponse::NoContent().finish())
}
