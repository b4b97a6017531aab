//! How fast each carrier account may dial: the next free moment, shared by all replicas. Read and written by one transaction
//! at a time ([`common::db::lease::exclusive`]).

use chrono::{DateTime, TimeDelta, Utc};
use common::db::{Db, DbError, Time};
use diesel::prelude::*;

use super::schema::carrier_accounts;

/// The account's next moment to dial: now, or later when others are before.
pub(crate) fn next_turn(
    db: &mut Db,
    account_sid: &str,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, DbError> {
    let next: Option<Time> = carrier_accounts::table
        .find(account_sid)
        .select(carrier_accounts::next_dial_at)
        .first(db)
        .optional()?;
    Ok(next.map_or(now, |next| next.0.max(now)))
}

/// Takes the turn at `turn`: the next one is `between_calls` later.
pub(crate) fn take_turn(
    db: &mut Db,
    account_sid: &str,
    turn: DateTime<Utc>,
    between_calls: TimeDelta,
) -> Result<(), DbError> {
    let next = carrier_accounts::next_dial_at.eq(Time::from(turn + between_calls));
    let touched = diesel::update(carrier_accounts::table.find(account_sid)).set(next).execute(db)?;
    if touched == 0 {
        diesel::insert_into(carrier_accounts::table)
            .values((carrier_accounts::account_sid.eq(account_sid), next))
            .execute(db)?;
    }
    Ok(())
}
