//! What calls have cost: tokens of the model, and the carrier's price. A call of which nothing is known has no row.

use std::collections::HashMap;

use common::db::sql::{BigInt, Nullable};
use common::db::{Db, DbError, Id};
use contracts::ids::{CallId, ProjectId};
use diesel::prelude::*;
use llm::Tokens;

use super::schema::call_costs;

diesel::define_sql_function! {
    /// `amount`, or `without` where it is not known.
    fn coalesce(amount: Nullable<BigInt>, without: BigInt) -> BigInt;
}

/// What is known of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Costs {
    /// What the model read.
    pub(crate) tokens_in: Option<i64>,
    /// What the model wrote.
    pub(crate) tokens_out: Option<i64>,
    /// Millionths of the currency.
    pub(crate) cost_micros: Option<i64>,
    /// The carrier's, for example `USD`.
    pub(crate) currency: Option<String>,
}

/// Counts for the tables: more than fit are as many as fit.
pub(super) fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// The call has its row. Two that make it at the same moment: one fails, and tries again.
fn row(db: &mut Db, project: ProjectId, call: CallId) -> Result<(), DbError> {
    let there: i64 = call_costs::table.filter(call_costs::call_id.eq(Id::of(call))).count().get_result(db)?;
    if there == 0 {
        diesel::insert_into(call_costs::table)
            .values((call_costs::call_id.eq(Id::of(call)), call_costs::project_id.eq(Id::of(project))))
            .execute(db)?;
    }
    Ok(())
}

/// Adds what an answer of the model in this call has cost.
pub(crate) fn add_tokens(db: &mut Db, project: ProjectId, call: CallId, used: Tokens) -> Result<(), DbError> {
    row(db, project, call)?;
    diesel::update(
        call_costs::table
            .filter(call_costs::project_id.eq(Id::of(project)))
            .filter(call_costs::call_id.eq(Id::of(call))),
    )
    .set((
        call_costs::tokens_in.eq((coalesce(call_costs::tokens_in, 0_i64) + count(used.read)).nullable()),
        call_costs::tokens_out.eq((coalesce(call_costs::tokens_out, 0_i64) + count(used.written)).nullable()),
    ))
    .execute(db)?;
    Ok(())
}

/// Writes down what the carrier charges for the call. False: that is known already.
pub(crate) fn set_price(
    db: &mut Db,
    project: ProjectId,
    call: CallId,
    (micros, currency): (i64, &str),
) -> Result<bool, DbError> {
    row(db, project, call)?;
    let touched = diesel::update(
        call_costs::table
            .filter(call_costs::project_id.eq(Id::of(project)))
            .filter(call_costs::call_id.eq(Id::of(call)))
            .filter(call_costs::cost_micros.is_null()),
    )
    .set((call_costs::cost_micros.eq(micros), call_costs::currency.eq(currency)))
    .execute(db)?;
    Ok(touched == 1)
}

type Row = (Id, Option<i64>, Option<i64>, Option<i64>, Option<String>);

/// What is known of these calls.
pub(crate) fn of(
    db: &mut Db,
    project: ProjectId,
    calls: &[CallId],
) -> Result<HashMap<CallId, Costs>, DbError> {
    let ids: Vec<Id> = calls.iter().map(|id| Id::of(*id)).collect();
    let rows: Vec<Row> = call_costs::table
        .filter(call_costs::project_id.eq(Id::of(project)))
        .filter(call_costs::call_id.eq_any(ids))
        .select((
            call_costs::call_id,
            call_costs::tokens_in,
            call_costs::tokens_out,
            call_costs::cost_micros,
            call_costs::currency,
        ))
        .load(db)?;
    let known = |(id, tokens_in, tokens_out, cost_micros, currency): Row| {
        (CallId(id.0), Costs { tokens_in, tokens_out, cost_micros, currency })
    };
    Ok(rows.into_iter().map(known).collect())
}
