//! `tickets`: questions that a person is to answer.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time};
use diesel::prelude::*;
use uuid::Uuid;

use super::schema::tickets;
use super::ticket_parts;
use crate::domain::query::AppId;
use crate::domain::ticket::Status;

/// A row of `tickets`.
#[derive(Clone, Debug, Queryable, Insertable, Selectable)]
#[diesel(table_name = tickets)]
pub(crate) struct Ticket {
    pub(crate) app_id: String,
    pub(crate) id: Id,
    pub(crate) status: String,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) question: String,
    pub(crate) url: Option<String>,
    pub(crate) conversation_id: Option<Id>,
    pub(crate) created_at: Time,
    /// When its status last changed.
    pub(crate) updated_at: Time,
}

/// Writes a new one.
pub(crate) fn insert(db: &mut Db, ticket: &Ticket) -> Result<(), DbError> {
    diesel::insert_into(tickets::table).values(ticket.clone()).execute(db)?;
    Ok(())
}

/// One of them.
pub(crate) fn find(db: &mut Db, app: &AppId, id: Uuid) -> Result<Option<Ticket>, DbError> {
    let own = tickets::table.find((app.as_str(), Id(id)));
    Ok(own.select(Ticket::as_select()).first(db).optional()?)
}

/// A page of the app's tickets, newest first.
pub(crate) fn list(
    db: &mut Db,
    app: &AppId,
    (status, after, limit): (Option<Status>, Option<Uuid>, u32),
) -> Result<Vec<Ticket>, DbError> {
    let mut query = tickets::table
        .filter(tickets::app_id.eq(app.as_str()))
        .order(tickets::id.desc())
        .limit(i64::from(limit))
        .select(Ticket::as_select())
        .into_boxed();
    if let Some(status) = status {
        query = query.filter(tickets::status.eq(status.name()));
    }
    if let Some(after) = after {
        query = query.filter(tickets::id.lt(Id(after)));
    }
    Ok(query.load(db)?)
}

/// Sets the status of one, unless it has it already.
pub(crate) fn set_status(
    db: &mut Db,
    app: &AppId,
    (id, status, now): (Uuid, Status, Time),
) -> Result<(), DbError> {
    let other = tickets::table
        .filter(tickets::app_id.eq(app.as_str()))
        .filter(tickets::id.eq(Id(id)))
        .filter(tickets::status.ne(status.name()));
    diesel::update(other)
        .set((tickets::status.eq(status.name()), tickets::updated_at.eq(now)))
        .execute(db)?;
    Ok(())
}

/// How many of an app wait for somebody.
pub(crate) fn waiting(db: &mut Db, app: &AppId) -> Result<i64, DbError> {
    let waiting = [Status::Open.name(), Status::Pending.name()];
    let own = tickets::table.filter(tickets::app_id.eq(app.as_str()));
    Ok(own.filter(tickets::status.eq_any(waiting)).count().get_result(db)?)
}

/// What somebody has asked lately.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct Lately {
    pub(crate) id: Id,
    pub(crate) question: String,
    pub(crate) created_at: Time,
}

/// The latest tickets of one person since, latest first: of a mail address or a phone number, and of whoever has given neither those of
/// their conversation. Nobody's, where nothing is known of them.
pub(crate) fn of_person(
    db: &mut Db,
    app: &AppId,
    (email, phone, conversation): (Option<&str>, Option<&str>, Option<Uuid>),
    (since, limit): (Time, i64),
) -> Result<Vec<Lately>, DbError> {
    let own = tickets::table
        .filter(tickets::app_id.eq(app.as_str()))
        .filter(tickets::created_at.ge(since))
        .order((tickets::created_at.desc(), tickets::id.desc()))
        .limit(limit)
        .select((tickets::id, tickets::question, tickets::created_at));
    let mut found: Vec<Lately> = Vec::new();
    if let Some(email) = email {
        found.extend(own.filter(tickets::email.eq(email)).load(db)?);
    }
    if let Some(phone) = phone {
        found.extend(own.filter(tickets::phone.eq(phone)).load(db)?);
    }
    if let (None, None, Some(conversation)) = (email, phone, conversation) {
        found.extend(own.filter(tickets::conversation_id.eq(Id(conversation))).load(db)?);
    }
    found.sort_by_key(|lately| std::cmp::Reverse((lately.created_at, lately.id)));
    found.dedup_by_key(|lately| lately.id);
    Ok(found)
}

/// The tickets of some conversations, and when they were opened.
pub(crate) fn of_conversations(db: &mut Db, app: &AppId, ids: Vec<Id>) -> Result<Vec<(Id, Time)>, DbError> {
    let rows: Vec<(Option<Id>, Time)> = tickets::table
        .filter(tickets::app_id.eq(app.as_str()))
        .filter(tickets::conversation_id.eq_any(ids))
        .select((tickets::conversation_id, tickets::created_at))
        .load(db)?;
    Ok(rows.into_iter().filter_map(|(conversation, at)| Some((conversation?, at))).collect())
}

/// Removes up to `limit` of those, of all apps, that were resolved before, with what belongs to them. How many.
pub(crate) fn forget(db: &mut Db, before: DateTime<Utc>, limit: i64) -> Result<usize, DbError> {
    let mut due: Vec<(String, Id)> = tickets::table
        .filter(tickets::status.eq(Status::Resolved.name()))
        .filter(tickets::updated_at.lt(Time::from(before)))
        .order(tickets::updated_at)
        .limit(limit)
        .select((tickets::app_id, tickets::id))
        .load(db)?;
    due.sort();
    let mut gone = 0;
    for of_app in due.chunk_by(|one, other| one.0 == other.0) {
        let ids: Vec<Id> = of_app.iter().map(|(_, id)| *id).collect();
        gone += remove(db, &of_app[0].0, &ids)?;
    }
    Ok(gone)
}

/// Removes up to `limit` of an app with what belongs to them. How many.
pub(super) fn remove_some(db: &mut Db, app: &AppId, limit: i64) -> Result<usize, DbError> {
    let own = tickets::table.filter(tickets::app_id.eq(app.as_str()));
    let ids: Vec<Id> = own.limit(limit).select(tickets::id).load(db)?;
    remove(db, app.as_str(), &ids)
}

fn remove(db: &mut Db, app: &str, ids: &[Id]) -> Result<usize, DbError> {
    ticket_parts::remove(db, app, ids)?;
    let own = tickets::table.filter(tickets::app_id.eq(app));
    Ok(diesel::delete(own.filter(tickets::id.eq_any(ids))).execute(db)?)
}
