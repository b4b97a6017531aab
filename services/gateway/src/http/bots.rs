//! `/v1/bots`: who answers the calls to a user's own numbers. They belong to the business of the credential. The orchestrator
//! owns them, because it needs them when a call comes in; what signs a bot's requests is the dispatcher's, and is shown once; the
//! number that a bot answers is the bridge's.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use common::egress::EgressPolicy;
use contracts::calls::{
    Bot, CreateBotRequest, DeleteBotRequest, GetBotRequest, ListBotsRequest, UpdateBotRequest,
};
use contracts::ids::BotId;
use contracts::rpc::{Context, RpcError};
use contracts::telephony::AnswerWithBotRequest;
use contracts::webhooks::{MoveBotWebhookRequest, RemoveBotWebhookRequest, RevealTargetRequest};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::audit::note;
use super::body;
use super::carrier::CHECKED_WITHIN;
use super::fields::{Fields, decode};
use super::idempotent;
use super::openapi::LinkErrorBody;
use super::own_app;
use super::page::{PageParams, Paging};
use super::query::path_id;
use super::reply::{Made, millis};
use crate::app::App;
use crate::domain::app::app_id;
use crate::domain::audit::Action;
use crate::domain::bot::{ACTIVE, GREETING, LANGUAGE, STATUSES, VOICE, voice_url, webhook};
use crate::domain::phone::PhoneE164;
use crate::domain::role::Operation;
use crate::domain::text::{FirstMessage, Goal, Language, Message, Voice};
use crate::domain::webhook::one_of;
use crate::error::{ApiError, from_rpc};
use crate::identity::credential::{Tenant, authorise_link};
use crate::store::audit::Event;

/// The field that names the app whose documents a bot knows.
const KNOWLEDGE: &str = "knowledge_app_id";

/// What a new bot is made of.
#[derive(ToSchema)]
#[schema(as = NewBot, example = json!({
    "goal": "Book table", "webhook": "https://api.eatery.com/book", "context": "Open 5-10PM. Tables: 2,4,6"
}))]
#[expect(dead_code, reason = "the document's view of what `wanted` reads")]
pub(super) struct NewBotRequest {
    /// What it is there for.
    #[schema(min_length = 1, max_length = 4000)]
    goal: String,
    /// Where it tells what it has learned. https; http only for addresses in networks that the operator has opened. Private,
    /// loopback and link-local targets outside of these are refused when they are dialled, and at once (400) where the URL
    /// names the address itself.
    #[schema(format = "uri", max_length = 2048)]
    webhook: String,
    /// Standing facts and limits.
    #[schema(max_length = 4000)]
    context: Option<String>,
    /// BCP-47 tag of the language that it speaks.
    #[schema(default = "en-US")]
    language: Option<String>,
    /// The carrier's name for its voice, such as `man` or `Polly.Joanna`.
    #[schema(min_length = 1, max_length = 200, default = "man")]
    voice: Option<String>,
    /// What it says first.
    #[schema(
        min_length = 1,
        max_length = 4000,
        default = "Hi, welcome to your AI assistant. How can I help you today?"
    )]
    greeting: Option<String>,
    /// The person to whom a call can be handed over, E.164.
    #[schema(example = "+14155552671")]
    transfer_number: Option<String>,
    /// The app whose documents answer questions.
    #[schema(max_length = 64)]
    knowledge_app_id: Option<String>,
    /// Let the calls to the project's own Twilio number come to this bot: sets its voice URL and status callback.
    #[schema(default = false)]
    configure_number: Option<bool>,
}

/// What is different from now on; what is left out stays as it was. `null` removes what is optional, and brings a default back.
#[derive(ToSchema)]
#[schema(as = BotChanges, example = json!({"context": "Open 5-11PM. Tables: 2,4,6,8", "greeting": null}))]
#[expect(dead_code, reason = "the document's view of what `changes` reads")]
pub(super) struct BotChangesRequest {
    #[schema(required = false, nullable = false, min_length = 1, max_length = 4000)]
    goal: Option<String>,
    #[schema(required = false, nullable = false, format = "uri", max_length = 2048)]
    webhook: Option<String>,
    #[schema(max_length = 4000)]
    context: Option<String>,
    language: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    voice: Option<String>,
    #[schema(min_length = 1, max_length = 4000)]
    greeting: Option<String>,
    transfer_number: Option<String>,
    #[schema(max_length = 64)]
    knowledge_app_id: Option<String>,
    /// A disabled one answers nobody.
    #[schema(required = false, nullable = false)]
    status: Option<String>,
    /// Let the calls to the project's own Twilio number come to this bot: sets its voice URL and status callback. It is done
    /// first: where it cannot be done, nothing else changes.
    #[schema(default = false)]
    configure_number: Option<bool>,
}

