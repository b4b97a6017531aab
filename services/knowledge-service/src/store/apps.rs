//! `apps`: in which generation the knowledge of an app is, how much meaning counts in it against words, and whether it is deleted. The
//! generation rises in the same transaction as what it stands for, so that whoever has an index of an older one knows it, in any
//! replica. The row of a deleted app stays: nothing that comes late for it is kept.

use common::db::{Db, DbError, Time, lease};
use diesel::prelude::*;

use super::schema::apps;
use crate::domain::query::AppId;

/// How an app's knowledge stands.
#[derive(Clone, Debug, Default, Queryable)]
pub(crate) struct Standing {
    pub(crate) generation: i64,
    /// How much meaning counts against words (0–1), found out with the model `weighed_with` when there were `weighed_chunks`.
    pub(crate) weight: Option<f64>,
    pub(crate) weighed_with: Option<String>,
    pub(crate) weighed_chunks: i64,
    /// Since when it is deleted.
    pub(crate) deleted_at: Option<Time>,
}

/// How it stands; like nothing at all for an app that has never known anything.
pub(crate) fn standing(db: &mut Db, app: &AppId) -> Result<Standing, DbError> {
    let columns =
        (apps::generation, apps::weight, apps::weighed_with, apps::weighed_chunks, apps::deleted_at);
    Ok(apps::table.find(app.as_str()).select(columns).first(db).optional()?.unwrap_or_default())
}

/// Keeps how much meaning counts.
pub(crate) fn weigh(
    db: &mut Db,
    app: &AppId,
    (weight, model, chunks): (f64, &str, i64),
) -> Result<(), DbError> {
    diesel::update(apps::table.find(app.as_str()))
        .set((apps::weight.eq(weight), apps::weighed_with.eq(model), apps::weighed_chunks.eq(chunks)))
        .execute(db)?;
    Ok(())
}

/// Whether an app is deleted.
pub(crate) fn is_deleted(db: &mut Db, app: &AppId) -> Result<bool, DbError> {
    Ok(standing(db, app)?.deleted_at.is_some())
}

/// Until the transaction ends, nobody else changes what the app knows. False: it is deleted, and nothing may come to it.
pub(crate) fn hold(db: &mut Db, app: &AppId) -> Result<bool, DbError> {
    lease::exclusive(db, &format!("knowledge of {}", app.as_str()))?;
    Ok(!is_deleted(db, app)?)
}

/// Begins the next generation. Until the transaction ends, nobody else changes what the app knows. None: it is deleted.
pub(crate) fn next_generation(db: &mut Db, app: &AppId) -> Result<Option<i64>, DbError> {
    if !hold(db, app)? {
        return Ok(None);
    }
    rise(db, app).map(Some)
}

/// Marks an app as deleted, also one that has never known anything: from here on nothing comes to it, and nothing of it is found.
pub(crate) fn delete(db: &mut Db, app: &AppId, now: Time) -> Result<(), DbError> {
    if !hold(db, app)? {
        return Ok(());
    }
    rise(db, app)?;
    diesel::update(apps::table.find(app.as_str())).set(apps::deleted_at.eq(now)).execute(db)?;
    Ok(())
}

/// By it every replica sees that something has changed, also one of a version that knows no deleted apps.
pub(super) fn rise(db: &mut Db, app: &AppId) -> Result<i64, DbError> {
    let next = standing(db, app)?.generation + 1;
    if next == 1 {
        diesel::insert_into(apps::table)
            .values((apps::id.eq(app.as_str()), apps::generation.eq(next)))
            .execute(db)?;
    } else {
        diesel::update(apps::table.find(app.as_str())).set(apps::generation.eq(next)).execute(db)?;
    }
    Ok(next)
}
