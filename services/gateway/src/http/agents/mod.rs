//! `/agents`: the voice personas of the credential's business.

mod body;
pub(crate) mod signing;
pub(crate) mod versions;

use actix_web::web::{self, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use common::db::{DbError, Time, Tx};
use contracts::ids::AgentId;
use serde_json::{Value, json};

pub(super) use self::body::RescheduleBody;
pub(crate) use self::body::options;
use self::body::{AgentBody, AgentChangesRequest, NewAgentRequest, changed, read_spec, status};
use super::body as request_body;
use super::fields::decode;
use super::idempotent::{self, Keep};
use super::own_app;
use super::page::{PageParams, Paging};
use super::query::path_id;
use super::reply::Made;
use crate::app::App;
use crate::domain::audit::Action;
use crate::domain::role::Operation;
use crate::error::ApiError;
use crate::identity::credential::{Tenant, authorise};
use crate::store::agents::{self, AgentRow};
use crate::store::audit::{self, Event};

/// The field that names the app whose documents an agent knows.
const KNOWLEDGE: &str = "knowledge_app_id";
/// How often a change is decided again after somebody else was faster.
const TRIES: usize = 5;

fn not_found() -> ApiError {
    ApiError::not_found("agent", "Agent")
}

/// The agent in the path.
fn agent_in(request: &HttpRequest) -> Result<AgentId, ApiError> {
    path_id(request, "id").ok_or_else(not_found)
}

async fn load(app: &App, tenant: &Tenant, id: AgentId) -> Result<AgentRow, ApiError> {
    let business = tenant.business;
    let row = app.platform.database.read(move |db| agents::get(db, business, id)).await?;
    row.ok_or_else(not_found)
}

fn answered(row: AgentRow) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(AgentBody::try_from(row)?))
}

/// Make an agent. It is version 1.
#[utoipa::path(
    post,
    path = "/api/v1/agents",
    operation_id = "createAgent",
    tag = "agents",
    request_body = NewAgentRequest,
    responses((status = 201, description = "The agent.", body = AgentBody))
)]
pub(crate) async fn create(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let body = request_body::json(&request, payload).await?;
    // A schema may take its time: not on the thread that serves others.
    let read = move || decode(&body, read_spec).map(|spec| (spec, body));
    let (spec, body) = web::block(read).await.map_err(ApiError::internal)??;
    own_app::require(&app, tenant.business, KNOWLEDGE, body.get(KNOWLEDGE)).await?;
    let keyed = idempotent::keyed(&request, &tenant, &body)?;
    idempotent::locally(&app, keyed, Keep::Answer, move |tx| {
        let row = AgentRow::new(tenant.business, AgentId::new(), &spec, Time::from(tx.now()))?;
        agents::insert(tx.conn, &row)?;
        audit::note(tx, &tenant.actor(), Event::on(Action::AgentMade, row.id.0))?;
        Made::created(&AgentBody::try_from(row)?)
    })
    .await
}

/// The agents of the business, disabled ones too.
#[utoipa::path(
    get,
    path = "/api/v1/agents",
    operation_id = "listAgents",
    tag = "agents",
    params(PageParams, ("status" = Option<String>, Query, description = "Only those with this status.")),
    responses((status = 200, description = "Newest first.", body = Vec<AgentBody>))
)]
pub(crate) async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let paging = Paging::of(&request)?;
    let status = paging.query.get("status", status)?;
    let rows = paging.rows();
    let mut rows =
        app.platform.database.read(move |db| agents::list(db, tenant.business, status, rows)).await?;
    let next = paging.cut(&mut rows, |row| row.id.0);
    let items = rows.into_iter().map(AgentBody::try_from).collect::<Result<Vec<_>, _>>()?;
    Ok(paging.answer(&app, &request, &items, next.as_deref()))
}

/// An agent in its newest version.
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}",
    operation_id = "getAgent",
    tag = "agents",
    params(("id" = uuid::Uuid, Path, description = "Which agent.")),
    responses((status = 200, description = "The agent.", body = AgentBody))
)]
pub(crate) async fn read(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    answered(load(&app, &tenant, agent_in(&request)?).await?)
}

/// Change an agent: what is sent changes, `null` removes. Every change makes a version; what changes nothing makes none.
#[utoipa::path(
    patch,
    path = "/api/v1/agents/{id}",
    operation_id = "updateAgent",
    tag = "agents",
    params(("id" = uuid::Uuid, Path, description = "Which agent.")),
    request_body = AgentChangesRequest,
    responses((status = 200, description = "The agent, changed.", body = AgentBody))
)]
pub(crate) async fn update(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let id = agent_in(&request)?;
    let changes = request_body::json(&request, payload).await?;
    own_app::require(&app, tenant.business, KNOWLEDGE, changes.get(KNOWLEDGE)).await?;
    change(&app, &tenant, id, &changes).await
}

/// Disable an agent: it cannot be used for new notifications, which are 409 `agent_disabled`. Notifications that were accepted
/// before, and calls that run, go on with the version that was frozen for them. It stays readable, and a change of its `status` to
/// `active` enables it again.
#[utoipa::path(
    delete,
    path = "/api/v1/agents/{id}",
    operation_id = "disableAgent",
    tag = "agents",
    params(("id" = uuid::Uuid, Path, description = "Which agent.")),
    responses((status = 200, description = "The agent, disabled.", body = AgentBody))
)]
pub(crate) async fn disable(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let id = agent_in(&request)?;
    change(&app, &tenant, id, &json!({"status": agents::DISABLED})).await
}

/// Loads, decides and saves, until nobody was faster. What is decided may take its time, so no transaction is open then.
async fn change(app: &App, tenant: &Tenant, id: AgentId, changes: &Value) -> Result<HttpResponse, ApiError> {
    for _ in 0..TRIES {
        let before = load(app, tenant, id).await?;
        let (row, changes) = (before.clone(), changes.clone());
        let decide = move || changed(&row, &changes);
        let mut after = web::block(decide).await.map_err(ApiError::internal)??;
        if after == before {
            return answered(before);
        }
        let actor = tenant.actor();
        let save = move |tx: &mut Tx<'_>| {
            let now = Time::from(tx.now());
            agents::save(tx.conn, &mut after, now)?;
            let details = json!({"version": after.version, "status": after.status});
            audit::note(tx, &actor, Event::on(Action::AgentChanged, after.id.0).with(details))?;
            Ok::<_, DbError>(after)
        };
        match app.platform.database.write(save).await {
            Err(DbError::Conflict) => {}
            saved => return answered(saved?),
        }
    }
    Err(ApiError::unavailable("changes of the agent kept racing"))
}
