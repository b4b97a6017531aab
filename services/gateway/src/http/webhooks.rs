//! `/projects/{project}/webhooks`: where a project wants its events. The dispatcher owns them.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use contracts::ids::EndpointId;
use contracts::webhooks::{
    CreateEndpointRequest, DeleteEndpointRequest, Endpoint, GetEndpointRequest, ListEndpointsRequest,
    RotateEndpointSecretRequest, UpdateEndpointRequest,
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::audit::note;
use super::body;
use super::fields::decode;
use super::idempotent;
use super::openapi::ErrorBody;
use super::page::{PageParams, Paging};
use super::projects::authorise_path;
use super::query::path_id;
use super::reply::{Made, millis};
use crate::app::App;
use crate::domain::audit::Action;
use crate::domain::role::Operation;
use crate::domain::webhook::{HookUrl, events, status};
use crate::error::{ApiError, from_rpc};
use crate::store::audit::Event;

/// What a new endpoint is made of.
#[derive(ToSchema)]
#[schema(as = NewWebhook, example = json!({
    "url": "https://your-server.com/webhooks/echo", "events": ["call.started", "call.ended", "call.summary"]
}))]
#[expect(dead_code, reason = "the document's view of what `create` reads")]
pub(super) struct NewWebhookRequest {
    /// https; http only for addresses in networks that the operator has opened. Private, loopback and link-local targets
    /// outside of these are refused when they are dialled, and at once (400) where the URL names the address itself. Redirects
    /// are not followed. The same URL may be registered more than once.
    #[schema(format = "uri", max_length = 2048)]
    url: String,
    /// Which events are sent there.
    #[schema(min_items = 1)]
    events: Vec<String>,
}

/// What is different from now on; what is left out stays as it was.
#[derive(ToSchema)]
#[schema(as = WebhookChange, example = json!({"status": "active"}))]
#[expect(dead_code, reason = "the document's view of what `update` reads")]
pub(super) struct WebhookChangeRequest {
    /// As when it was made.
    #[schema(format = "uri", max_length = 2048)]
    url: Option<String>,
    /// One that is switched on again starts without failures; what waits for one that is switched off
    /// fails.
    status: Option<String>,
    /// As when it was made.
    #[schema(min_items = 1)]
    events: Option<Vec<String>>,
}

/// An endpoint as it is answered.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook, example = json!({
    "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "project_id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f34",
    "url": "https://your-server.com/webhooks/echo",
    "signing_secret": "whsec_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "status": "active", "events": ["call.summary"], "consecutive_failures": 0,
    "created_at": "2026-03-18T17:43:46.714Z", "updated_at": "2026-03-18T17:43:46.714Z"
}))]
pub(super) struct EndpointBody {
    id: String,
    project_id: String,
    url: String,
    /// `whsec_` and 64 hexadecimal digits.
    signing_secret: String,
    /// An endpoint that answers 410, or fails 50 deliveries in a row over at least 24 hours, is disabled.
    status: String,
    /// Which are sent there.
    events: Vec<String>,
    /// Deliveries that failed for good, one after the other; a success sets it back to 0.
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

pub(super) fn failed(error: contracts::rpc::RpcError) -> ApiError {
    from_rpc(error, "webhook", "Webhook endpoint")
}

/// The endpoint in the path.
pub(super) fn endpoint(request: &HttpRequest) -> Result<EndpointId, ApiError> {
    path_id(request, "id").ok_or_else(|| ApiError::not_found("webhook", "Webhook endpoint"))
}

/// Want the events of a project at an address.
#[utoipa::path(
    post,
    path = "/api/v1/projects/{project}/webhooks",
    operation_id = "createWebhook",
    tag = "webhooks",
    params(("project" = Uuid, Path, description = "Whose: a key's own, or any of a member's business.")),
    request_body = NewWebhookRequest,
    responses(
        (status = 201, description = "The endpoint with its signing secret.", body = EndpointBody),
        (status = 409, description = "`webhook_limit_reached`: a project has at most 50 active ones.", body = ErrorBody)
    )
)]
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
        let details = json!({"url": &made.url, "events": &made.events});
        note(&this, &tenant, Event::on(Action::WebhookMade, id).with(details)).await?;
        Made::created(&EndpointBody::from(made))
    })
    .await
}

/// The endpoints of a project, with their secrets.
#[utoipa::path(
    get,
    path = "/api/v1/projects/{project}/webhooks",
    operation_id = "listWebhooks",
    tag = "webhooks",
    params(("project" = Uuid, Path, description = "Whose: a key's own, or any of a member's business."), PageParams),
    responses((status = 200, description = "Newest first.", body = Vec<EndpointBody>))
)]
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

