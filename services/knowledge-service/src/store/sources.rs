//! `sources`: the documents of an app.

use common::db::{Db, DbError, Id, Time};
use contracts::ids::SourceId;
use diesel::prelude::*;

use super::schema::sources;
use crate::domain::query::AppId;

/// A row of `sources`.
#[derive(Clone, Debug, Queryable, Insertable, Selectable)]
#[diesel(table_name = sources)]
pub(crate) struct Source {
    pub(crate) id: Id,
    pub(crate) app_id: String,
    pub(crate) title: String,
    pub(crate) url: Option<String>,
    /// The app's generation in which it last changed.
    pub(crate) generation: i64,
    pub(crate) created_at: Time,
    /// Absent: it has come once.
    pub(crate) updated_at: Option<Time>,
    pub(crate) chunk_count: i32,
}

/// A source that is there already: by its id, or because it comes from the same address.
pub(crate) fn known(
    db: &mut Db,
    app: &AppId,
    (id, url): (SourceId, Option<&str>),
) -> Result<Option<Source>, DbError> {
    let own = sources::table.filter(sources::app_id.eq(app.as_str())).select(Source::as_select());
    let same_id = own.filter(sources::id.eq(Id::of(id))).first(db).optional()?;
    match (same_id, url) {
        (Some(found), _) => Ok(Some(found)),
        (None, Some(url)) => Ok(own.filter(sources::url.eq(url)).first(db).optional()?),
        (None, None) => Ok(None),
    }
}

/// Writes a new one.
pub(crate) fn insert(db: &mut Db, source: &Source) -> Result<(), DbError> {
    diesel::insert_into(sources::table).values(source.clone()).execute(db)?;
    Ok(())
}

/// Writes what is new about one.
pub(crate) fn replace(db: &mut Db, app: &AppId, source: &Source) -> Result<(), DbError> {
    let own = sources::table.filter(sources::app_id.eq(app.as_str())).filter(sources::id.eq(source.id));
    diesel::update(own)
        .set((
            sources::title.eq(&source.title),
            sources::url.eq(&source.url),
            sources::generation.eq(source.generation),
            sources::updated_at.eq(source.updated_at),
            sources::chunk_count.eq(source.chunk_count),
            sources::embedded_with.eq(None::<String>),
            sources::lease_until.eq(None::<Time>),
        ))
        .execute(db)?;
    Ok(())
}

/// Removes one. False: it was not there.
pub(crate) fn remove(db: &mut Db, app: &AppId, id: SourceId) -> Result<bool, DbError> {
    let own = sources::table.filter(sources::app_id.eq(app.as_str())).filter(sources::id.eq(Id::of(id)));
    Ok(diesel::delete(own).execute(db)? > 0)
}

/// A page of the app's sources, newest first.
pub(crate) fn list(
    db: &mut Db,
    app: &AppId,
    (after, limit): (Option<SourceId>, u32),
) -> Result<Vec<Source>, DbError> {
    let mut query = sources::table
        .filter(sources::app_id.eq(app.as_str()))
        .order(sources::id.desc())
        .limit(i64::from(limit))
        .select(Source::as_select())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(sources::id.lt(Id::of(after)));
    }
    Ok(query.load(db)?)
}

/// How many chunks the app has.
pub(crate) fn chunk_count(db: &mut Db, app: &AppId) -> Result<i64, DbError> {
    let sum: Option<i64> = sources::table
        .filter(sources::app_id.eq(app.as_str()))
        .select(diesel::dsl::sum(sources::chunk_count))
        .first(db)?;
    Ok(sum.unwrap_or(0))
}

/// The sources that have changed since a generation.
pub(crate) fn changed(db: &mut Db, app: &AppId, since: i64) -> Result<Vec<SourceId>, DbError> {
    let own = sources::table.filter(sources::app_id.eq(app.as_str()));
    let ids: Vec<Id> =
        own.filter(sources::generation.gt(since)).order(sources::id).select(sources::id).load(db)?;
    Ok(ids.into_iter().map(|id| SourceId(id.0)).collect())
}

/// Which of some sources are there and have said the same since.
pub(crate) fn unchanged(
    db: &mut Db,
    app: &AppId,
    (ids, since): (Vec<SourceId>, Time),
) -> Result<Vec<SourceId>, DbError> {
    let ids: Vec<Id> = ids.into_iter().map(Id::of).collect();
    let found: Vec<Id> = sources::table
        .filter(sources::app_id.eq(app.as_str()))
        .filter(sources::id.eq_any(ids))
        .filter(sources::created_at.le(since))
        .filter(sources::updated_at.is_null().or(sources::updated_at.le(since)))
        .select(sources::id)
        .load(db)?;
    Ok(found.into_iter().map(|id| SourceId(id.0)).collect())
}

/// How many sources the app has.
pub(crate) fn count(db: &mut Db, app: &AppId) -> Result<usize, DbError> {
    let count: i64 = sources::table.filter(sources::app_id.eq(app.as_str())).count().get_result(db)?;
    Ok(usize::try_from(count).unwrap_or(0))
}
