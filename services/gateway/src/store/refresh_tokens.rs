//! `refresh_tokens`: every refresh token that was given out, so that a used one can be told from a fresh one.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time};
use diesel::prelude::*;
use uuid::Uuid;

use super::schema::refresh_tokens;
use crate::identity::tokens::SessionId;

/// Notes a token of a session.
pub(crate) fn insert(
    conn: &mut Db,
    session: SessionId,
    id: Uuid,
    expires_at: Time,
    now: Time,
) -> Result<(), DbError> {
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::id.eq(Id(id)),
            refresh_tokens::session_id.eq(Id::of(session)),
            refresh_tokens::created_at.eq(now),
            refresh_tokens::expires_at.eq(expires_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// When a session's token was first used: the inner `None` if it never was, the outer one if there is no such token.
pub(crate) fn used_at(
    conn: &mut Db,
    session: SessionId,
    id: Uuid,
) -> Result<Option<Option<DateTime<Utc>>>, DbError> {
    let found: Option<Option<Time>> = refresh_tokens::table
        .filter(refresh_tokens::session_id.eq(Id::of(session)).and(refresh_tokens::id.eq(Id(id))))
        .select(refresh_tokens::used_at)
        .first(conn)
        .optional()?;
    Ok(found.map(|used| used.map(|at| at.0)))
}

/// Notes the first use of a session's token.
pub(crate) fn mark_used(conn: &mut Db, session: SessionId, id: Uuid, now: Time) -> Result<(), DbError> {
    let unused = refresh_tokens::table
        .filter(refresh_tokens::session_id.eq(Id::of(session)).and(refresh_tokens::id.eq(Id(id))))
        .filter(refresh_tokens::used_at.is_null());
    diesel::update(unused).set(refresh_tokens::used_at.eq(now)).execute(conn)?;
    Ok(())
}

/// Forgets tokens that have run out. Answers how many.
pub(crate) fn forget_expired(conn: &mut Db, now: Time) -> Result<usize, DbError> {
    Ok(diesel::delete(refresh_tokens::table.filter(refresh_tokens::expires_at.lt(now))).execute(conn)?)
}
