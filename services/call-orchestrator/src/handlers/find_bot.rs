//! Whose bot it is, of the bots that answer: a bridge knows a call by its bot's id alone.

use common::db::{Db, DbError};
use contracts::calls::{FindBotRequest, FindBotResponse};
use contracts::ids::{BotId, ProjectId};

use crate::app::App;
use crate::error::OrchestratorError;
use crate::store::bots::{self, Bot};
use crate::store::policies;

pub(super) const NOBODY: OrchestratorError = OrchestratorError::NotFound("bot");

pub(super) async fn find(app: &App, request: &FindBotRequest) -> Result<FindBotResponse, OrchestratorError> {
    let bot: BotId = request.bot_id.parse()?;
    let found = app.platform.database.read(move |db| answering(db, bot)).await?;
    let (_, project) = found.ok_or(NOBODY)?;
    Ok(FindBotResponse { project_id: project.to_string() })
}

/// The bot, if it answers: not where its project is gone.
pub(super) fn answering(db: &mut Db, bot: BotId) -> Result<Option<(Bot, ProjectId)>, DbError> {
    let Some((bot, project)) = bots::answering(db, bot)? else { return Ok(None) };
    let gone = policies::find(db, project)?.is_some_and(|policy| policy.deleted);
    Ok((!gone).then_some((bot, project)))
}
