//! `/api/apps/tickets`: the questions that people are to answer.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use contracts::knowledge::{
    ChangeTicketRequest, GetTicketRequest, ListTicketsRequest, Ticket, TicketLine, TraceLine,
};
use serde::Serialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::door;
use super::named::app_in_query;
use super::sources::AppParams;
use crate::app::App;
use crate::domain::audit::Action;
use crate::domain::role::Operation;
use crate::domain::ticket::STATUSES;
use crate::domain::webhook::one_of;
use crate::error::{ApiError, from_rpc};
use crate::http::audit::note;
use crate::http::body;
use crate::http::fields::decode;
use crate::http::page::{PageParams, Paging};
use crate::http::query::{Query, path_id};
use crate::http::reply::millis;
use crate::store::audit::Event;

/// Which tickets, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document's view of what `list` reads")]
pub(crate) struct TicketsParams {
    /// Only those with this status.
    #[param(required = false)]
    status: String,
}

/// A question for a person.
#[derive(Serialize, ToSchema)]
#[schema(as = Ticket, example = json!({
    "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f36", "status": "open", "email": "user@example.com", "phone": null,
    "question": "I need help with billing", "url": "https://myapp.com/pricing", "conversationId": null,
    "createdAt": "2026-03-18T17:43:46.714Z", "updatedAt": "2026-03-18T17:43:46.714Z"
}))]
#[serde(rename_all = "camelCase")]
pub(crate) struct TicketBody {
    id: String,
    status: String,
    /// Who wants an answer; null where nobody has said it, as on the phone.
    email: Option<String>,
    /// Their number, E.164; null where it is not known.
    phone: Option<String>,
    /// What they want to know.
    question: String,
    /// The page on which they asked, if on one.
    url: Option<String>,
    /// What they said before, if it was kept.
    conversation_id: Option<String>,
    /// When it was opened.
    created_at: String,
    /// When it last changed.
    updated_at: String,
}

/// A ticket with what was said before it, and what was known then.
#[derive(Serialize, ToSchema)]
#[schema(as = WholeTicket, example = json!({
    "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f36", "status": "open", "email": "user@example.com", "phone": null,
    "question": "I need help with billing", "url": "https://myapp.com/pricing", "conversationId": null,
    "createdAt": "2026-03-18T17:43:46.714Z", "updatedAt": "2026-03-18T17:43:46.714Z",
    "transcript": [{"role": "user", "text": "How much does the pro plan cost?"}],
    "trace": [{"title": "Prices", "url": "https://myapp.com/pricing", "score": 0.62, "text": "The pro plan is $49/month."}]
}))]
pub(crate) struct WholeTicketBody {
    #[serde(flatten)]
    ticket: TicketBody,
    /// Oldest first.
    transcript: Vec<LineBody>,
    /// What the documents said to the last question before it, best first: why there was no better answer.
    trace: Vec<TraceBody>,
}

/// Something that was said.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketLine, example = json!({"role": "user", "text": "How much does the pro plan cost?"}))]
pub(crate) struct LineBody {
    role: String,
    text: String,
}

/// A passage that was found.
#[derive(Serialize, ToSchema)]
#[schema(as = TicketTrace, example = json!({
    "title": "Prices", "url": "https://myapp.com/pricing", "score": 0.62, "text": "The pro plan is $49/month."
}))]
pub(crate) struct TraceBody {
    /// What the document is called.
    title: String,
    /// Where it comes from; null: from nowhere.
    url: Option<String>,
    /// How well it fits, from 0 to 1.
    score: f32,
    /// The passage itself; empty where its document is gone.
    text: String,
}

/// What changes about a ticket.
#[derive(ToSchema)]
#[schema(as = TicketChanges, example = json!({"status": "resolved"}))]
#[expect(dead_code, reason = "the document's view of what `change` reads")]
pub(crate) struct TicketChangesBody {
    status: String,
}