/// A bot.
#[derive(Serialize, ToSchema)]
#[schema(as = Bot, example = json!({
    "bot_id": "bot_4Zk9mUqQh8vYw2XnRt3L", "goal": "Book table", "webhook": "https://api.eatery.com/book",
    "context": "Open 5-10PM. Tables: 2,4,6",
    "voice_url": "https://api.echolink.studio/v1/voice?bot_id=bot_4Zk9mUqQh8vYw2XnRt3L", "language": "en-US",
    "voice": "man", "greeting": "Hi, welcome to your AI assistant. How can I help you today?",
    "transfer_number": null, "knowledge_app_id": null, "status": "active", "created_at": "2026-03-18T17:43:46.714Z"
}))]
pub(super) struct BotBody {
    /// `bot_` and 20 base-58 characters.
    #[schema(pattern = "^bot_[1-9A-HJ-NP-Za-km-z]{20}$")]
    bot_id: String,
    goal: String,
    webhook: String,
    context: Option<String>,
    /// What to enter at Twilio as the voice URL of the number.
    voice_url: String,
    language: String,
    voice: String,
    greeting: String,
    transfer_number: Option<String>,
    knowledge_app_id: Option<String>,
    /// A disabled one answers nobody.
    status: String,
    created_at: String,
}

/// A bot that was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = BotWithSecret, example = json!({
    "bot_id": "bot_4Zk9mUqQh8vYw2XnRt3L", "goal": "Book table", "webhook": "https://api.eatery.com/book",
    "context": "Open 5-10PM. Tables: 2,4,6",
    "voice_url": "https://api.echolink.studio/v1/voice?bot_id=bot_4Zk9mUqQh8vYw2XnRt3L", "language": "en-US",
    "voice": "man", "greeting": "Hi, welcome to your AI assistant. How can I help you today?",
    "transfer_number": null, "knowledge_app_id": null, "status": "active", "created_at": "2026-03-18T17:43:46.714Z",
    "webhook_secret": "whsec_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
}))]
pub(super) struct NewBotBody {
    #[serde(flatten)]
    bot: BotBody,
    /// What signs the requests to its webhook: `whsec_` and 64 hexadecimal digits. Shown here and never again.
    webhook_secret: String,
}

impl BotBody {
    fn new(app: &App, bot: Bot) -> Self {
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        Self {
            voice_url: voice_url(&app.config.voice_url, &bot.id),
            bot_id: bot.id,
            goal: bot.goal,
            webhook: bot.webhook,
            context: some(bot.context),
            language: bot.language,
            voice: bot.voice,
            greeting: bot.greeting,
            transfer_number: some(bot.transfer_number),
            knowledge_app_id: some(bot.knowledge_app_id),
            status: bot.status,
            created_at: millis(bot.created_at_ms),
        }
    }
}

/// What a caller says about a bot: the texts as they are kept. Absent: not said; empty: there is to be none.
#[derive(Clone, Debug)]
struct Said {
    goal: Option<String>,
    webhook: Option<String>,
    context: Option<String>,
    language: Option<String>,
    voice: Option<String>,
    greeting: Option<String>,
    transfer_number: Option<String>,
    knowledge_app_id: Option<String>,
    status: Option<String>,
    /// It is to answer the project's number.
    configure_number: bool,
}

