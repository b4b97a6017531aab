//! `POST /notifications/batch`: many notifications in one request. Each row stands for itself: one that fails keeps no other
//! from being placed.
//!
//! Under an `Idempotency-Key` each row has an id that comes from the key's row and its place in the batch, so that whoever asks
//! again places nothing twice. An answer in which a row is not known is not kept: asking again goes on with it.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use contracts::calls::Notification;
use futures_util::StreamExt as _;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::body;
use super::fields::decode;
use super::idempotent;
use super::notifications::body::PlacedBody;
use super::notifications::document::BatchSchema;
use super::notifications::order::Order;
use super::notifications::placing::{Prepared, Unkeyed, ask, prepare};
use super::openapi::ErrorBody;
use super::reply::Made;
use crate::app::App;
use crate::domain::notification::row_id;
use crate::domain::role::Operation;
use crate::error::ApiError;
use crate::identity::credential::{Tenant, authorise};

/// Most rows of a batch.
const MAX_ROWS: usize = 1000;
/// Largest body.
const LIMIT: usize = 4 * 1024 * 1024;
/// Rows that are looked up together; what is noted of them outlives the time that placing them takes.
const TOGETHER: usize = 100;
/// Rows of one batch that the orchestrator is asked for at the same time.
const AT_ONCE: usize = 16;

/// The answer: one result for each row, in their order.
#[derive(Serialize, ToSchema)]
#[schema(as = NotificationResults, example = json!({"results": [
    {
        "index": 0, "status": 404, "error": {
            "statusCode": 404, "message": "Customer not found", "error": "Not Found", "code": "customer_not_found",
            "details": [], "request_id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33"
        }
    }
]}))]
pub(super) struct BatchBody {
    /// As many as there were rows.
    results: Vec<RowBody>,
}

/// What came of one row: `notification` and `call` with 201, else `error`.
#[derive(Serialize, ToSchema)]
#[schema(as = NotificationResult)]
struct RowBody {
    /// Its place in the batch, from 0.
    index: usize,
    /// The status that it would have had alone.
    status: u16,
    #[serde(flatten)]
    outcome: RowOutcome,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = NotificationOutcome)]
enum RowOutcome {
    Placed(Box<PlacedBody>),
    Refused {
        #[schema(value_type = ErrorBody)]
        error: Value,
    },
}

/// Ask for up to 1,000 calls in one request of at most 4 MiB. Each row stands for itself: one that fails keeps no other from
/// being placed. Under an `Idempotency-Key` whoever asks again places nothing twice.
#[utoipa::path(
    post,
    path = "/api/v1/notifications/batch",
    operation_id = "createNotifications",
    tag = "notifications",
    params(("Idempotency-Key" = Option<String>, Header, description = "For the whole batch, as for `POST /notifications`.")),
    request_body = BatchSchema,
    responses((status = 200, description = "A result for each row, in their order.", body = BatchBody))
)]
pub(crate) async fn create(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let body = body::json_of(&request, payload, LIMIT).await?;
    let rows = rows(&body)?;
    let keyed = idempotent::keyed(&request, &tenant, &body)?;
    let (this, can_ask_again) = (app.get_ref().clone(), keyed.is_some());
    idempotent::remotely(&app, keyed, move |batch| async move {
        place(&Batch { app: this, tenant, can_ask_again }, batch, rows).await
    })
    .await
}

/// The rows, each read by itself.
fn rows(body: &Value) -> Result<Vec<Result<Order, ApiError>>, ApiError> {
    let rows = body.get("notifications").unwrap_or(body).as_array();
    let rows = rows.ok_or_else(|| {
        ApiError::invalid_field("notifications", format!("must be an array of 1 to {MAX_ROWS} notifications"))
    })?;
    if rows.is_empty() || rows.len() > MAX_ROWS {
        let problem = format!("has {} rows; it must have 1 to {MAX_ROWS}", rows.len());
        return Err(ApiError::invalid_field("notifications", problem));
    }
    Ok(rows.iter().map(|row| decode(row, Order::read)).collect())
}

struct Batch {
    app: App,
    tenant: Tenant,
    can_ask_again: bool,
}

