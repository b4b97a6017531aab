//! `app_keys`: the keys of apps, by their hash. Whoever names an app has shown that it is theirs.

use common::db::{Db, DbError, Id, Time};
use contracts::ids::{AppId, AppKeyId};
use diesel::prelude::*;

use super::Page;
use super::schema::app_keys;
use crate::domain::app_key::AppKey;

/// A key as its app's people see it.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct AppKeyRow {
    /// Which.
    pub(crate) id: Id,
    /// What they call it.
    pub(crate) name: String,
    /// The first 16 characters.
    pub(crate) key_prefix: String,
    /// When it was made.
    pub(crate) created_at: Time,
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (app_keys::id, app_keys::name, app_keys::key_prefix, app_keys::created_at)
}

/// Stores a new key of an app.
pub(crate) fn insert(
    conn: &mut Db,
    app: AppId,
    name: &str,
    key: &AppKey,
    now: Time,
) -> Result<AppKeyRow, DbError> {
    let row = AppKeyRow {
        id: Id::of(AppKeyId::new()),
        name: name.to_owned(),
        key_prefix: key.prefix(),
        created_at: now,
    };
    diesel::insert_into(app_keys::table)
        .values((
            app_keys::id.eq(row.id),
            app_keys::app_id.eq(Id::of(app)),
            app_keys::name.eq(&row.name),
            app_keys::key_hash.eq(key.hash()),
            app_keys::key_prefix.eq(&row.key_prefix),
            app_keys::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(row)
}

/// Which app a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AppKeyOwner {
    /// The key.
    pub(crate) key_id: AppKeyId,
    /// Its app.
    pub(crate) app_id: AppId,
}

/// Which app has a key with this hash.
pub(crate) fn owner(conn: &mut Db, hash: &str) -> Result<Option<AppKeyOwner>, DbError> {
    let found: Option<(Id, Id)> = app_keys::table
        .filter(app_keys::key_hash.eq(hash))
        .select((app_keys::id, app_keys::app_id))
        .first(conn)
        .optional()?;
    Ok(found.map(|(key, app)| AppKeyOwner { key_id: AppKeyId(key.0), app_id: AppId::of(app.0) }))
}

/// A page of an app's keys, newest first.
pub(crate) fn list(conn: &mut Db, app: AppId, page: Page) -> Result<Vec<AppKeyRow>, DbError> {
    let mut query = app_keys::table.filter(app_keys::app_id.eq(Id::of(app))).into_boxed();
    if let Some(after) = page.after {
        query = query.filter(app_keys::id.lt(Id(after)));
    }
    Ok(query.order(app_keys::id.desc()).limit(page.limit).select(columns()).load(conn)?)
}

/// How many keys an app has.
pub(crate) fn count(conn: &mut Db, app: AppId) -> Result<i64, DbError> {
    Ok(app_keys::table.filter(app_keys::app_id.eq(Id::of(app))).count().get_result(conn)?)
}

/// Removes a key of an app. False: it is not there.
pub(crate) fn delete(conn: &mut Db, app: AppId, id: AppKeyId) -> Result<bool, DbError> {
    let own = app_keys::app_id.eq(Id::of(app)).and(app_keys::id.eq(Id::of(id)));
    Ok(diesel::delete(app_keys::table.filter(own)).execute(conn)? == 1)
}
