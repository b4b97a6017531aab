//! The rpc services `Notifications` and `Conversation`, as the bus wants them: each rpc is handed to its own file.

use std::time::Duration;

use async_trait::async_trait;
use common::bus::Cause;
use contracts::calls::{self as proto, ConversationRpc, NotificationsRpc};
use contracts::rpc::{Context, RpcError};

use super::{get_notification, list_notifications, next_sentence, place_notification, start_turn};
use crate::app::App;

/// Answers `Notifications`: the gateway places and reads back.
pub(crate) struct Notifications(pub(crate) App);

#[async_trait]
impl NotificationsRpc for Notifications {
    async fn place_notification(
        &self,
        _: Context,
        request: proto::PlaceNotificationRequest,
    ) -> Result<proto::Notification, RpcError> {
        let cause = Cause::own(&request.project_id);
        Ok(place_notification::place(&self.0, cause, request).await?)
    }

    async fn get_notification(
        &self,
        _: Context,
        request: proto::GetNotificationRequest,
    ) -> Result<proto::Notification, RpcError> {
        Ok(get_notification::get(&self.0, &request).await?)
    }

    async fn list_notifications(
        &self,
        _: Context,
        request: proto::ListNotificationsRequest,
    ) -> Result<proto::ListNotificationsResponse, RpcError> {
        Ok(list_notifications::list(&self.0, &request).await?)
    }
}

/// Answers `Conversation`: the bridge asks for what to say.
pub(crate) struct Conversation(pub(crate) App);

#[async_trait]
impl ConversationRpc for Conversation {
    async fn start_turn(
        &self,
        context: Context,
        request: proto::StartTurnRequest,
    ) -> Result<proto::TurnPart, RpcError> {
        Ok(start_turn::start(&self.0, &context, request).await?)
    }

    async fn next_sentence(
        &self,
        context: Context,
        request: proto::NextSentenceRequest,
    ) -> Result<proto::TurnPart, RpcError> {
        Ok(next_sentence::next(&self.0, &context, request).await?)
    }
}

/// Nobody hears an answer that comes after the caller's deadline.
pub(super) fn patience(context: &Context, wait_ms: u32) -> Duration {
    Duration::from_millis(u64::from(wait_ms)).min(context.deadline)
}
