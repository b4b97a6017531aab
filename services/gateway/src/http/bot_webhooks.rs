//! `/v1/bots/{id}/deliveries` and `…/rotate-secret`: what a bot has told its owner and what came of it, and what signs it. The
//! dispatcher owns both.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use contracts::calls::GetBotRequest;
use contracts::ids::BotId;
use contracts::webhooks::{
    Delivery, ListBotDeliveriesRequest, LoggedDelivery, RetryBotDeliveryRequest, RotateBotSecretRequest,
};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::audit::note;
use super::bots::{bot_in, failed};
use super::deliveries::{AttemptBody, Wanted, delivery, no_delivery};
use super::openapi::LinkErrorBody;
use super::reply::millis;
use crate::app::App;
use crate::domain::audit::Action;
use crate::domain::role::Operation;
use crate::error::ApiError;
use crate::identity::credential::{Tenant, authorise_link};
use crate::store::audit::Event;

/// A delivery of a bot as it is answered.
#[derive(Serialize, ToSchema)]
#[schema(as = BotDelivery, example = json!({
    "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "bot_id": "bot_4Zk9mUqQh8vYw2XnRt3L",
    "event_id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f36", "event_name": "bot.completed", "payload": {
        "event_id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f36", "event_name": "bot.completed",
        "bot_id": "bot_4Zk9mUqQh8vYw2XnRt3L", "call_sid": "CA0123456789abcdef0123456789abcdef",
        "timestamp": "2026-03-18T17:43:46.001Z", "data": {}
    },
    "status": "retrying", "attempt_count": 1, "next_retry_at": "2026-03-18T17:44:49.120Z",
    "created_at": "2026-03-18T17:43:46.714Z", "updated_at": "2026-03-18T17:43:47.001Z"
}))]
pub(super) struct BotDeliveryBody {
    id: String,
    /// Whose it is.
    bot_id: String,
    /// The same in every attempt.
    event_id: String,
    event_name: String,
    /// The body that was sent.
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

impl BotDeliveryBody {
    fn new(bot: BotId, delivery: Delivery) -> Result<Self, ApiError> {
        Ok(Self {
            id: delivery.id,
            bot_id: bot.to_string(),
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

/// A delivery of a bot with what was tried.
#[derive(Serialize, ToSchema)]
#[schema(as = BotDeliveryWithAttempts)]
pub(super) struct LoggedBody {
    #[serde(flatten)]
    delivery: BotDeliveryBody,
    /// The first one first; at most the latest 10.
    attempts: Vec<AttemptBody>,
}

impl LoggedBody {
    fn new(bot: BotId, logged: LoggedDelivery) -> Result<Self, ApiError> {
        let delivery =
            logged.delivery.ok_or_else(|| ApiError::internal("a logged delivery without itself"))?;
        Ok(Self {
            delivery: BotDeliveryBody::new(bot, delivery)?,
            attempts: logged.attempts.into_iter().map(Into::into).collect(),
        })
    }
}

/// A page of the log.
#[derive(Serialize, ToSchema)]
#[schema(as = BotDeliveryPage)]
pub(super) struct PageBody {
    /// Newest first.
    data: Vec<LoggedBody>,
    /// Pass as `cursor` for the next page; null at the end. A page may be shorter than `limit` and not the last one.
    #[schema(example = json!(null))]
    next_cursor: Option<String>,
}

/// The parameters of the log, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document's view of what `list` reads")]
pub(super) struct BotLogParams {
    /// Only those with this status.
    #[param(required = false)]
    status: String,
    /// At most this many.
    #[param(minimum = 1, maximum = 100, default = 50, required = false)]
    limit: u32,
    /// The `next_cursor` of an earlier page.
    #[param(required = false)]
    cursor: String,
}

/// A secret that was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = BotSecret, example = json!({
    "bot_id": "bot_4Zk9mUqQh8vYw2XnRt3L",
    "webhook_secret": "whsec_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
}))]
pub(super) struct SecretBody {
    /// Whose it is.
    bot_id: String,
    /// What signs the requests to its webhook: `whsec_` and 64 hexadecimal digits. Shown here and never again.
    webhook_secret: String,
}

/// The bot in the path, if it is one of the business.
async fn own_bot(app: &App, tenant: &Tenant, request: &HttpRequest) -> Result<BotId, ApiError> {
    let id = bot_in(request)?;
    let wanted = GetBotRequest { business_id: tenant.business.to_string(), bot_id: id.to_string() };
    app.bots.get_bot(tenant.context(), wanted).await.map_err(failed)?;
    Ok(id)
}

/// What a bot has told its owner, newest first, with every attempt. It is sent like what webhooks of projects are sent: four
/// attempts, the last some 36 minutes after the first. What has ended is kept as long as the project keeps personal data
/// (`retention_days`).
#[utoipa::path(
    get,
    path = "/v1/bots/{id}/deliveries",
    operation_id = "listBotDeliveries",
    tag = "bots",
    params(("id" = String, Path, description = "Which bot."), BotLogParams),
    responses((status = 200, description = "A page.", body = PageBody))
)]
pub(crate) async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_link(&app, &request, Operation::Read).await?;
    let wanted = Wanted::of(&request)?;
    let bot = own_bot(&app, &tenant, &request).await?;
    let wanted = ListBotDeliveriesRequest {
        business_id: tenant.business.to_string(),
        bot_id: bot.to_string(),
        status: wanted.status,
        limit: wanted.limit,
        after_id: wanted.after_id,
    };
    let page = app.bot_webhooks.list_bot_deliveries(tenant.context(), wanted).await.map_err(failed)?;
    let data = page.deliveries.into_iter().map(|logged| LoggedBody::new(bot, logged));
    Ok(HttpResponse::Ok().json(PageBody {
        data: data.collect::<Result<_, _>>()?,
        next_cursor: Some(page.next_after_id).filter(|id| !id.is_empty()),
    }))
}

