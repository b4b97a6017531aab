//! Reads what projects have used.

use chrono::NaiveDate;
use contracts::calls as proto;
use contracts::ids::{BadId, ProjectId};

use crate::app::App;
use crate::error::OrchestratorError;
use crate::store::usage::{self, UsageDay};

/// Most days in one answer.
const MOST_DAYS: i64 = 366;
/// Most projects in one answer.
const MOST_PROJECTS: usize = 1_000;

pub(super) async fn get(
    app: &App,
    request: &proto::GetUsageRequest,
) -> Result<proto::GetUsageResponse, OrchestratorError> {
    let projects =
        request.project_ids.iter().map(|id| id.parse()).collect::<Result<Vec<ProjectId>, BadId>>()?;
    if projects.len() > MOST_PROJECTS {
        let problem = format!("at most {MOST_PROJECTS} projects at a time");
        return Err(OrchestratorError::Invalid { field: "project_ids", problem });
    }
    let days = (day("from", &request.first_day)?, day("to", &request.last_day)?);
    if (days.1 - days.0).num_days() >= MOST_DAYS {
        let problem = format!("at most {MOST_DAYS} days at a time");
        return Err(OrchestratorError::Invalid { field: "to", problem });
    }
    app.platform
        .database
        .read(move |db| {
            let days = usage::of(db, &projects, days)?;
            Ok(proto::GetUsageResponse { days: days.into_iter().map(shown).collect() })
        })
        .await
}

fn day(field: &'static str, text: &str) -> Result<NaiveDate, OrchestratorError> {
    text.parse().map_err(|_| OrchestratorError::Invalid {
        field,
        problem: "must be a day such as 2026-03-18".to_owned(),
    })
}

fn shown(day: UsageDay) -> proto::UsageDay {
    let count = |n: i64| u64::try_from(n).unwrap_or_default();
    let (micros, currency) =
        day.cost.map_or((None, String::new()), |cost| (Some(cost.micros), cost.currency));
    proto::UsageDay {
        project_id: day.project_id.to_string(),
        day: day.day.to_string(),
        calls: count(day.calls),
        answered: count(day.answered),
        talk_ms: count(day.talk_ms),
        tokens_in: day.tokens_in.map(count),
        tokens_out: day.tokens_out.map(count),
        cost_micros: micros.map(count),
        currency,
    }
}
