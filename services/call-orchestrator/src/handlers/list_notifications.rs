//! Reads a page of a project's notifications back, newest first.

use contracts::calls as proto;
use contracts::ids::ProjectId;

use crate::app::App;
use crate::error::OrchestratorError;
use crate::events::{self, text};
use crate::store::calls;
use crate::store::shown::{self, Shown};

pub(super) async fn list(
    app: &App,
    request: &proto::ListNotificationsRequest,
) -> Result<proto::ListNotificationsResponse, OrchestratorError> {
    let project: ProjectId = request.project_id.parse()?;
    let after = match request.after_id.as_str() {
        "" => None,
        id => Some(id.parse()?),
    };
    let limit = request.limit.clamp(1, 100);
    app.platform
        .database
        .read(move |db| {
            // One more than asked for tells whether there is a next page.
            let mut page = shown::list(db, project, after, limit + 1)?;
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
