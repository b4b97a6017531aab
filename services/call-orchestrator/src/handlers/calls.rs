//! Reads calls back, with what was said in them: one, or all that were made for a notification.

use std::collections::HashMap;

use common::db::{Db, DbError};
use contracts::calls as proto;
use contracts::ids::{CallId, NotificationId, ProjectId};

use crate::app::App;
use crate::call_seen::{Beside, call_seen};
use crate::error::OrchestratorError;
use crate::store::{calls, costs, readings, recordings, shown, timed};

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
            let mut beside = beside(db, project, &ids)?;
            let seen = |call: &calls::Call| {
                call_seen(call, &found.phone, &beside.remove(&call.id).unwrap_or_default())
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
            let beside = beside(db, project, &[id])?.remove(&id).unwrap_or_default();
            Ok(call_seen(&call, &whose.phone, &beside))
        })
        .await
}

/// What is known of these calls beside their rows.
pub(super) fn beside(
    db: &mut Db,
    project: ProjectId,
    ids: &[CallId],
) -> Result<HashMap<CallId, Beside>, DbError> {
    let mut turns = timed::of_calls(db, project, ids)?;
    let mut costs = costs::of(db, project, ids)?;
    let mut found = readings::of(db, project, ids)?;
    let mut recordings = recordings::of(db, project, ids)?;
    let one = |id: &CallId| {
        let beside = Beside {
            turns: turns.remove(id).unwrap_or_default(),
            costs: costs.remove(id).unwrap_or_default(),
            found: found.remove(id).unwrap_or_default(),
            recording: recordings.remove(id),
        };
        (*id, beside)
    };
    Ok(ids.iter().map(one).collect())
}
