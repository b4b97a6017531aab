//! `invitations`: people who were asked to become members, and what proves that it is they.

use chrono::{DateTime, TimeDelta, Utc};
use common::db::{Db, DbError, Id, Time};
use contracts::ids::{BusinessId, UserId};
use diesel::prelude::*;
use uuid::Uuid;

use super::Page;
use super::schema::invitations;
use crate::domain::role::Role;

/// How long an invitation is good.
pub(crate) const LIFE: TimeDelta = TimeDelta::days(7);
/// Waits for an answer.
pub(crate) const PENDING: &str = "pending";
/// Has made a member.
pub(crate) const ACCEPTED: &str = "accepted";
/// Was taken back.
pub(crate) const REVOKED: &str = "revoked";

/// An invitation.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct Invitation {
    /// Which.
    pub(crate) id: Id,
    /// Into which business.
    pub(crate) business_id: Id,
    /// Whom, as the address was given.
    pub(crate) email: String,
    /// The address in lower case.
    pub(crate) email_key: String,
    /// What they will be.
    pub(crate) role: String,
    /// `pending`, `accepted` or `revoked`.
    pub(crate) status: String,
    /// When it was made.
    pub(crate) created_at: Time,
    /// Until when it can be accepted.
    pub(crate) expires_at: Time,
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        invitations::id,
        invitations::business_id,
        invitations::email,
        invitations::email_key,
        invitations::role,
        invitations::status,
        invitations::created_at,
        invitations::expires_at,
    )
}

#[diesel::dsl::auto_type(no_type_alias)]
fn open(now: Time) -> _ {
    let pending: &'static str = PENDING;
    invitations::status.eq(pending).and(invitations::expires_at.gt(now))
}

/// Stores an invitation by a member.
pub(crate) fn insert(
    conn: &mut Db,
    row: &Invitation,
    token_hash: &str,
    invited_by: Option<UserId>,
) -> Result<(), DbError> {
    diesel::insert_into(invitations::table)
        .values((
            invitations::id.eq(row.id),
            invitations::business_id.eq(row.business_id),
            invitations::email.eq(&row.email),
            invitations::email_key.eq(&row.email_key),
            invitations::role.eq(&row.role),
            invitations::token_hash.eq(token_hash),
            invitations::status.eq(&row.status),
            invitations::created_at.eq(row.created_at),
            invitations::expires_at.eq(row.expires_at),
            invitations::invited_by.eq(invited_by.map(Id::of)),
        ))
        .execute(conn)?;
    Ok(())
}

/// How many invitations of a business were made since `from`, whatever became of them, and how many of them for this address.
pub(crate) fn count_since(
    conn: &mut Db,
    business: BusinessId,
    email_key: &str,
    from: Time,
) -> Result<(i64, i64), DbError> {
    let of_business = invitations::table
        .filter(invitations::business_id.eq(Id::of(business)))
        .filter(invitations::created_at.gt(from));
    let all = of_business.count().get_result(conn)?;
    let own = of_business.filter(invitations::email_key.eq(email_key)).count().get_result(conn)?;
    Ok((all, own))
}

/// Takes back what a member has asked for in a business and nobody has accepted. Answers how many.
pub(crate) fn revoke_by(
    conn: &mut Db,
    business: BusinessId,
    member: UserId,
    now: Time,
) -> Result<usize, DbError> {
    let theirs =
        invitations::business_id.eq(Id::of(business)).and(invitations::invited_by.eq(Id::of(member)));
    Ok(diesel::update(invitations::table.filter(theirs).filter(open(now)))
        .set(invitations::status.eq(REVOKED))
        .execute(conn)?)
}

/// A page of a business's invitations that can still be accepted, newest first.
pub(crate) fn list_open(
    conn: &mut Db,
    business: BusinessId,
    page: Page,
    now: Time,
) -> Result<Vec<Invitation>, DbError> {
    let mut query = invitations::table
        .filter(invitations::business_id.eq(Id::of(business)))
        .filter(open(now))
        .into_boxed();
    if let Some(after) = page.after {
        query = query.filter(invitations::id.lt(Id(after)));
    }
    Ok(query.order(invitations::id.desc()).limit(page.limit).select(columns()).load(conn)?)
}

/// How many of a business's invitations can still be accepted, and how many of them this address has.
pub(crate) fn count_open(
    conn: &mut Db,
    business: BusinessId,
    email_key: &str,
    now: Time,
) -> Result<(i64, i64), DbError> {
    let of_business =
        invitations::table.filter(invitations::business_id.eq(Id::of(business))).filter(open(now));
    let all = of_business.count().get_result(conn)?;
    let own = of_business.filter(invitations::email_key.eq(email_key)).count().get_result(conn)?;
    Ok((all, own))
}

/// A business's invitation that can still be accepted.
pub(crate) fn get_open(
    conn: &mut Db,
    business: BusinessId,
    id: Uuid,
    now: Time,
) -> Result<Option<Invitation>, DbError> {
    let own = invitations::business_id.eq(Id::of(business)).and(invitations::id.eq(Id(id)));
    Ok(invitations::table.filter(own).filter(open(now)).select(columns()).first(conn).optional()?)
}

/// The invitation behind a token, whatever became of it.
pub(crate) fn by_token_hash(conn: &mut Db, token_hash: &str) -> Result<Option<Invitation>, DbError> {
    let found = invitations::table.filter(invitations::token_hash.eq(token_hash));
    Ok(found.select(columns()).first(conn).optional()?)
}

/// Ends a business's invitation that can still be accepted. False: it has ended before.
pub(crate) fn end(
    conn: &mut Db,
    business: BusinessId,
    id: Id,
    status: &str,
    now: Time,
) -> Result<bool, DbError> {
    let own = invitations::business_id.eq(Id::of(business)).and(invitations::id.eq(id));
    let ended = diesel::update(invitations::table.filter(own).filter(open(now)))
        .set(invitations::status.eq(status))
        .execute(conn)?;
    Ok(ended == 1)
}

/// Lets a business's invitation give another role.
pub(crate) fn set_role(conn: &mut Db, business: BusinessId, id: Id, role: Role) -> Result<(), DbError> {
    let own = invitations::business_id.eq(Id::of(business)).and(invitations::id.eq(id));
    diesel::update(invitations::table.filter(own)).set(invitations::role.eq(role.as_str())).execute(conn)?;
    Ok(())
}

/// When an invitation made now runs out.
pub(crate) fn expiry(now: DateTime<Utc>) -> Time {
    Time::from(now + LIFE)
}

/// Forgets invitations that ran out before `then`.
pub(crate) fn forget_expired(conn: &mut Db, then: Time) -> Result<usize, DbError> {
    Ok(diesel::delete(invitations::table.filter(invitations::expires_at.lt(then))).execute(conn)?)
}
