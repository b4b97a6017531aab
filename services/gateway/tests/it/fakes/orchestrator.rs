//! A call-orchestrator that remembers what it is told, and lets nobody be rung.

use async_trait::async_trait;
use common::bus::{Outcome, Subscription};
use common::config::{ConfigError, Settings};
use common::db::Durability;
use common::platform::Platform;
use common::service::{Service, ServiceDef, Tables};
use contracts::ServiceName;
use contracts::accounts::{
    CancelNotification, CustomerChanged, CustomerErased, ProjectDeleted, ProjectPolicyChanged,
};
use contracts::calls::{
    AddSuppressionRequest, Bot, BotCallsServer, BotsRpc, BotsServer, Call, CountBotsRequest,
    CountBotsResponse, CreateBotRequest, DeleteBotRequest, DeleteBotResponse, GetBotRequest, GetCallRequest,
    GetNotificationRequest, GetUsageRequest, GetUsageResponse, ListBotsRequest, ListBotsResponse,
    ListCallsResponse, ListNotificationsRequest, ListNotificationsResponse, ListSuppressionsRequest,
    ListSuppressionsResponse, Notification, NotificationsRpc, NotificationsServer, PlaceNotificationRequest,
    PreviewPromptRequest, PreviewPromptResponse, PreviewRulesRequest, PreviewRulesResponse,
    RemoveSuppressionRequest, RemoveSuppressionResponse, RuleVerdict, RulesRpc, RulesServer, SimulateRequest,
    SimulateResponse, SimulatedToolCall, SimulationsRpc, SimulationsServer, Source, Suppression,
    SuppressionsRpc, SuppressionsServer, UpdateBotRequest, UsageRpc, UsageServer, Utterance,
};
use contracts::rpc::{Context, RpcError};
use std::sync::Arc;

use super::{AT_MS, Fakes, lock};

pub(crate) const ORCHESTRATOR: ServiceDef = ServiceDef {
    name: ServiceName::CallOrchestrator,
    tables: Some(Tables { migrations: &[], durability: Durability::Normal }),
    listens: &[],
    build: orchestrator,
};

#[derive(Clone)]
pub(super) struct Orchestrator(pub(super) Arc<Fakes>);

fn orchestrator(settings: &Settings, _: &Platform) -> Result<Service, ConfigError> {
    let fake = Orchestrator(Fakes::find(settings));
    let withdrawn = Subscription::to(&fake, |fake, _, message: CancelNotification| async move {
        lock(&fake.0.withdrawn).push(message);
        Outcome::Done
    });
    let changed = Subscription::to(&fake, |fake, _, message: CustomerChanged| async move {
        lock(&fake.0.changed).push(message);
        Outcome::Done
    });
    let policies = Subscription::to(&fake, |fake, _, message: ProjectPolicyChanged| async move {
        lock(&fake.0.policies).push(message);
        Outcome::Done
    });
    let deleted = Subscription::to(&fake, |fake, _, message: ProjectDeleted| async move {
        lock(&fake.0.deleted).push(message);
        Outcome::Done
    });
    let erased = Subscription::to(&fake, |fake, _, message: CustomerErased| async move {
        lock(&fake.0.erased).push(message);
        Outcome::Done
    });
    Ok(Service {
        subscriptions: vec![withdrawn, changed, erased, policies, deleted],
        servers: vec![
            Arc::new(SuppressionsServer(fake.clone())),
            Arc::new(BotsServer(fake.clone())),
            Arc::new(BotCallsServer(fake.clone())),
            Arc::new(RulesServer(fake.clone())),
            Arc::new(UsageServer(fake.clone())),
            Arc::new(SimulationsServer(fake.clone())),
            Arc::new(NotificationsServer(fake)),
        ],
        ..Service::default()
    })
}

#[async_trait]
impl SimulationsRpc for Orchestrator {
    async fn preview_prompt(
        &self,
        _: Context,
        request: PreviewPromptRequest,
    ) -> Result<PreviewPromptResponse, RpcError> {
        let prompt = request.parts.as_ref().and_then(|p| p.agent.clone()).unwrap_or_default().system_prompt;
        lock(&self.0.tried).push(SimulateRequest { parts: request.parts, ..SimulateRequest::default() });
        Ok(PreviewPromptResponse {
            prompt,
            unresolved_variables: vec!["what".to_owned()],
            ..PreviewPromptResponse::default()
        })
    }

