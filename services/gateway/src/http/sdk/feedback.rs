//! `POST /api/{appId}/feedback`: whether an answer was any good.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use contracts::knowledge::GiveFeedbackRequest;
use utoipa::ToSchema;
use uuid::Uuid;

use super::door;
use crate::app::{App, RPC_DEADLINE};
use crate::domain::app_limits::Asking;
use crate::error::{ApiError, from_rpc};
use crate::http::body;
use crate::http::fields::{Fields, decode};

/// What somebody thinks of an answer.
#[derive(ToSchema)]
#[schema(as = Feedback, example = json!({"messageId": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "helpful": true}))]
#[expect(dead_code, reason = "the document's view of what `read` reads")]
pub(crate) struct FeedbackBody {
    /// Which answer: its `x-echo-answer`, or the id of its message.
    #[schema(rename = "messageId")]
    message_id: Uuid,
    /// Whether it helped. The last word counts.
    helpful: bool,
}

fn read(fields: &mut Fields<'_>) -> Option<(Uuid, bool)> {
    let (message, helpful) = (fields.id("messageId"), fields.flag("helpful")?);
    if helpful.is_none() {
        fields.refuse("helpful", "is required");
    }
    Some((message?, helpful?))
}

/// Say whether an answer helped. Whoever may ask may say it.
#[utoipa::path(
    post,
    path = "/api/{appId}/feedback",
    operation_id = "giveFeedback",
    tag = "knowledge",
    params(("appId" = String, Path, description = "Which app.")),
    request_body = FeedbackBody,
    responses(
        (status = 204, description = "It is kept.")
    )
)]
pub(crate) async fn give(
    app: Data<App>,
    request: HttpRequest,
    named: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let asked = door::for_anybody(&app, &request, &named, Asking::Rest).await?;
    let body = body::json(&request, payload).await?;
    let (answer, helpful) = decode(&body, read)?;
    let wanted =
        GiveFeedbackRequest { app_id: asked.app.id.to_string(), answer_id: answer.to_string(), helpful };
    let kept = app.answers.give_feedback(asked.context(RPC_DEADLINE), wanted).await;
    kept.map_err(|error| from_rpc(error, "message", "Message"))?;
    Ok(HttpResponse::NoContent().finish())
}
