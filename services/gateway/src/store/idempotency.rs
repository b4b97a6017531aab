//! `idempotency_keys`: what was asked for under a key, who works on it, and what was answered.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time};
use contracts::ids::{CustomerId, ProjectId};
use diesel::prelude::*;
use uuid::Uuid;

use super::schema::idempotency_keys as keys;
use crate::domain::idempotency::{KEPT, LEASE, Stored};

type Row = (Id, String, Id, i64, Option<Time>, Option<i32>, Option<String>, Time);

/// A request under a key.
#[derive(Clone, Debug)]
pub(crate) struct Keyed {
    /// Whose key.
    pub(crate) project: ProjectId,
    /// The caller's key.
    pub(crate) key: String,
    /// See [`crate::domain::idempotency::fingerprint`].
    pub(crate) fingerprint: String,
}

/// The answer to a request under a key.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: i32,
    /// Sealed; absent when it held a one-time secret.
    pub(crate) sealed: Option<String>,
    /// Whose data it holds.
    pub(crate) customer: Option<CustomerId>,
}

/// What is stored under a key.
pub(crate) fn find(conn: &mut Db, project: ProjectId, key: &str) -> Result<Option<Stored>, DbError> {
    let row: Option<Row> = keys::table
        .filter(keys::project_id.eq(Id::of(project)).and(keys::idempotency_key.eq(key)))
        .select((
            keys::id,
            keys::fingerprint,
            keys::resource_id,
            keys::generation,
            keys::lease_until,
            keys::status,
            keys::answer,
            keys::expires_at,
        ))
        .first(conn)
        .optional()?;
    Ok(row.map(|(id, fingerprint, resource_id, generation, lease_until, status, answer, expires_at)| {
        Stored {
            id: id.0,
            fingerprint,
            resource_id: resource_id.0,
            generation,
            lease_until: lease_until.map(|t| t.0),
            status,
            answer,
            expires_at: expires_at.0,
        }
    }))
}

/// Notes the first request under a key, leased to whoever notes it. Two at the same moment: the second one waits for the
/// end of the first one's transaction and then is [`DbError::Duplicate`].
pub(crate) fn insert(
    conn: &mut Db,
    keyed: &Keyed,
    (id, resource_id): (Uuid, Uuid),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::insert_into(keys::table)
        .values((
            keys::id.eq(Id(id)),
            keys::project_id.eq(Id::of(keyed.project)),
            keys::idempotency_key.eq(&keyed.key),
            keys::fingerprint.eq(&keyed.fingerprint),
            keys::resource_id.eq(Id(resource_id)),
            keys::generation.eq(1_i64),
            keys::lease_until.eq(Some(Time::from(now + LEASE))),
            keys::status.eq(None::<i32>),
            keys::answer.eq(None::<String>),
            keys::created_at.eq(Time::from(now)),
            keys::expires_at.eq(Time::from(now + KEPT)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Takes an unfinished request over from `generation`. [`DbError::Conflict`] when somebody else just did.
pub(crate) fn resume(conn: &mut Db, id: Uuid, generation: i64, now: DateTime<Utc>) -> Result<(), DbError> {
    let touched = diesel::update(worked_on(id, generation))
        .set((keys::lease_until.eq(Some(Time::from(now + LEASE))), keys::generation.eq(generation + 1)))
        .execute(conn)?;
    if touched == 1 { Ok(()) } else { Err(DbError::Conflict) }
}

/// Keeps the answer, unless somebody else has taken the request over.
pub(crate) fn finish(conn: &mut Db, id: Uuid, generation: i64, answer: &Answer) -> Result<(), DbError> {
    diesel::update(worked_on(id, generation))
        .set((
            keys::status.eq(Some(answer.status)),
            keys::answer.eq(answer.sealed.clone()),
            keys::customer_id.eq(answer.customer.map(Id::of)),
            keys::lease_until.eq(None::<Time>),
        ))
        .execute(conn)?;
    Ok(())
}

/// Gives an unfinished request back: a retry may resume it at once.
pub(crate) fn release(conn: &mut Db, id: Uuid, generation: i64) -> Result<(), DbError> {
    diesel::update(worked_on(id, generation)).set(keys::lease_until.eq(None::<Time>)).execute(conn)?;
    Ok(())
}

/// Forgets a request that was refused and has left nothing behind.
pub(crate) fn forget(conn: &mut Db, id: Uuid, generation: i64) -> Result<(), DbError> {
    diesel::delete(worked_on(id, generation)).execute(conn)?;
    Ok(())
}

/// Removes a row that has expired.
pub(crate) fn remove(conn: &mut Db, id: Uuid) -> Result<(), DbError> {
    diesel::delete(keys::table.find(Id(id))).execute(conn)?;
    Ok(())
}

/// Forgets the answers that hold a customer's data.
pub(crate) fn forget_customer(
    conn: &mut Db,
    project: ProjectId,
    customer: CustomerId,
) -> Result<(), DbError> {
    let theirs = keys::project_id.eq(Id::of(project)).and(keys::customer_id.eq(Id::of(customer)));
    diesel::delete(keys::table.filter(theirs)).execute(conn)?;
    Ok(())
}

/// Forgets keys that have expired. Answers how many.
pub(crate) fn forget_expired(conn: &mut Db, now: Time) -> Result<usize, DbError> {
    Ok(diesel::delete(keys::table.filter(keys::expires_at.lt(now))).execute(conn)?)
}

#[diesel::dsl::auto_type]
fn worked_on(id: Uuid, generation: i64) -> _ {
    let id: Id = Id(id);
    keys::table.filter(keys::id.eq(id)).filter(keys::generation.eq(generation)).filter(keys::status.is_null())
}