    async fn simulate(&self, _: Context, request: SimulateRequest) -> Result<SimulateResponse, RpcError> {
        lock(&self.0.tried).push(request);
        Ok(SimulateResponse {
            text: "Goodbye.".to_owned(),
            ended: true,
            ended_reason: "agent-ended-call".to_owned(),
            result_json: r#"{"confirmed":true}"#.to_owned(),
            model: "offline".to_owned(),
            tool_calls: vec![SimulatedToolCall {
                name: "look_up".to_owned(),
                arguments_json: r#"{"order":7}"#.to_owned(),
            }],
            ..SimulateResponse::default()
        })
    }
}

fn notification(fakes: &Fakes, request: &PlaceNotificationRequest) -> Notification {
    let (blocked_by, carrier_code) = lock(&fakes.why_not).clone();
    let customer = request.customer.clone().unwrap();
    let agent = request.agent.clone().unwrap_or_default();
    Notification {
        id: request.notification_id.clone(),
        project_id: request.project_id.clone(),
        agent_id: agent.id,
        agent_version: agent.version,
        customer_id: customer.id,
        target_phone_e164: customer.phone_e164,
        message: request.message.clone(),
        context: request.context.clone(),
        collect_feedback: request.collect_feedback,
        max_duration_seconds: request.max_duration_seconds,
        status: "in_progress".into(),
        metadata_json: request.metadata_json.clone(),
        created_at_ms: AT_MS,
        updated_at_ms: AT_MS,
        call_id: format!("call-of-{}", request.notification_id),
        call_status: "queued".into(),
        blocked_by,
        carrier_code,
        scheduled_at_ms: request.scheduled_at_ms,
        expires_at_ms: request.expires_at_ms.unwrap_or(AT_MS + 24 * 3_600_000),
        max_attempts: request.retry.as_ref().map_or(1, |retry| retry.max_attempts),
        retry_delay_seconds: request.retry.clone().unwrap_or_default().delay_seconds,
        retry_on: request.retry.clone().unwrap_or_default().on,
        attempts: 1,
        from_e164: request.from_e164.clone(),
        voicemail: Some(request.voicemail.clone()).filter(|v| !v.is_empty()).unwrap_or("hang_up".into()),
        reschedule_json: request.reschedule_json.clone(),
        evidence_json: r#"{"confirmed":{"status":"grounded","turn":1,"quote":"yes"}}"#.into(),
        ..Notification::default()
    }
}

/// Its one call, in which each side spoke once. The last of the notification's id makes the call's.
fn call(of: &Notification) -> Call {
    let said = |turn, speaker: &str, text: &str| Utterance {
        turn,
        speaker: speaker.into(),
        text: text.into(),
        at_ms: AT_MS + 2000,
        ..Utterance::default()
    };
    Call {
        id: format!("0198c0de-0000-7000-8000-{}", &of.id[24..]),
        project_id: of.project_id.clone(),
        notification_id: of.id.clone(),
        attempt: 1,
        status: "completed".into(),
        carrier_call_sid: "CA1".into(),
        ended_reason: "customer-ended-call".into(),
        answered_by: "human".into(),
        to_e164: of.target_phone_e164.clone(),
        created_at_ms: AT_MS,
        dialled_at_ms: Some(AT_MS),
        answered_at_ms: Some(AT_MS + 1000),
        ended_at_ms: Some(AT_MS + 2500),
        duration_ms: 1500,
        turns: vec![
            Utterance {
                latency_ms: Some(0),
                interrupted: true,
                sources: vec![Source { id: "s1".into(), title: "Delivery".into(), url: String::new() }],
                ..said(0, "agent", "Hello?")
            },
            Utterance { confidence: Some(0.5), ..said(1, "customer", "Yes.") },
        ],
        cost_micros: Some(14_000),
        currency: "USD".into(),
        tokens_in: Some(1_200),
        ..Call::default()
    }
}

#[async_trait]
impl NotificationsRpc for Orchestrator {
    async fn place_notification(
        &self,
        context: Context,
        request: PlaceNotificationRequest,
    ) -> Result<Notification, RpcError> {
        self.0.arrived.add_permits(1);
        self.0.gate.acquire().await.unwrap().forget();
        lock(&self.0.contexts).push(context);
        let answer = {
            let mut placed = lock(&self.0.placed);
            let known = placed.iter().find(|p| p.notification_id == request.notification_id).cloned();
            if known.is_none() {
                placed.push(request.clone());
            }
            notification(&self.0, &known.unwrap_or(request))
        };
        match lock(&self.0.failures).pop_front() {
            Some(error) => Err(error),
            None => Ok(answer),
        }
    }

