//! Targets: the sealed secret of each agent or bot in whose name users' systems are called.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time};
use diesel::prelude::*;
use uuid::Uuid;

use super::schema::targets;
use crate::domain::owner::Owner;

/// What is kept of an owner's secret.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct Target {
    /// Sealed.
    pub(crate) secret: String,
    pub(crate) created_at: Time,
}

/// The owner's secret, if it has one.
pub(crate) fn find(conn: &mut Db, owner: &Owner) -> Result<Option<Target>, DbError> {
    let own = targets::business_id.eq(Id::of(owner.business)).and(targets::owner_id.eq(owner.id()));
    Ok(targets::table.filter(own).select((targets::secret, targets::created_at)).first(conn).optional()?)
}

/// Gives an owner its first secret.
///
/// # Errors
/// [`DbError::Duplicate`] when somebody else was faster.
pub(crate) fn insert(conn: &mut Db, owner: &Owner, sealed: &str, now: DateTime<Utc>) -> Result<(), DbError> {
    diesel::insert_into(targets::table)
        .values((
            targets::id.eq(Id(Uuid::now_v7())),
            targets::business_id.eq(Id::of(owner.business)),
            targets::owner_id.eq(owner.id()),
            targets::secret.eq(sealed),
            targets::created_at.eq(Time::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Gives an owner another secret. Answers whether it had one.
pub(crate) fn replace(
    conn: &mut Db,
    owner: &Owner,
    sealed: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let own = targets::business_id.eq(Id::of(owner.business)).and(targets::owner_id.eq(owner.id()));
    let touched = diesel::update(targets::table.filter(own))
        .set((targets::secret.eq(sealed), targets::created_at.eq(Time::from(now))))
        .execute(conn)?;
    Ok(touched == 1)
}
