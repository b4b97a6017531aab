//! `answers`: what was asked, and what was said to it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time};
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use uuid::Uuid;

use super::schema::{answer_passages, answers};
use crate::domain::query::AppId;

/// A row of `answers`.
#[derive(Clone, Debug, Queryable, Insertable, Selectable)]
#[diesel(table_name = answers)]
pub(crate) struct Answer {
    pub(crate) id: Id,
    pub(crate) app_id: String,
    pub(crate) conversation_id: Id,
    pub(crate) question: String,
    pub(crate) answer: String,
    pub(crate) verdict: i32,
    pub(crate) unanswered: bool,
    pub(crate) finished: bool,
    pub(crate) helpful: Option<bool>,
    pub(crate) tokens_read: Option<i64>,
    pub(crate) tokens_written: Option<i64>,
    pub(crate) asked_at: Time,
}

/// Writes a new one.
pub(crate) fn insert(db: &mut Db, answer: &Answer) -> Result<(), DbError> {
    diesel::insert_into(answers::table).values(answer.clone()).execute(db)?;
    Ok(())
}

/// The last questions of a conversation that were answered to their end, with the answers: oldest first. Without those that drew from
/// what has been deleted or says something else now.
pub(crate) fn last(
    db: &mut Db,
    app: &AppId,
    (conversation, limit): (Uuid, i64),
) -> Result<Vec<(String, String)>, DbError> {
    let own = answers::app_id.eq(app.as_str()).and(answers::conversation_id.eq(Id(conversation)));
    let drew_from = answer_passages::table.filter(answer_passages::answer_id.eq(answers::id));
    let mut found: Vec<(String, String)> = answers::table
        .filter(own)
        .filter(answers::finished.eq(true))
        .filter(not(exists(drew_from.filter(answer_passages::text.eq("")))))
        .order((answers::asked_at.desc(), answers::id.desc()))
        .limit(limit)
        .select((answers::question, answers::answer))
        .load(db)?;
    found.reverse();
    Ok(found)
}

/// A question, and what was said to it before it ended or broke off.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct Exchange {
    pub(crate) id: Id,
    pub(crate) question: String,
    pub(crate) answer: String,
}

/// The last exchanges of a conversation: oldest first.
pub(crate) fn exchanges(
    db: &mut Db,
    app: &AppId,
    (conversation, limit): (Uuid, i64),
) -> Result<Vec<Exchange>, DbError> {
    let own = answers::app_id.eq(app.as_str()).and(answers::conversation_id.eq(Id(conversation)));
    let mut found: Vec<Exchange> = answers::table
        .filter(own)
        .order((answers::asked_at.desc(), answers::id.desc()))
        .limit(limit)
        .select((answers::id, answers::question, answers::answer))
        .load(db)?;
    found.reverse();
    Ok(found)
}

/// Keeps what somebody thought of one. False: it is not there.
pub(crate) fn judge(db: &mut Db, app: &AppId, (id, helpful): (Uuid, bool)) -> Result<bool, DbError> {
    let own = answers::table.filter(answers::app_id.eq(app.as_str())).filter(answers::id.eq(Id(id)));
    Ok(diesel::update(own).set(answers::helpful.eq(Some(helpful))).execute(db)? > 0)
}

/// How many questions there were, and how they went.
pub(crate) struct Counts {
    pub(crate) questions: i64,
    pub(crate) unanswered: i64,
    pub(crate) helpful: i64,
    pub(crate) unhelpful: i64,
}

/// Counts what was asked since.
pub(crate) fn counts(db: &mut Db, app: &AppId, since: Time) -> Result<Counts, DbError> {
    let own = answers::table.filter(answers::app_id.eq(app.as_str())).filter(answers::asked_at.ge(since));
    Ok(Counts {
        questions: own.count().get_result(db)?,
        unanswered: own.filter(answers::unanswered.eq(true)).count().get_result(db)?,
        helpful: own.filter(answers::helpful.eq(Some(true))).count().get_result(db)?,
        unhelpful: own.filter(answers::helpful.eq(Some(false))).count().get_result(db)?,
    })
}

/// A question without a good answer.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct Unsatisfied {
    pub(crate) id: Id,
    pub(crate) conversation_id: Id,
    pub(crate) question: String,
    /// Else it was answered, but not well.
    pub(crate) unanswered: bool,
    pub(crate) asked_at: Time,
}

/// The latest of them since, latest first.
pub(crate) fn unsatisfied(
    db: &mut Db,
    app: &AppId,
    (since, limit): (Time, i64),
) -> Result<Vec<Unsatisfied>, DbError> {
    Ok(answers::table
        .filter(answers::app_id.eq(app.as_str()))
        .filter(answers::asked_at.ge(since))
        .filter(answers::unanswered.eq(true).or(answers::helpful.eq(Some(false))))
        .order((answers::asked_at.desc(), answers::id.desc()))
        .limit(limit)
        .select((
            answers::id,
            answers::conversation_id,
            answers::question,
            answers::unanswered,
            answers::asked_at,
        ))
        .load(db)?)
}

/// How many questions were asked in some conversations, and how many of them were not answered.
pub(crate) fn of_conversations(
    db: &mut Db,
    app: &AppId,
    ids: Vec<Id>,
) -> Result<HashMap<Uuid, (u32, u32)>, DbError> {
    let rows: Vec<(Id, bool)> = answers::table
        .filter(answers::app_id.eq(app.as_str()))
        .filter(answers::conversation_id.eq_any(ids))
        .select((answers::conversation_id, answers::unanswered))
        .load(db)?;
    let mut counts = HashMap::new();
    for (id, unanswered) in rows {
        let (asked, open): &mut (u32, u32) = counts.entry(id.0).or_default();
        *asked += 1;
        *open += u32::from(unanswered);
    }
    Ok(counts)
}

/// Removes up to `limit` of those, of all apps, that were asked before. How many.
pub(crate) fn forget(db: &mut Db, before: DateTime<Utc>, limit: i64) -> Result<usize, DbError> {
    let ids: Vec<Id> = answers::table
        .filter(answers::asked_at.lt(Time::from(before)))
        .order(answers::asked_at)
        .limit(limit)
        .select(answers::id)
        .load(db)?;
    diesel::delete(answer_passages::table.filter(answer_passages::answer_id.eq_any(ids.clone())))
        .execute(db)?;
    diesel::delete(answers::table.filter(answers::id.eq_any(ids.clone()))).execute(db)?;
    Ok(ids.len())
}
