//! Reads a page of a project's notifications back, newest first.

use std::str::FromStr;

use common::clock::from_millis;
use contracts::calls as proto;
use contracts::ids::{BadId, ProjectId};

use crate::app::App;
use crate::domain::notification::UnknownNotificationStatus;
use crate::error::OrchestratorError;
use crate::events::{self, text};
use crate::store::calls;
use crate::store::shown::{self, Filter, Shown};

pub(super) async fn list(
    app: &App,
    request: &proto::ListNotificationsRequest,
) -> Result<proto::ListNotificationsResponse, OrchestratorError> {
    let project: ProjectId = request.project_id.parse()?;
    let after = optional_id(&request.after_id)?;
    let filter = filter(request)?;
    let limit = request.limit.clamp(1, 100);
    app.platform
        .database
        .read(move |db| {
            // One more than asked for tells whether there is a next page.
            let mut page = shown::list(db, project, &filter, after, limit + 1)?;
            let more = page.len() > limit as usize;
            page.truncate(limit as usize);
            let ids: Vec<_> = page.iter().map(|n| n.call_id).collect();
            let latest = calls::of(db, project, &ids)?;
            let call_of = |n: &Shown| latest.iter().find(|c| c.id == n.call_id);
            let next = page.last().filter(|_| more).map(|n| n.id);
            let notifications = page.iter().map(|n| events::seen(n, call_of(n))).collect();
            Ok(proto::ListNotificationsResponse { notifications, next_after_id: text(next) })
        })
        .await
}

fn optional_id<T: FromStr<Err = BadId>>(text: &str) -> Result<Option<T>, BadId> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some) }
}

fn filter(request: &proto::ListNotificationsRequest) -> Result<Filter, OrchestratorError> {
    let status = match request.status.as_str() {
        "" => None,
        word => Some(word.parse().map_err(|e: UnknownNotificationStatus| OrchestratorError::Invalid {
            field: "status",
            problem: e.to_string(),
        })?),
    };
    Ok(Filter {
        status,
        customer: optional_id(&request.customer_id)?,
        agent: optional_id(&request.agent_id)?,
        created_after: request.created_after_ms.map(from_millis),
        created_before: request.created_before_ms.map(from_millis),
    })
}
