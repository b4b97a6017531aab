//! `api_keys`: who a key belongs to, by its hash.

use common::db::{Db, DbError, Id, Time};
use contracts::ids::{ApiKeyId, BusinessId, ProjectId};
use diesel::prelude::*;

use super::Page;
use super::schema::{api_keys, projects};
use crate::domain::api_key::ApiKey;

/// In use.
pub(crate) const ACTIVE: &str = "active";
/// Refused from now on.
pub(crate) const REVOKED: &str = "revoked";

/// A key as its project sees it.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct KeyRow {
    /// Which.
    pub(crate) id: Id,
    /// What its project calls it.
    pub(crate) name: String,
    /// The first 16 characters.
    pub(crate) key_prefix: String,
    /// `active` or `revoked`.
    pub(crate) status: String,
    /// When it was made.
    pub(crate) created_at: Time,
    /// When it last changed.
    pub(crate) updated_at: Time,
}

/// Whose key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyOwner {
    /// The key.
    pub(crate) key_id: ApiKeyId,
    /// Its project.
    pub(crate) project_id: ProjectId,
    /// The project's business.
    pub(crate) business_id: BusinessId,
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        api_keys::id,
        api_keys::name,
        api_keys::key_prefix,
        api_keys::status,
        api_keys::created_at,
        api_keys::updated_at,
    )
}

/// Stores a new key of a project.
pub(crate) fn insert(
    conn: &mut Db,
    project: ProjectId,
    name: &str,
    key: &ApiKey,
    now: Time,
) -> Result<KeyRow, DbError> {
    let row = KeyRow {
        id: Id::of(ApiKeyId::new()),
        name: name.to_owned(),
        key_prefix: key.prefix(),
        status: ACTIVE.to_owned(),
        created_at: now,
        updated_at: now,
    };
    diesel::insert_into(api_keys::table)
        .values((
            api_keys::id.eq(row.id),
            api_keys::project_id.eq(Id::of(project)),
            api_keys::name.eq(&row.name),
            api_keys::key_hash.eq(key.hash()),
            api_keys::key_prefix.eq(&row.key_prefix),
            api_keys::status.eq(&row.status),
            api_keys::created_at.eq(now),
            api_keys::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(row)
}

/// Whose active key has this hash.
pub(crate) fn owner(conn: &mut Db, hash: &str) -> Result<Option<KeyOwner>, DbError> {
    let found: Option<(Id, Id, Id)> = api_keys::table
        .inner_join(projects::table.on(projects::id.eq(api_keys::project_id)))
        .filter(api_keys::key_hash.eq(hash).and(api_keys::status.eq(ACTIVE)))
        .filter(projects::deleted_at.is_null())
        .select((api_keys::id, projects::id, projects::business_id))
        .first(conn)
        .optional()?;
    Ok(found.map(|(key, project, business)| KeyOwner {
        key_id: ApiKeyId(key.0),
        project_id: ProjectId(project.0),
        business_id: BusinessId(business.0),
    }))
}

/// A page of a project's keys, newest first.
pub(crate) fn list(conn: &mut Db, project: ProjectId, page: Page) -> Result<Vec<KeyRow>, DbError> {
    let mut query = api_keys::table.filter(api_keys::project_id.eq(Id::of(project))).into_boxed();
    if let Some(after) = page.after {
        query = query.filter(api_keys::id.lt(Id(after)));
    }
    Ok(query.order(api_keys::id.desc()).limit(page.limit).select(columns()).load(conn)?)
}

/// How many keys of a project are in use.
pub(crate) fn count_active(conn: &mut Db, project: ProjectId) -> Result<i64, DbError> {
    let active = api_keys::project_id.eq(Id::of(project)).and(api_keys::status.eq(ACTIVE));
    Ok(api_keys::table.filter(active).count().get_result(conn)?)
}

/// A project's key.
pub(crate) fn get(conn: &mut Db, project: ProjectId, id: ApiKeyId) -> Result<KeyRow, DbError> {
    let own = api_keys::id.eq(Id::of(id)).and(api_keys::project_id.eq(Id::of(project)));
    Ok(api_keys::table.filter(own).select(columns()).first(conn)?)
}

/// Revokes a project's key. False: it was revoked before, or is not there.
pub(crate) fn revoke(conn: &mut Db, project: ProjectId, id: ApiKeyId, now: Time) -> Result<bool, DbError> {
    let active = api_keys::id.eq(Id::of(id)).and(api_keys::project_id.eq(Id::of(project)));
    let revoked = diesel::update(api_keys::table.filter(active).filter(api_keys::status.eq(ACTIVE)))
        .set((api_keys::status.eq(REVOKED), api_keys::updated_at.eq(now)))
        .execute(conn)?;
    Ok(revoked == 1)
}
