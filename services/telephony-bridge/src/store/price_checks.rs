//! Calls whose price is still to be asked for, by the attempt that made them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use common::db::lease::{self, LeaseQuery};
use common::db::{Db, DbError, Id, Time};
use contracts::ids::{AttemptId, CallId, CarrierId, ProjectId};
use diesel::prelude::*;

use super::schema::price_checks;

/// A row of `price_checks`.
#[derive(Clone, Debug, Queryable, Insertable, Selectable)]
#[diesel(table_name = price_checks)]
struct Row {
    id: Id,
    project_id: Id,
    call_id: Id,
    account_sid: String,
    carrier_id: Option<Id>,
    carrier_call_sid: String,
    ended_at: Time,
    asked: i32,
    ask_at: Time,
    second_call_sid: Option<String>,
}

/// A call whose price nobody knows yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PriceCheck {
    pub(crate) attempt_id: AttemptId,
    pub(crate) project_id: ProjectId,
    pub(crate) call_id: CallId,
    /// The account that made it.
    pub(crate) account_sid: String,
    /// The project's own carrier; without one, an account of the settings.
    pub(crate) carrier_id: Option<CarrierId>,
    pub(crate) carrier_call_sid: String,
    /// The call that put the customer through to a person: it has a price of its own.
    pub(crate) second_call_sid: Option<String>,
    pub(crate) ended_at: DateTime<Utc>,
    /// Questions so far.
    pub(crate) asked: u32,
    pub(crate) ask_at: DateTime<Utc>,
}

impl From<Row> for PriceCheck {
    fn from(row: Row) -> Self {
        Self {
            attempt_id: AttemptId(row.id.0),
            project_id: ProjectId(row.project_id.0),
            call_id: CallId(row.call_id.0),
            account_sid: row.account_sid,
            carrier_id: row.carrier_id.map(|id| CarrierId(id.0)),
            carrier_call_sid: row.carrier_call_sid,
            second_call_sid: row.second_call_sid,
            ended_at: row.ended_at.0,
            asked: row.asked.unsigned_abs(),
            ask_at: row.ask_at.0,
        }
    }
}

/// Writes down that a price is to be asked for.
pub(crate) fn insert(db: &mut Db, check: &PriceCheck) -> Result<(), DbError> {
    let row = Row {
        id: Id::of(check.attempt_id),
        project_id: Id::of(check.project_id),
        call_id: Id::of(check.call_id),
        account_sid: check.account_sid.clone(),
        carrier_id: check.carrier_id.map(Id::of),
        carrier_call_sid: check.carrier_call_sid.clone(),
        ended_at: check.ended_at.into(),
        asked: i32::try_from(check.asked).unwrap_or(i32::MAX),
        ask_at: check.ask_at.into(),
        second_call_sid: check.second_call_sid.clone(),
    };
    diesel::insert_into(price_checks::table).values(row).execute(db)?;
    Ok(())
}

const DUE: LeaseQuery = LeaseQuery { table: "price_checks", due: "ask_at <= $2", order: "ask_at" };

/// Leases calls whose price is to be asked for now.
pub(crate) fn claim(
    db: &mut Db,
    now: DateTime<Utc>,
    hold: Duration,
    limit: u32,
) -> Result<Vec<PriceCheck>, DbError> {
    let ids = lease::claim(db, &DUE, now, hold, limit)?;
    let rows: Vec<Row> =
        price_checks::table.filter(price_checks::id.eq_any(ids)).select(Row::as_select()).load(db)?;
    Ok(rows.into_iter().map(PriceCheck::from).collect())
}

/// The price is asked for again at `ask_at`, unless somebody else has found it out.
pub(crate) fn ask_again(db: &mut Db, check: &PriceCheck, ask_at: DateTime<Utc>) -> Result<(), DbError> {
    diesel::update(
        price_checks::table
            .filter(price_checks::project_id.eq(Id::of(check.project_id)))
            .filter(price_checks::id.eq(Id::of(check.attempt_id))),
    )
    .set((
        price_checks::asked.eq(i32::try_from(check.asked + 1).unwrap_or(i32::MAX)),
        price_checks::ask_at.eq(Time::from(ask_at)),
        price_checks::lease_until.eq(None::<Time>),
    ))
    .execute(db)?;
    Ok(())
}

/// There is nothing more to ask. False: somebody else was faster.
pub(crate) fn settle(db: &mut Db, check: &PriceCheck) -> Result<bool, DbError> {
    let gone = diesel::delete(
        price_checks::table
            .filter(price_checks::project_id.eq(Id::of(check.project_id)))
            .filter(price_checks::id.eq(Id::of(check.attempt_id))),
    )
    .execute(db)?;
    Ok(gone == 1)
}
