//! Stand-ins for the neighbours: an orchestrator and a dispatcher that keep what they are told in memory.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    AddSuppressionRequest, Call, GetCallRequest, GetNotificationRequest, GetUsageRequest, GetUsageResponse,
    ListCallsResponse, ListNotificationsRequest, ListNotificationsResponse, ListSuppressionsRequest,
    ListSuppressionsResponse, Notification, NotificationsRpc, NotificationsServer, PlaceNotificationRequest,
    PreviewPromptRequest, PreviewPromptResponse, PreviewRulesRequest, PreviewRulesResponse,
    RemoveSuppressionRequest, RemoveSuppressionResponse, RuleVerdict, RulesRpc, RulesServer, SimulateRequest,
    SimulateResponse, SimulatedToolCall, SimulationsRpc, SimulationsServer, Suppression, SuppressionsRpc,
    SuppressionsServer, UsageDay, UsageRpc, UsageServer, Utterance,
};
use contracts::rpc::{Context, RpcError, Server};
use contracts::telephony::put_carrier_request::Carrier;
use contracts::telephony::{
    CarriersRpc, CarriersServer, FindCarrierRequest, FindCarrierResponse, GetCarrierRequest, ProjectCarrier,
    PutCarrierRequest, RemoveCarrierRequest, RemoveCarrierResponse,
};
use contracts::webhooks::{
    CallNowRequest, CallNowResponse, CreateEndpointRequest, DeleteEndpointRequest, DeleteEndpointResponse,
    DeliveriesRpc, DeliveriesServer, Delivery, Endpoint, EndpointsRpc, EndpointsServer, GetDeliveryRequest,
    GetEndpointRequest, ListDeliveriesRequest, ListDeliveriesResponse, ListEndpointsRequest,
    ListEndpointsResponse, LoggedDelivery, RetryDeliveryRequest, RevealTargetRequest,
    RotateEndpointSecretRequest, RotateTargetRequest, SendTestRequest, Target, TargetsRpc, TargetsServer,
    UpdateEndpointRequest,
};
use tokio::sync::Semaphore;

/// The setting by which the stand-ins of one test find their memory.
pub(crate) const SETTING: &str = "ECHO_TEST_FAKES";
/// When everything was made here.
const AT_MS: i64 = 1_773_855_826_714;

/// The memory of one test's neighbours.
pub(crate) struct Fakes {
    pub(crate) placed: Mutex<Vec<PlaceNotificationRequest>>,
    pub(crate) contexts: Mutex<Vec<Context>>,
    /// What pages were asked for.
    pub(crate) listed: Mutex<Vec<ListNotificationsRequest>>,
    pub(crate) withdrawn: Mutex<Vec<CancelNotification>>,
    pub(crate) changed: Mutex<Vec<CustomerChanged>>,
    pub(crate) erased: Mutex<Vec<CustomerErased>>,
    pub(crate) policies: Mutex<Vec<ProjectPolicyChanged>>,
    pub(crate) deleted: Mutex<Vec<ProjectDeleted>>,
    pub(crate) endpoints: Mutex<Vec<Endpoint>>,
    /// What the dispatcher has sent, oldest first.
    pub(crate) deliveries: Mutex<Vec<LoggedDelivery>>,
    /// Signing secrets by business and owner.
    pub(crate) targets: Mutex<HashMap<(String, String), Target>>,
    /// The opt-out lists, with their projects.
    pub(crate) suppressed: Mutex<Vec<(String, Suppression)>>,
    /// What the rules say about a number; anybody else would be rung.
    pub(crate) verdicts: Mutex<HashMap<String, RuleVerdict>>,
    pub(crate) previewed: Mutex<Vec<PreviewRulesRequest>>,
    pub(crate) used: Mutex<Vec<UsageDay>>,
    /// What projects have chosen to call with.
    pub(crate) carriers: Mutex<HashMap<String, PutCarrierRequest>>,
    /// Agents that were to be tried.
    pub(crate) tried: Mutex<Vec<SimulateRequest>>,
    /// What everybody is told about why a call was not placed: the rule, and the carrier's code.
    pub(crate) why_not: Mutex<(String, u32)>,
    /// What the next placings end in, after they had their effect.
    pub(crate) failures: Mutex<VecDeque<RpcError>>,
    /// A placing needs one of these.
    pub(crate) gate: Semaphore,
    /// Placings that have come in.
    pub(crate) arrived: Semaphore,
}