/// One endpoint, with its secret.
#[utoipa::path(
    get,
    path = "/api/v1/projects/{project}/webhooks/{id}",
    operation_id = "getWebhook",
    tag = "webhooks",
    params(
        ("project" = Uuid, Path, description = "Whose: a key's own, or any of a member's business."),
        ("id" = Uuid, Path, description = "Which endpoint.")
    ),
    responses((status = 200, description = "The endpoint.", body = EndpointBody))
)]
pub(crate) async fn read(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_path(&app, &request, Operation::ReadSecrets).await?;
    let id = endpoint(&request)?;
    let wanted = GetEndpointRequest { project_id: tenant.project.to_string(), endpoint_id: id.to_string() };
    let found = app.endpoints.get_endpoint(tenant.context(), wanted).await.map_err(failed)?;
    Ok(HttpResponse::Ok().json(EndpointBody::from(found)))
}

/// Change an endpoint's address, events or status.
#[utoipa::path(
    patch,
    path = "/api/v1/projects/{project}/webhooks/{id}",
    operation_id = "updateWebhook",
    tag = "webhooks",
    params(
        ("project" = Uuid, Path, description = "Whose: a key's own, or any of a member's business."),
        ("id" = Uuid, Path, description = "Which endpoint.")
    ),
    request_body = WebhookChangeRequest,
    responses(
        (status = 200, description = "The endpoint as it is now.", body = EndpointBody),
        (status = 409, description = "`webhook_limit_reached`: no room for another active one.", body = ErrorBody)
    )
)]
pub(crate) async fn update(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_path(&app, &request, Operation::Build).await?;
    let id = endpoint(&request)?;
    let body = body::json(&request, payload).await?;
    let (url, status, events) = decode(&body, |fields| {
        let url = fields.optional_text("url", HookUrl::parse);
        let status = fields.optional_text("status", status);
        let events = fields.nested("events", events);
        Some((url?, status?, events?))
    })?;
    let wanted = UpdateEndpointRequest {
        project_id: tenant.project.to_string(),
        endpoint_id: id.to_string(),
        url: url.map(HookUrl::into_inner).unwrap_or_default(),
        status: status.unwrap_or_default(),
        events: events.unwrap_or_default(),
    };
    let changed = app.endpoints.update_endpoint(tenant.context(), wanted).await.map_err(failed)?;
    let details = json!({"url": &changed.url, "events": &changed.events, "status": &changed.status});
    note(&app, &tenant, Event::on(Action::WebhookChanged, id).with(details)).await?;
    Ok(HttpResponse::Ok().json(EndpointBody::from(changed)))
}

/// Remove an endpoint with its log; nothing more is sent to it.
#[utoipa::path(
    delete,
    path = "/api/v1/projects/{project}/webhooks/{id}",
    operation_id = "deleteWebhook",
    tag = "webhooks",
    params(
        ("project" = Uuid, Path, description = "Whose: a key's own, or any of a member's business."),
        ("id" = Uuid, Path, description = "Which endpoint.")
    ),
    responses((status = 204, description = "It is gone."))
)]
pub(crate) async fn remove(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_path(&app, &request, Operation::Build).await?;
    let id = endpoint(&request)?;
    let wanted =
        DeleteEndpointRequest { project_id: tenant.project.to_string(), endpoint_id: id.to_string() };
    app.endpoints.delete_endpoint(tenant.context(), wanted).await.map_err(failed)?;
    note(&app, &tenant, Event::on(Action::WebhookDeleted, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A new signing secret.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookSecret, example = json!({
    "signing_secret": "whsec_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
}))]
pub(super) struct SecretBody {
    /// `whsec_` and 64 hexadecimal digits.
    signing_secret: String,
}

/// Replace an endpoint's signing secret. `X-Echo-Signature` is made with the new one at once; for 24 hours
/// `webhook-signature` carries a signature of the old one, too.
#[utoipa::path(
    post,
    path = "/api/v1/projects/{project}/webhooks/{id}/secret/rotate",
    operation_id = "rotateWebhookSecret",
    tag = "webhooks",
    params(
        ("project" = Uuid, Path, description = "Whose: a key's own, or any of a member's business."),
        ("id" = Uuid, Path, description = "Which endpoint.")
    ),
    responses((status = 200, description = "The new secret.", body = SecretBody))
)]
pub(crate) async fn rotate(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_path(&app, &request, Operation::Build).await?;
    let id = endpoint(&request)?;
    let wanted =
        RotateEndpointSecretRequest { project_id: tenant.project.to_string(), endpoint_id: id.to_string() };
    let rotated = app.endpoints.rotate_endpoint_secret(tenant.context(), wanted).await.map_err(failed)?;
    note(&app, &tenant, Event::on(Action::WebhookSecretRotated, id)).await?;
    Ok(HttpResponse::Ok().json(SecretBody { signing_secret: rotated.signing_secret }))
}
