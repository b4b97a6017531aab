//! `/projects/{project}/webhooks`: where a project wants its events. The dispatcher owns them.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use contracts::ids::{EndpointId, ProjectId};
use contracts::webhooks::{CreateEndpointRequest, Endpoint, GetEndpointRequest, ListEndpointsRequest};
use serde::Serialize;
use uuid::Uuid;

use super::body;
use super::fields::decode;
use super::idempotent;
use super::page::Paging;
use super::query::path_id;
use super::reply::{Made, millis};
use crate::app::App;
use crate::domain::role::Operation;
use crate::domain::webhook::{HookUrl, events};
use crate::error::{ApiError, from_rpc};
use crate::identity::credential::{Tenant, authorise};

/// An endpoint as it is answered.
#[derive(Serialize)]
struct EndpointBody {
    id: String,
    project_id: String,
    url: String,
    signing_secret: String,
    status: String,
    events: Vec<String>,
    consecutive_failures: u32,
    created_at: String,
    updated_at: String,
}

impl From<Endpoint> for EndpointBody {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            id: endpoint.id,
            project_id: endpoint.project_id,
            url: endpoint.url,
            signing_secret: endpoint.signing_secret,
            status: endpoint.status,
            events: endpoint.events,
            consecutive_failures: endpoint.consecutive_failures,
            created_at: millis(endpoint.created_at_ms),
            updated_at: millis(endpoint.updated_at_ms),
        }
    }
}

/// Who asks, if the project in the path is theirs; any other one is not there for them.
async fn authorise_path(app: &App, request: &HttpRequest, operation: Operation) -> Result<Tenant, ApiError> {
    let tenant = authorise(app, request, operation).await?;
    match path_id::<ProjectId>(request, "project") {
        Some(project) if project == tenant.project => Ok(tenant),
        _ => Err(ApiError::not_found("project", "Project")),
    }
}

fn failed(error: contracts::rpc::RpcError) -> ApiError {
    from_rpc(error, "webhook", "Webhook endpoint")
}

/// `POST /projects/{project}/webhooks`.
pub(crate) async fn create(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_path(&app, &request, Operation::Build).await?;
    let body = body::json(&request, payload).await?;
    let (url, events) = decode(&body, |fields| {
        let url = fields.text("url", HookUrl::parse);
        let events = fields.required("events", events);
        Some((url?, events?))
    })?;
    let keyed = idempotent::keyed(&request, &tenant, &body)?;
    let this = app.get_ref().clone();
    idempotent::remotely(&app, keyed, move |id: Uuid| async move {
        let wanted = CreateEndpointRequest {
            endpoint_id: id.to_string(),
            project_id: tenant.project.to_string(),
            url: url.into_inner(),
            events,
        };
        let made = this.endpoints.create_endpoint(tenant.context(), wanted).await.map_err(failed)?;
        Made::created(&EndpointBody::from(made))
    })
    .await
}

/// `GET /projects/{project}/webhooks`: with the secrets, as documented.
pub(crate) async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_path(&app, &request, Operation::ReadSecrets).await?;
    let paging = Paging::of(&request)?;
    let wanted = ListEndpointsRequest {
        project_id: tenant.project.to_string(),
        limit: paging.limit,
        after_id: paging.after_text(),
    };
    let listed = app.endpoints.list_endpoints(tenant.context(), wanted).await.map_err(failed)?;
    let next = Some(listed.next_after_id).filter(|id| !id.is_empty());
    let items: Vec<EndpointBody> = listed.endpoints.into_iter().map(Into::into).collect();
    Ok(paging.answer(&app, &request, &items, next.as_deref()))
}

/// `GET /projects/{project}/webhooks/{id}`.
pub(crate) async fn read(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_path(&app, &request, Operation::ReadSecrets).await?;
    let id: EndpointId =
        path_id(&request, "id").ok_or_else(|| ApiError::not_found("webhook", "Webhook endpoint"))?;
    let wanted = GetEndpointRequest { project_id: tenant.project.to_string(), endpoint_id: id.to_string() };
    let found = app.endpoints.get_endpoint(tenant.context(), wanted).await.map_err(failed)?;
    Ok(HttpResponse::Ok().json(EndpointBody::from(found)))
}