/// Make one more attempt now, at the bot's webhook as it is now. The schedule stays as it is: what waits between two attempts goes on
/// at its time. Any `bot.completed` can be sent once more that is not on its way, also one that was received. A webhook that was switched
/// off is switched on by it.
#[utoipa::path(
    post,
    path = "/v1/bots/{id}/deliveries/{delivery_id}/retry",
    operation_id = "retryBotDelivery",
    tag = "bots",
    params(
        ("id" = String, Path, description = "Which bot."),
        ("delivery_id" = Uuid, Path, description = "Which delivery.")
    ),
    responses(
        (status = 202, description = "The delivery, pending again.", body = BotDeliveryBody),
        (
            status = 409,
            description = "`delivery_in_progress`: an attempt is being made or about to be. `delivery_not_repeatable`: it is \
                a `bot.action`; what a bot did in a call is not done once more.",
            body = LinkErrorBody
        )
    )
)]
pub(crate) async fn retry(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_link(&app, &request, Operation::Build).await?;
    let bot = own_bot(&app, &tenant, &request).await?;
    let wanted = RetryBotDeliveryRequest {
        business_id: tenant.business.to_string(),
        bot_id: bot.to_string(),
        delivery_id: delivery(&request, "delivery_id")?.to_string(),
    };
    let asked = app.bot_webhooks.retry_bot_delivery(tenant.context(), wanted).await.map_err(no_delivery)?;
    Ok(HttpResponse::Accepted().json(BotDeliveryBody::new(bot, asked)?))
}

/// Replace the secret that signs the requests to a bot's webhook. The new one signs at once; for 24 hours `webhook-signature`
/// carries the old one's signature, too.
#[utoipa::path(
    post,
    path = "/v1/bots/{id}/rotate-secret",
    operation_id = "rotateBotSecret",
    tag = "bots",
    params(("id" = String, Path, description = "Which bot.")),
    responses((status = 200, description = "The new secret.", body = SecretBody))
)]
pub(crate) async fn rotate(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_link(&app, &request, Operation::Build).await?;
    let bot = own_bot(&app, &tenant, &request).await?;
    let (business_id, bot_id) = (tenant.business.to_string(), bot.to_string());
    let wanted = RotateBotSecretRequest { business_id, bot_id: bot_id.clone() };
    let made = app.bot_webhooks.rotate_bot_secret(tenant.context(), wanted).await.map_err(failed)?;
    note(&app, &tenant, Event::on(Action::BotSecretRotated, bot)).await?;
    Ok(HttpResponse::Ok().json(SecretBody { bot_id, webhook_secret: made.signing_secret }))
}
