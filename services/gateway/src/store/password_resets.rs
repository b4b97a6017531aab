//! `password_resets`: who asked for a new password, and what proves that the mail arrived.

use chrono::{DateTime, TimeDelta, Utc};
use common::db::{Db, DbError, Id, Time};
use contracts::ids::UserId;
use diesel::prelude::*;
use uuid::Uuid;

use super::schema::password_resets as resets;

/// How long the mailed link is good.
pub(crate) const LIFE: TimeDelta = TimeDelta::hours(1);

/// A request for a new password.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reset {
    /// Which.
    pub(crate) id: Uuid,
    /// Whose.
    pub(crate) user: UserId,
    /// True once it has given a password.
    pub(crate) used: bool,
    /// Until when it can be used.
    pub(crate) expires_at: DateTime<Utc>,
}

/// Notes a request; `None` for an address that nobody has.
pub(crate) fn insert(
    conn: &mut Db,
    user: Option<UserId>,
    id: Uuid,
    token_hash: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::insert_into(resets::table)
        .values((
            resets::id.eq(Id(id)),
            resets::user_id.eq(user.map(Id::of)),
            resets::token_hash.eq(token_hash),
            resets::created_at.eq(Time::from(now)),
            resets::expires_at.eq(Time::from(now + LIFE)),
        ))
        .execute(conn)?;
    Ok(())
}

/// How many a user has asked for since `from`.
pub(crate) fn count_since(conn: &mut Db, user: UserId, from: DateTime<Utc>) -> Result<i64, DbError> {
    let recent = resets::user_id.eq(Id::of(user)).and(resets::created_at.gt(Time::from(from)));
    Ok(resets::table.filter(recent).count().get_result(conn)?)
}

/// The request behind a token.
pub(crate) fn find(conn: &mut Db, token_hash: &str) -> Result<Option<Reset>, DbError> {
    let row: Option<(Id, Option<Id>, Option<Time>, Time)> = resets::table
        .filter(resets::token_hash.eq(token_hash))
        .select((resets::id, resets::user_id, resets::used_at, resets::expires_at))
        .first(conn)
        .optional()?;
    Ok(row.and_then(|(id, user, used_at, expires_at)| {
        let user = UserId(user?.0);
        Some(Reset { id: id.0, user, used: used_at.is_some(), expires_at: expires_at.0 })
    }))
}

/// Uses a user's request. False: somebody else has.
pub(crate) fn mark_used(conn: &mut Db, user: UserId, id: Uuid, now: Time) -> Result<bool, DbError> {
    let unused = resets::table
        .filter(resets::user_id.eq(Id::of(user)).and(resets::id.eq(Id(id))))
        .filter(resets::used_at.is_null());
    Ok(diesel::update(unused).set(resets::used_at.eq(now)).execute(conn)? == 1)
}

/// Makes what a user has asked for and not used good for nothing: the password is another one now.
pub(crate) fn spend_all(conn: &mut Db, user: UserId, now: Time) -> Result<(), DbError> {
    let unused = resets::table.filter(resets::user_id.eq(Id::of(user)).and(resets::used_at.is_null()));
    diesel::update(unused).set(resets::used_at.eq(now)).execute(conn)?;
    Ok(())
}

/// Forgets requests that ran out before `then`.
pub(crate) fn forget_expired(conn: &mut Db, then: Time) -> Result<usize, DbError> {
    Ok(diesel::delete(resets::table.filter(resets::expires_at.lt(then))).execute(conn)?)
}
