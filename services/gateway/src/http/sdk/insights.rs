//! `GET /api/apps/insights`: what an app was asked lately, and what it could not answer.

use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use contracts::knowledge::{
    ConversationSummary, GetInsightsRequest, GetInsightsResponse, UnansweredQuestions,
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::door;
use super::named::app_in_query;
use super::sources::AppParams;
use crate::app::App;
use crate::domain::role::Operation;
use crate::error::{ApiError, from_rpc};
use crate::http::query::Query;
use crate::http::reply::millis;

/// Longest time that is looked at, in days: no question is kept for longer.
const MOST_DAYS: u32 = 90;
/// So many where nothing is said.
const USUAL_DAYS: u32 = 30;
/// Most groups and conversations.
const MOST: u32 = 100;
/// So many where nothing is said.
const USUAL: u32 = 20;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is looked at, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document's view of what `read` reads")]
pub(crate) struct InsightsParams {
    /// What was asked in so many days until now.
    #[param(minimum = 1, maximum = 90, default = 30, required = false)]
    days: u32,
    /// At most so many groups of questions, and so many conversations.
    #[param(minimum = 1, maximum = 100, default = 20, required = false)]
    limit: u32,
}

/// What was asked.
#[derive(Serialize, ToSchema)]
#[schema(as = Insights)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InsightsBody {
    /// Questions asked.
    #[schema(example = 120)]
    questions: u64,
    /// Of them, those that the documents could not answer.
    #[schema(example = 14)]
    unanswered: u64,
    /// Answers that somebody found helpful.
    #[schema(example = 31)]
    helpful: u64,
    /// Answers that somebody found not helpful.
    #[schema(example = 2)]
    unhelpful: u64,
    /// What had no good answer, most frequent first.
    unanswered_questions: Vec<UnansweredBody>,
    /// Newest first.
    conversations: Vec<ConversationBody>,
}

/// Questions that mean about the same and had no good answer.
#[derive(Serialize, ToSchema)]
#[schema(as = UnansweredQuestions, example = json!({
    "question": "Do you ship to Norway?", "count": 4, "lastAskedAt": "2026-03-18T17:43:46.714Z", "notCovered": 3, "unhelpful": 1,
    "tickets": 1
}))]
#[serde(rename_all = "camelCase")]
pub(crate) struct UnansweredBody {
    /// The latest of them.
    question: String,
    /// How many they are.
    count: u32,
    /// When the latest was asked.
    last_asked_at: String,
    /// How many of them the documents do not speak of.
    not_covered: u32,
    /// How many were answered, but not well, as whoever asked said.
    unhelpful: u32,
    /// How many became a ticket.
    tickets: u32,
}

/// Questions of one person, one after the other.
#[derive(Serialize, ToSchema)]
#[schema(as = Conversation, example = json!({
    "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f34", "firstQuestion": "How do I install the SDK?", "questions": 3, "unanswered": 1,
    "startedAt": "2026-03-18T17:43:46.714Z", "lastAskedAt": "2026-03-18T17:45:02.120Z"
}))]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConversationBody {
    id: String,
    /// What it began with.
    first_question: String,
    /// How many questions were asked.
    questions: u32,
    /// How many of them the documents could not answer.
    unanswered: u32,
    /// When it began.
    started_at: String,
    /// When the last question was asked.
    last_asked_at: String,
}

impl From<GetInsightsResponse> for InsightsBody {
    fn from(found: GetInsightsResponse) -> Self {
        Self {
            questions: found.questions,
            unanswered: found.unanswered,
            helpful: found.helpful,
            unhelpful: found.unhelpful,
            unanswered_questions: found.groups.into_iter().map(UnansweredBody::from).collect(),
            conversations: found.conversations.into_iter().map(ConversationBody::from).collect(),
        }
    }
}

impl From<UnansweredQuestions> for UnansweredBody {
    fn from(group: UnansweredQuestions) -> Self {
        Self {
            question: group.question,
            count: group.count,
            last_asked_at: millis(group.last_at_ms),
            not_covered: group.not_covered,
            unhelpful: group.unhelpful,
            tickets: group.tickets,
        }
    }
}

impl From<ConversationSummary> for ConversationBody {
    fn from(conversation: ConversationSummary) -> Self {
        Self {
            id: conversation.id,
            first_question: conversation.first_question,
            questions: conversation.questions,
            unanswered: conversation.unanswered,
            started_at: millis(conversation.started_at_ms),
            last_asked_at: millis(conversation.last_at_ms),
        }
    }
}

/// What an app was asked, and what it could not answer: what its documents lack. Questions are grouped by what they mean.
#[utoipa::path(
    get,
    path = "/api/apps/insights",
    operation_id = "getInsights",
    tag = "knowledge",
    params(AppParams, InsightsParams),
    responses((status = 200, description = "What was asked.", body = InsightsBody))
)]
pub(crate) async fn read(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let query = Query::of(&request)?;
    let (row, tenant) = door::for_members(&app, &request, &app_in_query(&query)?, Operation::Read).await?;
    let days = query.number("days", 1..=MOST_DAYS)?.unwrap_or(USUAL_DAYS);
    let wanted = GetInsightsRequest {
        app_id: row.id.to_string(),
        since_ms: (app.platform.clock.now() - DAY * days).timestamp_millis(),
        limit: query.number("limit", 1..=MOST)?.unwrap_or(USUAL),
    };
    let found = app.answers.get_insights(tenant.context(), wanted).await;
    let found = found.map_err(|error| from_rpc(error, "app", "App"))?;
    Ok(HttpResponse::Ok().json(InsightsBody::from(found)))
}