static ALL: Mutex<Option<HashMap<String, Arc<Fakes>>>> = Mutex::new(None);

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fakes {
    /// New memory under `name`.
    pub(crate) fn register(name: &str) -> Arc<Self> {
        let fakes = Arc::new(Self {
            placed: Mutex::default(),
            contexts: Mutex::default(),
            listed: Mutex::default(),
            withdrawn: Mutex::default(),
            changed: Mutex::default(),
            erased: Mutex::default(),
            policies: Mutex::default(),
            deleted: Mutex::default(),
            endpoints: Mutex::default(),
            deliveries: Mutex::default(),
            targets: Mutex::default(),
            suppressed: Mutex::default(),
            verdicts: Mutex::default(),
            previewed: Mutex::default(),
            used: Mutex::default(),
            carriers: Mutex::default(),
            tried: Mutex::default(),
            why_not: Mutex::default(),
            failures: Mutex::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            arrived: Semaphore::new(0),
        });
        lock(&ALL).get_or_insert_default().insert(name.to_owned(), Arc::clone(&fakes));
        fakes
    }

    fn find(settings: &Settings) -> Arc<Self> {
        let name = settings.get(SETTING, String::new()).unwrap();
        Arc::clone(lock(&ALL).as_ref().unwrap().get(&name).expect("the test registered its stand-ins"))
    }

    /// The next placing has its effect and then ends in `error`.
    pub(crate) fn fail_next(&self, error: RpcError) {
        lock(&self.failures).push_back(error);
    }
}

pub(crate) const ORCHESTRATOR: ServiceDef = ServiceDef {
    name: ServiceName::CallOrchestrator,
    tables: Some(Tables { migrations: &[], durability: Durability::Normal }),
    listens: &[],
    build: orchestrator,
};

pub(crate) const DISPATCHER: ServiceDef =
    ServiceDef { name: ServiceName::WebhookDispatcher, tables: None, listens: &[], build: dispatcher };

pub(crate) const BRIDGE: ServiceDef =
    ServiceDef { name: ServiceName::TelephonyBridge, tables: None, listens: &[], build: bridge };

#[derive(Clone)]
struct Bridge(Arc<Fakes>);

#[derive(Clone)]
struct Orchestrator(Arc<Fakes>);

#[derive(Clone)]
struct Dispatcher(Arc<Fakes>);

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
            Arc::new(RulesServer(fake.clone())),
            Arc::new(UsageServer(fake.clone())),
            Arc::new(SimulationsServer(fake.clone())),
            Arc::new(NotificationsServer(fake)),
        ],
        ..Service::default()
    })
}

fn dispatcher(settings: &Settings, _: &Platform) -> Result<Service, ConfigError> {
    let fake = Dispatcher(Fakes::find(settings));
    let (endpoints, deliveries) = (EndpointsServer(fake.clone()), DeliveriesServer(fake.clone()));
    let servers: Vec<Arc<dyn Server>> =
        vec![Arc::new(endpoints), Arc::new(deliveries), Arc::new(TargetsServer(fake))];
    Ok(Service { servers, ..Service::default() })
}

#[async_trait]
impl TargetsRpc for Dispatcher {
    async fn reveal_target(&self, _: Context, request: RevealTargetRequest) -> Result<Target, RpcError> {
        let mut targets = lock(&self.0.targets);
        let made = Target {
            owner_id: request.owner_id.clone(),
            signing_secret: format!("whsec_{:064}", targets.len()),
            created_at_ms: AT_MS,
        };
        Ok(targets.entry((request.business_id, request.owner_id)).or_insert(made).clone())
    }

    async fn rotate_target(&self, _: Context, request: RotateTargetRequest) -> Result<Target, RpcError> {
        let made = Target {
            owner_id: request.owner_id.clone(),
            signing_secret: format!("whsec_{}", "f".repeat(64)),
            created_at_ms: AT_MS + 1,
        };
        lock(&self.0.targets).insert((request.business_id, request.owner_id), made.clone());
        Ok(made)
    }

    async fn call_now(&self, _: Context, _: CallNowRequest) -> Result<CallNowResponse, RpcError> {
        Err(RpcError::Unavailable("no call is made here".into()))
    }
}

