//! `answer_passages`: what answers were drawn from.

use common::db::{Db, DbError, Id, insert_many};
use contracts::ids::SourceId;
use diesel::prelude::*;
use serde_json::json;

use super::schema::{answer_passages, sources};
use crate::domain::passages::Passage;
use crate::domain::query::AppId;
use crate::domain::ticket::Trace;

/// Writes those of an answer.
pub(crate) fn insert(db: &mut Db, app: &AppId, answer: Id, passages: &[Passage]) -> Result<(), DbError> {
    const COLUMNS: [&str; 6] = ["answer_id", "number", "app_id", "source_id", "score", "text"];
    let row = |(number, passage): (i32, &Passage)| json!({"answer_id": answer.0, "number": number, "app_id": app.as_str(), "source_id": passage.source, "score": passage.score, "text": passage.text});
    insert_many(db, "answer_passages", &COLUMNS, (1..).zip(passages).map(row).collect()).map(drop)
}

/// What an answer was drawn from, as far as it is still known: best first.
pub(crate) fn of(db: &mut Db, app: &AppId, (answer, limit): (Id, i64)) -> Result<Vec<Trace>, DbError> {
    let rows: Vec<(Id, f64, String, String, Option<String>)> = answer_passages::table
        .inner_join(sources::table.on(sources::id.eq(answer_passages::source_id)))
        .filter(answer_passages::app_id.eq(app.as_str()))
        .filter(answer_passages::answer_id.eq(answer))
        .filter(answer_passages::text.ne(""))
        .order(answer_passages::number)
        .limit(limit)
        .select((
            answer_passages::source_id,
            answer_passages::score,
            answer_passages::text,
            sources::title,
            sources::url,
        ))
        .load(db)?;
    let trace = |(source, score, text, title, url): (Id, f64, String, String, Option<String>)| Trace {
        source: SourceId(source.0),
        title,
        url: url.unwrap_or_default(),
        score,
        text,
    };
    Ok(rows.into_iter().map(trace).collect())
}

/// Forgets what a source said: it is deleted, or says something else now.
pub(crate) fn blank(db: &mut Db, app: &AppId, source: SourceId) -> Result<(), DbError> {
    let own = answer_passages::app_id.eq(app.as_str()).and(answer_passages::source_id.eq(Id::of(source)));
    diesel::update(answer_passages::table.filter(own)).set(answer_passages::text.eq("")).execute(db)?;
    Ok(())
}
