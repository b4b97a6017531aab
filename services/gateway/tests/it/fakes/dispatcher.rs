//! A webhook-dispatcher that remembers endpoints, deliveries, secrets and mail, and sends nothing.

use async_trait::async_trait;
use common::config::{ConfigError, Settings};
use common::platform::Platform;
use common::service::{Service, ServiceDef};
use contracts::ServiceName;
use contracts::rpc::{Context, RpcError, Server};
use contracts::webhooks::{
    BotWebhooksServer, CallNowRequest, CallNowResponse, CreateEndpointRequest, DeleteEndpointRequest,
    DeleteEndpointResponse, DeliveriesRpc, DeliveriesServer, Delivery, Endpoint, EndpointsRpc,
    EndpointsServer, GetDeliveryRequest, GetEndpointRequest, ListDeliveriesRequest, ListDeliveriesResponse,
    ListEndpointsRequest, ListEndpointsResponse, LoggedDelivery, MailsRpc, MailsServer, PutSlackRequest,
    PutSlackResponse, QueueMailRequest, QueueMailResponse, RetryDeliveryRequest, RevealTargetRequest,
    RotateEndpointSecretRequest, RotateTargetRequest, SendTestRequest, Target, TargetsRpc, TargetsServer,
    TicketNoticesRpc, TicketNoticesServer, UpdateEndpointRequest,
};
use std::sync::Arc;

use super::{AT_MS, Fakes, lock};

pub(crate) const DISPATCHER: ServiceDef =
    ServiceDef { name: ServiceName::WebhookDispatcher, tables: None, listens: &[], build: dispatcher };

#[derive(Clone)]
pub(super) struct Dispatcher(pub(super) Arc<Fakes>);

fn dispatcher(settings: &Settings, _: &Platform) -> Result<Service, ConfigError> {
    let fake = Dispatcher(Fakes::find(settings));
    let (endpoints, deliveries) = (EndpointsServer(fake.clone()), DeliveriesServer(fake.clone()));
    let servers: Vec<Arc<dyn Server>> = vec![
        Arc::new(endpoints),
        Arc::new(deliveries),
        Arc::new(MailsServer(fake.clone())),
        Arc::new(BotWebhooksServer(fake.clone())),
        Arc::new(TargetsServer(fake.clone())),
        Arc::new(TicketNoticesServer(fake)),
    ];
    Ok(Service { servers, ..Service::default() })
}

#[async_trait]
impl TicketNoticesRpc for Dispatcher {
    async fn put_slack(&self, _: Context, request: PutSlackRequest) -> Result<PutSlackResponse, RpcError> {
        if request.url.contains("127.0.0.1") {
            let problem = "leads to an address that may not be asked".to_owned();
            return Err(RpcError::Invalid { field: "slack_webhook_url".to_owned(), problem });
        }
        lock(&self.0.slack).push(request);
        Ok(PutSlackResponse {})
    }
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

#[async_trait]
impl MailsRpc for Dispatcher {
    async fn queue_mail(&self, _: Context, request: QueueMailRequest) -> Result<QueueMailResponse, RpcError> {
        lock(&self.0.mails).push(request);
        self.0.mailed.add_permits(1);
        if let Some(failure) = lock(&self.0.mail_failures).pop_front() {
            return Err(failure);
        }
        Ok(QueueMailResponse { will_be_sent: true })
    }
}
