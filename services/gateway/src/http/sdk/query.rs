//! `POST /api/{appId}/query`, and `/api/query` with the app in the body: a question. A `question` is answered in words as they are
//! said, with the documents behind them in headers; a `message`, as EchoSDK's client for JavaScript sends it, in JSON.

use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::{Bytes, Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use contracts::knowledge::{AnswerSource, AskRequest};
use contracts::rpc::RpcError;
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::Answer;
use super::door::{self, Asked};
use super::named::{app_beside_path, app_in_body};
use crate::app::App;
use crate::domain::answer_sources;
use crate::domain::app_limits::Asking;
use crate::domain::text::{passage, required};
use crate::error::{ApiError, from_rpc};
use crate::http::body;
use crate::http::fields::{Fields, decode, within};

/// Longest question, in characters.
const LONGEST: usize = 500;
/// Longest message, in characters.
const LONGEST_MESSAGE: usize = 5000;
/// How long a whole answer may take: the knowledge-service breaks off before.
const WITHIN: Duration = Duration::from_secs(65);

/// What is asked.
#[derive(ToSchema)]
#[schema(as = NewQuestion, example = json!({"question": "How do I install the SDK?"}))]
#[expect(dead_code, reason = "the document's view of what `Wanted` reads")]
pub(crate) struct QueryBody {
    /// The question: answered as `text/plain`, as it is said.
    #[schema(min_length = 1, max_length = 500)]
    question: Option<String>,
    /// In place of `question`: answered as JSON, as a whole.
    #[schema(min_length = 1, max_length = 5000)]
    message: Option<String>,
    /// Which app, where the path does not say it.
    #[schema(rename = "appId")]
    app_id: Option<String>,
    /// The conversation that it goes on with: the `x-echo-conversation` of an earlier answer. One that is not known begins with it.
    #[schema(rename = "conversationId")]
    conversation_id: Option<Uuid>,
    /// What is known of who asks, beside a `message`.
    context: Option<QueryContext>,
}

/// What EchoSDK's client says beside a message. Names, addresses and metadata in it are not read.
#[derive(ToSchema)]
#[schema(as = MessageContext)]
#[expect(dead_code, reason = "the document's view of what `Wanted` reads")]
pub(crate) struct QueryContext {
    /// As beside it.
    #[schema(rename = "conversationId")]
    conversation_id: Option<Uuid>,
}

/// The answer to a `message`.
#[derive(Serialize, ToSchema)]
#[schema(as = Answer, example = json!({
    "message": {
        "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "text": "Run npm install. [1]", "sender": "ai", "timestamp": 1_773_855_826_714_i64,
        "metadata": {"verdict": "answerable"}
    },
    "conversationId": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f34",
    "sources": [{"title": "Introduction", "url": "https://docs.echosdk.com/intro", "snippet": "Install the SDK with npm."}]
}))]
#[serde(rename_all = "camelCase")]
pub(crate) struct AnswerBody {
    /// What is said.
    message: MessageBody,
    /// By which the next question goes on.
    conversation_id: String,
    /// The documents behind it: `[1]` in the text is the first of them.
    sources: Vec<SourceBody>,
}

/// What is said to a message.
#[derive(Serialize, ToSchema)]
#[schema(as = AnswerMessage)]
pub(crate) struct MessageBody {
    /// By which it is rated.
    id: Uuid,
    /// The words.
    text: String,
    /// Who says it: always `ai`.
    sender: &'static str,
    /// When, in milliseconds since 1970.
    timestamp: i64,
    /// What else is known of it.
    metadata: MetadataBody,
}

/// What else is known of an answer.
#[derive(Serialize, ToSchema)]
#[schema(as = AnswerMetadata)]
pub(crate) struct MetadataBody {
    /// What the documents can do for the question, as `x-echo-verdict` says it.
    verdict: &'static str,
}

/// A document behind an answer.
#[derive(Serialize, ToSchema)]
#[schema(as = AnswerSource)]
pub(crate) struct SourceBody {
    /// What it is called.
    title: String,
    /// Where it comes from, if from somewhere.
    #[serde(skip_serializing_if = "String::is_empty")]
    url: String,
    /// The beginning of what was found in it.
    snippet: String,
}

impl From<AnswerSource> for SourceBody {
    fn from(source: AnswerSource) -> Self {
        Self { title: source.title, url: source.url, snippet: source.snippet }
    }
}

/// In which form the answer is wanted.
#[derive(Clone, Copy)]
enum Form {
    /// Words as they are said.
    Streamed,
    /// JSON.
    Whole,
}

struct Wanted {
    text: String,
    form: Form,
    conversation: Option<Uuid>,
}

impl Wanted {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        app_beside_path(fields)?;
        let asked = |most| move |text: &str| required(passage(text, most));
        let question = fields.optional_text("question", asked(LONGEST));
        let message = fields.optional_text("message", asked(LONGEST_MESSAGE));
        let named = fields.optional_id("conversationId");
        let context = fields
            .nested("context", |value| within(value, |fields| fields.optional_id::<Uuid>("conversationId")));
        let conversation = named?.or(context?.flatten());
        match (question?, message?) {
            (Some(text), None) => Some(Self { text, form: Form::Streamed, conversation }),
            (None, Some(text)) => Some(Self { text, form: Form::Whole, conversation }),
            (None, None) => {
                fields.refuse("question", "is required");
                None
            }
            (Some(_), Some(_)) => {
                fields.refuse("message", "stands in place of question; send one of them");
                None
            }
        }
    }
}