/// Reads what is said; `of_a_new_one` says everything, by default where nothing else is said.
fn said(fields: &mut Fields<'_>, egress: &EgressPolicy, of_a_new_one: bool) -> Option<Said> {
    let is_said = |fields: &Fields<'_>, name: &str| of_a_new_one || fields.names(name);
    let mut required = |name: &'static str, parse: &dyn Fn(&str) -> Result<String, String>| {
        if is_said(fields, name) { fields.text(name, parse).map(Some) } else { Some(None) }
    };
    let goal = required("goal", &|text| Goal::parse(text).map(String::from));
    let webhook = required("webhook", &|text| webhook(egress, text));
    let mut optional = |name: &'static str, default: &str, parse: &dyn Fn(&str) -> Result<String, String>| {
        if !is_said(fields, name) {
            return Some(None);
        }
        fields.optional_text(name, parse).map(|text| Some(text.unwrap_or_else(|| default.to_owned())))
    };
    let context = optional("context", "", &|text| Message::parse(text).map(String::from));
    let language = optional("language", LANGUAGE, &|text| Language::parse(text).map(String::from));
    let voice = optional("voice", VOICE, &|text| Voice::parse(text).map(String::from));
    let greeting = optional("greeting", GREETING, &|text| FirstMessage::parse(text).map(String::from));
    let transfer_number =
        optional("transfer_number", "", &|text| PhoneE164::parse(text).map(PhoneE164::into_inner));
    let knowledge_app_id = optional("knowledge_app_id", "", &app_id);
    let status = match !of_a_new_one && fields.names("status") {
        true => fields.text("status", one_of(&STATUSES)).map(|status| Some(status.to_owned())),
        false => Some(None),
    };
    let configure_number = fields.flag("configure_number").map(Option::unwrap_or_default);
    Some(Said {
        goal: goal?,
        webhook: webhook?,
        context: context?,
        language: language?,
        voice: voice?,
        greeting: greeting?,
        transfer_number: transfer_number?,
        knowledge_app_id: knowledge_app_id?,
        status: status?,
        configure_number: configure_number?,
    })
}

pub(super) fn failed(error: RpcError) -> ApiError {
    from_rpc(error, "bot", "Bot")
}

/// The bot in the path.
pub(super) fn bot_in(request: &HttpRequest) -> Result<BotId, ApiError> {
    path_id(request, "id").ok_or_else(|| ApiError::not_found("bot", "Bot"))
}

/// Make a bot. The secret that signs the requests to its webhook is shown in this answer and never again. Calls reach it as soon as
/// its `voice_url` is the voice URL of the number, which `configure_number` sees to; where that cannot be done, no bot is made.
#[utoipa::path(
    post,
    path = "/v1/bots",
    operation_id = "createBot",
    tag = "bots",
    request_body = NewBotRequest,
    responses(
        (status = 201, description = "The bot, and what signs its requests.", body = NewBotBody),
        (status = 409, body = LinkErrorBody, description = "`no_number`: the project has no number of its own. \
            `voice_url_not_public`: Twilio could not reach this Echo. `number_has_trunk`: the number's calls go to a SIP trunk. \
            `account_refused`: Twilio does not accept the account's token any more. All of them with `configure_number` only, and \
            no bot is made.")
    )
)]
pub(crate) async fn create(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_link(&app, &request, Operation::Build).await?;
    let body = body::json(&request, payload).await?;
    let said = decode(&body, |fields| said(fields, &app.platform.egress, true))?;
    own_app::require(&app, tenant.business, KNOWLEDGE, body.get(KNOWLEDGE)).await?;
    let keyed = idempotent::keyed(&request, &tenant, &body)?;
    let this = app.get_ref().clone();
    idempotent::remotely(&app, keyed, move |id: Uuid| async move {
        let id = BotId::of(id);
        let (business_id, owner_id) = (tenant.business.to_string(), id.to_string());
        // The secret first: without a bot nobody sees it, and a bot without one could not be used.
        let whose = RevealTargetRequest { business_id, owner_id };
        let target = this.targets.reveal_target(tenant.context(), whose).await.map_err(failed)?;
        let configure_number = said.configure_number;
        let made = this.bots.create_bot(tenant.context(), wanted(&tenant, id, said)).await.map_err(failed)?;
        if configure_number && let Err(error) = answer_number(&this, &tenant, &made).await {
            return Err(taken_back(&this, &tenant, id, error).await);
        }
        let details = json!({"goal": &made.goal, "webhook": &made.webhook});
        note(&this, &tenant, Event::on(Action::BotMade, id).with(details)).await?;
        let bot = BotBody::new(&this, made);
        Ok(Made::created(&NewBotBody { bot, webhook_secret: target.signing_secret })?.shown_once())
    })
    .await
}

