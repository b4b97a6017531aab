//! `embeddings`: what the chunks of each source mean, and which sources wait for that to be said.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time, lease};
use contracts::ids::SourceId;
use diesel::prelude::*;

use super::schema::{embeddings, sources};
use crate::domain::query::AppId;

/// Sources that no model has read yet, the oldest first: of all apps, since whoever embeds does so for all.
const TO_EMBED: lease::LeaseQuery =
    lease::LeaseQuery { table: "sources", due: "embedded_with IS NULL", order: "id" };

/// Takes some sources to embed, for `hold`.
pub(crate) fn claim(
    db: &mut Db,
    now: DateTime<Utc>,
    hold: Duration,
    limit: u32,
) -> Result<Vec<SourceId>, DbError> {
    let ids = lease::claim(db, &TO_EMBED, now, hold, limit)?;
    Ok(ids.into_iter().map(|id| SourceId(id.0)).collect())
}

/// Gives claimed sources back, which nobody has begun to read.
pub(crate) fn release(db: &mut Db, ids: Vec<SourceId>) -> Result<(), DbError> {
    let ids: Vec<Id> = ids.into_iter().map(Id::of).collect();
    let waiting = sources::table.filter(sources::id.eq_any(ids)).filter(sources::embedded_with.is_null());
    diesel::update(waiting).set(sources::lease_until.eq(None::<Time>)).execute(db)?;
    Ok(())
}

/// What another model than this one has read is to be read again.
pub(crate) fn outdate(db: &mut Db, model: &str) -> Result<usize, DbError> {
    let others = sources::table.filter(sources::embedded_with.ne(model));
    Ok(diesel::update(others)
        .set((sources::embedded_with.eq(None::<String>), sources::lease_until.eq(None::<Time>)))
        .execute(db)?)
}

/// Whose a claimed source is, and the generation in which it last changed. None: it is gone.
pub(crate) fn owner(db: &mut Db, source: SourceId) -> Result<Option<(String, i64)>, DbError> {
    let found = sources::table.find(Id::of(source)).select((sources::app_id, sources::generation));
    Ok(found.first(db).optional()?)
}

/// Keeps what the chunks of a source mean.
pub(crate) fn put(
    db: &mut Db,
    app: &AppId,
    source: SourceId,
    (model, vectors, generation): (&str, Vec<u8>, i64),
) -> Result<(), DbError> {
    remove(db, app, source)?;
    diesel::insert_into(embeddings::table)
        .values((
            embeddings::source_id.eq(Id::of(source)),
            embeddings::app_id.eq(app.as_str()),
            embeddings::model.eq(model),
            embeddings::vectors.eq(vectors),
        ))
        .execute(db)?;
    let own = sources::table.filter(sources::app_id.eq(app.as_str())).filter(sources::id.eq(Id::of(source)));
    diesel::update(own)
        .set((
            sources::embedded_with.eq(model),
            sources::lease_until.eq(None::<Time>),
            sources::generation.eq(generation),
        ))
        .execute(db)?;
    Ok(())
}

/// Forgets what the chunks of a source meant: it says something else now, or nothing.
pub(crate) fn remove(db: &mut Db, app: &AppId, source: SourceId) -> Result<(), DbError> {
    let own = embeddings::app_id.eq(app.as_str()).and(embeddings::source_id.eq(Id::of(source)));
    diesel::delete(embeddings::table.filter(own)).execute(db)?;
    Ok(())
}

/// What the chunks of some sources mean to a model, as the table keeps it.
pub(crate) fn of(
    db: &mut Db,
    app: &AppId,
    (model, ids): (&str, &[Id]),
) -> Result<HashMap<Id, Vec<u8>>, DbError> {
    let rows: Vec<(Id, Vec<u8>)> = embeddings::table
        .filter(embeddings::app_id.eq(app.as_str()))
        .filter(embeddings::source_id.eq_any(ids))
        .filter(embeddings::model.eq(model))
        .select((embeddings::source_id, embeddings::vectors))
        .load(db)?;
    Ok(rows.into_iter().collect())
}

/// How many sources of an app wait.
pub(crate) fn waiting(db: &mut Db, app: &AppId) -> Result<i64, DbError> {
    let own =
        sources::table.filter(sources::app_id.eq(app.as_str())).filter(sources::embedded_with.is_null());
    Ok(own.count().get_result(db)?)
}
