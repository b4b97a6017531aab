//! The calls to bots that the orchestrator remembers.

use async_trait::async_trait;
use contracts::calls::{BotCall, BotCallsRpc, GetBotCallRequest, ListBotCallsRequest, ListBotCallsResponse};
use contracts::rpc::{Context, RpcError};

use super::lock;
use super::orchestrator::Orchestrator;

#[async_trait]
impl BotCallsRpc for Orchestrator {
    async fn list_bot_calls(
        &self,
        _: Context,
        request: ListBotCallsRequest,
    ) -> Result<ListBotCallsResponse, RpcError> {
        let all = lock(&self.0.bot_calls);
        let id = |told: &BotCall| told.call.clone().unwrap_or_default().id;
        let wanted = |told: &BotCall| {
            let status = told.call.clone().unwrap_or_default().status;
            (request.bot_id.is_empty() || told.bot_id == request.bot_id)
                && (request.status.is_empty() || status == request.status)
                && (request.after_id.is_empty() || id(told) < request.after_id)
        };
        let own = all.iter().rev().filter(|(business, _)| *business == request.business_id);
        let mut calls: Vec<BotCall> = own.map(|(_, told)| told.clone()).filter(wanted).collect();
        let more = calls.len() > request.limit as usize;
        calls.truncate(request.limit as usize);
        for told in &mut calls {
            told.call.as_mut().unwrap().turns.clear();
        }
        Ok(ListBotCallsResponse {
            next_after_id: calls.last().filter(|_| more).map(id).unwrap_or_default(),
            calls,
        })
    }

    async fn get_bot_call(&self, _: Context, request: GetBotCallRequest) -> Result<BotCall, RpcError> {
        let all = lock(&self.0.bot_calls);
        let found = all.iter().find(|(business, told)| {
            let call = told.call.clone().unwrap_or_default();
            *business == request.business_id
                && (call.id == request.call_id || call.carrier_call_sid == request.call_id)
        });
        found.map(|(_, told)| told.clone()).ok_or_else(|| RpcError::NotFound("call".into()))
    }
}
