//! `chunks`: what can be found.

use std::collections::HashMap;

use common::db::{Db, DbError, Id, insert_many};
use contracts::ids::SourceId;
use diesel::prelude::*;
use serde_json::json;

use super::embeddings;
use super::schema::{chunks, sources};
use crate::domain::contents::{Chunk, Key};
use crate::domain::query::AppId;
use crate::domain::vectors::unpacked;

/// Source, number, heading, text.
type Row = (Id, i32, String, String);

/// What is shown of a chunk that was found.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct Shown {
    source: Id,
    number: i32,
    pub(crate) text: String,
    pub(crate) title: String,
    pub(crate) url: Option<String>,
}

impl Shown {
    pub(crate) fn key(&self) -> Key {
        (SourceId(self.source.0), self.number)
    }
}

/// Writes the chunks of a source, each with its heading.
pub(crate) fn insert(
    db: &mut Db,
    app: &AppId,
    source: SourceId,
    texts: &[(String, String)],
) -> Result<(), DbError> {
    const COLUMNS: [&str; 5] = ["source_id", "number", "app_id", "heading", "text"];
    let row = |(number, (heading, text)): (i32, &(String, String))| json!({"source_id": source, "number": number, "app_id": app.as_str(), "heading": heading, "text": text});
    insert_many(db, "chunks", &COLUMNS, (0..).zip(texts).map(row).collect()).map(drop)
}

/// Removes the chunks of a source.
pub(crate) fn remove(db: &mut Db, app: &AppId, source: SourceId) -> Result<(), DbError> {
    let own = chunks::app_id.eq(app.as_str()).and(chunks::source_id.eq(Id::of(source)));
    diesel::delete(chunks::table.filter(own)).execute(db)?;
    Ok(())
}

/// The chunks of some sources with their headings, and what they mean to a model, if one is named and has read them.
pub(crate) fn of(
    db: &mut Db,
    app: &AppId,
    (from, model): (&[SourceId], Option<&str>),
) -> Result<Vec<Chunk>, DbError> {
    let ids: Vec<Id> = from.iter().copied().map(Id::of).collect();
    let rows: Vec<Row> = chunks::table
        .filter(chunks::app_id.eq(app.as_str()))
        .filter(chunks::source_id.eq_any(&ids))
        .order((chunks::source_id, chunks::number))
        .select((chunks::source_id, chunks::number, chunks::heading, chunks::text))
        .load(db)?;
    let mut meanings = match model {
        Some(model) => embeddings::of(db, app, (model, &ids))?,
        None => HashMap::new(),
    };
    let sources = rows.chunk_by(|a, b| a.0 == b.0);
    Ok(sources.flat_map(|rows| with_meanings(rows, meanings.remove(&rows[0].0))).collect())
}

/// The chunks of one source.
fn with_meanings(rows: &[Row], packed: Option<Vec<u8>>) -> Vec<Chunk> {
    let vectors = unpacked(&packed.unwrap_or_default(), rows.len());
    let chunk = |((source, number, heading, text), vector): (Row, Vec<f32>)| Chunk {
        key: (SourceId(source.0), number),
        heading,
        text,
        vector,
    };
    rows.iter().cloned().zip(vectors).map(chunk).collect()
}

/// What is shown of some chunks. One that has gone in the meantime is missing.
pub(crate) fn shown(db: &mut Db, app: &AppId, keys: &[Key]) -> Result<Vec<Shown>, DbError> {
    let ids: Vec<Id> = keys.iter().map(|(source, _)| Id::of(*source)).collect();
    let numbers: Vec<i32> = keys.iter().map(|(_, number)| *number).collect();
    Ok(chunks::table
        .inner_join(sources::table.on(sources::id.eq(chunks::source_id)))
        .filter(chunks::app_id.eq(app.as_str()))
        .filter(chunks::source_id.eq_any(ids))
        .filter(chunks::number.eq_any(numbers))
        .select((chunks::source_id, chunks::number, chunks::text, sources::title, sources::url))
        .load(db)?)
}