    async fn get_notification(
        &self,
        _: Context,
        request: GetNotificationRequest,
    ) -> Result<Notification, RpcError> {
        let placed = lock(&self.0.placed);
        let found = placed
            .iter()
            .find(|p| p.notification_id == request.notification_id && p.project_id == request.project_id);
        found
            .map(|found| notification(&self.0, found))
            .ok_or_else(|| RpcError::NotFound("notification".into()))
    }

    async fn list_notifications(
        &self,
        _: Context,
        request: ListNotificationsRequest,
    ) -> Result<ListNotificationsResponse, RpcError> {
        lock(&self.0.listed).push(request.clone());
        let mut all: Vec<Notification> = lock(&self.0.placed)
            .iter()
            .filter(|p| p.project_id == request.project_id)
            .map(|placed| notification(&self.0, placed))
            .filter(|n| request.after_id.is_empty() || n.id < request.after_id)
            .collect();
        all.sort_by(|a, b| b.id.cmp(&a.id));
        let limit = request.limit as usize;
        let more = all.len() > limit;
        all.truncate(limit);
        let next_after_id = all.last().filter(|_| more).map(|n| n.id.clone()).unwrap_or_default();
        Ok(ListNotificationsResponse { notifications: all, next_after_id })
    }

    async fn stop_notification(
        &self,
        context: Context,
        request: GetNotificationRequest,
    ) -> Result<Notification, RpcError> {
        if let Some(error) = lock(&self.0.failures).pop_front() {
            return Err(error);
        }
        let found = self.get_notification(context, request).await?;
        Ok(Notification { status: "canceled".into(), ended_reason: "canceled".into(), ..found })
    }

    async fn list_calls(
        &self,
        context: Context,
        request: GetNotificationRequest,
    ) -> Result<ListCallsResponse, RpcError> {
        let found = self.get_notification(context, request).await?;
        Ok(ListCallsResponse { calls: vec![call(&found)] })
    }

    async fn get_call(&self, _: Context, request: GetCallRequest) -> Result<Call, RpcError> {
        let placed = lock(&self.0.placed);
        let of_project = placed.iter().filter(|p| p.project_id == request.project_id);
        let mut calls = of_project.map(|p| call(&notification(&self.0, p)));
        calls.find(|call| call.id == request.call_id).ok_or_else(|| RpcError::NotFound("call".into()))
    }
}

#[async_trait]
impl SuppressionsRpc for Orchestrator {
    async fn add_suppression(
        &self,
        _: Context,
        request: AddSuppressionRequest,
    ) -> Result<Suppression, RpcError> {
        let mut all = lock(&self.0.suppressed);
        let same = |(project, row): &&(String, Suppression)| {
            *project == request.project_id && row.phone_e164 == request.phone_e164
        };
        if let Some((_, known)) = all.iter().find(same) {
            return Ok(known.clone());
        }
        let row = Suppression {
            id: uuid::Uuid::now_v7().to_string(),
            phone_e164: request.phone_e164,
            reason: request.reason,
            source: "api".into(),
            created_at_ms: AT_MS,
        };
        all.push((request.project_id, row.clone()));
        Ok(row)
    }

    async fn list_suppressions(
        &self,
        _: Context,
        request: ListSuppressionsRequest,
    ) -> Result<ListSuppressionsResponse, RpcError> {
        let mut rows: Vec<Suppression> = lock(&self.0.suppressed)
            .iter()
            .rev()
            .filter(|(project, _)| *project == request.project_id)
            .map(|(_, row)| row.clone())
            .filter(|row| request.after_id.is_empty() || row.id < request.after_id)
            .filter(|row| request.phone_e164.is_empty() || row.phone_e164 == request.phone_e164)
            .collect();
        let more = rows.len() > request.limit as usize;
        rows.truncate(request.limit as usize);
        let next_after_id = rows.last().filter(|_| more).map(|row| row.id.clone()).unwrap_or_default();
        Ok(ListSuppressionsResponse { suppressions: rows, next_after_id })
    }

    async fn remove_suppression(
        &self,
        _: Context,
        request: RemoveSuppressionRequest,
    ) -> Result<RemoveSuppressionResponse, RpcError> {
        let mut all = lock(&self.0.suppressed);
        let before = all.len();
        all.retain(|(project, row)| *project != request.project_id || row.id != request.suppression_id);
        match all.len() < before {
            true => Ok(RemoveSuppressionResponse {}),
            false => Err(RpcError::NotFound("suppression".into())),
        }
    }
}

