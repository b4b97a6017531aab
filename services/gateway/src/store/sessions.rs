//! `sessions`: one for every login. Whether its tokens still count is decided here.

use common::db::{Db, DbError, Id, Time};
use contracts::ids::{BusinessId, ProjectId, UserId};
use diesel::prelude::*;

use super::schema::{memberships, sessions, users};
use crate::domain::role::Role;
use crate::identity::tokens::SessionId;

/// For whom an access token speaks, and what they may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The user.
    pub(crate) user: UserId,
    /// In which business.
    pub(crate) business: BusinessId,
    /// What they may do there.
    pub(crate) role: Role,
    /// The project that they work in.
    pub(crate) project: ProjectId,
}

/// A session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Session {
    /// Which.
    pub(crate) id: SessionId,
    /// Whose.
    pub(crate) user: UserId,
    /// On behalf of which business.
    pub(crate) business: BusinessId,
    /// The generation of the user's tokens when they proved who they are.
    pub(crate) generation: i32,
    /// Until when its newest refresh token is good.
    pub(crate) expires_at: Time,
}

/// Begins a session.
pub(crate) fn insert(conn: &mut Db, session: Session, now: Time) -> Result<(), DbError> {
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(Id::of(session.id)),
            sessions::user_id.eq(Id::of(session.user)),
            sessions::business_id.eq(Id::of(session.business)),
            sessions::generation.eq(session.generation),
            sessions::created_at.eq(now),
            sessions::expires_at.eq(session.expires_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Whose session it is and what they may do; `None` when it counts no longer: it was ended, the password was changed, or the
/// user is no member any more.
pub(crate) fn standing(
    conn: &mut Db,
    session: SessionId,
) -> Result<Option<(UserId, BusinessId, Role)>, DbError> {
    let of_user = memberships::user_id.eq(sessions::user_id);
    let found: Option<(Id, Id, String)> = sessions::table
        .inner_join(users::table.on(users::id.eq(sessions::user_id)))
        .inner_join(memberships::table.on(of_user.and(memberships::business_id.eq(sessions::business_id))))
        .filter(sessions::id.eq(Id::of(session)).and(sessions::revoked_at.is_null()))
        .filter(sessions::generation.eq(users::token_generation))
        .select((sessions::user_id, sessions::business_id, memberships::role))
        .first(conn)
        .optional()?;
    Ok(found.map(|(user, business, role)| (UserId(user.0), BusinessId(business.0), Role::from_stored(&role))))
}

/// Lets a session that was not ended go on until `expires_at`. False: it was ended. Whoever wants to end it waits until this
/// transaction has.
pub(crate) fn prolong(conn: &mut Db, session: SessionId, expires_at: Time) -> Result<bool, DbError> {
    let alive = sessions::table.filter(sessions::id.eq(Id::of(session)).and(sessions::revoked_at.is_null()));
    Ok(diesel::update(alive).set(sessions::expires_at.eq(expires_at)).execute(conn)? == 1)
}

/// Ends a session. False: it has ended before.
pub(crate) fn revoke(conn: &mut Db, session: SessionId, now: Time) -> Result<bool, DbError> {
    let alive = sessions::table.filter(sessions::id.eq(Id::of(session)).and(sessions::revoked_at.is_null()));
    Ok(diesel::update(alive).set(sessions::revoked_at.eq(now)).execute(conn)? == 1)
}

/// Ends all sessions of a user on behalf of a business.
pub(crate) fn revoke_all(
    conn: &mut Db,
    user: UserId,
    business: BusinessId,
    now: Time,
) -> Result<(), DbError> {
    let theirs = sessions::user_id.eq(Id::of(user)).and(sessions::business_id.eq(Id::of(business)));
    diesel::update(sessions::table.filter(theirs).filter(sessions::revoked_at.is_null()))
        .set(sessions::revoked_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// Takes a user's session along into a new generation, in which all others count no longer.
pub(crate) fn take_along(
    conn: &mut Db,
    user: UserId,
    session: SessionId,
    generation: i32,
) -> Result<(), DbError> {
    let own =
        sessions::table.filter(sessions::user_id.eq(Id::of(user)).and(sessions::id.eq(Id::of(session))));
    diesel::update(own).set(sessions::generation.eq(generation)).execute(conn)?;
    Ok(())
}

/// Forgets sessions whose last token has run out. Their tokens go first.
pub(crate) fn forget_expired(conn: &mut Db, now: Time) -> Result<usize, DbError> {
    Ok(diesel::delete(sessions::table.filter(sessions::expires_at.lt(now))).execute(conn)?)
}
