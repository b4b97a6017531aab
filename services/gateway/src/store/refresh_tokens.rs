//! `refresh_tokens`: every refresh token that was given out, so that a used one can be told from a fresh one.

use common::db::{Db, DbError, Id, Time};
use contracts::ids::{BusinessId, UserId};
use diesel::prelude::*;
use uuid::Uuid;

use super::schema::refresh_tokens;

/// A refresh token that is about to be given out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Issued {
    /// The token's `jti`.
    pub(crate) id: Uuid,
    /// The login it descends from.
    pub(crate) family_id: Uuid,
    /// Until when it is good.
    pub(crate) expires_at: Time,
}

/// Notes a token of a user.
pub(crate) fn insert(
    conn: &mut Db,
    user: UserId,
    business: BusinessId,
    token: Issued,
    now: Time,
) -> Result<(), DbError> {
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::id.eq(Id(token.id)),
            refresh_tokens::family_id.eq(Id(token.family_id)),
            refresh_tokens::user_id.eq(Id::of(user)),
            refresh_tokens::business_id.eq(Id::of(business)),
            refresh_tokens::created_at.eq(now),
            refresh_tokens::expires_at.eq(token.expires_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Forgets tokens that have run out. Answers how many.
pub(crate) fn forget_expired(conn: &mut Db, now: Time) -> Result<usize, DbError> {
    Ok(diesel::delete(refresh_tokens::table.filter(refresh_tokens::expires_at.lt(now))).execute(conn)?)
}
