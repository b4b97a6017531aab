//! Who answers the calls to users' own numbers: made, read, changed and removed by the gateway for a business. What a request
//! holds was checked there; a bot that is not the business's is not there.

use common::clock::to_millis;
use common::db::{Id, Time};
use contracts::calls as proto;
use contracts::ids::{BotId, BusinessId, ProjectId};

use crate::app::App;
use crate::error::OrchestratorError;
use crate::events::text;
use crate::store::bots::{self, ACTIVE, Bot, Change, DISABLED};

/// Of two requests with the same id the second one finds what the first one has made.
pub(super) async fn create(
    app: &App,
    request: proto::CreateBotRequest,
) -> Result<proto::Bot, OrchestratorError> {
    let (business, id) = named(&request.business_id, &request.bot_id)?;
    let project = project(&request.project_id)?;
    let made = app.write(move |tx| {
        if let Some(known) = bots::find(tx.conn, business, id)? {
            return Ok(known);
        }
        let project_id = project.map(Id::of);
        let bot = Bot { project_id, ..new(business, id, request.clone(), tx.now().into()) };
        bots::insert(tx.conn, &bot)?;
        Ok(bot)
    });
    Ok(shown(made.await?))
}

fn new(business: BusinessId, id: BotId, request: proto::CreateBotRequest, now: Time) -> Bot {
    Bot {
        id: Id::of(id),
        business_id: Id::of(business),
        goal: request.goal,
        webhook: request.webhook,
        context: request.context,
        language: request.language,
        voice: request.voice,
        greeting: request.greeting,
        transfer_number: request.transfer_number,
        knowledge_app_id: request.knowledge_app_id,
        status: ACTIVE.to_owned(),
        created_at: now,
        project_id: None,
    }
}

pub(super) async fn get(app: &App, request: &proto::GetBotRequest) -> Result<proto::Bot, OrchestratorError> {
    let (business, id) = named(&request.business_id, &request.bot_id)?;
    let found = app.platform.database.read(move |db| bots::find(db, business, id)).await?;
    found.map(shown).ok_or(NOT_FOUND)
}

pub(super) async fn list(
    app: &App,
    request: &proto::ListBotsRequest,
) -> Result<proto::ListBotsResponse, OrchestratorError> {
    let business: BusinessId = request.business_id.parse()?;
    let after: Option<BotId> =
        Some(&request.after_id).filter(|id| !id.is_empty()).map(|id| id.parse()).transpose()?;
    let limit = request.limit.clamp(1, 100);
    // One more than asked for tells whether there is a next page.
    let found = app.platform.database.read(move |db| bots::list(db, business, (after, limit + 1)));
    let mut page = found.await?;
    let more = page.len() > limit as usize;
    page.truncate(limit as usize);
    let next_after_id = page.last().filter(|_| more).map(|bot| bot.id().to_string()).unwrap_or_default();
    Ok(proto::ListBotsResponse { bots: page.into_iter().map(shown).collect(), next_after_id })
}

pub(super) async fn count(
    app: &App,
    request: &proto::CountBotsRequest,
) -> Result<proto::CountBotsResponse, OrchestratorError> {
    let business: BusinessId = request.business_id.parse()?;
    let count = app.platform.database.read(move |db| bots::count(db, business)).await?;
    Ok(proto::CountBotsResponse { count: u32::try_from(count).unwrap_or(u32::MAX) })
}

pub(super) async fn update(
    app: &App,
    request: proto::UpdateBotRequest,
) -> Result<proto::Bot, OrchestratorError> {
    let (business, id) = named(&request.business_id, &request.bot_id)?;
    let status = request.status.map(status).transpose()?;
    let project = project(&request.project_id)?;
    let change = Change {
        goal: request.goal,
        webhook: request.webhook,
        context: request.context,
        language: request.language,
        voice: request.voice,
        greeting: request.greeting,
        transfer_number: request.transfer_number,
        knowledge_app_id: request.knowledge_app_id,
        status,
    };
    let changed = app.write(move |tx| {
        bots::update(tx.conn, business, id, &change)?;
        if let Some(project) = project {
            bots::adopt(tx.conn, business, id, project)?;
        }
        bots::find(tx.conn, business, id)?.ok_or(NOT_FOUND)
    });
    Ok(shown(changed.await?))
}

pub(super) async fn delete(
    app: &App,
    request: &proto::DeleteBotRequest,
) -> Result<proto::DeleteBotResponse, OrchestratorError> {
    let (business, id) = named(&request.business_id, &request.bot_id)?;
    match app.write(move |tx| Ok(bots::remove(tx.conn, business, id)?)).await? {
        true => Ok(proto::DeleteBotResponse {}),
        false => Err(NOT_FOUND),
    }
}

const NOT_FOUND: OrchestratorError = OrchestratorError::NotFound("bot");

fn named(business: &str, bot: &str) -> Result<(BusinessId, BotId), OrchestratorError> {
    Ok((business.parse()?, bot.parse()?))
}

fn project(text: &str) -> Result<Option<ProjectId>, OrchestratorError> {
    if text.is_empty() { Ok(None) } else { Ok(Some(text.parse()?)) }
}

fn status(text: String) -> Result<String, OrchestratorError> {
    match text.as_str() {
        ACTIVE | DISABLED => Ok(text),
        _ => {
            let problem = format!("must be {ACTIVE} or {DISABLED}");
            Err(OrchestratorError::Invalid { field: "status", problem })
        }
    }
}

fn shown(bot: Bot) -> proto::Bot {
    proto::Bot {
        id: bot.id().to_string(),
        business_id: bot.business_id.0.to_string(),
        created_at_ms: to_millis(bot.created_at()),
        project_id: text(bot.project_id.map(|id| id.0)),
        goal: bot.goal,
        webhook: bot.webhook,
        context: bot.context,
        language: bot.language,
        voice: bot.voice,
        greeting: bot.greeting,
        transfer_number: bot.transfer_number,
        knowledge_app_id: bot.knowledge_app_id,
        status: bot.status,
    }
}
