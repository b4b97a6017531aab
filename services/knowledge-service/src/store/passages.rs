//! `answer_passages`: what answers were drawn from.

use common::db::{Db, DbError, Id, insert_many};
use contracts::ids::SourceId;
use diesel::prelude::*;
use serde_json::json;

use super::schema::answer_passages;
use crate::domain::passages::Passage;
use crate::domain::query::AppId;

/// Writes those of an answer.
pub(crate) fn insert(db: &mut Db, app: &AppId, answer: Id, passages: &[Passage]) -> Result<(), DbError> {
    const COLUMNS: [&str; 6] = ["answer_id", "number", "app_id", "source_id", "score", "text"];
    let row = |(number, passage): (i32, &Passage)| json!({"answer_id": answer.0, "number": number, "app_id": app.as_str(), "source_id": passage.source, "score": passage.score, "text": passage.text});
    insert_many(db, "answer_passages", &COLUMNS, (1..).zip(passages).map(row).collect()).map(drop)
}

/// Forgets what a source said: it is deleted.
pub(crate) fn blank(db: &mut Db, app: &AppId, source: SourceId) -> Result<(), DbError> {
    let own = answer_passages::app_id.eq(app.as_str()).and(answer_passages::source_id.eq(Id::of(source)));
    diesel::update(answer_passages::table.filter(own)).set(answer_passages::text.eq("")).execute(db)?;
    Ok(())
}
