//! Targets: the sealed secret of each agent or bot in whose name users' systems are called, also in what a bot tells after a
//! call. Of an owner that was removed a row without a secret is left for a while: what comes late makes no new one.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time};
use diesel::prelude::*;
use uuid::Uuid;

use super::endpoints::Endpoint;
use super::schema::targets;
use crate::domain::owner::Owner;

/// What is kept of an owner's secret.
#[derive(Clone, Debug, Queryable, Selectable)]
pub(crate) struct Target {
    /// Sealed; empty once the owner was removed.
    pub(crate) secret: String,
    pub(crate) created_at: Time,
    /// Sealed; good until then.
    pub(super) previous_secret: Option<String>,
    pub(super) previous_until: Option<Time>,
    removed_at: Option<Time>,
}

impl Target {
    /// Its owner is gone.
    pub(crate) const fn is_removed(&self) -> bool {
        self.removed_at.is_some()
    }

    /// The sealed secret before the current one, while it is still good.
    pub(crate) fn previous_secret(&self, now: DateTime<Utc>) -> Option<&str> {
        let good = self.previous_until.is_some_and(|until| until.0 > now);
        self.previous_secret.as_deref().filter(|_| good)
    }
}

#[diesel::dsl::auto_type]
fn own<'a>(owner: &'a Owner) -> _ {
    let (business, id): (Id, &'a str) = (Id::of(owner.business), owner.id());
    targets::business_id.eq(business).and(targets::owner_id.eq(id))
}

/// The owner's secret, if it has one, or had.
pub(crate) fn find(conn: &mut Db, owner: &Owner) -> Result<Option<Target>, DbError> {
    Ok(targets::table.filter(own(owner)).select(Target::as_select()).first(conn).optional()?)
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

/// Gives an owner another secret; the one before it is good until `until`, if that is said. Answers whether it had one.
pub(crate) fn replace(
    conn: &mut Db,
    owner: &Owner,
    sealed: &str,
    until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let there = diesel::update(targets::table.filter(own(owner)).filter(targets::removed_at.is_null()));
    let made = (targets::secret.eq(sealed), targets::created_at.eq(Time::from(now)));
    let kept = targets::previous_until.eq(until.map(Time::from));
    let touched = match until {
        // What stands on the right is the row as it was.
        Some(_) => {
            there.set((targets::previous_secret.eq(targets::secret.nullable()), kept, made)).execute(conn)?
        }
        None => there.set((targets::previous_secret.eq(None::<String>), kept, made)).execute(conn)?,
    };
    Ok(touched == 1)
}

/// Removes an owner's secrets.
pub(crate) fn remove(conn: &mut Db, owner: &Owner, now: DateTime<Utc>) -> Result<(), DbError> {
    diesel::update(targets::table.filter(own(owner)).filter(targets::removed_at.is_null()))
        .set((
            targets::secret.eq(""),
            targets::previous_secret.eq(None::<String>),
            targets::previous_until.eq(None::<Time>),
            targets::removed_at.eq(Time::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Forgets owners that were removed before `then`.
pub(crate) fn forget(conn: &mut Db, then: DateTime<Utc>) -> Result<(), DbError> {
    diesel::delete(targets::table.filter(targets::removed_at.lt(Time::from(then)))).execute(conn)?;
    Ok(())
}

/// Lends the endpoints of bots what signs in the name of these.
pub(super) fn lend<'a>(
    conn: &mut Db,
    endpoints: impl Iterator<Item = &'a mut Endpoint>,
) -> Result<(), DbError> {
    let of_bots = endpoints.filter_map(|endpoint| Some((endpoint.bot()?, endpoint)));
    let of_bots: Vec<(Owner, &mut Endpoint)> = of_bots.collect();
    if of_bots.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = of_bots.iter().map(|(bot, _)| bot.id()).collect();
    let found: Vec<(Id, String, Target)> = targets::table
        .filter(targets::owner_id.eq_any(ids))
        .select((targets::business_id, targets::owner_id, Target::as_select()))
        .load(conn)?;
    for (bot, endpoint) in of_bots {
        let own =
            |(business, id, _): &&(Id, String, Target)| *business == Id::of(bot.business) && id == bot.id();
        if let Some((_, _, target)) = found.iter().find(own) {
            endpoint.signed_with(target.clone());
        }
    }
    Ok(())
}