#[async_trait]
impl BotsRpc for Orchestrator {
    async fn create_bot(&self, _: Context, request: CreateBotRequest) -> Result<Bot, RpcError> {
        let mut all = lock(&self.0.bots);
        if let Some(known) = all.iter().find(|bot| bot.id == request.bot_id) {
            return Ok(known.clone());
        }
        let made = Bot {
            id: request.bot_id,
            business_id: request.business_id,
            goal: request.goal,
            webhook: request.webhook,
            context: request.context,
            language: request.language,
            voice: request.voice,
            greeting: request.greeting,
            transfer_number: request.transfer_number,
            knowledge_app_id: request.knowledge_app_id,
            status: "active".into(),
            created_at_ms: AT_MS,
            project_id: request.project_id,
        };
        all.push(made.clone());
        Ok(made)
    }

    async fn get_bot(&self, _: Context, request: GetBotRequest) -> Result<Bot, RpcError> {
        self.bot(&request.business_id, &request.bot_id, |_| {})
    }

    async fn list_bots(&self, _: Context, request: ListBotsRequest) -> Result<ListBotsResponse, RpcError> {
        let all = lock(&self.0.bots);
        let own = all.iter().rev().filter(|bot| bot.business_id == request.business_id);
        let mut bots: Vec<Bot> = match request.after_id.is_empty() {
            true => own.cloned().collect(),
            false => own.skip_while(|bot| bot.id != request.after_id).skip(1).cloned().collect(),
        };
        let more = bots.len() > request.limit as usize;
        bots.truncate(request.limit as usize);
        let next_after_id = bots.last().filter(|_| more).map(|bot| bot.id.clone()).unwrap_or_default();
        Ok(ListBotsResponse { bots, next_after_id })
    }

    async fn count_bots(&self, _: Context, request: CountBotsRequest) -> Result<CountBotsResponse, RpcError> {
        let all = lock(&self.0.bots);
        let own = all.iter().filter(|bot| bot.business_id == request.business_id);
        Ok(CountBotsResponse { count: u32::try_from(own.count()).unwrap() })
    }

    async fn update_bot(&self, _: Context, request: UpdateBotRequest) -> Result<Bot, RpcError> {
        self.bot(&request.business_id.clone(), &request.bot_id.clone(), |bot| {
            let set =
                |field: &mut String, said: Option<String>| *field = said.unwrap_or_else(|| field.clone());
            set(&mut bot.goal, request.goal);
            set(&mut bot.webhook, request.webhook);
            set(&mut bot.context, request.context);
            set(&mut bot.language, request.language);
            set(&mut bot.voice, request.voice);
            set(&mut bot.greeting, request.greeting);
            set(&mut bot.transfer_number, request.transfer_number);
            set(&mut bot.knowledge_app_id, request.knowledge_app_id);
            set(&mut bot.status, request.status);
            if bot.project_id.is_empty() {
                bot.project_id = request.project_id;
            }
        })
    }

    async fn delete_bot(&self, _: Context, request: DeleteBotRequest) -> Result<DeleteBotResponse, RpcError> {
        self.bot(&request.business_id, &request.bot_id, |_| {})?;
        lock(&self.0.bots).retain(|bot| bot.id != request.bot_id);
        Ok(DeleteBotResponse {})
    }
}

impl Orchestrator {
    /// The bot, changed.
    fn bot(&self, business: &str, id: &str, change: impl FnOnce(&mut Bot)) -> Result<Bot, RpcError> {
        let mut all = lock(&self.0.bots);
        let found = all.iter_mut().find(|bot| bot.business_id == business && bot.id == id);
        let found = found.ok_or_else(|| RpcError::NotFound("bot".into()))?;
        change(found);
        Ok(found.clone())
    }
}

#[async_trait]
impl RulesRpc for Orchestrator {
    async fn preview_rules(
        &self,
        _: Context,
        request: PreviewRulesRequest,
    ) -> Result<PreviewRulesResponse, RpcError> {
        lock(&self.0.previewed).push(request.clone());
        let known = lock(&self.0.verdicts).clone();
        let rung = RuleVerdict { would_ring: true, ..RuleVerdict::default() };
        let verdict = |phone: &String| known.get(phone).cloned().unwrap_or_else(|| rung.clone());
        let verdicts = request.customers.iter().map(|c| verdict(&c.phone_e164)).collect();
        Ok(PreviewRulesResponse { verdicts })
    }
}

#[async_trait]
impl UsageRpc for Orchestrator {
    async fn get_usage(&self, _: Context, request: GetUsageRequest) -> Result<GetUsageResponse, RpcError> {
        let (projects, span) = (&request.project_ids, request.first_day..=request.last_day);
        let used = lock(&self.0.used);
        let days = used.iter().filter(|d| projects.contains(&d.project_id) && span.contains(&d.day));
        Ok(GetUsageResponse { days: days.cloned().collect() })
    }
}
