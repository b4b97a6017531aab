//! A telephony-bridge that knows what projects have chosen to call with, and rings nobody.

use async_trait::async_trait;
use common::config::{ConfigError, Settings};
use common::platform::Platform;
use common::service::{Service, ServiceDef};
use contracts::ServiceName;
use contracts::rpc::{Context, RpcError};
use contracts::telephony::put_carrier_request::Carrier;
use contracts::telephony::{
    AnswerWithBotRequest, AnswerWithBotResponse, CarriersRpc, CarriersServer, FindCarrierRequest,
    FindCarrierResponse, GetCarrierRequest, ProjectCarrier, PutCarrierRequest, RemoveCarrierRequest,
    RemoveCarrierResponse,
};
use std::sync::Arc;

use super::{AT_MS, Fakes, lock};

pub(crate) const BRIDGE: ServiceDef =
    ServiceDef { name: ServiceName::TelephonyBridge, tables: None, listens: &[], build: bridge };

#[derive(Clone)]
struct Bridge(Arc<Fakes>);

fn bridge(settings: &Settings, _: &Platform) -> Result<Service, ConfigError> {
    let server = CarriersServer(Bridge(Fakes::find(settings)));
    Ok(Service { servers: vec![Arc::new(server)], ..Service::default() })
}

/// The token that the stand-in's carrier refuses.
pub(crate) const WRONG_TOKEN: &str = "wrong";

/// The token with which an account is kept, and the answer is lost.
pub(crate) const AWAY_TOKEN: &str = "away";

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
        let lost = matches!(&request.carrier, Some(Carrier::Twilio(a)) if a.auth_token == AWAY_TOKEN);
        lock(&self.0.carriers).insert(request.project_id.clone(), request);
        if lost { Err(RpcError::Unavailable("told so".into())) } else { Ok(told) }
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

    async fn answer_with_bot(
        &self,
        _: Context,
        request: AnswerWithBotRequest,
    ) -> Result<AnswerWithBotResponse, RpcError> {
        if let Some(error) = lock(&self.0.cannot_answer).take() {
            return Err(error);
        }
        lock(&self.0.answering).push(request);
        Ok(AnswerWithBotResponse { phone_number: "+15005550100".into() })
    }
}
