//! Blanks what is personal when a project has kept it long enough (its `retention_days`), oldest first and a page at a time.

use std::time::Duration;

use chrono::TimeDelta;
use contracts::ids::ProjectId;

use crate::app::App;
use crate::domain::policy::Policy;
use crate::error::OrchestratorError;
use crate::forgetting;
use crate::store::{policies, waiting};

/// Longer than a project takes in one round.
const HOLD: Duration = Duration::from_secs(300);
/// Projects looked at in one round.
const AT_ONCE: u32 = 50;
/// Notifications blanked in one transaction.
const PAGE: u32 = 100;
/// Pages of one project in one round: the others have a right to theirs.
const PAGES: usize = 20;
/// How soon a project is looked through again: data may be kept this much longer.
const AGAIN: TimeDelta = TimeDelta::hours(1);

/// One round.
pub(crate) async fn run(app: App) -> Result<(), OrchestratorError> {
    let due = app
        .write(|tx| {
            let now = tx.now();
            Ok(policies::claim_to_purge(tx.conn, now, HOLD, AT_ONCE)?)
        })
        .await?;
    for project in due {
        if let Err(error) = purge(&app, project).await {
            tracing::warn!(%project, %error, "old data could not be blanked; tried again when the lease ends");
        }
    }
    Ok(())
}

async fn purge(app: &App, project: ProjectId) -> Result<(), OrchestratorError> {
    let mut more = true;
    for _ in 0..PAGES {
        more = app.write(move |tx| step(tx, project)).await?;
        if !more {
            break;
        }
    }
    app.write(move |tx| {
        let now = tx.now();
        Ok(policies::purged(tx.conn, project, if more { now } else { now + AGAIN })?)
    })
    .await
}

/// Blanks one page. True: there may be more.
fn step(tx: &mut common::db::Tx<'_>, project: ProjectId) -> Result<bool, OrchestratorError> {
    let stored = policies::find(tx.conn, project)?.unwrap_or_default();
    let days = TimeDelta::days(i64::from(Policy::from(&stored.settings).retention_days));
    let before = tx.now() - days;
    let over = waiting::over_before(tx.conn, project, before, PAGE)?;
    if !over.is_empty() {
        forgetting::forget(tx, project, &over)?;
    }
    Ok(over.len() >= PAGE as usize)
}
