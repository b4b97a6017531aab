//! What projects have used, by day (UTC). Calls are counted in the transaction that ends them, what they cost in the one that
//! writes it down with the call: nothing is counted twice.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use common::db::{Db, DbError, Id};
use contracts::ids::ProjectId;
use diesel::prelude::*;
use llm::Tokens;

use super::costs::{coalesce, count};
use super::schema::{spend_days, usage_days};
use super::word;

/// What a project has used on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UsageDay {
    pub(crate) project_id: ProjectId,
    pub(crate) day: NaiveDate,
    /// Calls that were dialled and ended on this day.
    pub(crate) calls: i64,
    /// Those of them that somebody picked up.
    pub(crate) answered: i64,
    /// Their talk time, milliseconds.
    pub(crate) talk_ms: i64,
    /// What the model read; `None`: it does not say.
    pub(crate) tokens_in: Option<i64>,
    /// What the model wrote; `None`: it does not say.
    pub(crate) tokens_out: Option<i64>,
    /// What the carrier charges; of several currencies, the one with the greatest sum. `None`: it does not say.
    pub(crate) cost: Option<Money>,
}

/// Money of one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Money {
    /// Millionths.
    pub(crate) micros: i64,
    /// As the carrier names it.
    pub(crate) currency: String,
}

fn text(day: NaiveDate) -> String {
    day.format("%Y-%m-%d").to_string()
}

/// Counts a call that ended at `at`.
pub(crate) fn count_call(
    db: &mut Db,
    project: ProjectId,
    at: DateTime<Utc>,
    (answered, talk_ms): (bool, i64),
) -> Result<(), DbError> {
    let day = row(db, project, at)?;
    diesel::update(usage_days::table.find((Id::of(project), &day)))
        .set((
            usage_days::calls.eq(usage_days::calls + 1),
            usage_days::answered.eq(usage_days::answered + i64::from(answered)),
            usage_days::talk_ms.eq(usage_days::talk_ms + talk_ms),
        ))
        .execute(db)?;
    Ok(())
}

/// Adds what an answer of the model at `at` has cost.
pub(crate) fn add_tokens(
    db: &mut Db,
    project: ProjectId,
    at: DateTime<Utc>,
    used: Tokens,
) -> Result<(), DbError> {
    let day = row(db, project, at)?;
    diesel::update(usage_days::table.find((Id::of(project), &day)))
        .set((
            usage_days::tokens_in.eq((coalesce(usage_days::tokens_in, 0_i64) + count(used.read)).nullable()),
            usage_days::tokens_out
                .eq((coalesce(usage_days::tokens_out, 0_i64) + count(used.written)).nullable()),
        ))
        .execute(db)?;
    Ok(())
}

/// Adds what the carrier charges for a call that ended at `at`, in its currency.
pub(crate) fn add_cost(
    db: &mut Db,
    project: ProjectId,
    at: DateTime<Utc>,
    (micros, currency): (i64, &str),
) -> Result<(), DbError> {
    let day = row(db, project, at)?;
    let spent = || spend_days::table.find((Id::of(project), &day, currency));
    let touched = diesel::update(spent()).set(spend_days::cost_micros.eq(spend_days::cost_micros + micros));
    // Two that make the row at the same moment: one fails, and tries again.
    if touched.execute(db)? == 0 {
        diesel::insert_into(spend_days::table)
            .values((
                spend_days::project_id.eq(Id::of(project)),
                spend_days::day.eq(&day),
                spend_days::currency.eq(currency),
                spend_days::cost_micros.eq(micros),
            ))
            .execute(db)?;
    }
    Ok(())
}

/// The day has its row. Two that make it at the same moment: one fails, and tries again.
fn row(db: &mut Db, project: ProjectId, at: DateTime<Utc>) -> Result<String, DbError> {
    let day = text(at.date_naive());
    let there: i64 = usage_days::table
        .filter(usage_days::project_id.eq(Id::of(project)))
        .filter(usage_days::day.eq(&day))
        .count()
        .get_result(db)?;
    if there == 0 {
        diesel::insert_into(usage_days::table)
            .values((
                usage_days::project_id.eq(Id::of(project)),
                usage_days::day.eq(&day),
                usage_days::calls.eq(0_i64),
                usage_days::answered.eq(0_i64),
                usage_days::talk_ms.eq(0_i64),
            ))
            .execute(db)?;
    }
    Ok(day)
}

type Row = (Id, String, i64, i64, i64, Option<i64>, Option<i64>);

/// What these projects have used on the days from `first` to `last`, oldest first; days without any use are left out.
pub(crate) fn of(
    db: &mut Db,
    projects: &[ProjectId],
    (first, last): (NaiveDate, NaiveDate),
) -> Result<Vec<UsageDay>, DbError> {
    let ids: Vec<Id> = projects.iter().map(|id| Id::of(*id)).collect();
    let rows: Vec<Row> = usage_days::table
        .filter(usage_days::project_id.eq_any(&ids))
        .filter(usage_days::day.between(text(first), text(last)))
        .order((usage_days::day, usage_days::project_id))
        .load(db)?;
    let spent: Vec<(Id, String, String, i64)> = spend_days::table
        .filter(spend_days::project_id.eq_any(ids))
        .filter(spend_days::day.between(text(first), text(last)))
        .order(spend_days::cost_micros)
        .select((spend_days::project_id, spend_days::day, spend_days::currency, spend_days::cost_micros))
        .load(db)?;
    // Of one day the largest comes last, and stays.
    let money = |(project, day, currency, micros)| ((project, day), Money { micros, currency });
    let mut cost: HashMap<(Id, String), Money> = spent.into_iter().map(money).collect();
    rows.into_iter().map(|row| read(row, &mut cost)).collect()
}

fn read(row: Row, cost: &mut HashMap<(Id, String), Money>) -> Result<UsageDay, DbError> {
    let (project, day, calls, answered, talk_ms, tokens_in, tokens_out) = row;
    Ok(UsageDay {
        project_id: ProjectId(project.0),
        cost: cost.remove(&(project, day.clone())),
        day: word(day.parse::<NaiveDate>())?,
        calls,
        answered,
        talk_ms,
        tokens_in,
        tokens_out,
    })
}

/// What a project has spent from the day `first` on, in hundredths of the carrier's currency, as far as it is known; of several
/// currencies, in that of which there is most.
pub(crate) fn spent_cents(db: &mut Db, project: ProjectId, first: NaiveDate) -> Result<u64, DbError> {
    let days: Vec<(String, i64)> = spend_days::table
        .filter(spend_days::project_id.eq(Id::of(project)))
        .filter(spend_days::day.ge(text(first)))
        .select((spend_days::currency, spend_days::cost_micros))
        .load(db)?;
    let mut by_currency: HashMap<String, i64> = HashMap::new();
    for (currency, micros) in days {
        *by_currency.entry(currency).or_default() += micros;
    }
    let micros = by_currency.into_values().max().unwrap_or_default();
    Ok(u64::try_from(micros).unwrap_or_default() / 10_000)
}
