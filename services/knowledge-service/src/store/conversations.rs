//! `conversations`: questions of one person, one after the other.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time, lease};
use diesel::prelude::*;
use uuid::Uuid;

use super::schema::conversations;
use crate::domain::query::AppId;

/// A row of `conversations`.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct Conversation {
    pub(crate) id: Id,
    pub(crate) first_question: String,
    pub(crate) started_at: Time,
    pub(crate) last_at: Time,
}

/// The latest of those in which something was asked since, latest first.
pub(crate) fn latest(
    db: &mut Db,
    app: &AppId,
    (since, limit): (Time, i64),
) -> Result<Vec<Conversation>, DbError> {
    Ok(conversations::table
        .filter(conversations::app_id.eq(app.as_str()))
        .filter(conversations::last_at.ge(since))
        .order((conversations::last_at.desc(), conversations::id.desc()))
        .limit(limit)
        .select((
            conversations::id,
            conversations::first_question,
            conversations::started_at,
            conversations::last_at,
        ))
        .load(db)?)
}

/// Another question was asked in one, which it may begin.
pub(crate) fn asked(
    db: &mut Db,
    app: &AppId,
    (id, question): (Uuid, &str),
    now: Time,
) -> Result<(), DbError> {
    lease::exclusive(db, &format!("conversation {id} of {}", app.as_str()))?;
    let own = conversations::table.find((app.as_str(), Id(id)));
    if diesel::update(own).set(conversations::last_at.eq(now)).execute(db)? > 0 {
        return Ok(());
    }
    diesel::insert_into(conversations::table)
        .values((
            conversations::app_id.eq(app.as_str()),
            conversations::id.eq(Id(id)),
            conversations::first_question.eq(question),
            conversations::started_at.eq(now),
            conversations::last_at.eq(now),
        ))
        .execute(db)?;
    Ok(())
}

/// Removes those, of all apps, that nothing was asked in since.
pub(crate) fn forget(db: &mut Db, before: DateTime<Utc>) -> Result<(), DbError> {
    diesel::delete(conversations::table.filter(conversations::last_at.lt(Time::from(before)))).execute(db)?;
    Ok(())
}
