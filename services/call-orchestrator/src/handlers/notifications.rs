//! The rpc service `Notifications`: placing and reading back.

use async_trait::async_trait;
use common::bus::Cause;
use common::clock::to_millis;
use contracts::calls::{self as proto, NotificationsRpc};
use contracts::ids::{NotificationId, ProjectId};
use contracts::rpc::{Context, RpcError};

use super::place_notification::place;
use crate::app::App;
use crate::error::OrchestratorError;
use crate::events::text;
use crate::store::calls::{self, Call};
use crate::store::notifications::{self as table, Notification};

/// Answers `Notifications`.
pub(crate) struct Notifications(pub(crate) App);

#[async_trait]
impl NotificationsRpc for Notifications {
    async fn place_notification(
        &self,
        context: Context,
        request: proto::PlaceNotificationRequest,
    ) -> Result<proto::Notification, RpcError> {
        let cause = Cause { request_id: context.request_id, ..Cause::own(&request.project_id) };
        Ok(place(&self.0, cause, request).await?)
    }

    async fn get_notification(
        &self,
        _: Context,
        request: proto::GetNotificationRequest,
    ) -> Result<proto::Notification, RpcError> {
        Ok(get(&self.0, &request).await?)
    }

    async fn list_notifications(
        &self,
        _: Context,
        request: proto::ListNotificationsRequest,
    ) -> Result<proto::ListNotificationsResponse, RpcError> {
        Ok(list(&self.0, &request).await?)
    }
}

async fn get(
    app: &App,
    request: &proto::GetNotificationRequest,
) -> Result<proto::Notification, OrchestratorError> {
    let project: ProjectId = request.project_id.parse()?;
    let id: NotificationId = request.notification_id.parse()?;
    app.platform
        .database
        .read(move |db| {
            let found = table::find(db, project, id)?.ok_or(OrchestratorError::NotFound("notification"))?;
            let call = calls::find(db, found.call_id)?;
            Ok(to_proto(&found, call.as_ref()))
        })
        .await
}

async fn list(
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
            let mut page = table::list(db, project, after, limit + 1)?;
            let more = page.len() > limit as usize;
            page.truncate(limit as usize);
            let ids: Vec<_> = page.iter().map(|n| n.call_id).collect();
            let latest = calls::of(db, project, &ids)?;
            let call_of = |n: &Notification| latest.iter().find(|c| c.id == n.call_id);
            let next = page.last().filter(|_| more).map(|n| n.id);
            let notifications = page.iter().map(|n| to_proto(n, call_of(n))).collect();
            Ok(proto::ListNotificationsResponse { notifications, next_after_id: text(next) })
        })
        .await
}

/// A notification as its project sees it.
pub(super) fn to_proto(n: &Notification, call: Option<&Call>) -> proto::Notification {
    let result = n.found.as_ref().and_then(|f| f.result.as_ref());
    proto::Notification {
        id: n.id.to_string(),
        project_id: n.project_id.to_string(),
        agent_id: text(n.agent_id),
        agent_version: n.agent_version,
        customer_id: text(n.customer_id),
        target_phone_e164: n.phone.clone(),
        message: n.message.clone(),
        context: n.context.clone(),
        collect_feedback: n.collect_feedback,
        max_duration_seconds: n.max_duration_seconds,
        status: n.state.status.as_str().to_owned(),
        call_result_json: text(result),
        ended_reason: n.state.ended_reason.map(|r| r.as_str().to_owned()).unwrap_or_default(),
        metadata_json: text(n.metadata.as_ref()),
        created_at_ms: to_millis(n.created_at),
        updated_at_ms: to_millis(n.updated_at),
        call_id: n.call_id.to_string(),
        call_status: call.map(|c| c.state.status.as_str().to_owned()).unwrap_or_default(),
        blocked_by: n.state.blocked_by.clone().unwrap_or_default(),
        carrier_code: call.and_then(|c| c.state.carrier_code).unwrap_or_default(),
    }
}
