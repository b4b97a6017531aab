//! What the rules want to know about customers: the newest copy that was heard.

use common::db::{Db, DbError, Id, Json};
use contracts::ids::{CustomerId, ProjectId};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::standings;
use super::word;
use crate::domain::policy::{Standing, zone};

/// What a customer said about being called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Consent {
    pub(crate) given: bool,
    pub(crate) at_ms: i64,
    pub(crate) source: String,
}

/// What is stored of a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) version: i64,
    /// IANA name; empty: the project's.
    pub(crate) time_zone: String,
    pub(crate) consent: Option<Consent>,
    /// They are to be forgotten: nothing is learned about them any more.
    pub(crate) erased: bool,
}

impl Stored {
    /// As the rules read it.
    pub(crate) fn standing(&self) -> Standing {
        Standing { time_zone: zone(&self.time_zone), consent: self.consent.as_ref().map(|c| c.given) }
    }
}

type Row = (Id, i64, String, Option<Json>, bool);

fn read((customer, version, time_zone, consent, erased): Row) -> Result<(CustomerId, Stored), DbError> {
    let consent = word(consent.map(|c| serde_json::from_value(c.0)).transpose())?;
    Ok((CustomerId(customer.0), Stored { version, time_zone, consent, erased }))
}

/// What is stored of some customers of a project.
pub(crate) fn of(
    db: &mut Db,
    project: ProjectId,
    customers: &[CustomerId],
) -> Result<Vec<(CustomerId, Stored)>, DbError> {
    let ids: Vec<Id> = customers.iter().map(|id| Id::of(*id)).collect();
    let rows: Vec<Row> = standings::table
        .filter(standings::project_id.eq(Id::of(project)))
        .filter(standings::customer_id.eq_any(ids))
        .select((
            standings::customer_id,
            standings::version,
            standings::time_zone,
            standings::consent,
            standings::erased,
        ))
        .load(db)?;
    rows.into_iter().map(read).collect()
}

/// What is stored of one customer, if anything is.
pub(crate) fn find(db: &mut Db, project: ProjectId, customer: CustomerId) -> Result<Option<Stored>, DbError> {
    Ok(of(db, project, &[customer])?.pop().map(|(_, stored)| stored))
}

/// Writes what is known about a customer now, in place of what was stored, of which `known` tells whether it was there.
pub(crate) fn put(
    db: &mut Db,
    project: ProjectId,
    customer: CustomerId,
    stored: &Stored,
    known: bool,
) -> Result<(), DbError> {
    let consent = word(stored.consent.as_ref().map(serde_json::to_value).transpose())?.map(Json);
    let values = (
        standings::version.eq(stored.version),
        standings::time_zone.eq(&stored.time_zone),
        standings::consent.eq(consent),
        standings::erased.eq(stored.erased),
    );
    let key = (standings::project_id.eq(Id::of(project)), standings::customer_id.eq(Id::of(customer)));
    if known {
        diesel::update(standings::table.find((Id::of(project), Id::of(customer)))).set(values).execute(db)?;
    } else {
        diesel::insert_into(standings::table).values((key, values)).execute(db)?;
    }
    Ok(())
}

/// Forgets all customers of a project.
pub(crate) fn forget_project(db: &mut Db, project: ProjectId) -> Result<(), DbError> {
    diesel::delete(standings::table.filter(standings::project_id.eq(Id::of(project)))).execute(db)?;
    Ok(())
}
