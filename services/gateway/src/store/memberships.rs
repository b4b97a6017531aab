//! `memberships`: which user may do what in which business.

use common::db::{Db, DbError, Id, Time};
use contracts::ids::{BusinessId, UserId};
use diesel::prelude::*;
use uuid::Uuid;

use super::schema::memberships;
use crate::domain::role::Role;

/// Makes a user a member.
pub(crate) fn insert(
    conn: &mut Db,
    business: BusinessId,
    user: UserId,
    role: Role,
    now: Time,
) -> Result<(), DbError> {
    diesel::insert_into(memberships::table)
        .values((
            memberships::id.eq(Id(Uuid::now_v7())),
            memberships::business_id.eq(Id::of(business)),
            memberships::user_id.eq(Id::of(user)),
            memberships::role.eq(role.as_str()),
            memberships::created_at.eq(now),
            memberships::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// A member's role; `None` for a stranger.
pub(crate) fn role(conn: &mut Db, business: BusinessId, user: UserId) -> Result<Option<Role>, DbError> {
    let name: Option<String> = memberships::table
        .filter(memberships::business_id.eq(Id::of(business)).and(memberships::user_id.eq(Id::of(user))))
        .select(memberships::role)
        .first(conn)
        .optional()?;
    Ok(name.map(|name| Role::from_stored(&name)))
}

/// The business that a user has been a member of for the longest time.
pub(crate) fn first_business(conn: &mut Db, user: UserId) -> Result<Option<BusinessId>, DbError> {
    let id: Option<Id> = memberships::table
        .filter(memberships::user_id.eq(Id::of(user)))
        .order(memberships::id)
        .select(memberships::business_id)
        .first(conn)
        .optional()?;
    Ok(id.map(|id| BusinessId(id.0)))
}
