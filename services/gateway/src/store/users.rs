//! `users`: people with an address and perhaps a password.

use common::db::{Db, DbError, Id, Time};
use contracts::ids::UserId;
use diesel::prelude::*;

use super::schema::users;

/// A user as login and tokens need them.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct User {
    /// Who.
    pub(crate) id: Id,
    /// The address as it was given.
    pub(crate) email: String,
    /// PHC text; absent for an account without a password.
    pub(crate) password_hash: Option<String>,
    /// First name.
    pub(crate) first_name: String,
    /// Last name.
    pub(crate) last_name: String,
    /// Tokens of an older generation are refused.
    pub(crate) token_generation: i32,
}

/// Stores a new user under `email_key`. A taken address is [`DbError::Duplicate`].
pub(crate) fn insert(conn: &mut Db, user: &User, email_key: &str, now: Time) -> Result<(), DbError> {
    diesel::insert_into(users::table)
        .values((
            users::id.eq(user.id),
            users::email.eq(&user.email),
            users::email_key.eq(email_key),
            users::password_hash.eq(&user.password_hash),
            users::first_name.eq(&user.first_name),
            users::last_name.eq(&user.last_name),
            users::token_generation.eq(user.token_generation),
            users::version.eq(1_i64),
            users::created_at.eq(now),
            users::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        users::id,
        users::email,
        users::password_hash,
        users::first_name,
        users::last_name,
        users::token_generation,
    )
}

/// The user with this address, written in lower case.
pub(crate) fn by_email_key(conn: &mut Db, email_key: &str) -> Result<Option<User>, DbError> {
    Ok(users::table.filter(users::email_key.eq(email_key)).select(columns()).first(conn).optional()?)
}

/// The user.
pub(crate) fn get(conn: &mut Db, user: UserId) -> Result<Option<User>, DbError> {
    Ok(users::table.find(Id::of(user)).select(columns()).first(conn).optional()?)
}

/// Some users.
pub(crate) fn several(conn: &mut Db, ids: &[Id]) -> Result<Vec<User>, DbError> {
    Ok(users::table.filter(users::id.eq_any(ids)).select(columns()).load(conn)?)
}

/// Gives a user another password and begins a new generation of tokens, if the password is still of `generation`. False:
/// somebody has changed it in the meantime.
pub(crate) fn set_password(
    conn: &mut Db,
    user: UserId,
    generation: i32,
    password_hash: &str,
    now: Time,
) -> Result<bool, DbError> {
    let unchanged =
        users::table.filter(users::id.eq(Id::of(user)).and(users::token_generation.eq(generation)));
    let changed = diesel::update(unchanged)
        .set((
            users::password_hash.eq(password_hash),
            users::token_generation.eq(generation + 1),
            users::version.eq(users::version + 1),
            users::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}
