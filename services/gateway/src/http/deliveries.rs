//! `/projects/{project}/webhooks/{id}/deliveries`: what was sent to an endpoint and what came of it, and what a person wants
//! to be sent. The dispatcher owns them.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use contracts::ids::DeliveryId;
use contracts::rpc::RpcError;
use contracts::webhooks::{
    Attempt, Delivery, GetDeliveryRequest, ListDeliveriesRequest, LoggedDelivery, RetryDeliveryRequest,
    SendTestRequest,
};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::openapi::ErrorBody;
use super::projects::authorise_path;
use super::query::{Query, path_id};
use super::reply::millis;
use super::webhooks::{endpoint, failed};
use crate::app::App;
use crate::domain::role::Operation;
use crate::domain::webhook::{DELIVERED, DELIVERY_STATUSES, one_of};
use crate::error::{ApiError, from_rpc};

/// Longest page.
const MOST: u32 = 100;
/// A page that nobody asked to be longer or shorter.
const DEFAULT: u32 = 50;

/// A delivery as it is answered.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery, example = json!({
    "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "webhook_endpoint_id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f34",
    "project_id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f35", "event_id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f36",
    "event_name": "call.ended", "payload": {
        "event_id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f36", "event_name": "call.ended", "customer_id": null,
        "notification_id": null, "data": {}
    },
    "status": "retrying", "attempt_count": 1, "next_retry_at": "2026-03-18T17:44:49.120Z",
    "created_at": "2026-03-18T17:43:46.714Z", "updated_at": "2026-03-18T17:43:47.001Z"
}))]
pub(super) struct DeliveryBody {
    id: String,
    webhook_endpoint_id: String,
    project_id: String,
    /// The same in every attempt, and to every endpoint.
    event_id: String,
    event_name: String,
    /// The body that was sent. Of a customer who was erased only that something happened is left.
    #[schema(value_type = Object)]
    payload: Box<RawValue>,
    /// `pending` until the first failure, `retrying` between attempts, then `success` or `failed`.
    status: String,
    /// Attempts that have begun, by the schedule and by hand: it may exceed 4.
    attempt_count: u32,
    /// When the schedule makes the next attempt; null where none waits for its time.
    next_retry_at: Option<String>,
    created_at: String,
    updated_at: String,
}

impl TryFrom<Delivery> for DeliveryBody {
    type Error = ApiError;

    fn try_from(delivery: Delivery) -> Result<Self, ApiError> {
        Ok(Self {
            id: delivery.id,
            webhook_endpoint_id: delivery.endpoint_id,
            project_id: delivery.project_id,
            event_id: delivery.event_id,
            event_name: delivery.event_name,
            payload: RawValue::from_string(delivery.payload_json).map_err(ApiError::internal)?,
            status: delivery.status,
            attempt_count: delivery.attempt_count,
            next_retry_at: delivery.next_retry_at_ms.map(millis),
            created_at: millis(delivery.created_at_ms),
            updated_at: millis(delivery.updated_at_ms),
        })
    }
}

/// One try.
#[derive(Serialize, ToSchema)]
#[schema(as = DeliveryAttempt, example = json!({
    "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f37", "delivery_id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "attempt_number": 1,
    "triggered_by": "auto", "http_status": 500, "response_body": "oops", "duration_ms": 87, "success": false,
    "error_message": "answered 500; any status from 200 to 299 counts as received", "created_at": "2026-03-18T17:43:46.914Z"
}))]
pub(super) struct AttemptBody {
    id: String,
    delivery_id: String,
    /// From 1.
    attempt_number: u32,
    /// By the schedule, or by hand.
    triggered_by: String,
    /// Null when there was no answer.
    http_status: Option<u32>,
    /// The first 4 KiB of the answer.
    response_body: Option<String>,
    /// Until the last byte of the answer; null while it is being made.
    duration_ms: Option<i64>,
    /// It was received.
    success: bool,
    /// Why it was no success; for people.
    error_message: Option<String>,
    created_at: String,
}

/// Which part of a log is asked for.
pub(super) struct Wanted {
    /// The query as it was sent.
    pub(super) query: Query,
    /// One of the words there are, or nothing.
    pub(super) status: String,
    /// At most this many.
    pub(super) limit: u32,
    /// The id behind which it goes on, or nothing.
    pub(super) after_id: String,
}

