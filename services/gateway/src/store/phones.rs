//! `phones`: the numbers of customers.

use common::db::{Db, DbError, Id, Time};
use contracts::ids::{CustomerId, PhoneId, ProjectId};
use diesel::prelude::*;
use serde_json::json;

use super::schema::phones;
use crate::domain::phone_book::PhoneStatus;

/// A number of a customer.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
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
            // What was before it was added is not about it.
            phones::status_at.eq(row.created_at),
            phones::created_at.eq(row.created_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Stores many numbers at once.
pub(crate) fn insert_many(conn: &mut Db, project: ProjectId, rows: &[PhoneRow]) -> Result<(), DbError> {
    const COLUMNS: [&str; 8] =
        ["id", "project_id", "customer_id", "value", "is_primary", "status", "status_at", "created_at"];
    let row = |row: &PhoneRow| {
        json!({
            "id": row.id.0,
            "project_id": project.0,
            "customer_id": row.customer_id.0,
            "value": row.value,
            "is_primary": row.is_primary,
            "status": row.status,
            "status_at": row.created_at.text(),
            "created_at": row.created_at.text(),
        })
    };
    common::db::insert_many(conn, "phones", &COLUMNS, rows.iter().map(row).collect()).map(drop)
}

#[diesel::dsl::auto_type]
fn one(project: ProjectId, id: PhoneId) -> _ {
    let (project, id): (Id, Id) = (Id::of(project), Id::of(id));
    phones::table.filter(phones::project_id.eq(project)).filter(phones::id.eq(id))
}

/// Stores a changed number.
pub(crate) fn save(conn: &mut Db, project: ProjectId, row: &PhoneRow) -> Result<(), DbError> {
    let changed =
        (phones::value.eq(&row.value), phones::is_primary.eq(row.is_primary), phones::status.eq(&row.status));
    diesel::update(one(project, PhoneId(row.id.0))).set(changed).execute(conn)?;
    Ok(())
}

/// A call has shown at `at` what the status of a customer's number is. Who opted out stays so, and what is known since then
/// counts more.
pub(crate) fn learn_status(
    conn: &mut Db,
    (project, customer): (ProjectId, CustomerId),
    value: &str,
    (status, at): (PhoneStatus, Time),
) -> Result<(), DbError> {
    let theirs = phones::project_id.eq(Id::of(project)).and(phones::customer_id.eq(Id::of(customer)));
    let tried = [PhoneStatus::Active, PhoneStatus::Unreachable].map(PhoneStatus::as_str);
    let number = phones::value.eq(value).and(phones::status.eq_any(tried));
    let news = phones::status_at.is_null().or(phones::status_at.lt(at));
    diesel::update(phones::table.filter(theirs.and(number)).filter(news))
        .set((phones::status.eq(status.as_str()), phones::status_at.eq(at)))
        .execute(conn)?;
    Ok(())
}

/// Somebody has said at `at` what the status of a number is.
pub(crate) fn status_was_said(
    conn: &mut Db,
    project: ProjectId,
    id: PhoneId,
    at: Time,
) -> Result<(), DbError> {
    diesel::update(one(project, id)).set(phones::status_at.eq(at)).execute(conn)?;
    Ok(())
}

/// Leaves a customer without a primary number, so that another one can become it.
pub(crate) fn clear_primary(conn: &mut Db, project: ProjectId, customer: CustomerId) -> Result<(), DbError> {
    let theirs = phones::project_id.eq(Id::of(project)).and(phones::customer_id.eq(Id::of(customer)));
    diesel::update(phones::table.filter(theirs)).set(phones::is_primary.eq(false)).execute(conn)?;
    Ok(())
}

/// Removes a number.
pub(crate) fn remove(conn: &mut Db, project: ProjectId, id: PhoneId) -> Result<(), DbError> {
    diesel::delete(one(project, id)).execute(conn)?;
    Ok(())
}

/// Removes all numbers of a customer.
pub(crate) fn remove_all(conn: &mut Db, project: ProjectId, customer: CustomerId) -> Result<(), DbError> {
    let theirs = phones::project_id.eq(Id::of(project)).and(phones::customer_id.eq(Id::of(customer)));
    diesel::delete(phones::table.filter(theirs)).execute(conn)?;
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
