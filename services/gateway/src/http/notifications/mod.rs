//! `/notifications`: asking for a call, reading what became of it, stopping it. The orchestrator owns them; here they get
//! their id, their parts and their public form.

pub(super) mod body;
pub(super) mod document;
pub(super) mod lookup;
pub(super) mod order;
pub(super) mod placing;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use contracts::calls::{GetNotificationRequest, ListNotificationsRequest};
use contracts::ids::{AgentId, CustomerId, NotificationId};
use contracts::rpc::RpcError;

use self::body::{NotificationBody, PlacedBody, present};
use self::document::{FilterParams, OrderSchema};
use self::order::Order;
use self::placing::{Unkeyed, ask, prepare};
use super::body::json;
use super::fields::{decode, parse_id};
use super::idempotent::{self, Failed};
use super::openapi::ErrorBody;
use super::page::{PageParams, Paging};
use super::query::path_id;
use super::reply::Made;
use crate::app::App;
use crate::domain::moment;
use crate::domain::notification::status;
use crate::domain::role::Operation;
use crate::error::{ApiError, from_rpc};
use crate::identity::credential::{Tenant, authorise};

pub(super) fn not_found() -> ApiError {
    ApiError::not_found("notification", "Notification")
}

fn failed(error: RpcError) -> ApiError {
    from_rpc(error, "notification", "Notification")
}

/// Ask for a call. It rings at once, or when it is due and the rules allow it; `call.callId` names its first attempt. What a rule
/// stops is accepted all the same, and ends as `blocked`. There are no priorities: what waits is rung oldest first. A call is not
/// recorded; what was said is kept as text. A customer who rings back within 24 hours talks with the same agent.
#[utoipa::path(
    post,
    path = "/api/v1/notifications",
    operation_id = "createNotification",
    tag = "notifications",
    request_body = OrderSchema,
    responses(
        (status = 201, description = "Accepted.", body = PlacedBody),
        (status = 404, description = "`customer_not_found`, `agent_not_found`, `agent_version_not_found`: not in this project, or not in this business. \
            `project_not_found`: `x-echo-project` names none of the business.", body = ErrorBody),
        (status = 409, description = "`agent_disabled`. `no_carrier`: the project has nothing to call with. `no_phone`: the customer has no number. \
            `phone_not_active`: it is `unreachable` or `opted_out`.", body = ErrorBody),
    )
)]
pub(crate) async fn create(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let body = json(&request, payload).await?;
    let order = decode(&body, Order::read)?;
    let this = app.get_ref().clone();
    let Some(keyed) = idempotent::keyed(&request, &tenant, &body)? else {
        return idempotent::to_its_end(async move { unkeyed(&this, &tenant, order).await }).await;
    };
    let whose = tenant.clone();
    // Whoever is described in the order is written down in the transaction that notes the key.
    let prepare = move |tx: &mut common::db::Tx<'_>, id| {
        let prepared = prepare(tx, &whose, &[(id, order.clone())])?.pop();
        prepared
            .ok_or_else(|| Failed::With(ApiError::internal("an order became nothing")))?
            .map_err(Failed::With)
    };
    idempotent::prepared(&app, keyed, prepare, move |_, wanted| async move {
        let placed = ask(&this, &tenant, wanted).await?;
        let customer = placed.customer_id.parse();
        let made = Made::created(&PlacedBody::from(placed))?;
        Ok(match customer {
            Ok(customer) => made.about(customer),
            Err(_) => made, // they have been forgotten
        })
    })
    .await
}

async fn unkeyed(app: &App, tenant: &Tenant, order: Order) -> Result<HttpResponse, ApiError> {
    let id = NotificationId::new().0;
    let (noted, mut prepared) = Unkeyed::prepare(app, tenant, vec![(id, order)]).await?;
    let wanted = prepared.pop().ok_or_else(|| ApiError::internal("an order became nothing"))??;
    let answer = ask(app, tenant, wanted).await;
    let answer = noted.settle(app, vec![answer]).await.pop();
    let placed = answer.ok_or_else(|| ApiError::internal("a placing had no end"))??;
    Ok(Made::created(&PlacedBody::from(placed))?.into_response())
}

/// The project's notifications, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/notifications",
    operation_id = "listNotifications",
    tag = "notifications",
    params(PageParams, FilterParams),
    responses((status = 200, description = "Newest first.", body = Vec<NotificationBody>))
)]
pub(crate) async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let paging = Paging::of(&request)?;
    let query = &paging.query;
    // A plus that was not escaped is read as a space.
    let time = |text: &str| moment::parse(&text.trim().replace(' ', "+"));
    let wanted = ListNotificationsRequest {
        project_id: tenant.project.to_string(),
        limit: paging.limit,
        after_id: paging.after_text(),
        status: query.get("status", status)?.unwrap_or_default(),
        customer_id: query
            .get("customer_id", parse_id::<CustomerId>)?
            .map(|id| id.to_string())
            .unwrap_or_default(),
        agent_id: query.get("agent_id", parse_id::<AgentId>)?.map(|id| id.to_string()).unwrap_or_default(),
        created_after_ms: query.get("created_after", time)?.map(|at| at.timestamp_millis()),
        created_before_ms: query.get("created_before", time)?.map(|at| at.timestamp_millis()),
    };
    let listed = app.notifications.list_notifications(tenant.context(), wanted).await.map_err(failed)?;
    let next = present(listed.next_after_id);
    let items: Vec<NotificationBody> = listed.notifications.into_iter().map(Into::into).collect();
    Ok(paging.answer(&app, &request, &items, next.as_deref()))
}

/// The notification that a path names.
pub(super) fn named(request: &HttpRequest, tenant: &Tenant) -> Result<GetNotificationRequest, ApiError> {
    let id: NotificationId = path_id(request, "id").ok_or_else(not_found)?;
    Ok(GetNotificationRequest { project_id: tenant.project.to_string(), notification_id: id.to_string() })
}

/// What has become of a notification.
#[utoipa::path(
    get,
    path = "/api/v1/notifications/{id}",
    operation_id = "getNotification",
    tag = "notifications",
    params(("id" = Uuid, Path, description = "Which notification.")),
    responses((status = 200, description = "The notification.", body = NotificationBody))
)]
pub(crate) async fn read(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let wanted = named(&request, &tenant)?;
    let found = app.notifications.get_notification(tenant.context(), wanted).await.map_err(failed)?;
    Ok(HttpResponse::Ok().json(NotificationBody::from(found)))
}

/// Stop a notification: what waits is not dialled, a phone that rings or talks is stopped.
#[utoipa::path(
    post,
    path = "/api/v1/notifications/{id}/cancel",
    operation_id = "cancelNotification",
    tag = "notifications",
    params(("id" = Uuid, Path, description = "Which notification.")),
    responses(
        (status = 200, description = "The notification, canceled.", body = NotificationBody),
        (status = 409, description = "`notification_finished`: it is over, or canceled already.", body = ErrorBody),
    )
)]
pub(crate) async fn cancel(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let wanted = named(&request, &tenant)?;
    let stopped = app.notifications.stop_notification(tenant.context(), wanted).await.map_err(failed)?;
    Ok(HttpResponse::Ok().json(NotificationBody::from(stopped)))
}
