//! What the dispatcher remembers of what bots have told.

use async_trait::async_trait;
use contracts::rpc::{Context, RpcError};
use contracts::webhooks::{
    BotWebhooksRpc, Delivery, ListBotDeliveriesRequest, ListBotDeliveriesResponse, LoggedDelivery,
    MoveBotWebhookRequest, MoveBotWebhookResponse, RemoveBotWebhookRequest, RemoveBotWebhookResponse,
    RetryBotDeliveryRequest, RotateBotSecretRequest, RotateTargetRequest, Target, TargetsRpc as _,
};

use super::dispatcher::Dispatcher;
use super::lock;

#[async_trait]
impl BotWebhooksRpc for Dispatcher {
    async fn list_bot_deliveries(
        &self,
        _: Context,
        request: ListBotDeliveriesRequest,
    ) -> Result<ListBotDeliveriesResponse, RpcError> {
        let whose = (request.business_id, request.bot_id);
        let told = lock(&self.0.told);
        let own = told.iter().rev().filter(|(bot, _)| *bot == whose).map(|(_, logged)| logged);
        let wanted = |logged: &&LoggedDelivery| {
            let delivery = logged.delivery.clone().unwrap_or_default();
            (request.status.is_empty() || delivery.status == request.status)
                && (request.after_id.is_empty() || delivery.id < request.after_id)
        };
        let mut deliveries: Vec<LoggedDelivery> = own.filter(wanted).cloned().collect();
        let more = deliveries.len() > request.limit as usize;
        deliveries.truncate(request.limit as usize);
        let last = deliveries.last().filter(|_| more).and_then(|logged| logged.delivery.clone());
        Ok(ListBotDeliveriesResponse {
            deliveries,
            next_after_id: last.map(|delivery| delivery.id).unwrap_or_default(),
        })
    }

    async fn retry_bot_delivery(
        &self,
        _: Context,
        request: RetryBotDeliveryRequest,
    ) -> Result<Delivery, RpcError> {
        let whose = (request.business_id, request.bot_id);
        let mut told = lock(&self.0.told);
        let own = told.iter_mut().filter(|(bot, _)| *bot == whose);
        let mut own = own.filter_map(|(_, logged)| logged.delivery.as_mut());
        let found = own.find(|delivery| delivery.id == request.delivery_id);
        let delivery = found.ok_or_else(|| RpcError::NotFound("delivery".into()))?;
        if delivery.status == "pending" {
            let (code, message) = ("delivery_in_progress".into(), "an attempt is being made".into());
            return Err(RpcError::Conflict { code, message });
        }
        delivery.status = "pending".into();
        Ok(delivery.clone())
    }

    async fn move_bot_webhook(
        &self,
        _: Context,
        request: MoveBotWebhookRequest,
    ) -> Result<MoveBotWebhookResponse, RpcError> {
        lock(&self.0.moved).push(request);
        Ok(MoveBotWebhookResponse {})
    }

    async fn rotate_bot_secret(
        &self,
        context: Context,
        request: RotateBotSecretRequest,
    ) -> Result<Target, RpcError> {
        let (business_id, owner_id) = (request.business_id, request.bot_id);
        self.rotate_target(context, RotateTargetRequest { business_id, owner_id }).await
    }

    async fn remove_bot_webhook(
        &self,
        _: Context,
        request: RemoveBotWebhookRequest,
    ) -> Result<RemoveBotWebhookResponse, RpcError> {
        let whose = (request.business_id, request.bot_id);
        if let Some(error) = lock(&self.0.failures).pop_front() {
            return Err(error);
        }
        lock(&self.0.targets).remove(&whose);
        lock(&self.0.told).retain(|(bot, _)| *bot != whose);
        Ok(RemoveBotWebhookResponse {})
    }
}