/// Lets the calls to a bot's number come to it: the number of its project, which is the credential's.
async fn answer_number(app: &App, tenant: &Tenant, bot: &Bot) -> Result<(), ApiError> {
    let project_id = tenant.project.to_string();
    if !bot.project_id.is_empty() && bot.project_id != project_id {
        return Err(ApiError::conflict(
            "bot_of_another_project",
            "The bot belongs to another project, whose number it answers; ask with that project's credential",
        ));
    }
    let wanted = AnswerWithBotRequest { project_id, bot_id: bot.id.clone() };
    let context = Context { deadline: CHECKED_WITHIN, ..tenant.context() };
    let answered = app.carriers.answer_with_bot(context, wanted).await;
    answered.map(drop).map_err(|error| from_rpc(error, "project", "Project"))
}

/// Of a bot whose number cannot be configured nothing is left but a secret that nobody has seen. Where nobody knows whether it is, the bot stays: the number may
/// lead to it, and whoever asks again under the same key goes on with it.
async fn taken_back(app: &App, tenant: &Tenant, id: BotId, error: ApiError) -> ApiError {
    if !error.is_refusal() {
        return error;
    }
    let made = DeleteBotRequest { business_id: tenant.business.to_string(), bot_id: id.to_string() };
    match app.bots.delete_bot(tenant.context(), made).await {
        Ok(_) | Err(RpcError::NotFound(_)) => error,
        Err(other) => failed(other),
    }
}

fn wanted(tenant: &Tenant, id: BotId, said: Said) -> CreateBotRequest {
    CreateBotRequest {
        bot_id: id.to_string(),
        business_id: tenant.business.to_string(),
        project_id: tenant.project.to_string(),
        goal: said.goal.unwrap_or_default(),
        webhook: said.webhook.unwrap_or_default(),
        context: said.context.unwrap_or_default(),
        language: said.language.unwrap_or_default(),
        voice: said.voice.unwrap_or_default(),
        greeting: said.greeting.unwrap_or_default(),
        transfer_number: said.transfer_number.unwrap_or_default(),
        knowledge_app_id: said.knowledge_app_id.unwrap_or_default(),
    }
}

/// The bots of the business.
#[utoipa::path(
    get,
    path = "/v1/bots",
    operation_id = "listBots",
    tag = "bots",
    params(PageParams),
    responses((status = 200, description = "Newest first.", body = Vec<BotBody>))
)]
pub(crate) async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_link(&app, &request, Operation::Read).await?;
    let paging = Paging::of(&request)?;
    let wanted = ListBotsRequest {
        business_id: tenant.business.to_string(),
        limit: paging.limit,
        after_id: paging.after.map(|id| BotId::of(id).to_string()).unwrap_or_default(),
    };
    let listed = app.bots.list_bots(tenant.context(), wanted).await.map_err(failed)?;
    let next = listed.next_after_id.parse().ok().map(|id: BotId| Uuid::from(id).to_string());
    let items: Vec<BotBody> = listed.bots.into_iter().map(|bot| BotBody::new(&app, bot)).collect();
    Ok(paging.answer(&app, &request, &items, next.as_deref()))
}

/// A bot.
#[utoipa::path(
    get,
    path = "/v1/bots/{id}",
    operation_id = "getBot",
    tag = "bots",
    params(("id" = String, Path, description = "Which bot.")),
    responses((status = 200, description = "The bot, without its secret.", body = BotBody))
)]
pub(crate) async fn read(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_link(&app, &request, Operation::Read).await?;
    let wanted =
        GetBotRequest { business_id: tenant.business.to_string(), bot_id: bot_in(&request)?.to_string() };
    let found = app.bots.get_bot(tenant.context(), wanted).await.map_err(failed)?;
    Ok(HttpResponse::Ok().json(BotBody::new(&app, found)))
}