fn said(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

impl From<Ticket> for TicketBody {
    fn from(ticket: Ticket) -> Self {
        Self {
            id: ticket.id,
            status: ticket.status,
            email: said(ticket.email),
            phone: said(ticket.phone),
            question: ticket.question,
            url: said(ticket.url),
            conversation_id: said(ticket.conversation_id),
            created_at: millis(ticket.created_at_ms),
            updated_at: millis(ticket.updated_at_ms),
        }
    }
}

impl From<Ticket> for WholeTicketBody {
    fn from(mut ticket: Ticket) -> Self {
        let (transcript, trace) = (std::mem::take(&mut ticket.transcript), std::mem::take(&mut ticket.trace));
        let line = |TicketLine { role, text }| LineBody { role, text };
        let passage =
            |TraceLine { title, url, score, text }| TraceBody { title, url: said(url), score, text };
        Self {
            ticket: ticket.into(),
            transcript: transcript.into_iter().map(line).collect(),
            trace: trace.into_iter().map(passage).collect(),
        }
    }
}

/// The ticket in the path.
fn ticket_in(request: &HttpRequest) -> Result<Uuid, ApiError> {
    path_id(request, "id").ok_or_else(|| ApiError::not_found("ticket", "Ticket"))
}

/// The tickets of an app.
#[utoipa::path(
    get,
    path = "/api/apps/tickets",
    operation_id = "listTickets",
    tag = "knowledge",
    params(AppParams, TicketsParams, PageParams),
    responses((status = 200, description = "Newest first.", body = Vec<TicketBody>))
)]
pub(crate) async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let named = app_in_query(&Query::of(&request)?)?;
    let (row, tenant) = door::for_members(&app, &request, &named, Operation::Read).await?;
    let paging = Paging::of(&request)?;
    let status = paging.query.get("status", one_of(STATUSES))?;
    let wanted = ListTicketsRequest {
        app_id: row.id.to_string(),
        status: status.unwrap_or_default().to_owned(),
        limit: paging.limit,
        after_id: paging.after_text(),
    };
    let listed = app.tickets.list_tickets(tenant.context(), wanted).await;
    let listed = listed.map_err(|error| from_rpc(error, "app", "App"))?;
    let items: Vec<TicketBody> = listed.tickets.into_iter().map(TicketBody::from).collect();
    Ok(paging.answer(&app, &request, &items, said(listed.next_after_id).as_deref()))
}

/// A ticket with what was said before it.
#[utoipa::path(
    get,
    path = "/api/apps/tickets/{id}",
    operation_id = "getTicket",
    tag = "knowledge",
    params(("id" = Uuid, Path, description = "Which ticket."), AppParams),
    responses((status = 200, description = "The ticket.", body = WholeTicketBody))
)]
pub(crate) async fn read(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let named = app_in_query(&Query::of(&request)?)?;
    let (row, tenant) = door::for_members(&app, &request, &named, Operation::Read).await?;
    let wanted = GetTicketRequest { app_id: row.id.to_string(), ticket_id: ticket_in(&request)?.to_string() };
    let found = app.tickets.get_ticket(tenant.context(), wanted).await;
    let found = found.map_err(|error| from_rpc(error, "ticket", "Ticket"))?;
    Ok(HttpResponse::Ok().json(WholeTicketBody::from(found)))
}

/// Say where a ticket stands. Whoever asked is answered by mail: a reply to the mail that told of the ticket goes to them.
#[utoipa::path(
    patch,
    path = "/api/apps/tickets/{id}",
    operation_id = "updateTicket",
    tag = "knowledge",
    params(("id" = Uuid, Path, description = "Which ticket."), AppParams),
    request_body = TicketChangesBody,
    responses((status = 200, description = "The ticket as it is now.", body = WholeTicketBody))
)]
pub(crate) async fn change(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let named = app_in_query(&Query::of(&request)?)?;
    let (row, tenant) = door::for_members(&app, &request, &named, Operation::Build).await?;
    let id = ticket_in(&request)?;
    let body = body::json(&request, payload).await?;
    let status = decode(&body, |fields| fields.text("status", one_of(STATUSES)))?;
    let wanted = ChangeTicketRequest {
        app_id: row.id.to_string(),
        ticket_id: id.to_string(),
        status: status.to_owned(),
    };
    let changed = app.tickets.change_ticket(tenant.context(), wanted).await;
    let changed = changed.map_err(|error| from_rpc(error, "ticket", "Ticket"))?;
    let event =
        Event::on(Action::TicketChanged, id).with(json!({"app": row.id.to_string(), "status": status}));
    note(&app, &tenant, event).await?;
    Ok(HttpResponse::Ok().json(WholeTicketBody::from(changed)))
}
