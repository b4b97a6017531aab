//! `phones`: the numbers of customers.

use common::db::{Db, DbError, Id, Time};
use contracts::ids::ProjectId;
use diesel::prelude::*;

use super::schema::phones;

/// May be rung.
pub(crate) const ACTIVE: &str = "active";

/// A number of a customer.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct PhoneRow {
    /// Which.
    pub(crate) id: Id,
    /// Whose.
    pub(crate) customer_id: Id,
    /// E.164.
    pub(crate) value: String,
    /// The one that is rung.
    pub(crate) is_primary: bool,
    /// `active`, `unreachable` or `opted_out`.
    pub(crate) status: String,
    /// When it was added.
    pub(crate) created_at: Time,
}

/// Stores a number.
pub(crate) fn insert(conn: &mut Db, project: ProjectId, row: &PhoneRow) -> Result<(), DbError> {
    diesel::insert_into(phones::table)
        .values((
            phones::id.eq(row.id),
            phones::project_id.eq(Id::of(project)),
            phones::customer_id.eq(row.customer_id),
            phones::value.eq(&row.value),
            phones::is_primary.eq(row.is_primary),
            phones::status.eq(&row.status),
            phones::created_at.eq(row.created_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// The numbers of some customers of a project, oldest first.
pub(crate) fn of_customers(
    conn: &mut Db,
    project: ProjectId,
    customers: &[Id],
) -> Result<Vec<PhoneRow>, DbError> {
    Ok(phones::table
        .filter(phones::project_id.eq(Id::of(project)).and(phones::customer_id.eq_any(customers)))
        .order(phones::id)
        .select((
            phones::id,
            phones::customer_id,
            phones::value,
            phones::is_primary,
            phones::status,
            phones::created_at,
        ))
        .load(conn)?)
}
