//! What projects have used, by day (UTC). Calls are counted in the transaction that ends them, what they cost in the one that
//! writes it down with the call: nothing is counted twice.

use chrono::{DateTime, NaiveDate, Utc};
use common::db::{Db, DbError, Id};
use contracts::ids::ProjectId;
use diesel::prelude::*;
use llm::Tokens;

use super::costs::{coalesce, count};
use super::schema::usage_days;
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
    /// Millionths of the carrier's currency; `None`: it does not say.
    pub(crate) cost_micros: Option<i64>,
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

/// Adds what the carrier charges for a call that ended at `at`.
pub(crate) fn add_cost(
    db: &mut Db,
    project: ProjectId,
    at: DateTime<Utc>,
    micros: i64,
) -> Result<(), DbError> {
    let day = row(db, project, at)?;
    diesel::update(usage_days::table.find((Id::of(project), &day)))
        .set(usage_days::cost_micros.eq((coalesce(usage_days::cost_micros, 0_i64) + micros).nullable()))
        .execute(db)?;
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

type Row = (Id, String, i64, i64, i64, Option<i64>, Option<i64>, Option<i64>);

/// What these projects have used on the days from `first` to `last`, oldest first; days without any use are left out.
pub(crate) fn of(
    db: &mut Db,
    projects: &[ProjectId],
    (first, last): (NaiveDate, NaiveDate),
) -> Result<Vec<UsageDay>, DbError> {
    let ids: Vec<Id> = projects.iter().map(|id| Id::of(*id)).collect();
    let rows: Vec<Row> = usage_days::table
        .filter(usage_days::project_id.eq_any(ids))
        .filter(usage_days::day.between(text(first), text(last)))
        .order((usage_days::day, usage_days::project_id))
        .load(db)?;
    rows.into_iter().map(read).collect()
}

fn read(row: Row) -> Result<UsageDay, DbError> {
    let (project, day, calls, answered, talk_ms, tokens_in, tokens_out, cost_micros) = row;
    Ok(UsageDay {
        project_id: ProjectId(project.0),
        day: word(day.parse::<NaiveDate>())?,
        calls,
        answered,
        talk_ms,
        tokens_in,
        tokens_out,
        cost_micros,
    })
}

/// What a project has spent from the day `first` on, in hundredths of the carrier's currency, as far as it is known.
pub(crate) fn spent_cents(db: &mut Db, project: ProjectId, first: NaiveDate) -> Result<u64, DbError> {
    let days: Vec<Option<i64>> = usage_days::table
        .filter(usage_days::project_id.eq(Id::of(project)))
        .filter(usage_days::day.ge(text(first)))
        .select(usage_days::cost_micros)
        .load(db)?;
    let micros: i64 = days.into_iter().flatten().sum();
    Ok(u64::try_from(micros).unwrap_or_default() / 10_000)
}
