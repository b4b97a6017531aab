//! `GET /api/{appId}/search`: the ranking without an answer.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use contracts::knowledge::{Passage, SearchRequest};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::door;
use crate::app::{App, RPC_DEADLINE};
use crate::domain::app_limits::Asking;
use crate::domain::role::Operation;
use crate::error::{ApiError, from_rpc};
use crate::http::query::Query;

/// Longest question, in characters.
const LONGEST: usize = 500;
/// Most passages.
const MOST: u32 = 50;
/// So many where nothing is said.
const USUAL: u32 = 10;

/// What is looked for, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document's view of what `search` reads")]
pub(crate) struct SearchParams {
    /// The question.
    #[param(min_length = 1, max_length = 500, example = "How do I install the SDK?")]
    q: String,
    /// At most this many passages.
    #[param(minimum = 1, maximum = 50, default = 10, required = false)]
    limit: u32,
}

/// What was found.
#[derive(Serialize, ToSchema)]
#[schema(as = SearchResults)]
pub(crate) struct SearchBody {
    /// Best first.
    results: Vec<ResultBody>,
}

/// A passage of a document.
#[derive(Serialize, ToSchema)]
#[schema(as = SearchResult, example = json!({
    "sourceId": "a1b2c3d4-e5f6-7890-abcd-ef1234567890", "title": "Introduction", "url": "https://docs.echosdk.com/intro",
    "score": 0.75, "text": "Install the SDK with npm."
}))]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResultBody {
    /// The document.
    source_id: Uuid,
    /// What it is called.
    title: String,
    /// Where it comes from; null: from nowhere.
    url: Option<String>,
    /// How well it fits, from 0 to 1.
    score: f32,
    /// The passage itself.
    text: String,
}

impl ResultBody {
    fn new(passage: Passage) -> Result<Self, ApiError> {
        Ok(Self {
            source_id: passage.source_id.parse().map_err(ApiError::internal)?,
            title: passage.title,
            url: Some(passage.url).filter(|url| !url.is_empty()),
            score: passage.score,
            text: passage.text,
        })
    }
}

/// Rank the passages of an app's documents for a question, without an answer: to see why one is what it is.
#[utoipa::path(
    get,
    path = "/api/{appId}/search",
    operation_id = "search",
    tag = "knowledge",
    params(("appId" = String, Path, description = "Which app."), SearchParams),
    responses((status = 200, description = "The passages.", body = SearchBody))
)]
pub(crate) async fn search(
    app: Data<App>,
    request: HttpRequest,
    named: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let asked = door::for_programs(&app, &request, &named, (Asking::Rest, Operation::Read)).await?;
    let query = Query::of(&request)?;
    let question = query.get("q", |text| match text.trim().chars().count() {
        1..=LONGEST => Ok(text.to_owned()),
        length => Err(format!("has {length} characters; it must have 1 to {LONGEST}")),
    })?;
    let limit = query.number("limit", 1..=MOST)?;
    let wanted = SearchRequest {
        app_id: asked.app.id.to_string(),
        question: question.ok_or_else(|| ApiError::invalid_field("q", "is required"))?,
        limit: limit.unwrap_or(USUAL),
    };
    let found = app.knowledge.search(asked.context(RPC_DEADLINE), wanted).await;
    let found = found.map_err(|error| from_rpc(error, "app", "App"))?;
    let results = found.passages.into_iter().map(ResultBody::new).collect::<Result<_, _>>()?;
    Ok(HttpResponse::Ok().json(SearchBody { results }))
}
