//! `Tickets`: opens, lists, shows and changes them.

use common::clock::to_millis;
use common::db::{Db, DbError, Time, Tx};
use contracts::knowledge::{
    ChangeTicketRequest, GetTicketRequest, ListTicketsRequest, ListTicketsResponse, OpenTicketRequest,
    OpenTicketResponse, Ticket as Shown, TicketLine, TraceLine,
};
use contracts::rpc::RpcError;
use uuid::Uuid;

use super::{away_or_broken, no_app};
use crate::app::App;
use crate::domain::query::AppId;
use crate::domain::question::id;
use crate::domain::ticket::{Status, Trace, Wish};
use crate::domain::transcript::Line;
use crate::store::ticket_parts;
use crate::store::tickets::{self, Ticket};
use crate::ticketing::{self, Opened};

pub(super) async fn open(app: &App, request: OpenTicketRequest) -> Result<OpenTicketResponse, RpcError> {
    let wish = Wish::try_from(request)?;
    match ticketing::open(app, wish).await.map_err(away_or_broken)? {
        Opened::As(id) => Ok(OpenTicketResponse { ticket_id: id.to_string() }),
        Opened::TooMany => {
            Err(RpcError::Conflict { code: "ticket_limit_reached".to_owned(), message: ticketing::limits() })
        }
        Opened::NoApp => Err(no_app()),
        Opened::NoConversation => Err(RpcError::NotFound("conversation".to_owned())),
    }
}

pub(super) async fn list(app: &App, request: &ListTicketsRequest) -> Result<ListTicketsResponse, RpcError> {
    let app_id = AppId::parse(&request.app_id)?;
    let status = match request.status.as_str() {
        "" => None,
        status => Some(Status::parse(status)?),
    };
    let after = match request.after_id.as_str() {
        "" => None,
        after => Some(id("after_id", after)?),
    };
    let limit = request.limit.clamp(1, 100);
    let read = app.database.read(move |db| tickets::list(db, &app_id, (status, after, limit + 1)));
    let mut found = read.await.map_err(away_or_broken)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more);
    let next_after_id = last.map(|ticket| ticket.id.0.to_string()).unwrap_or_default();
    Ok(ListTicketsResponse { tickets: found.into_iter().map(shown).collect(), next_after_id })
}

pub(super) async fn get(app: &App, request: &GetTicketRequest) -> Result<Shown, RpcError> {
    let (app_id, id) = named(&request.app_id, &request.ticket_id)?;
    let read = app.database.read(move |db| whole(db, &app_id, id));
    read.await.map_err(away_or_broken)?.ok_or_else(unknown)
}

pub(super) async fn change(app: &App, request: &ChangeTicketRequest) -> Result<Shown, RpcError> {
    let (app_id, id) = named(&request.app_id, &request.ticket_id)?;
    let status = Status::parse(&request.status)?;
    let write = app.database.write(move |tx| changed(tx, &app_id, (id, status)));
    write.await.map_err(away_or_broken)?.ok_or_else(unknown)
}

fn changed(tx: &mut Tx<'_>, app: &AppId, (id, status): (Uuid, Status)) -> Result<Option<Shown>, DbError> {
    let now = Time::from(tx.now());
    tickets::set_status(tx.conn, app, (id, status, now))?;
    whole(tx.conn, app, id)
}

/// One with all that belongs to it.
fn whole(db: &mut Db, app: &AppId, id: Uuid) -> Result<Option<Shown>, DbError> {
    let Some(ticket) = tickets::find(db, app, id)? else { return Ok(None) };
    let lines = ticket_parts::lines(db, app, id)?;
    let trace = ticket_parts::trace(db, app, id)?;
    Ok(Some(Shown {
        transcript: lines.into_iter().map(line).collect(),
        trace: trace.into_iter().map(found).collect(),
        ..shown(ticket)
    }))
}

/// An id that is none names no ticket.
fn named(app_id: &str, ticket_id: &str) -> Result<(AppId, Uuid), RpcError> {
    Ok((AppId::parse(app_id)?, ticket_id.parse().map_err(|_| unknown())?))
}

fn unknown() -> RpcError {
    RpcError::NotFound("ticket".to_owned())
}

/// As a list shows it.
fn shown(ticket: Ticket) -> Shown {
    Shown {
        id: ticket.id.0.to_string(),
        status: ticket.status,
        email: ticket.email.unwrap_or_default(),
        phone: ticket.phone.unwrap_or_default(),
        question: ticket.question,
        url: ticket.url.unwrap_or_default(),
        conversation_id: ticket.conversation_id.map(|id| id.0.to_string()).unwrap_or_default(),
        created_at_ms: to_millis(ticket.created_at.0),
        updated_at_ms: to_millis(ticket.updated_at.0),
        ..Shown::default()
    }
}

fn line(line: Line) -> TicketLine {
    TicketLine { role: line.role.name().to_owned(), text: line.text }
}

#[expect(clippy::cast_possible_truncation, reason = "a score was an f32 before it was stored")]
fn found(found: Trace) -> TraceLine {
    TraceLine { title: found.title, url: found.url, score: found.score as f32, text: found.text }
}
