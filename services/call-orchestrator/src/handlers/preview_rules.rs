//! Says who would be rung now, and who not and why, without ringing anybody. Each customer is judged as if they alone were to
//! be rung.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use common::clock::to_millis;
use common::db::{Db, DbError};
use contracts::calls as proto;
use contracts::ids::{BadId, CustomerId, NotificationId, ProjectId};
use uuid::Uuid;

use crate::app::App;
use crate::domain::policy::Policy;
use crate::domain::rules::{self, Facts, Verdict};
use crate::error::OrchestratorError;
use crate::rulebook;
use crate::store::{policies, standings, suppressions};

/// Most customers in one answer.
const MOST: usize = 1_000;
/// Behind everybody who waits.
const LAST: NotificationId = NotificationId(Uuid::max());

pub(super) async fn preview(
    app: &App,
    request: proto::PreviewRulesRequest,
) -> Result<proto::PreviewRulesResponse, OrchestratorError> {
    let project: ProjectId = request.project_id.parse()?;
    if request.customers.len() > MOST {
        let problem = format!("at most {MOST} customers at a time");
        return Err(OrchestratorError::Invalid { field: "customers", problem });
    }
    let ids = request.customers.iter().map(|c| c.customer_id.parse());
    let ids = ids.collect::<Result<Vec<CustomerId>, BadId>>()?;
    let (app, now) = (app.clone(), app.platform.database.now());
    let database = app.platform.database.clone();
    database.read(move |db| Ok(judge(&app, db, project, (&request, &ids), now)?)).await
}

fn judge(
    app: &App,
    db: &mut Db,
    project: ProjectId,
    (request, ids): (&proto::PreviewRulesRequest, &[CustomerId]),
    now: DateTime<Utc>,
) -> Result<proto::PreviewRulesResponse, DbError> {
    let stored = policies::find(db, project)?.unwrap_or_default();
    let policy = Policy::from(&rulebook::newer_settings(&stored, request.policy.as_ref()));
    let known: HashMap<_, _> = standings::of(db, project, ids)?.into_iter().collect();
    let phones: Vec<&str> = request.customers.iter().map(|c| c.phone_e164.as_str()).collect();
    let suppressed: HashSet<String> = suppressions::among(db, project, &phones)?.into_iter().collect();
    let load = rulebook::load(db, project, LAST, &policy, now)?;
    let verdict = |(customer, id): (&proto::PreviewedCustomer, &CustomerId)| {
        let known = known.get(id).cloned().unwrap_or_default();
        let facts = Facts {
            phone: &customer.phone_e164,
            suppressed: suppressed.contains(&customer.phone_e164),
            operator: &app.countries,
            policy: &policy,
            standing: rulebook::newer_standing(known, customer.standing.as_ref()).standing(),
            load,
        };
        shown(rules::judge(&facts, now))
    };
    Ok(proto::PreviewRulesResponse { verdicts: request.customers.iter().zip(ids).map(verdict).collect() })
}

fn shown(verdict: Verdict) -> proto::RuleVerdict {
    let (would_ring, blocked_by, until) = match verdict {
        Verdict::Ring => (true, "", None),
        Verdict::Later(by, until) => (false, by, Some(until)),
        Verdict::Never(by) => (false, by, None),
    };
    proto::RuleVerdict { would_ring, blocked_by: blocked_by.to_owned(), until_ms: until.map(to_millis) }
}
