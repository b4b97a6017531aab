//! `POST /api/{appId}/ingest`: a document is brought.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use contracts::ids::SourceId;
use contracts::knowledge::{IngestRequest, IngestResponse, IngestUrlRequest};
use contracts::rpc::RpcError;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::door::{self, Asked};
use crate::app::App;
use crate::domain::app_limits::Asking;
use crate::domain::role::Operation;
use crate::domain::text::{line, passage, web_address};
use crate::error::{ApiError, from_rpc};
use crate::http::body;
use crate::http::fields::{Fields, decode};
use crate::http::openapi::ErrorBody;

/// Longest text, in bytes.
const LONGEST: usize = 102_400;
/// How long it may take until a text is found.
const WITHIN: Duration = Duration::from_secs(30);

/// What is brought.
#[derive(ToSchema)]
#[schema(as = NewSource, example = json!({
    "text": "EchoSDK is a headless support platform...", "url": "https://docs.echosdk.com/intro"
}))]
#[expect(dead_code, reason = "the document's view of what `ingest` reads")]
pub(crate) struct IngestBody {
    /// The text, plain or Markdown: at most 102,400 bytes, else 413. Required without `url`.
    text: Option<String>,
    /// Where it comes from: shown beside answers. A text from the same address takes the place of the one before. Without `text`, the page
    /// (HTML, text, Markdown or PDF, at most 5 MB) is fetched from there, as its robots.txt allows, and its main text is brought.
    #[schema(max_length = 2048)]
    url: Option<String>,
    /// What it is called; else its first line. A page that is fetched has its own title.
    #[schema(max_length = 300)]
    title: Option<String>,
}

/// What has become of it.
#[derive(Serialize, ToSchema)]
#[schema(as = Ingested, example = json!({
    "success": true, "chunksProcessed": 42, "chunksFailed": 0, "sourceId": "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
}))]
#[serde(rename_all = "camelCase")]
pub(crate) struct IngestedBody {
    /// Whether anything of it can be found.
    success: bool,
    /// Pieces of at most 1,000 characters that can be found, with 200 of the piece before in each.
    chunks_processed: u32,
    /// Pieces that cannot: none, for what a model does not read is found by its words.
    chunks_failed: u32,
    /// By which it is deleted.
    source_id: Uuid,
}

/// What is said.
enum Said {
    Text {
        text: String,
        url: String,
        title: String,
    },
    /// The address of a page.
    Page(String),
}

impl Said {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let given = |text: &str| match text.trim().is_empty() {
            true => Err("must not be empty".to_owned()),
            false => passage(text, LONGEST),
        };
        let text = fields.optional_text("text", given);
        let (url, title) =
            (fields.optional_text("url", web_address), fields.optional_text("title", |text| line(text, 300)));
        match (text?, url?, title?) {
            (Some(text), url, title) => {
                Some(Self::Text { text, url: url.unwrap_or_default(), title: title.unwrap_or_default() })
            }
            (None, Some(page), _) => Some(Self::Page(page)),
            (None, None, _) => {
                fields.refuse("text", "is required where there is no url");
                None
            }
        }
    }
}

/// Bring a document: it is cut into pieces, and the next question finds it.
#[utoipa::path(
    post,
    path = "/api/{appId}/ingest",
    operation_id = "ingest",
    tag = "knowledge",
    params(("appId" = String, Path, description = "Which app.")),
    request_body = IngestBody,
    responses(
        (status = 200, description = "What was stored, and what was not.", body = IngestedBody),
        (status = 409, description = "`knowledge_limit_reached`: an app knows at most 200,000 pieces.", body = ErrorBody)
    )
)]
pub(crate) async fn ingest(
    app: Data<App>,
    request: HttpRequest,
    named: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let asked = door::for_programs(&app, &request, &named, (Asking::Ingest, Operation::Build)).await?;
    let body = body::json(&request, payload).await?;
    let bytes = body.get("text").and_then(Value::as_str).map_or(0, str::len);
    if bytes > LONGEST {
        let message = format!("text has {bytes} bytes; at most {LONGEST} are allowed");
        return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", message));
    }
    let said = decode(&body, Said::read)?;
    let stored = bring(&app, &asked, said).await;
    let stored = stored.map_err(|error| from_rpc(error, "app", "App"))?;
    Ok(HttpResponse::Ok().json(IngestedBody {
        success: stored.chunks_processed > 0,
        chunks_processed: stored.chunks_processed,
        chunks_failed: stored.chunks_failed,
        source_id: stored.source_id.parse().map_err(ApiError::internal)?,
    }))
}

async fn bring(app: &App, asked: &Asked, said: Said) -> Result<IngestResponse, RpcError> {
    let (app_id, source_id) = (asked.app.id.to_string(), SourceId::new().to_string());
    match said {
        Said::Text { text, url, title } => {
            let wanted = IngestRequest { app_id, source_id, url, title, text };
            app.knowledge.ingest(asked.context(WITHIN), wanted).await
        }
        Said::Page(url) => {
            let wanted = IngestUrlRequest { app_id, source_id, url };
            app.knowledge.ingest_url(asked.context(WITHIN), wanted).await
        }
    }
}
