//! `memberships`: which user may do what in which business.

use common::db::{Db, DbError, Id, Time};
use contracts::ids::{BusinessId, UserId};
use diesel::prelude::*;
use uuid::Uuid;

use super::Page;
use super::schema::{memberships, users};
use crate::domain::role::Role;

/// Makes a user a member. Answers the membership's id.
pub(crate) fn insert(
    conn: &mut Db,
    business: BusinessId,
    user: UserId,
    role: Role,
    now: Time,
) -> Result<Uuid, DbError> {
    let id = Uuid::now_v7();
    diesel::insert_into(memberships::table)
        .values((
            memberships::id.eq(Id(id)),
            memberships::business_id.eq(Id::of(business)),
            memberships::user_id.eq(Id::of(user)),
            memberships::role.eq(role.as_str()),
            memberships::created_at.eq(now),
            memberships::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(id)
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

/// A member of a business.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct MemberRow {
    /// The membership.
    pub(crate) id: Id,
    /// The user.
    pub(crate) user_id: Id,
    /// The user's address.
    pub(crate) email: String,
    /// First name.
    pub(crate) first_name: String,
    /// Last name.
    pub(crate) last_name: String,
    /// What they may do.
    pub(crate) role: String,
    /// Since when.
    pub(crate) created_at: Time,
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        memberships::id,
        memberships::user_id,
        users::email,
        users::first_name,
        users::last_name,
        memberships::role,
        memberships::created_at,
    )
}

/// A page of a business's members, the newest first.
pub(crate) fn list(conn: &mut Db, business: BusinessId, page: Page) -> Result<Vec<MemberRow>, DbError> {
    let mut query = memberships::table
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .filter(memberships::business_id.eq(Id::of(business)))
        .into_boxed();
    if let Some(after) = page.after {
        query = query.filter(memberships::id.lt(Id(after)));
    }
    Ok(query.order(memberships::id.desc()).limit(page.limit).select(columns()).load(conn)?)
}

/// A member of a business.
pub(crate) fn get(conn: &mut Db, business: BusinessId, id: Uuid) -> Result<Option<MemberRow>, DbError> {
    let own = memberships::business_id.eq(Id::of(business)).and(memberships::id.eq(Id(id)));
    Ok(memberships::table
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .filter(own)
        .select(columns())
        .first(conn)
        .optional()?)
}

/// True when somebody with this address is a member.
pub(crate) fn has_address(conn: &mut Db, business: BusinessId, email_key: &str) -> Result<bool, DbError> {
    let own = memberships::business_id.eq(Id::of(business)).and(users::email_key.eq(email_key));
    let members: i64 = memberships::table
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .filter(own)
        .count()
        .get_result(conn)?;
    Ok(members > 0)
}

/// How many owners a business has.
pub(crate) fn owners(conn: &mut Db, business: BusinessId) -> Result<i64, DbError> {
    let owners =
        memberships::business_id.eq(Id::of(business)).and(memberships::role.eq(Role::Owner.as_str()));
    Ok(memberships::table.filter(owners).count().get_result(conn)?)
}

/// Gives a member another role.
pub(crate) fn set_role(
    conn: &mut Db,
    business: BusinessId,
    id: Id,
    role: Role,
    now: Time,
) -> Result<(), DbError> {
    let own = memberships::business_id.eq(Id::of(business)).and(memberships::id.eq(id));
    diesel::update(memberships::table.filter(own))
        .set((memberships::role.eq(role.as_str()), memberships::updated_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// Removes a member.
pub(crate) fn remove(conn: &mut Db, business: BusinessId, id: Id) -> Result<(), DbError> {
    let own = memberships::business_id.eq(Id::of(business)).and(memberships::id.eq(id));
    diesel::delete(memberships::table.filter(own)).execute(conn)?;
    Ok(())
}