/// Change a bot: what is named. Calls that run go on with the bot as it was. What it has to tell goes to another `webhook` at once,
/// also what waits to be sent again; a webhook that was switched off, because it answered 410 or failed for long, is switched on by
/// naming `webhook`, or `status` `active`.
#[utoipa::path(
    patch,
    path = "/v1/bots/{id}",
    operation_id = "updateBot",
    tag = "bots",
    params(("id" = String, Path, description = "Which bot.")),
    request_body = BotChangesRequest,
    responses(
        (status = 200, description = "The bot as it is now, without its secret.", body = BotBody),
        (status = 409, body = LinkErrorBody, description = "`no_number`: the project has no number of its own. \
            `voice_url_not_public`: Twilio could not reach this Echo. `number_has_trunk`: the number's calls go to a SIP trunk. \
            `account_refused`: Twilio does not accept the account's token any more. `bot_of_another_project`: ask with that project's credential. All of them with `configure_number` only, and nothing \
            else changes.")
    )
)]
pub(crate) async fn update(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_link(&app, &request, Operation::Build).await?;
    let id = bot_in(&request)?;
    let body = body::json(&request, payload).await?;
    let said = decode(&body, |fields| said(fields, &app.platform.egress, false))?;
    own_app::require(&app, tenant.business, KNOWLEDGE, body.get(KNOWLEDGE)).await?;
    let (business_id, bot_id) = (tenant.business.to_string(), id.to_string());
    if said.configure_number {
        let wanted = GetBotRequest { business_id: business_id.clone(), bot_id: bot_id.clone() };
        let bot = app.bots.get_bot(tenant.context(), wanted).await.map_err(failed)?;
        answer_number(&app, &tenant, &bot).await?;
    }
    let wants_to_hear = said.webhook.is_some() || said.status.as_deref() == Some(ACTIVE);
    let wanted = UpdateBotRequest {
        business_id: business_id.clone(),
        bot_id: bot_id.clone(),
        project_id: tenant.project.to_string(),
        goal: said.goal,
        webhook: said.webhook,
        context: said.context,
        language: said.language,
        voice: said.voice,
        greeting: said.greeting,
        transfer_number: said.transfer_number,
        knowledge_app_id: said.knowledge_app_id,
        status: said.status,
    };
    let changed = app.bots.update_bot(tenant.context(), wanted).await.map_err(failed)?;
    if wants_to_hear {
        let (url, project_id) = (changed.webhook.clone(), changed.project_id.clone());
        let project_id = if project_id.is_empty() { tenant.project.to_string() } else { project_id };
        let moved = MoveBotWebhookRequest { business_id, bot_id, url, project_id };
        app.bot_webhooks.move_bot_webhook(tenant.context(), moved).await.map_err(failed)?;
    }
    let details = json!({"goal": &changed.goal, "webhook": &changed.webhook, "status": &changed.status});
    note(&app, &tenant, Event::on(Action::BotChanged, id).with(details)).await?;
    Ok(HttpResponse::Ok().json(BotBody::new(&app, changed)))
}

/// Remove a bot, with its secret and the log of what it told. What it has not told yet is told no more; its calls are kept.
#[utoipa::path(
    delete,
    path = "/v1/bots/{id}",
    operation_id = "deleteBot",
    tag = "bots",
    params(("id" = String, Path, description = "Which bot.")),
    responses((status = 204, description = "It is gone."))
)]
pub(crate) async fn remove(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_link(&app, &request, Operation::Build).await?;
    let id = bot_in(&request)?;
    let (business_id, bot_id) = (tenant.business.to_string(), id.to_string());
    let wanted = DeleteBotRequest { business_id: business_id.clone(), bot_id: bot_id.clone() };
    let deleted = match app.bots.delete_bot(tenant.context(), wanted).await {
        // Perhaps it went at an earlier request, whose other half has not been done.
        gone @ (Ok(_) | Err(RpcError::NotFound(_))) => gone,
        Err(error) => return Err(failed(error)),
    };
    let told = RemoveBotWebhookRequest { business_id, bot_id };
    app.bot_webhooks.remove_bot_webhook(tenant.context(), told).await.map_err(failed)?;
    deleted.map_err(failed)?;
    note(&app, &tenant, Event::on(Action::BotDeleted, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
