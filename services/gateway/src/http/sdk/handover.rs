//! `POST /api/handover` and `/api/{appId}/handover`: a person is wanted. A ticket is opened, and the app's people are told.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use contracts::knowledge::{OpenTicketRequest, TicketLine};
use contracts::rpc::RpcError;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::door::{self, Asked};
use super::named::{app_beside_path, app_in_body};
use crate::app::{App, RPC_DEADLINE};
use crate::domain::app_limits::Asking;
use crate::domain::handover::history;
use crate::domain::person::Email;
use crate::domain::text::{passage, required, web_address};
use crate::error::{ApiError, from_rpc};
use crate::http::body;
use crate::http::fields::{Fields, decode};
use crate::http::openapi::ErrorBody;

/// Longest question, in characters.
const LONGEST: usize = 4000;

/// What a person is wanted for. Further fields, such as the `meta` of EchoSDK's client, are not read.
#[derive(ToSchema)]
#[schema(as = NewHandover, example = json!({
    "appId": "app_2Wm7cTrNp5xKd9JvHs4B", "email": "user@example.com", "question": "I need help with billing",
    "url": "https://myapp.com/pricing",
    "history": [
        {"role": "user", "text": "How much does the pro plan cost?"}, {"role": "assistant", "text": "The pro plan is $49/month."}
    ]
}))]
#[expect(dead_code, reason = "the document's view of what `Wanted` reads")]
pub(crate) struct HandoverBody {
    /// Which app, where the path does not say it.
    #[schema(rename = "appId")]
    app_id: Option<String>,
    /// Where the answer goes. Required without `conversationId`.
    #[schema(max_length = 254)]
    email: Option<String>,
    /// What is wanted. Required without `conversationId`; else the conversation's last question.
    #[schema(min_length = 1, max_length = 4000)]
    question: Option<String>,
    /// The page on which it was asked: http or https.
    #[schema(max_length = 2048)]
    url: Option<String>,
    /// What was said before, oldest first: the last 100 messages are kept, of each the first 4,000 characters. Without it, what was said
    /// in the conversation.
    history: Option<Vec<HandoverLine>>,
    /// The conversation that is handed over.
    #[schema(rename = "conversationId")]
    conversation_id: Option<Uuid>,
}

/// A message of a conversation.
#[derive(ToSchema)]
#[schema(as = HandoverMessage, example = json!({"role": "user", "text": "How much does the pro plan cost?"}))]
#[expect(dead_code, reason = "the document's view of what `history` reads")]
pub(crate) struct HandoverLine {
    /// Who said it.
    role: Option<String>,
    /// The same as EchoSDK's client says it, in place of `role`.
    sender: Option<String>,
    text: String,
}

/// The ticket.
#[derive(Serialize, ToSchema)]
#[schema(as = HandedOver, example = json!({"success": true, "ticketId": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f36"}))]
#[serde(rename_all = "camelCase")]
pub(crate) struct HandedOverBody {
    /// Always true.
    success: bool,
    /// By which it is spoken of. The same question of the same person within ten minutes is the same ticket.
    ticket_id: String,
}

struct Wanted {
    email: Option<Email>,
    question: Option<String>,
    url: Option<String>,
    history: Vec<TicketLine>,
    conversation: Option<Uuid>,
}

impl Wanted {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        app_beside_path(fields)?;
        let email = fields.optional_text("email", Email::parse);
        let question = fields.optional_text("question", |text| required(passage(text, LONGEST)));
        let url = fields.optional_text("url", web_address);
        let history = fields.nested("history", history);
        let conversation = fields.optional_id("conversationId");
        if !fields.has("conversationId") {
            for needed in ["email", "question"] {
                if !fields.has(needed) {
                    fields.refuse(needed, "is required without a conversationId");
                }
            }
        }
        Some(Self {
            email: email?,
            question: question?,
            url: url?,
            history: history?.unwrap_or_default(),
            conversation: conversation?,
        })
    }

    fn of(self, app_id: String) -> OpenTicketRequest {
        OpenTicketRequest {
            app_id,
            ticket_id: Uuid::now_v7().to_string(),
            email: self.email.map(|email| email.as_str().to_owned()).unwrap_or_default(),
            phone: String::new(),
            question: self.question.unwrap_or_default(),
            url: self.url.unwrap_or_default(),
            history: self.history,
            conversation_id: self.conversation.map(|id| id.to_string()).unwrap_or_default(),
        }
    }
}

/// Hand over to a person: opens a ticket, and tells the app's people by mail and in Slack as the app says. For whoever may ask. A minute
/// and address have five, an app 60 an hour.
#[utoipa::path(
    post,
    path = "/api/handover",
    operation_id = "handOver",
    tag = "knowledge",
    request_body = HandoverBody,
    responses(
        (status = 200, description = "The ticket is open.", body = HandedOverBody),
        (status = 409, description = "`ticket_limit_reached`: too many tickets of the app are open.", body = ErrorBody)
    )
)]
pub(crate) async fn hand_over_named(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let body = body::json(&request, payload).await?;
    let asked = door::for_anybody(&app, &request, &app_in_body(&body)?, Asking::Handover).await?;
    open(&app, &asked, &body).await
}

/// Hand over to a person, with the app in the path. As `/api/handover`; a browser is told before it asks whether it may.
#[utoipa::path(
    post,
    path = "/api/{appId}/handover",
    operation_id = "handOverInApp",
    tag = "knowledge",
    params(("appId" = String, Path, description = "Which app.")),
    request_body = HandoverBody,
    responses(
        (status = 200, description = "The ticket is open.", body = HandedOverBody),
        (status = 409, description = "`ticket_limit_reached`: too many tickets of the app are open.", body = ErrorBody)
    )
)]
pub(crate) async fn hand_over(
    app: Data<App>,
    request: HttpRequest,
    named: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let asked = door::for_anybody(&app, &request, &named, Asking::Handover).await?;
    let body = body::json(&request, payload).await?;
    open(&app, &asked, &body).await
}

async fn open(app: &App, asked: &Asked, body: &Value) -> Result<HttpResponse, ApiError> {
    let wanted = decode(body, Wanted::read)?.of(asked.app.id.to_string());
    let opened = app.tickets.open_ticket(asked.context(RPC_DEADLINE), wanted).await;
    let opened = opened.map_err(|error| match &error {
        // It was deleted a moment ago.
        RpcError::NotFound(what) if what == "app" => from_rpc(error, "app", "App"),
        _ => from_rpc(error, "conversation", "Conversation"),
    })?;
    Ok(HttpResponse::Ok().json(HandedOverBody { success: true, ticket_id: opened.ticket_id }))
}