async fn place(batch: &Batch, id: Uuid, rows: Vec<Result<Order, ApiError>>) -> Result<Made, ApiError> {
    let mut results: Vec<Option<Result<Notification, ApiError>>> = Vec::new();
    let mut orders = Vec::new();
    for (index, row) in rows.into_iter().enumerate() {
        match row {
            Ok(order) => {
                orders.push((index, row_id(id, index), order));
                results.push(None);
            }
            Err(error) => results.push(Some(Err(error))),
        }
    }
    for some in orders.chunks(TOGETHER) {
        let asked = some.iter().map(|(_, id, order)| (*id, order.clone())).collect();
        let answers = batch.place_together(asked).await;
        for ((index, ..), answer) in some.iter().zip(answers) {
            if let Some(result) = results.get_mut(*index) {
                *result = Some(answer);
            }
        }
    }
    let lost = || Err(ApiError::internal("a row of a batch had no end"));
    answer(&batch.tenant, results.into_iter().map(|result| result.unwrap_or_else(lost)).collect())
}

impl Batch {
    /// Looks some rows up and has them placed. Answers each of them.
    async fn place_together(&self, orders: Vec<(Uuid, Order)>) -> Vec<Result<Notification, ApiError>> {
        let count = orders.len();
        let (noted, prepared) = match self.prepare(orders).await {
            Ok(prepared) => prepared,
            Err(error) => return vec![Err(error); count],
        };
        let answers = self.ask_all(prepared).await;
        let Some(noted) = noted else { return answers.into_iter().map(|(_, answer)| answer).collect() };
        let asked: Vec<bool> = answers.iter().map(|(asked, _)| *asked).collect();
        let (placed, mut refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(asked, _)| *asked);
        let placed = noted.settle(&self.app, placed.into_iter().map(|(_, answer)| answer).collect()).await;
        let (mut placed, mut refused) = (placed.into_iter(), refused.drain(..).map(|(_, answer)| answer));
        let next = |asked: bool| if asked { placed.next() } else { refused.next() };
        asked.into_iter().filter_map(next).collect()
    }

    async fn prepare(
        &self,
        orders: Vec<(Uuid, Order)>,
    ) -> Result<(Option<Unkeyed>, Vec<Prepared>), ApiError> {
        if !self.can_ask_again {
            let (noted, prepared) = Unkeyed::prepare(&self.app, &self.tenant, orders).await?;
            return Ok((Some(noted), prepared));
        }
        let tenant = self.tenant.clone();
        let prepared = idempotent::unless_raced(&self.app, move |tx| prepare(tx, &tenant, &orders)).await?;
        Ok((None, prepared))
    }

    /// Asks for what could be prepared. Answers, in order, whether it was asked for and what came of it.
    async fn ask_all(&self, prepared: Vec<Prepared>) -> Vec<(bool, Result<Notification, ApiError>)> {
        let one = |prepared: Prepared| async move {
            match prepared {
                Ok(request) => (true, ask(&self.app, &self.tenant, request).await),
                Err(error) => (false, Err(error)),
            }
        };
        futures_util::stream::iter(prepared).map(one).buffered(AT_ONCE).collect().await
    }
}

fn answer(tenant: &Tenant, results: Vec<Result<Notification, ApiError>>) -> Result<Made, ApiError> {
    let settled = results.iter().all(|r| r.as_ref().map_or_else(ApiError::is_refusal, |_| true));
    let request_id = tenant.request_id.as_str();
    let row = |(index, result): (usize, Result<Notification, ApiError>)| match result {
        Ok(placed) => {
            let outcome = RowOutcome::Placed(Box::new(PlacedBody::from(placed)));
            RowBody { index, status: StatusCode::CREATED.as_u16(), outcome }
        }
        Err(error) => {
            let outcome = RowOutcome::Refused { error: error.to_json(request_id) };
            RowBody { index, status: error.status().as_u16(), outcome }
        }
    };
    let body = BatchBody { results: results.into_iter().enumerate().map(row).collect() };
    let made = Made::with(StatusCode::OK, &body)?;
    Ok(if settled { made } else { made.not_settled() })
}
