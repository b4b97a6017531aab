//! `/v1/calls`: what was said to bots. The orchestrator owns it.
//!
//! `/v1/calls/{id}` is a path of Echo, too, which shows the calls of a project's notifications there: the credential says whose call
//! is meant, and which form errors have. EchoLink's token sees the calls to bots only; a key and an access token see both kinds.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use contracts::calls::{BotCall, GetBotCallRequest, ListBotCallsRequest};
use contracts::ids::BotId;
use contracts::rpc::RpcError;
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::calls::{self, CallBody, RecordingBody, TurnBody, amount, seconds};
use super::notifications::body::{json, present};
use super::page::{PageParams, Paging};
use super::reply::millis;
use crate::app::App;
use crate::domain::call::{STATUSES, is_name};
use crate::domain::role::Operation;
use crate::domain::webhook::one_of;
use crate::error::{ApiError, Shape, from_rpc};
use crate::identity::credential::{Tenant, authorise, authorise_link, made_for};

/// A call to a bot.
#[derive(Serialize, ToSchema)]
#[schema(as = BotCall, example = json!({
    "call_id": "01890a5d-ac96-774b-bcce-b302099a0003", "call_sid": "CA0123456789abcdef0123456789abcdef",
    "bot_id": "bot_4Zk9mUqQh8vYw2XnRt3L", "from": "+14155552671", "to": "+14155551234", "status": "completed",
    "outcome": "completed", "collected": {"what": "a table", "people": 4},
    "evidence": {"people": {"status": "grounded", "turn": 1, "quote": "for 4"}},
    "started_at": "2026-03-18T17:43:46.120Z", "answered_at": "2026-03-18T17:43:46.714Z",
    "ended_at": "2026-03-18T17:44:29.214Z", "duration_seconds": 42.5, "ended_reason": "customer-ended-call", "cost": 0.014,
    "currency": "USD", "model_tokens_in": 1200, "model_tokens_out": 85,
    "recording": {"sid": "RE0123456789abcdef0123456789abcdef", "duration_seconds": 42}
}))]
pub(super) struct BotCallBody {
    call_id: String,
    /// Twilio's own id of it.
    call_sid: Option<String>,
    /// Who answered. It may be gone by now.
    bot_id: String,
    /// Who called, E.164; null when they hid their number, or when that was kept long enough.
    from: Option<String>,
    /// The number that was rung, E.164.
    to: String,
    status: String,
    /// What became of the bot's goal; null until it is known, soon after the end. `abandoned`: nobody said anything. `failed`: it is
    /// ours to answer for.
    outcome: Option<String>,
    /// What the caller said of what the goal needs; null until it is known.
    #[schema(value_type = Option<Object>)]
    collected: Option<Value>,
    /// Where each part of it was said.
    #[schema(value_type = Option<Object>)]
    evidence: Option<Value>,
    /// When it came in.
    started_at: String,
    /// When the bot picked up.
    answered_at: Option<String>,
    ended_at: Option<String>,
    /// Talk time.
    duration_seconds: f64,
    /// Why it ended; null until then.
    ended_reason: Option<String>,
    /// What the carrier charges, in `currency`; null until it has said so, mostly some minutes after the end.
    cost: Option<f64>,
    /// The carrier's, for example `USD`; null while there is no cost.
    currency: Option<String>,
    /// What the model read for it; null when it does not say.
    model_tokens_in: Option<u64>,
    /// What the model wrote for it; null when it does not say.
    model_tokens_out: Option<u64>,
    /// Its recording; null where none was made, and until Twilio has it, some seconds after the end.
    recording: Option<RecordingBody>,
}

/// A call to a bot with what was said in it.
#[derive(Serialize, ToSchema)]
#[schema(as = BotCallWithTurns)]
pub(super) struct WholeBody {
    #[serde(flatten)]
    call: BotCallBody,
    /// What was said, oldest first; the bot speaks as `agent`.
    turns: Vec<TurnBody>,
}