impl Wanted {
    /// Reads it.
    ///
    /// # Errors
    /// 400 with what is wrong with it.
    pub(super) fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let query = Query::of(request)?;
        let status = query.get("status", one_of(DELIVERY_STATUSES))?;
        let limit = query.number("limit", 1..=MOST)?;
        let wrong = "must be the next_cursor of an earlier page";
        let after = query.get("cursor", |text| Uuid::parse_str(text).map_err(|_| wrong.to_owned()))?;
        Ok(Self {
            query,
            status: status.unwrap_or_default().to_owned(),
            limit: limit.unwrap_or(DEFAULT),
            after_id: after.map(|id| id.to_string()).unwrap_or_default(),
        })
    }
}

impl From<Attempt> for AttemptBody {
    fn from(attempt: Attempt) -> Self {
        Self {
            id: attempt.id,
            delivery_id: attempt.delivery_id,
            attempt_number: attempt.attempt_number,
            triggered_by: attempt.triggered_by,
            http_status: attempt.http_status,
            response_body: attempt.response_body,
            duration_ms: attempt.duration_ms,
            success: attempt.success,
            error_message: attempt.error_message,
            created_at: millis(attempt.created_at_ms),
        }
    }
}

/// A delivery with what was tried.
#[derive(Serialize, ToSchema)]
#[schema(as = DeliveryWithAttempts)]
pub(super) struct LoggedBody {
    #[serde(flatten)]
    delivery: DeliveryBody,
    /// The first one first; at most the latest 100.
    attempts: Vec<AttemptBody>,
}

impl TryFrom<LoggedDelivery> for LoggedBody {
    type Error = ApiError;

    fn try_from(logged: LoggedDelivery) -> Result<Self, ApiError> {
        let delivery =
            logged.delivery.ok_or_else(|| ApiError::internal("a logged delivery without itself"))?;
        Ok(Self {
            delivery: delivery.try_into()?,
            attempts: logged.attempts.into_iter().map(Into::into).collect(),
        })
    }
}

/// A page of the log.
#[derive(Serialize, ToSchema)]
#[schema(as = DeliveryPage)]
pub(super) struct PageBody {
    /// Newest first.
    data: Vec<DeliveryBody>,
    /// Pass as `cursor` for the next page; null at the end. A page may be shorter than `limit` and not the last one.
    #[schema(example = json!(null))]
    next_cursor: Option<String>,
}

/// The parameters of the log, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document's view of what `list` reads")]
pub(super) struct LogParams {
    /// Only those with this status.
    #[param(required = false)]
    status: String,
    /// Only those of this event.
    #[param(required = false)]
    event_name: String,
    /// At most this many.
    #[param(minimum = 1, maximum = 100, default = 50, required = false)]
    limit: u32,
    /// The `next_cursor` of an earlier page.
    #[param(required = false)]
    cursor: String,
}

pub(super) fn no_delivery(error: RpcError) -> ApiError {
    from_rpc(error, "delivery", "Delivery")
}

/// The delivery in the path.
pub(super) fn delivery(request: &HttpRequest, name: &str) -> Result<DeliveryId, ApiError> {
    path_id(request, name).ok_or_else(|| ApiError::not_found("delivery", "Delivery"))
}

/// What was sent to an endpoint, newest first. How it is sent, and when again, stands above all operations on webhooks. What has
/// ended is kept as long as the project keeps personal data (`retention_days`).
#[utoipa::path(
    get,
    path = "/api/v1/projects/{project}/webhooks/{id}/deliveries",
    operation_id = "listDeliveries",
    tag = "webhooks",
    params(
        ("project" = Uuid, Path, description = "Whose: a key's own, or any of a member's business."),
        ("id" = Uuid, Path, description = "Which endpoint."),
        LogParams
    ),
    responses((status = 200, description = "A page.", body = PageBody))
)]
pub(crate) async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_path(&app, &request, Operation::Read).await?;
    let endpoint = endpoint(&request)?;
    let wanted = Wanted::of(&request)?;
    let event_name = wanted.query.get("event_name", one_of(DELIVERED))?;
    let wanted = ListDeliveriesRequest {
        project_id: tenant.project.to_string(),
        endpoint_id: endpoint.to_string(),
        status: wanted.status,
        event_name: event_name.unwrap_or_default().to_owned(),
        limit: wanted.limit,
        after_id: wanted.after_id,
    };
    let page = app.deliveries.list_deliveries(tenant.context(), wanted).await.map_err(failed)?;
    Ok(HttpResponse::Ok().json(PageBody {
        data: page.deliveries.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        next_cursor: Some(page.next_after_id).filter(|id| !id.is_empty()),
    }))
}

