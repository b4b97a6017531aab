//! Forgets people: stops what waits for them and what rings or talks, then blanks what is personal. A call that is not over
//! yet is come back for. In steps of a page, each a transaction, so that a large project holds nobody up.

use std::time::Duration;

use chrono::TimeDelta;
use common::bus::Cause;
use contracts::ids::NotificationId;

use crate::app::App;
use crate::domain::notification::NotificationInput;
use crate::error::OrchestratorError;
use crate::forgetting;
use crate::store::erasures::{self, Erasure};
use crate::store::waiting::{self, Personal};
use crate::story::Story;

/// Longer than the steps of one erasure take; where it is not, another replica does the same once more.
const HOLD: Duration = Duration::from_secs(120);
/// Erasures looked at in one round.
const AT_ONCE: u32 = 20;
/// Notifications blanked in one transaction.
const PAGE: u32 = 50;
/// When to come back for calls that are being stopped.
const AGAIN: TimeDelta = TimeDelta::seconds(5);

/// One round.
pub(crate) async fn run(app: App) -> Result<(), OrchestratorError> {
    let due = app
        .write(|tx| {
            let now = tx.now();
            Ok(erasures::claim(tx.conn, now, HOLD, AT_ONCE)?)
        })
        .await?;
    for erasure in due {
        if let Err(error) = forget(&app, erasure).await {
            tracing::warn!(project = %erasure.project, %error, "could not be erased; tried again when the lease ends");
        }
    }
    Ok(())
}

async fn forget(app: &App, erasure: Erasure) -> Result<(), OrchestratorError> {
    let (mut after, mut left) = (None, false);
    loop {
        let inner = app.clone();
        let page = app.write(move |tx| step(&inner, tx, erasure, after)).await?;
        left |= page.iter().any(|personal| !personal.over);
        match page.last() {
            Some(last) if page.len() >= PAGE as usize => after = Some(last.id),
            _ => break,
        }
    }
    app.write(move |tx| {
        let now = tx.now();
        let noted = match left {
            true => erasures::wait(tx.conn, erasure, now + AGAIN),
            false => erasures::done(tx.conn, erasure),
        };
        Ok(noted?)
    })
    .await
}

/// Stops and blanks one page. Answers it as it is afterwards.
fn step(
    app: &App,
    tx: &mut common::db::Tx<'_>,
    erasure: Erasure,
    after: Option<NotificationId>,
) -> Result<Vec<Personal>, OrchestratorError> {
    let project = erasure.project;
    let mut page = waiting::personal(tx.conn, (project, erasure.customer), after, PAGE)?;
    let cause = Cause::own(project);
    // What has ended is waited for: its result is being read, or its customer has rung back and talks.
    for personal in page.iter_mut().filter(|personal| !personal.ended) {
        let Some(mut story) = Story::of_notification(app, tx, &cause, (project, personal.id))? else {
            continue;
        };
        story.notification_input(NotificationInput::CancelRequested)?;
        let (notification, _) = story.save()?;
        personal.over = notification.state.status.is_final() && !notification.state.live_call;
    }
    let over: Vec<NotificationId> = page.iter().filter(|p| p.over).map(|p| p.id).collect();
    forgetting::forget(tx, project, &over)?;
    Ok(page)
}