impl WholeBody {
    fn new(told: BotCall) -> Result<Self, ApiError> {
        let call = told.call.ok_or_else(|| ApiError::internal("a call to a bot without the call"))?;
        let turns = call.turns.into_iter().map(TurnBody::from).collect();
        let body = BotCallBody {
            call_id: call.id,
            call_sid: present(call.carrier_call_sid),
            bot_id: told.bot_id,
            from: present(told.from_e164),
            to: told.to_e164,
            status: call.status,
            outcome: present(told.outcome),
            collected: json(&told.collected_json),
            evidence: json(&told.evidence_json),
            started_at: millis(call.created_at_ms),
            answered_at: call.answered_at_ms.map(millis),
            ended_at: call.ended_at_ms.map(millis),
            duration_seconds: seconds(call.duration_ms),
            ended_reason: present(call.ended_reason),
            cost: call.cost_micros.map(amount),
            currency: present(call.currency),
            model_tokens_in: call.tokens_in,
            model_tokens_out: call.tokens_out,
            recording: call.recording.map(RecordingBody::from),
        };
        Ok(Self { call: body, turns })
    }
}

/// A call of either product.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = AnyCall)]
pub(super) enum AnyBody {
    /// One to a bot.
    ToBot(Box<WholeBody>),
    /// One of a notification: with a key or an access token only.
    OfNotification(Box<CallBody>),
}

/// Which calls are asked for, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document's view of what `list` reads")]
pub(super) struct BotCallParams {
    /// Only calls to this bot.
    #[param(required = false, example = "bot_4Zk9mUqQh8vYw2XnRt3L")]
    bot_id: String,
    /// Only calls in this status.
    #[param(required = false)]
    status: String,
}

fn failed(error: RpcError) -> ApiError {
    from_rpc(error, "call", "Call")
}

/// The calls to the bots of the business, without what was said in them. With a key or an access token, errors have the form
/// `Error`.
#[utoipa::path(
    get,
    path = "/v1/calls",
    operation_id = "listBotCalls",
    tag = "bots",
    params(PageParams, BotCallParams),
    responses((status = 200, description = "Newest first.", body = Vec<BotCallBody>))
)]
pub(crate) async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_link(&app, &request, Operation::Read).await?;
    let paging = Paging::of(&request)?;
    let bot = paging.query.get("bot_id", |text| {
        let wrong = "must be the id of a bot: bot_ and 20 characters";
        text.parse::<BotId>().map_err(|_| wrong.to_owned())
    })?;
    let status = paging.query.get("status", one_of(&STATUSES))?;
    let wanted = ListBotCallsRequest {
        business_id: tenant.business.to_string(),
        bot_id: bot.map(|id| id.to_string()).unwrap_or_default(),
        status: status.unwrap_or_default().to_owned(),
        limit: paging.limit,
        after_id: paging.after_text(),
    };
    let listed = app.bot_calls.list_bot_calls(tenant.context(), wanted).await.map_err(failed)?;
    let calls = listed.calls.into_iter().map(|call| WholeBody::new(call).map(|whole| whole.call));
    let calls: Vec<BotCallBody> = calls.collect::<Result<_, _>>()?;
    let next = Some(listed.next_after_id).filter(|id| !id.is_empty());
    Ok(paging.answer(&app, &request, &calls, next.as_deref()))
}

/// A call to a bot, with what was said in it. With a key or an access token this is Echo's path, too: the id of a call of the
/// project's notifications answers that call, and errors have the form `Error`.
#[utoipa::path(
    get,
    path = "/v1/calls/{id}",
    operation_id = "getBotCall",
    tag = "bots",
    params(("id" = String, Path, description = "Which call: its id, or Twilio's own.")),
    responses((status = 200, description = "The call.", body = AnyBody))
)]
pub(crate) async fn read(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let name = request.match_info().get("id").filter(|text| is_name(text)).map(str::to_owned);
    let name = name.ok_or_else(|| ApiError::not_found("call", "Call"));
    if made_for(&app, &request) == Some(Shape::EchoLink) {
        let tenant = authorise_link(&app, &request, Operation::Read).await?;
        return to_a_bot(&app, &tenant, name?).await;
    }
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let name = name?;
    match calls::find(&app, &tenant, &request).await? {
        Some(call) => Ok(HttpResponse::Ok().json(AnyBody::OfNotification(Box::new(call)))),
        None => to_a_bot(&app, &tenant, name).await,
    }
}

async fn to_a_bot(app: &App, tenant: &Tenant, call_id: String) -> Result<HttpResponse, ApiError> {
    let wanted = GetBotCallRequest { business_id: tenant.business.to_string(), call_id };
    let found = app.bot_calls.get_bot_call(tenant.context(), wanted).await.map_err(failed)?;
    Ok(HttpResponse::Ok().json(AnyBody::ToBot(Box::new(WholeBody::new(found)?))))
}
