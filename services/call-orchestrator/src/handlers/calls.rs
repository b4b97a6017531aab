//! Reads calls back, with what was said in them: one, or all that were made for a notification.

use contracts::calls as proto;
use contracts::ids::{CallId, NotificationId, ProjectId};

use crate::app::App;
use crate::call_seen::call_seen;
use crate::error::OrchestratorError;
use crate::store::costs::{self, Costs};
use crate::store::{calls, shown, timed};

pub(super) async fn list(
    app: &App,
    request: &proto::GetNotificationRequest,
) -> Result<proto::ListCallsResponse, OrchestratorError> {
    let project: ProjectId = request.project_id.parse()?;
    let id: NotificationId = request.notification_id.parse()?;
    app.platform
        .database
        .read(move |db| {
            let found = shown::find(db, project, id)?.ok_or(OrchestratorError::NotFound("notification"))?;
            let made = calls::of_notification(db, project, id)?;
            let ids: Vec<CallId> = made.iter().map(|call| call.id).collect();
            let turns = timed::of_calls(db, project, &ids)?;
            let (costs, unknown) = (costs::of(db, project, &ids)?, Costs::default());
            let seen = |call: &calls::Call| {
                let turns = turns.get(&call.id).map_or(&[][..], Vec::as_slice);
                call_seen(call, &found.phone, turns, costs.get(&call.id).unwrap_or(&unknown))
            };
            Ok(proto::ListCallsResponse { calls: made.iter().map(seen).collect() })
        })
        .await
}

pub(super) async fn get(
    app: &App,
    request: &proto::GetCallRequest,
) -> Result<proto::Call, OrchestratorError> {
    let project: ProjectId = request.project_id.parse()?;
    let id: CallId = request.call_id.parse()?;
    app.platform
        .database
        .read(move |db| {
            let missing = || OrchestratorError::NotFound("call");
            let call = calls::of_project(db, project, id)?.ok_or_else(missing)?;
            let whose = shown::find(db, project, call.notification_id)?.ok_or_else(missing)?;
            let turns = timed::of_calls(db, project, &[id])?;
            let costs = costs::of(db, project, &[id])?.remove(&id).unwrap_or_default();
            Ok(call_seen(&call, &whose.phone, turns.get(&id).map_or(&[], Vec::as_slice), &costs))
        })
        .await
}
