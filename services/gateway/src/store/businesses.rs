//! `businesses`: the top-level accounts.

use common::db::{Db, DbError, Id, Time, lease};
use contracts::ids::BusinessId;
use diesel::prelude::*;

use super::schema::businesses;

/// A business; the texts fill `{{business_name}}`, `{{business_summary}}` and `{{industry}}`.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct Business {
    /// Which.
    pub(crate) id: Id,
    /// Its name.
    pub(crate) name: String,
    /// What it does.
    pub(crate) summary: String,
    /// Its trade.
    pub(crate) industry: String,
}

/// Stores a new business.
pub(crate) fn insert(conn: &mut Db, business: &Business, now: Time) -> Result<(), DbError> {
    diesel::insert_into(businesses::table)
        .values((
            businesses::id.eq(business.id),
            businesses::name.eq(&business.name),
            businesses::summary.eq(&business.summary),
            businesses::industry.eq(&business.industry),
            businesses::version.eq(1_i64),
            businesses::created_at.eq(now),
            businesses::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// The business.
pub(crate) fn get(conn: &mut Db, id: BusinessId) -> Result<Business, DbError> {
    Ok(businesses::table
        .find(Id::of(id))
        .select((businesses::id, businesses::name, businesses::summary, businesses::industry))
        .first(conn)?)
}

/// When a business was made and last changed.
#[derive(Clone, Copy, Debug, Queryable)]
pub(crate) struct Dates {
    /// When it was made.
    pub(crate) created_at: Time,
    /// When it last changed.
    pub(crate) updated_at: Time,
}

/// When a business was made and last changed.
pub(crate) fn dates(conn: &mut Db, id: BusinessId) -> Result<Dates, DbError> {
    Ok(businesses::table
        .find(Id::of(id))
        .select((businesses::created_at, businesses::updated_at))
        .first(conn)?)
}

/// Until the transaction ends, nobody else changes this business or who belongs to it.
pub(crate) fn hold(conn: &mut Db, id: BusinessId) -> Result<(), DbError> {
    lease::exclusive(conn, &format!("business {id}"))
}

/// Stores a changed business. Whoever changes one holds it ([`hold`]).
pub(crate) fn save(conn: &mut Db, business: &Business, now: Time) -> Result<(), DbError> {
    diesel::update(businesses::table.find(business.id))
        .set((
            businesses::name.eq(&business.name),
            businesses::summary.eq(&business.summary),
            businesses::industry.eq(&business.industry),
            businesses::version.eq(businesses::version + 1),
            businesses::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}
