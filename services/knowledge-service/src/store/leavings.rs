//! What a deleted app leaves, some of it at a time: each of these is a step in a transaction of its own, answers how many rows of the
//! kind it has removed, and is done when it answers none. Nothing comes to a deleted app, so what has gone stays gone.

use common::db::{Db, DbError, Id};
use diesel::prelude::*;

use super::schema::{answer_passages, answers, chunks, conversations, embeddings, sources};
use super::{apps, tickets};
use crate::domain::query::AppId;

/// Rows of one step.
const MOST: i64 = 500;
/// Sources of one step…
const SOURCES: i64 = 50;
/// …and their chunks; one source may have more.
const CHUNKS: i64 = 2_000;

/// Tickets with what belongs to them.
pub(crate) fn tickets(db: &mut Db, app: &AppId) -> Result<usize, DbError> {
    tickets::remove_some(db, app, MOST)
}

/// Answers with what they were drawn from.
pub(crate) fn answers(db: &mut Db, app: &AppId) -> Result<usize, DbError> {
    let own = answers::table.filter(answers::app_id.eq(app.as_str()));
    let ids: Vec<Id> = own.limit(MOST).select(answers::id).load(db)?;
    let drawn = answer_passages::table.filter(answer_passages::app_id.eq(app.as_str()));
    diesel::delete(drawn.filter(answer_passages::answer_id.eq_any(&ids))).execute(db)?;
    Ok(diesel::delete(own.filter(answers::id.eq_any(&ids))).execute(db)?)
}

/// Conversations.
pub(crate) fn conversations(db: &mut Db, app: &AppId) -> Result<usize, DbError> {
    let own = conversations::table.filter(conversations::app_id.eq(app.as_str()));
    let ids: Vec<Id> = own.limit(MOST).select(conversations::id).load(db)?;
    Ok(diesel::delete(own.filter(conversations::id.eq_any(&ids))).execute(db)?)
}

/// Documents: what they mean, what they say, and then they themselves.
pub(crate) fn documents(db: &mut Db, app: &AppId) -> Result<usize, DbError> {
    let own = sources::table.filter(sources::app_id.eq(app.as_str()));
    let next: Vec<(Id, i32)> =
        own.order(sources::id).limit(SOURCES).select((sources::id, sources::chunk_count)).load(db)?;
    let mut room = CHUNKS;
    let fitting = next.into_iter().take_while(|(_, chunks)| {
        let fits = room > 0;
        room -= i64::from(*chunks);
        fits
    });
    let ids: Vec<Id> = fitting.map(|(id, _)| id).collect();
    if ids.is_empty() {
        return Ok(0);
    }
    apps::rise(db, app)?;
    let meanings = embeddings::table.filter(embeddings::app_id.eq(app.as_str()));
    diesel::delete(meanings.filter(embeddings::source_id.eq_any(&ids))).execute(db)?;
    let texts = chunks::table.filter(chunks::app_id.eq(app.as_str()));
    diesel::delete(texts.filter(chunks::source_id.eq_any(&ids))).execute(db)?;
    Ok(diesel::delete(own.filter(sources::id.eq_any(&ids))).execute(db)?)
}
