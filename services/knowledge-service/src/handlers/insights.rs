//! `Answers.GetInsights`: what was asked lately, and what had no good answer.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use common::clock::{from_millis, to_millis};
use common::db::{Db, DbError, Id, Time};
use contracts::knowledge::{
    ConversationSummary, GetInsightsRequest, GetInsightsResponse, UnansweredQuestions,
};
use contracts::rpc::RpcError;

use super::away_or_broken;
use crate::app::App;
use crate::domain::groups::groups;
use crate::domain::query::{AppId, invalid};
use crate::store::answers::{self, Unsatisfied};
use crate::store::conversations::{self, Conversation};
use crate::store::tickets;

/// The latest questions without a good answer, which are compared.
const COMPARED: i64 = 500;

pub(super) async fn get(app: &App, request: &GetInsightsRequest) -> Result<GetInsightsResponse, RpcError> {
    let app_id = AppId::parse(&request.app_id)?;
    if !(1..=100).contains(&request.limit) {
        return Err(invalid("limit", format!("is {}: give 1 to 100", request.limit)));
    }
    let since = Time::from(from_millis(request.since_ms));
    let limit = request.limit;
    let read = app.database.read(move |db| insights(db, &app_id, (since, limit)));
    read.await.map_err(away_or_broken)
}

fn insights(db: &mut Db, app: &AppId, (since, limit): (Time, u32)) -> Result<GetInsightsResponse, DbError> {
    let counts = answers::counts(db, app, since)?;
    let unsatisfied = answers::unsatisfied(db, app, (since, COMPARED))?;
    let asked_in = unsatisfied.iter().map(|asked| asked.conversation_id).collect();
    let ticketed = ticketed(&unsatisfied, &tickets::of_conversations(db, app, asked_in)?);
    let latest = conversations::latest(db, app, (since, i64::from(limit)))?;
    let ids = latest.iter().map(|conversation| conversation.id).collect();
    let questions = answers::of_conversations(db, app, ids)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(GetInsightsResponse {
        questions: counts.questions.unsigned_abs(),
        unanswered: counts.unanswered.unsigned_abs(),
        helpful: counts.helpful.unsigned_abs(),
        unhelpful: counts.unhelpful.unsigned_abs(),
        groups: grouped(&unsatisfied, &ticketed, limit),
        conversations: latest.into_iter().map(|conversation| summary(conversation, &questions)).collect(),
    })
}

/// Those that became a ticket: of the questions of a conversation the last before a ticket of it. A ticket that names no conversation
/// belongs to none.
fn ticketed(latest_first: &[Unsatisfied], tickets: &[(Id, Time)]) -> HashSet<Id> {
    let mut of_conversation: HashMap<Id, Vec<&Unsatisfied>> = HashMap::new();
    for asked in latest_first {
        of_conversation.entry(asked.conversation_id).or_default().push(asked);
    }
    let before = |(conversation, opened): &(Id, Time)| {
        of_conversation
            .get(conversation)?
            .iter()
            .find(|asked| asked.asked_at <= *opened)
            .map(|asked| asked.id)
    };
    tickets.iter().filter_map(before).collect()
}

/// The most frequent first; of those that are as frequent, the latest.
fn grouped(latest_first: &[Unsatisfied], ticketed: &HashSet<Id>, limit: usize) -> Vec<UnansweredQuestions> {
    let mut groups = groups(latest_first.iter().map(|asked| asked.question.as_str()));
    groups.sort_by_key(|group| Reverse(group.len()));
    groups.truncate(limit);
    groups
        .iter()
        .filter_map(|group| shown(group.iter().filter_map(|place| latest_first.get(*place)), ticketed))
        .collect()
}

fn shown<'a>(
    group: impl Iterator<Item = &'a Unsatisfied>,
    ticketed: &HashSet<Id>,
) -> Option<UnansweredQuestions> {
    let mut group = group.peekable();
    let latest = *group.peek()?;
    let mut shown = UnansweredQuestions {
        question: latest.question.clone(),
        last_at_ms: to_millis(latest.asked_at.0),
        ..UnansweredQuestions::default()
    };
    for asked in group {
        shown.count += 1;
        shown.not_covered += u32::from(asked.unanswered);
        shown.unhelpful += u32::from(!asked.unanswered);
        shown.tickets += u32::from(ticketed.contains(&asked.id));
    }
    Some(shown)
}

fn summary(conversation: Conversation, questions: &HashMap<uuid::Uuid, (u32, u32)>) -> ConversationSummary {
    let (asked, unanswered) = questions.get(&conversation.id.0).copied().unwrap_or_default();
    ConversationSummary {
        id: conversation.id.0.to_string(),
        first_question: conversation.first_question,
        questions: asked,
        unanswered,
        started_at_ms: to_millis(conversation.started_at.0),
        last_at_ms: to_millis(conversation.last_at.0),
    }
}
