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

/// The businesses of a user and what they may do there; the oldest membership first.
pub(crate) fn of_user(conn: &mut Db, user: UserId) -> Result<Vec<(BusinessId, Role)>, DbError> {
    let rows: Vec<(Id, String)> = memberships::table
        .filter(memberships::user_id.eq(Id::of(user)))
        .order(memberships::id)
        .select((memberships::business_id, memberships::role))
        .load(conn)?;
    Ok(rows.into_iter().map(|(business, role)| (BusinessId(business.0), Role::from_stored(&role))).collect())
}
