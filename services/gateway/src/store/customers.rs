//! `customers`: the people of a project who may be rung.

use common::db::{Db, DbError, Id, Json, Time};
use contracts::ids::{CustomerId, ProjectId};
use diesel::prelude::*;

use super::Page;
use super::schema::customers;

/// A customer without their numbers.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct CustomerRow {
    /// Who.
    pub(crate) id: Id,
    /// Whose.
    pub(crate) project_id: Id,
    /// The integrator's own id.
    pub(crate) external_id: String,
    /// First name.
    pub(crate) first_name: String,
    /// Last name.
    pub(crate) last_name: String,
    /// The integrator's own data.
    pub(crate) metadata: Json,
    /// When they were added.
    pub(crate) created_at: Time,
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        customers::id,
        customers::project_id,
        customers::external_id,
        customers::first_name,
        customers::last_name,
        customers::metadata,
        customers::created_at,
    )
}

/// Stores a new customer. A taken external id is [`DbError::Duplicate`].
pub(crate) fn insert(conn: &mut Db, row: &CustomerRow) -> Result<(), DbError> {
    diesel::insert_into(customers::table)
        .values((
            customers::id.eq(row.id),
            customers::project_id.eq(row.project_id),
            customers::external_id.eq(&row.external_id),
            customers::first_name.eq(&row.first_name),
            customers::last_name.eq(&row.last_name),
            customers::metadata.eq(&row.metadata),
            customers::version.eq(1_i64),
            customers::created_at.eq(row.created_at),
            customers::updated_at.eq(row.created_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// One customer of a project.
pub(crate) fn get(conn: &mut Db, project: ProjectId, id: CustomerId) -> Result<Option<CustomerRow>, DbError> {
    Ok(customers::table
        .filter(customers::project_id.eq(Id::of(project)).and(customers::id.eq(Id::of(id))))
        .select(columns())
        .first(conn)
        .optional()?)
}

/// A page of a project's customers, newest first; the one with this external id, if one is named.
pub(crate) fn list(
    conn: &mut Db,
    project: ProjectId,
    external_id: Option<&str>,
    page: Page,
) -> Result<Vec<CustomerRow>, DbError> {
    let mut query = customers::table.filter(customers::project_id.eq(Id::of(project))).into_boxed();
    if let Some(after) = page.after {
        query = query.filter(customers::id.lt(Id(after)));
    }
    if let Some(external_id) = external_id {
        query = query.filter(customers::external_id.eq(external_id.to_owned()));
    }
    Ok(query.order(customers::id.desc()).limit(page.limit).select(columns()).load(conn)?)
}
