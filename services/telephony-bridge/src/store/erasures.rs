//! Who is to be forgotten, until it is done.

use std::time::Duration;

use chrono::{DateTime, Utc};
use common::db::lease::{self, LeaseQuery};
use common::db::{Db, DbError, Id, Time};
use contracts::ids::{CustomerId, EventId, ProjectId};
use diesel::prelude::*;

use super::schema::erasures;

/// A wish to be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Erasure {
    pub(crate) id: Id,
    pub(crate) project: ProjectId,
    /// `None`: everybody in the project.
    pub(crate) customer: Option<CustomerId>,
    pub(crate) asked_at: DateTime<Utc>,
}

/// Notes that a customer, or everybody in a project, is to be forgotten. Twice is no harm.
pub(crate) fn add(
    db: &mut Db,
    project: ProjectId,
    customer: Option<CustomerId>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::insert_into(erasures::table)
        .values((
            erasures::id.eq(Id::of(EventId::new())),
            erasures::project_id.eq(Id::of(project)),
            erasures::customer_id.eq(customer.map(Id::of)),
            erasures::asked_at.eq(Time::from(now)),
            erasures::next_at.eq(Time::from(now)),
        ))
        .execute(db)?;
    Ok(())
}

const DUE: LeaseQuery = LeaseQuery { table: "erasures", due: "next_at <= $2", order: "next_at" };

/// Leases wishes that can be worked on.
pub(crate) fn claim(
    db: &mut Db,
    now: DateTime<Utc>,
    hold: Duration,
    limit: u32,
) -> Result<Vec<Erasure>, DbError> {
    let ids = lease::claim(db, &DUE, now, hold, limit)?;
    let rows: Vec<(Id, Id, Option<Id>, Time)> = erasures::table
        .filter(erasures::id.eq_any(ids))
        .order(erasures::id)
        .select((erasures::id, erasures::project_id, erasures::customer_id, erasures::asked_at))
        .load(db)?;
    let erasure = |(id, project, customer, asked): (Id, Id, Option<Id>, Time)| Erasure {
        id,
        project: ProjectId(project.0),
        customer: customer.map(|id| CustomerId(id.0)),
        asked_at: asked.0,
    };
    Ok(rows.into_iter().map(erasure).collect())
}

/// There may be more to forget; again at `next`.
pub(crate) fn wait(db: &mut Db, erasure: Erasure, next: DateTime<Utc>) -> Result<(), DbError> {
    diesel::update(erasures::table.find(erasure.id))
        .set((erasures::next_at.eq(Time::from(next)), erasures::lease_until.eq(None::<Time>)))
        .execute(db)?;
    Ok(())
}

/// It is done.
pub(crate) fn done(db: &mut Db, erasure: Erasure) -> Result<(), DbError> {
    diesel::delete(erasures::table.find(erasure.id)).execute(db)?;
    Ok(())
}