/// One delivery with its attempts.
#[utoipa::path(
    get,
    path = "/api/v1/projects/{project}/webhooks/{id}/deliveries/{delivery}",
    operation_id = "getDelivery",
    tag = "webhooks",
    params(
        ("project" = Uuid, Path, description = "Whose: a key's own, or any of a member's business."),
        ("id" = Uuid, Path, description = "Which endpoint."),
        ("delivery" = Uuid, Path, description = "Which delivery.")
    ),
    responses((status = 200, description = "The delivery.", body = LoggedBody))
)]
pub(crate) async fn read(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_path(&app, &request, Operation::Read).await?;
    let wanted = GetDeliveryRequest {
        project_id: tenant.project.to_string(),
        endpoint_id: endpoint(&request)?.to_string(),
        delivery_id: delivery(&request, "delivery")?.to_string(),
    };
    let found = app.deliveries.get_delivery(tenant.context(), wanted).await.map_err(no_delivery)?;
    Ok(HttpResponse::Ok().json(LoggedBody::try_from(found)?))
}

/// Make one more attempt now. The schedule stays as it is: what waits between two attempts goes on at its time. Any delivery can be
/// sent once more that is not on its way, also one that was received. A failure by hand is not counted as a failed delivery.
#[utoipa::path(
    post,
    path = "/api/v1/projects/{project}/webhooks/{id}/deliveries/{delivery}/retry",
    operation_id = "retryDelivery",
    tag = "webhooks",
    params(
        ("project" = Uuid, Path, description = "Whose: a key's own, or any of a member's business."),
        ("id" = Uuid, Path, description = "Which endpoint."),
        ("delivery" = Uuid, Path, description = "Which delivery.")
    ),
    responses(
        (status = 202, description = "The delivery, pending again.", body = DeliveryBody),
        (
            status = 409,
            description = "`webhook_disabled`; `delivery_in_progress`: an attempt is being made or about to be; \
                           `delivery_erased`: its customer was erased.",
            body = ErrorBody
        )
    )
)]
pub(crate) async fn retry(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_path(&app, &request, Operation::Build).await?;
    let wanted = RetryDeliveryRequest {
        project_id: tenant.project.to_string(),
        endpoint_id: endpoint(&request)?.to_string(),
        delivery_id: delivery(&request, "delivery")?.to_string(),
    };
    let asked = app.deliveries.retry_delivery(tenant.context(), wanted).await.map_err(no_delivery)?;
    Ok(HttpResponse::Accepted().json(DeliveryBody::try_from(asked)?))
}

/// Send a `webhook.test` event to an endpoint, whatever events it wants. An ordinary delivery: signed, logged, retried.
#[utoipa::path(
    post,
    path = "/api/v1/projects/{project}/webhooks/{id}/test",
    operation_id = "testWebhook",
    tag = "webhooks",
    params(
        ("project" = Uuid, Path, description = "Whose: a key's own, or any of a member's business."),
        ("id" = Uuid, Path, description = "Which endpoint.")
    ),
    responses(
        (status = 202, description = "The delivery.", body = DeliveryBody),
        (status = 409, description = "`webhook_disabled`.", body = ErrorBody)
    )
)]
pub(crate) async fn test(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_path(&app, &request, Operation::Build).await?;
    let wanted = SendTestRequest {
        project_id: tenant.project.to_string(),
        endpoint_id: endpoint(&request)?.to_string(),
        delivery_id: DeliveryId::new().to_string(),
    };
    let sent = app.deliveries.send_test(tenant.context(), wanted).await.map_err(failed)?;
    Ok(HttpResponse::Accepted().json(DeliveryBody::try_from(sent)?))
}