/// Ask an app: answered from its documents, with their numbers behind what comes from them. For whoever comes from an allowed site, for
/// programs without one unless the app requires it, and for every credential of the app. A minute and address have 60 questions, an app
/// 1,000 an hour.
#[utoipa::path(
    post,
    path = "/api/{appId}/query",
    operation_id = "query",
    tag = "knowledge",
    params(("appId" = String, Path, description = "Which app.")),
    request_body = QueryBody,
    responses(
        (
            status = 200,
            description = "The answer: to a `question` as text, from when the model begins to speak; a connection that ends without the end \
                           of its last chunk has broken off. To a `message` as JSON.",
            content((String = "text/plain", example = json!("Run npm install. [1]")), (AnswerBody = "application/json")),
            headers(
                ("x-echo-sources" = String, description = "The documents behind it, beside text: a JSON array of \
                                                           `{\"id\",\"title\",\"url\",\"score\"}` in ASCII, at most 4 KiB, best first; `[1]` \
                                                           in the text is the first of them."),
                ("x-echo-conversation" = String, description = "By which the next question goes on."),
                ("x-echo-answer" = String, description = "By which the answer is rated."),
                ("x-echo-verdict" = String, description = "What the documents can do for the question: `answerable`, `partial`, \
                                                           `not_covered`, or `needs_human` where a person was asked for."),
            )
        )
    )
)]
pub(crate) async fn query(
    app: Data<App>,
    request: HttpRequest,
    named: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let asked = door::for_anybody(&app, &request, &named, Asking::Query).await?;
    let body = body::json(&request, payload).await?;
    answer(&app, &asked, &body).await
}

/// Ask the app that the body names. As `/api/{appId}/query`; a browser is told there before it asks whether it may, and here with the
/// answer.
#[utoipa::path(
    post,
    path = "/api/query",
    operation_id = "queryNamed",
    tag = "knowledge",
    request_body(content = QueryBody, example = json!({
        "appId": "app_2Wm7cTrNp5xKd9JvHs4B", "question": "How do I install the SDK?"
    })),
    responses(
        (
            status = 200,
            description = "As there, with its headers.",
            content((String = "text/plain", example = json!("Run npm install. [1]")), (AnswerBody = "application/json"))
        )
    )
)]
pub(crate) async fn query_named(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let body = body::json(&request, payload).await?;
    let asked = door::for_anybody(&app, &request, &app_in_body(&body)?, Asking::Query).await?;
    answer(&app, &asked, &body).await
}

async fn answer(app: &App, asked: &Asked, body: &Value) -> Result<HttpResponse, ApiError> {
    let wanted = decode(body, Wanted::read)?;
    let id = Uuid::now_v7();
    let request = AskRequest {
        app_id: asked.app.id.to_string(),
        answer_id: id.to_string(),
        question: wanted.text,
        conversation_id: wanted.conversation.map(|id| id.to_string()).unwrap_or_default(),
    };
    let failed = |error| from_rpc(error, "app", "App");
    let parts = app.answers.ask(asked.context(WITHIN), request).await.map_err(failed)?;
    let answer = Answer::begin(parts).await.map_err(failed)?;
    match wanted.form {
        Form::Streamed => Ok(streamed(id, answer)),
        Form::Whole => Ok(whole(app, id, answer).await.map_err(failed)?),
    }
}

/// The words as they come. An error in between ends the connection without the end of the body (RFC 9112, section 8).
fn streamed(id: Uuid, answer: Answer) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        // A proxy before this one passes on what it has got (nginx: ngx_http_proxy_module, proxy_buffering).
        .insert_header(("x-accel-buffering", "no"))
        .insert_header(("x-echo-answer", id.to_string()))
        .insert_header(("x-echo-verdict", answer.verdict));
    for (name, value) in [
        ("x-echo-sources", answer_sources::header(&answer.sources)),
        ("x-echo-conversation", answer.conversation),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.insert_header((HeaderName::from_static(name), value));
        }
    }
    response.streaming(answer.words.then(sent))
}

/// Words as they go out. Before an answer breaks off, what was said goes out: actix sends what it has when it has to wait, and nothing
/// after an error.
async fn sent(words: Result<String, RpcError>) -> Result<Bytes, RpcError> {
    if let Err(error) = &words {
        tracing::warn!(%error, "an answer broke off");
        tokio::task::yield_now().await;
    }
    words.map(Bytes::from)
}

async fn whole(app: &App, id: Uuid, answer: Answer) -> Result<HttpResponse, RpcError> {
    let text: String = answer.words.try_collect().await?;
    let timestamp = app.platform.clock.now().timestamp_millis();
    let metadata = MetadataBody { verdict: answer.verdict };
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(AnswerBody {
        message: MessageBody { id, text, sender: "ai", timestamp, metadata },
        conversation_id: answer.conversation,
        sources: answer.sources.into_iter().map(SourceBody::from).collect(),
    }))
}
