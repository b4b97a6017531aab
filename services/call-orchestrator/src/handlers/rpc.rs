//! The rpc services of the orchestrator, as the bus wants them: each rpc is handed to its own file.

use std::time::Duration;

use async_trait::async_trait;
use common::bus::Cause;
use contracts::calls::{
    self as proto, BotCallsRpc, BotsRpc, ConversationRpc, InboundRpc, NotificationsRpc, RulesRpc,
    SimulationsRpc, SuppressionsRpc, UsageRpc,
};
use contracts::rpc::{Context, RpcError};

use super::{
    begin_bot_call, begin_inbound, bot_calls, bots, calls, find_bot, get_notification, list_notifications,
    next_sentence, place_notification, preview_prompt, preview_rules, simulate, start_turn,
    stop_notification, suppressions, usage,
};
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

    async fn stop_notification(
        &self,
        _: Context,
        request: proto::GetNotificationRequest,
    ) -> Result<proto::Notification, RpcError> {
        Ok(stop_notification::stop(&self.0, &request).await?)
    }

    async fn list_calls(
        &self,
        _: Context,
        request: proto::GetNotificationRequest,
    ) -> Result<proto::ListCallsResponse, RpcError> {
        Ok(calls::list(&self.0, &request).await?)
    }

    async fn get_call(&self, _: Context, request: proto::GetCallRequest) -> Result<proto::Call, RpcError> {
        Ok(calls::get(&self.0, &request).await?)
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

/// Answers `Inbound`: the bridge has somebody on the line who rings back, or rings a bot.
pub(crate) struct Inbound(pub(crate) App);

#[async_trait]
impl InboundRpc for Inbound {
    async fn begin_inbound(
        &self,
        _: Context,
        request: proto::BeginInboundRequest,
    ) -> Result<proto::BeginInboundResponse, RpcError> {
        Ok(begin_inbound::begin(&self.0, request).await?)
    }

    async fn find_bot(
        &self,
        _: Context,
        request: proto::FindBotRequest,
    ) -> Result<proto::FindBotResponse, RpcError> {
        Ok(find_bot::find(&self.0, &request).await?)
    }

    async fn begin_bot_call(
        &self,
        _: Context,
        request: proto::BeginBotCallRequest,
    ) -> Result<proto::BeginBotCallResponse, RpcError> {
        Ok(begin_bot_call::begin(&self.0, request).await?)
    }
}

/// Answers `BotCalls`: the gateway reads for a business what its bots have answered.
pub(crate) struct BotCalls(pub(crate) App);

#[async_trait]
impl BotCallsRpc for BotCalls {
    async fn list_bot_calls(
        &self,
        _: Context,
        request: proto::ListBotCallsRequest,
    ) -> Result<proto::ListBotCallsResponse, RpcError> {
        Ok(bot_calls::list(&self.0, &request).await?)
    }

    async fn get_bot_call(
        &self,
        _: Context,
        request: proto::GetBotCallRequest,
    ) -> Result<proto::BotCall, RpcError> {
        Ok(bot_calls::get(&self.0, &request).await?)
    }
}

/// Answers `Suppressions`: the gateway keeps a project's opt-out list.
pub(crate) struct Suppressions(pub(crate) App);

#[async_trait]
impl SuppressionsRpc for Suppressions {
    async fn add_suppression(
        &self,
        _: Context,
        request: proto::AddSuppressionRequest,
    ) -> Result<proto::Suppression, RpcError> {
        Ok(suppressions::add(&self.0, request).await?)
    }

    async fn list_suppressions(
        &self,
        _: Context,
        request: proto::ListSuppressionsRequest,
    ) -> Result<proto::ListSuppressionsResponse, RpcError> {
        Ok(suppressions::list(&self.0, request).await?)
    }

    async fn remove_suppression(
        &self,
        _: Context,
        request: proto::RemoveSuppressionRequest,
    ) -> Result<proto::RemoveSuppressionResponse, RpcError> {
        Ok(suppressions::remove(&self.0, &request).await?)
    }
}

/// Answers `Rules`: the gateway asks who would be rung.
pub(crate) struct Rules(pub(crate) App);

#[async_trait]
impl RulesRpc for Rules {
    async fn preview_rules(
        &self,
        _: Context,
        request: proto::PreviewRulesRequest,
    ) -> Result<proto::PreviewRulesResponse, RpcError> {
        Ok(preview_rules::preview(&self.0, request).await?)
    }
}

/// Answers `Usage`: the gateway asks what was used.
pub(crate) struct Usage(pub(crate) App);

#[async_trait]
impl UsageRpc for Usage {
    async fn get_usage(
        &self,
        _: Context,
        request: proto::GetUsageRequest,
    ) -> Result<proto::GetUsageResponse, RpcError> {
        Ok(usage::get(&self.0, &request).await?)
    }
}

/// Answers `Simulations`: an agent is tried without a call.
pub(crate) struct Simulations(pub(crate) App);

#[async_trait]
impl SimulationsRpc for Simulations {
    async fn preview_prompt(
        &self,
        _: Context,
        request: proto::PreviewPromptRequest,
    ) -> Result<proto::PreviewPromptResponse, RpcError> {
        Ok(preview_prompt::preview(&self.0, request).await?)
    }

    async fn simulate(
        &self,
        _: Context,
        request: proto::SimulateRequest,
    ) -> Result<proto::SimulateResponse, RpcError> {
        Ok(simulate::simulate(&self.0, request).await?)
    }
}

/// Answers `Bots`: the gateway keeps those who answer the calls to users' own numbers.
pub(crate) struct Bots(pub(crate) App);

#[async_trait]
impl BotsRpc for Bots {
    async fn create_bot(&self, _: Context, request: proto::CreateBotRequest) -> Result<proto::Bot, RpcError> {
        Ok(bots::create(&self.0, request).await?)
    }

    async fn get_bot(&self, _: Context, request: proto::GetBotRequest) -> Result<proto::Bot, RpcError> {
        Ok(bots::get(&self.0, &request).await?)
    }

    async fn list_bots(
        &self,
        _: Context,
        request: proto::ListBotsRequest,
    ) -> Result<proto::ListBotsResponse, RpcError> {
        Ok(bots::list(&self.0, &request).await?)
    }

    async fn count_bots(
        &self,
        _: Context,
        request: proto::CountBotsRequest,
    ) -> Result<proto::CountBotsResponse, RpcError> {
        Ok(bots::count(&self.0, &request).await?)
    }

    async fn update_bot(&self, _: Context, request: proto::UpdateBotRequest) -> Result<proto::Bot, RpcError> {
        Ok(bots::update(&self.0, request).await?)
    }

    async fn delete_bot(
        &self,
        _: Context,
        request: proto::DeleteBotRequest,
    ) -> Result<proto::DeleteBotResponse, RpcError> {
        Ok(bots::delete(&self.0, &request).await?)
    }
}

/// Nobody hears an answer that comes after the caller's deadline.
pub(super) fn patience(context: &Context, wait_ms: u32) -> Duration {
    Duration::from_millis(u64::from(wait_ms)).min(context.deadline)
}
