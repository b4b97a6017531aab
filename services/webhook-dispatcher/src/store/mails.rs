//! Mails on their way, sealed; of one that has ended nothing is left but that it was there.

use std::time::Duration;

use chrono::{DateTime, Utc};
use common::db::lease::{self, LeaseQuery};
use common::db::{Db, DbError, Id, Time, Tx};
use contracts::ids::BusinessId;
use diesel::prelude::*;
use uuid::Uuid;

use super::schema::mails;
use crate::domain::trying::{After, EXPIRED, WAITING};

const DUE: LeaseQuery = LeaseQuery { table: "mails", due: "next_try_at <= $2", order: "next_try_at" };

/// A mail that is to be tried.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct Claimed {
    pub(crate) id: Id,
    /// Sealed.
    pub(crate) content: String,
    pub(crate) failed_attempts: i32,
    pub(crate) send_before: Time,
    /// Until then it belongs to whoever claimed it.
    pub(crate) lease_until: Option<Time>,
}

/// Whose mail this is, if it is there.
pub(crate) fn owner(conn: &mut Db, id: Uuid) -> Result<Option<Id>, DbError> {
    let found = mails::table.filter(mails::id.eq(Id(id))).select(mails::business_id);
    Ok(found.first(conn).optional()?)
}

/// Keeps a mail, due at once.
pub(crate) fn insert(
    conn: &mut Db,
    business: BusinessId,
    (id, sealed): (Uuid, &str),
    send_before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::insert_into(mails::table)
        .values((
            mails::id.eq(Id(id)),
            mails::business_id.eq(Id::of(business)),
            mails::content.eq(sealed),
            mails::status.eq(WAITING),
            mails::failed_attempts.eq(0),
            mails::next_try_at.eq(Some(Time::from(now))),
            mails::send_before.eq(Time::from(send_before)),
            mails::created_at.eq(Time::from(now)),
            mails::updated_at.eq(Time::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Leases up to `most` mails that are due.
pub(crate) fn claim(tx: &mut Tx<'_>, hold: Duration, most: u32) -> Result<Vec<Claimed>, DbError> {
    let now = tx.now();
    let ids = lease::claim(tx.conn, &DUE, now, hold, most)?;
    Ok(mails::table
        .filter(mails::id.eq_any(ids))
        .select((mails::id, mails::content, mails::failed_attempts, mails::send_before, mails::lease_until))
        .load(tx.conn)?)
}

/// Writes down what came of a try, unless its lease was lost meanwhile. The content goes with the last try.
pub(crate) fn settle(
    conn: &mut Db,
    claimed: &Claimed,
    after: &After,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let content = if after.due.is_some() { claimed.content.as_str() } else { "" };
    let ours = mails::id.eq(claimed.id).and(mails::lease_until.eq(claimed.lease_until));
    diesel::update(mails::table.filter(ours))
        .set((
            mails::status.eq(after.status),
            mails::content.eq(content),
            mails::failed_attempts.eq(i32::try_from(after.failed).unwrap_or(i32::MAX)),
            mails::next_try_at.eq(after.due.map(Time::from)),
            mails::lease_until.eq(None::<Time>),
            mails::problem.eq(after.problem.as_deref()),
            mails::updated_at.eq(Time::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Ends what was not sent in time. Answers how many.
pub(crate) fn expire(conn: &mut Db, now: DateTime<Utc>) -> Result<usize, DbError> {
    let late = mails::next_try_at.is_not_null().and(mails::send_before.le(Time::from(now)));
    let free = mails::lease_until.is_null().or(mails::lease_until.lt(Time::from(now)));
    Ok(diesel::update(mails::table.filter(late.and(free)))
        .set((
            mails::status.eq(EXPIRED),
            mails::content.eq(""),
            mails::next_try_at.eq(None::<Time>),
            mails::lease_until.eq(None::<Time>),
            mails::updated_at.eq(Time::from(now)),
        ))
        .execute(conn)?)
}

/// Forgets mails that ended before `then`.
pub(crate) fn forget(conn: &mut Db, then: DateTime<Utc>) -> Result<(), DbError> {
    let old = mails::next_try_at.is_null().and(mails::updated_at.lt(Time::from(then)));
    diesel::delete(mails::table.filter(old)).execute(conn)?;
    Ok(())
}
