//! What was said in calls and when, as their project is shown it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Json, Time};
use contracts::ids::{CallId, ProjectId};
use diesel::prelude::*;

use super::schema::{sentences, turns};
use super::word;
use crate::domain::question::Source;

/// One turn with its times.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TimedTurn {
    pub(crate) number: u32,
    /// What opened it, when that was speech or keys.
    pub(crate) heard: Option<String>,
    /// The carrier's confidence in it.
    pub(crate) confidence: Option<f64>,
    /// When it was opened: when something was heard, or, for one that was prepared, before anybody asked.
    pub(crate) opened_at: DateTime<Utc>,
    /// When it was first asked for; `None`: it was only prepared.
    pub(crate) asked_at: Option<DateTime<Utc>>,
    /// How many of its sentences have been handed to the bridge.
    pub(crate) handed_out: usize,
    /// The sentences, and when each was ready.
    pub(crate) sentences: Vec<(String, DateTime<Utc>)>,
    /// The documents that they draw from.
    pub(crate) sources: Vec<Source>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = turns)]
struct Row {
    call_id: Id,
    number: i32,
    heard: Option<String>,
    confidence: Option<f64>,
    opened_at: Time,
    asked_at: Option<Time>,
    handed_out: i32,
    sources: Option<Json>,
}

/// The turns of some calls of a project, oldest first.
pub(crate) fn of_calls(
    db: &mut Db,
    project: ProjectId,
    calls: &[CallId],
) -> Result<BTreeMap<CallId, Vec<TimedTurn>>, DbError> {
    let ids: Vec<Id> = calls.iter().map(|id| Id::of(*id)).collect();
    let rows: Vec<Row> = turns::table
        .filter(turns::project_id.eq(Id::of(project)))
        .filter(turns::call_id.eq_any(&ids))
        .order((turns::call_id, turns::number))
        .select(Row::as_select())
        .load(db)?;
    let mut said = sentences_of(db, &ids)?;
    let mut all: BTreeMap<CallId, Vec<TimedTurn>> = BTreeMap::new();
    for row in rows {
        let sentences = said.remove(&(CallId(row.call_id.0), row.number)).unwrap_or_default();
        all.entry(CallId(row.call_id.0)).or_default().push(TimedTurn {
            number: row.number.unsigned_abs(),
            heard: row.heard,
            confidence: row.confidence,
            opened_at: row.opened_at.0,
            asked_at: row.asked_at.map(|t| t.0),
            handed_out: usize::try_from(row.handed_out).unwrap_or_default(),
            sentences,
            sources: word(row.sources.map(|s| serde_json::from_value(s.0)).transpose())?.unwrap_or_default(),
        });
    }
    Ok(all)
}

type Said = BTreeMap<(CallId, i32), Vec<(String, DateTime<Utc>)>>;

fn sentences_of(db: &mut Db, calls: &[Id]) -> Result<Said, DbError> {
    let rows: Vec<(Id, i32, String, Time)> = sentences::table
        .filter(sentences::call_id.eq_any(calls))
        .order((sentences::call_id, sentences::turn, sentences::number))
        .select((sentences::call_id, sentences::turn, sentences::text, sentences::stored_at))
        .load(db)?;
    let mut said = Said::new();
    for (call, turn, text, ready) in rows {
        said.entry((CallId(call.0), turn)).or_default().push((text, ready.0));
    }
    Ok(said)
}