fn bridge(settings: &Settings, _: &Platform) -> Result<Service, ConfigError> {
    let server = CarriersServer(Bridge(Fakes::find(settings)));
    Ok(Service { servers: vec![Arc::new(server)], ..Service::default() })
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
            Utterance { latency_ms: Some(0), interrupted: true, ..said(0, "agent", "Hello?") },
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

#[async_trait]
impl EndpointsRpc for Dispatcher {
    async fn create_endpoint(
        &self,
        _: Context,
        request: CreateEndpointRequest,
    ) -> Result<Endpoint, RpcError> {
        if request.url.starts_with("http://") {
            return Err(RpcError::Invalid {
                field: "url".into(),
                problem: "must start with https://".into(),
            });
        }
        let mut endpoints = lock(&self.0.endpoints);
        if let Some(known) = endpoints.iter().find(|e| e.id == request.endpoint_id) {
            return Ok(known.clone());
        }
        let made = Endpoint {
            signing_secret: format!("whsec_{:064}", endpoints.len()),
            id: request.endpoint_id,
            project_id: request.project_id,
            url: request.url,
            status: "active".into(),
            events: request.events,
            consecutive_failures: 0,
            created_at_ms: AT_MS,
            updated_at_ms: AT_MS,
        };
        endpoints.push(made.clone());
        Ok(made)
    }

    async fn get_endpoint(&self, _: Context, request: GetEndpointRequest) -> Result<Endpoint, RpcError> {
        let endpoints = lock(&self.0.endpoints);
        let found =
            endpoints.iter().find(|e| e.id == request.endpoint_id && e.project_id == request.project_id);
        found.cloned().ok_or_else(|| RpcError::NotFound("endpoint".into()))
    }

    async fn list_endpoints(
        &self,
        _: Context,
        request: ListEndpointsRequest,
    ) -> Result<ListEndpointsResponse, RpcError> {
        let endpoints = lock(&self.0.endpoints)
            .iter()
            .filter(|e| e.project_id == request.project_id)
            .rev()
            .cloned()
            .collect();
        Ok(ListEndpointsResponse { endpoints, next_after_id: String::new() })
    }

    async fn update_endpoint(
        &self,
        _: Context,
        request: UpdateEndpointRequest,
    ) -> Result<Endpoint, RpcError> {
        self.change(&request.project_id, &request.endpoint_id, |endpoint| {
            for (new, old) in [(request.url, &mut endpoint.url), (request.status, &mut endpoint.status)] {
                if !new.is_empty() {
                    *old = new;
                }
            }
            if !request.events.is_empty() {
                endpoint.events = request.events;
            }
        })
    }

    async fn delete_endpoint(
        &self,
        _: Context,
        request: DeleteEndpointRequest,
    ) -> Result<DeleteEndpointResponse, RpcError> {
        self.change(&request.project_id, &request.endpoint_id, |_| {})?;
        lock(&self.0.endpoints).retain(|e| e.id != request.endpoint_id);
        Ok(DeleteEndpointResponse {})
    }

    async fn rotate_endpoint_secret(
        &self,
        _: Context,
        request: RotateEndpointSecretRequest,
    ) -> Result<Endpoint, RpcError> {
        self.change(&request.project_id, &request.endpoint_id, |endpoint| {
            endpoint.signing_secret = format!("whsec_{}", "f".repeat(64));
        })
    }
}

impl Dispatcher {
    fn change(
        &self,
        project: &str,
        endpoint: &str,
        change: impl FnOnce(&mut Endpoint),
    ) -> Result<Endpoint, RpcError> {
        let mut endpoints = lock(&self.0.endpoints);
        let found = endpoints.iter_mut().find(|e| e.id == endpoint && e.project_id == project);
        let found = found.ok_or_else(|| RpcError::NotFound("endpoint".into()))?;
        change(found);
        Ok(found.clone())
    }

    /// The delivery, changed.
    fn delivery(
        &self,
        (project, endpoint, id): (&str, &str, &str),
        change: impl FnOnce(&mut Delivery),
    ) -> Result<LoggedDelivery, RpcError> {
        let mut deliveries = lock(&self.0.deliveries);
        let mut own = deliveries.iter_mut().filter_map(|logged| {
            let delivery = logged.delivery.as_mut()?;
            let path = (delivery.project_id.as_str(), delivery.endpoint_id.as_str(), delivery.id.as_str());
            if path == (project, endpoint, id) { Some((delivery, logged.attempts.clone())) } else { None }
        });
        let (delivery, attempts) = own.next().ok_or_else(|| RpcError::NotFound("delivery".into()))?;
        change(delivery);
        Ok(LoggedDelivery { delivery: Some(delivery.clone()), attempts })
    }
}

#[async_trait]
impl DeliveriesRpc for Dispatcher {
    async fn list_deliveries(
        &self,
        _: Context,
        request: ListDeliveriesRequest,
    ) -> Result<ListDeliveriesResponse, RpcError> {
        self.change(&request.project_id, &request.endpoint_id, |_| {})?;
        let all = lock(&self.0.deliveries);
        let wanted = |d: &&Delivery| {
            d.endpoint_id == request.endpoint_id
                && (request.status.is_empty() || d.status == request.status)
                && (request.event_name.is_empty() || d.event_name == request.event_name)
                && (request.after_id.is_empty() || d.id < request.after_id)
        };
        let newest_first = all.iter().rev().filter_map(|logged| logged.delivery.as_ref());
        let mut deliveries: Vec<Delivery> = newest_first.filter(wanted).cloned().collect();
        let limit = request.limit as usize;
        let more = deliveries.len() > limit;
        deliveries.truncate(limit);
        let next_after_id = deliveries.last().filter(|_| more).map(|d| d.id.clone()).unwrap_or_default();
        Ok(ListDeliveriesResponse { deliveries, next_after_id })
    }

    async fn get_delivery(
        &self,
        _: Context,
        request: GetDeliveryRequest,
    ) -> Result<LoggedDelivery, RpcError> {
        self.delivery((&request.project_id, &request.endpoint_id, &request.delivery_id), |_| {})
    }

    async fn retry_delivery(&self, _: Context, request: RetryDeliveryRequest) -> Result<Delivery, RpcError> {
        let path = (request.project_id.as_str(), request.endpoint_id.as_str(), request.delivery_id.as_str());
        let found = self.delivery(path, |_| {})?.delivery.unwrap();
        if found.status == "pending" {
            let (code, message) = ("delivery_in_progress".into(), "an attempt is being made".into());
            return Err(RpcError::Conflict { code, message });
        }
        let asked = self.delivery(path, |delivery| {
            delivery.status = "pending".into();
            delivery.next_retry_at_ms = None;
        });
        Ok(asked?.delivery.unwrap())
    }

    async fn send_test(&self, _: Context, request: SendTestRequest) -> Result<Delivery, RpcError> {
        self.change(&request.project_id, &request.endpoint_id, |_| {})?;
        let delivery = Delivery {
            id: request.delivery_id,
            endpoint_id: request.endpoint_id,
            project_id: request.project_id,
            event_id: uuid::Uuid::now_v7().to_string(),
            event_name: "webhook.test".into(),
            payload_json: "{\"z\": 1, \"a\": {}}".into(),
            status: "pending".into(),
            attempt_count: 0,
            next_retry_at_ms: None,
            created_at_ms: AT_MS,
            updated_at_ms: AT_MS,
        };
        lock(&self.0.deliveries).push(LoggedDelivery { delivery: Some(delivery.clone()), attempts: vec![] });
        Ok(delivery)
    }
}

/// The token that the stand-in's carrier refuses.
pub(crate) const WRONG_TOKEN: &str = "wrong";

fn project_carrier(chosen: Option<&PutCarrierRequest>) -> ProjectCarrier {
    let told = ProjectCarrier {
        status: "active".into(),
        created_at_ms: AT_MS,
        updated_at_ms: AT_MS,
        ..ProjectCarrier::default()
    };
    match chosen.and_then(|chosen| chosen.carrier.clone()) {
        None => {
            ProjectCarrier { kind: "operator".into(), status: "missing".into(), ..ProjectCarrier::default() }
        }
        Some(Carrier::Sandbox(_)) => {
            ProjectCarrier { kind: "sandbox".into(), phone_number: "+15005550006".into(), ..told }
        }
        Some(Carrier::Twilio(account)) => ProjectCarrier {
            kind: "twilio".into(),
            account_sid: account.account_sid,
            phone_number_sid: account.phone_number_sid,
            phone_number: "+15005550100".into(),
            calls_per_second: account.calls_per_second.max(1),
            ..told
        },
    }
}

#[async_trait]
impl CarriersRpc for Bridge {
    async fn find_carrier(&self, _: Context, _: FindCarrierRequest) -> Result<FindCarrierResponse, RpcError> {
        Ok(FindCarrierResponse { found: true })
    }

    async fn put_carrier(&self, _: Context, request: PutCarrierRequest) -> Result<ProjectCarrier, RpcError> {
        if let Some(Carrier::Twilio(account)) = &request.carrier {
            if account.auth_token == WRONG_TOKEN {
                let problem = "is not the token of this account".to_owned();
                return Err(RpcError::Invalid { field: "auth_token".into(), problem });
            }
            let same = |other: &PutCarrierRequest| {
                matches!(&other.carrier, Some(Carrier::Twilio(theirs))
                if other.project_id != request.project_id && theirs.phone_number_sid == account.phone_number_sid)
            };
            if lock(&self.0.carriers).values().any(same) {
                return Err(RpcError::Conflict { code: "number_in_use".into(), message: "Another".into() });
            }
        }
        let told = project_carrier(Some(&request));
        lock(&self.0.carriers).insert(request.project_id.clone(), request);
        Ok(told)
    }

    async fn get_carrier(&self, _: Context, request: GetCarrierRequest) -> Result<ProjectCarrier, RpcError> {
        Ok(project_carrier(lock(&self.0.carriers).get(&request.project_id)))
    }

    async fn remove_carrier(
        &self,
        _: Context,
        request: RemoveCarrierRequest,
    ) -> Result<RemoveCarrierResponse, RpcError> {
        lock(&self.0.carriers).remove(&request.project_id);
        Ok(RemoveCarrierResponse {})
    }
}
