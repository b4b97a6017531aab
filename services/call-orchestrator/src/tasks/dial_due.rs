//! Notifications that wait — for their time, for a free call, for another attempt — are looked at when they may be due. The
//! rules run again each time. A project whose calls are all in use is asked about once, however many of its notifications
//! wait, so that it takes nothing from the others.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use common::bus::Cause;
use common::db::DbError;
use contracts::ids::{NotificationId, ProjectId};

use crate::app::App;
use crate::domain::rules;
use crate::error::OrchestratorError;
use crate::store::notifications::{self, Waiting};
use crate::store::suppressions;
use crate::story::Story;

/// Longer than a round takes.
const HOLD: Duration = Duration::from_secs(30);
/// Notifications leased together.
const PAGE: u32 = 100;
/// How long one that cannot be looked at is left alone: whatever is wrong with it is not mended in less.
const SKIPPED_FOR: TimeDelta = TimeDelta::minutes(1);

/// One round: until nothing is due.
pub(crate) async fn run(app: App) -> Result<(), OrchestratorError> {
    loop {
        let due = app
            .write(|tx| {
                let now = tx.now();
                Ok(notifications::claim_waiting(tx.conn, now, HOLD, PAGE)?)
            })
            .await?;
        let more = due.len() >= PAGE as usize;
        let mut by_project: BTreeMap<ProjectId, Vec<Waiting>> = BTreeMap::new();
        for waiting in due {
            by_project.entry(waiting.project_id).or_default().push(waiting);
        }
        for (project, waiting) in by_project {
            if let Err(error) = one_project(&app, project, waiting).await {
                tracing::warn!(%project, %error, "could not be looked at; a later round tries again");
            }
        }
        if !more {
            return Ok(());
        }
    }
}

/// Looks at what waits in one project, the oldest first.
async fn one_project(app: &App, project: ProjectId, waiting: Vec<Waiting>) -> Result<(), OrchestratorError> {
    let mut waiting = waiting.into_iter();
    while let Some(first) = waiting.next() {
        let Some(until) = look_or_skip(app, (project, first.id)).await? else { continue };
        for ends in wait_on(app, project, waiting.collect(), until).await? {
            look_or_skip(app, (project, ends)).await?;
        }
        return Ok(());
    }
    Ok(())
}

/// The same as [`look`]; what cannot be looked at steps out of the line for a while, so that the ones behind it are rung.
/// Only what keeps every one of them from being looked at is an error.
async fn look_or_skip(
    app: &App,
    key: (ProjectId, NotificationId),
) -> Result<Option<DateTime<Utc>>, OrchestratorError> {
    let error = match look(app, key).await {
        Ok(held) => return Ok(held),
        Err(OrchestratorError::Db(error)) if error.is_away() => return Err(error.into()),
        // Somebody else keeps deciding about it.
        Err(OrchestratorError::Db(DbError::Conflict)) => return Ok(None),
        Err(error) => error,
    };
    tracing::error!(notification = %key.1, %error, "could not be looked at; skipped, and tried again later");
    app.write(move |tx| {
        let until = tx.now() + SKIPPED_FOR;
        Ok(notifications::set_aside(tx.conn, key.0, key.1, until)?)
    })
    .await?;
    Ok(None)
}

/// Lets the rules decide. Answers until when the project has no call free, if that is what they say.
async fn look(
    app: &App,
    key: (ProjectId, NotificationId),
) -> Result<Option<DateTime<Utc>>, OrchestratorError> {
    let inner = app.clone();
    app.write(move |tx| {
        let cause = Cause::own(key.0);
        let Some(mut story) = Story::of_notification(&inner, tx, &cause, key)? else { return Ok(None) };
        story.dial_if_allowed()?;
        let (notification, _) = story.save()?;
        let state = notification.state;
        let held = !state.status.is_final() && state.blocked_by.as_deref() == Some(rules::CONCURRENCY);
        Ok(held.then_some(state.next_try_at))
    })
    .await
}

/// Lets all these wait on together. Answers those that may not, whatever the calls of the project do.
async fn wait_on(
    app: &App,
    project: ProjectId,
    waiting: Vec<Waiting>,
    until: DateTime<Utc>,
) -> Result<Vec<NotificationId>, OrchestratorError> {
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    app.write(move |tx| {
        let now = tx.now();
        let phones: Vec<&str> = waiting.iter().map(|w| w.phone.as_str()).collect();
        let suppressed = suppressions::among(tx.conn, project, &phones)?;
        let ends = |w: &&Waiting| w.expires_at <= now || suppressed.contains(&w.phone);
        let (ends, waits): (Vec<&Waiting>, Vec<&Waiting>) = waiting.iter().partition(ends);
        let ids: Vec<NotificationId> = waits.iter().map(|w| w.id).collect();
        notifications::postpone(tx.conn, project, &ids, rules::CONCURRENCY, (now, until))?;
        Ok(ends.iter().map(|w| w.id).collect())
    })
    .await
}
