//! Reads the calls that bots have answered back, for their business: a page of them, or one with what was said.

use std::collections::{BTreeMap, HashMap};

use common::db::{Db, DbError};
use contracts::calls as proto;
use contracts::ids::{BadId, BotId, BusinessId, CallId, ProjectId};

use super::calls::beside;
use crate::app::App;
use crate::call_seen::{Beside, call_seen};
use crate::domain::bot_result::BotOutcome;
use crate::domain::call::{CallStatus, UnknownCallStatus};
use crate::error::OrchestratorError;
use crate::events::text;
use crate::store::bot_calls::{self, BotCall, Filter};
use crate::store::calls::{self, Call};
use crate::store::{costs, recordings};

const NOT_FOUND: OrchestratorError = OrchestratorError::NotFound("call");

pub(super) async fn list(
    app: &App,
    request: &proto::ListBotCallsRequest,
) -> Result<proto::ListBotCallsResponse, OrchestratorError> {
    let business: BusinessId = request.business_id.parse()?;
    let after: Option<CallId> = optional(&request.after_id).map(str::parse).transpose()?;
    let filter = filter(request)?;
    let limit = request.limit.clamp(1, 100);
    app.platform
        .database
        .read(move |db| {
            // One more than asked for tells whether there is a next page.
            let mut page = bot_calls::list(db, business, &filter, (after, limit + 1))?;
            let more = page.len() > limit as usize;
            page.truncate(limit as usize);
            let next_after_id = text(page.last().filter(|_| more).map(|call| call.call_id));
            let mut rows = rows_of(db, &page)?;
            let seen = |to: BotCall| {
                let (call, beside) = rows.remove(&to.call_id)?;
                Some(seen(to, &call, &beside))
            };
            Ok(proto::ListBotCallsResponse {
                calls: page.into_iter().filter_map(seen).collect(),
                next_after_id,
            })
        })
        .await
}

fn optional(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn filter(request: &proto::ListBotCallsRequest) -> Result<Filter, OrchestratorError> {
    let bot: Option<BotId> = optional(&request.bot_id).map(str::parse).transpose()?;
    let status: Option<CallStatus> =
        optional(&request.status).map(str::parse).transpose().map_err(|e: UnknownCallStatus| {
            OrchestratorError::Invalid { field: "status", problem: e.to_string() }
        })?;
    Ok(Filter { bot, status: status.map(|status| status.as_str().to_owned()) })
}

/// The rows of these calls and what they cost, without what was said. Bots of one business may be of several projects.
fn rows_of(db: &mut Db, page: &[BotCall]) -> Result<HashMap<CallId, (Call, Beside)>, DbError> {
    let mut by_project: BTreeMap<ProjectId, Vec<CallId>> = BTreeMap::new();
    for to in page {
        by_project.entry(to.project_id).or_default().push(to.call_id);
    }
    let mut rows = HashMap::new();
    for (project, ids) in by_project {
        let mut costs = costs::of(db, project, &ids)?;
        let mut recordings = recordings::of(db, project, &ids)?;
        for call in calls::of(db, project, &ids)? {
            let costs = costs.remove(&call.id).unwrap_or_default();
            let recording = recordings.remove(&call.id);
            rows.insert(call.id, (call, Beside { costs, recording, ..Beside::default() }));
        }
    }
    Ok(rows)
}

pub(super) async fn get(
    app: &App,
    request: &proto::GetBotCallRequest,
) -> Result<proto::BotCall, OrchestratorError> {
    let business: BusinessId = request.business_id.parse()?;
    let named = request.call_id.clone();
    app.platform
        .database
        .read(move |db| {
            let id: Result<CallId, BadId> = named.parse();
            // What is no id of ours may be the carrier's.
            let found = match id {
                Ok(id) => bot_calls::find(db, business, id)?,
                Err(_) => bot_calls::find_by_sid(db, business, &named)?,
            };
            let to = found.ok_or(NOT_FOUND)?;
            let call = calls::of_project(db, to.project_id, to.call_id)?.ok_or(NOT_FOUND)?;
            let beside = beside(db, to.project_id, &[to.call_id])?.remove(&to.call_id).unwrap_or_default();
            Ok(seen(to, &call, &beside))
        })
        .await
}

fn seen(to: BotCall, call: &Call, beside: &Beside) -> proto::BotCall {
    let call = proto::Call { notification_id: String::new(), ..call_seen(call, "", beside) };
    proto::BotCall {
        bot_id: to.bot_id.to_string(),
        from_e164: to.from,
        to_e164: to.part.rung,
        call: Some(call),
        outcome: text(to.part.outcome.map(BotOutcome::as_str)),
        collected_json: text(to.found.result),
        evidence_json: text(to.found.evidence),
    }
}
