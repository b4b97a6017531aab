//! `ticket_lines` and `ticket_passages`: what was said before each ticket, and what was found for its question.

use common::db::{Db, DbError, Id, insert_many};
use contracts::ids::SourceId;
use diesel::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::schema::{ticket_lines, ticket_passages};
use crate::domain::query::AppId;
use crate::domain::ticket::Trace;
use crate::domain::transcript::{Line, Role};

/// Writes those of a new ticket.
pub(crate) fn insert(
    db: &mut Db,
    app: &AppId,
    ticket: Uuid,
    (lines, trace): (&[Line], &[Trace]),
) -> Result<(), DbError> {
    const LINE: [&str; 5] = ["app_id", "ticket_id", "number", "role", "text"];
    const PASSAGE: [&str; 8] =
        ["app_id", "ticket_id", "number", "source_id", "title", "url", "score", "text"];
    let line = |(number, line): (i32, &Line)| json!({"app_id": app.as_str(), "ticket_id": ticket, "number": number, "role": line.role.name(), "text": line.text});
    let passage = |(number, found): (i32, &Trace)| json!({"app_id": app.as_str(), "ticket_id": ticket, "number": number, "source_id": found.source, "title": found.title, "url": found.url, "score": found.score, "text": found.text});
    insert_many(db, "ticket_lines", &LINE, (1..).zip(lines).map(line).collect())?;
    insert_many(db, "ticket_passages", &PASSAGE, (1..).zip(trace).map(passage).collect())?;
    Ok(())
}

/// What was said before one, oldest first.
pub(crate) fn lines(db: &mut Db, app: &AppId, ticket: Uuid) -> Result<Vec<Line>, DbError> {
    let rows: Vec<(String, String)> = ticket_lines::table
        .filter(ticket_lines::app_id.eq(app.as_str()))
        .filter(ticket_lines::ticket_id.eq(Id(ticket)))
        .order(ticket_lines::number)
        .select((ticket_lines::role, ticket_lines::text))
        .load(db)?;
    let line = |(role, text): (String, String)| Some(Line { role: Role::named(&role)?, text });
    Ok(rows.into_iter().filter_map(line).collect())
}

/// What was found for one, best first.
pub(crate) fn trace(db: &mut Db, app: &AppId, ticket: Uuid) -> Result<Vec<Trace>, DbError> {
    let rows: Vec<(Id, String, String, f64, String)> = ticket_passages::table
        .filter(ticket_passages::app_id.eq(app.as_str()))
        .filter(ticket_passages::ticket_id.eq(Id(ticket)))
        .order(ticket_passages::number)
        .select((
            ticket_passages::source_id,
            ticket_passages::title,
            ticket_passages::url,
            ticket_passages::score,
            ticket_passages::text,
        ))
        .load(db)?;
    let trace = |(source, title, url, score, text): (Id, String, String, f64, String)| Trace {
        source: SourceId(source.0),
        title,
        url,
        score,
        text,
    };
    Ok(rows.into_iter().map(trace).collect())
}

/// Forgets what was found in a source: it is deleted.
pub(crate) fn forget_source(db: &mut Db, app: &AppId, source: SourceId) -> Result<(), DbError> {
    let own = ticket_passages::app_id.eq(app.as_str()).and(ticket_passages::source_id.eq(Id::of(source)));
    diesel::delete(ticket_passages::table.filter(own)).execute(db)?;
    Ok(())
}

/// Removes those of some tickets.
pub(super) fn remove(db: &mut Db, app: &str, tickets: &[Id]) -> Result<(), DbError> {
    let lines = ticket_lines::table.filter(ticket_lines::app_id.eq(app));
    diesel::delete(lines.filter(ticket_lines::ticket_id.eq_any(tickets))).execute(db)?;
    let passages = ticket_passages::table.filter(ticket_passages::app_id.eq(app));
    diesel::delete(passages.filter(ticket_passages::ticket_id.eq_any(tickets))).execute(db)?;
    Ok(())
}
