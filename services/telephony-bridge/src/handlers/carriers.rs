//! The rpc service `Carriers`: what a project calls with, asked before a call is accepted, shown, chosen and taken away.

use async_trait::async_trait;
use common::clock::to_millis;
use common::db::DbError;
use contracts::ids::{BadId, BotId, ProjectId};
use contracts::rpc::{Context, RpcError};
use contracts::telephony::put_carrier_request::Carrier as Wanted;
use contracts::telephony::{
    AnswerWithBotRequest, AnswerWithBotResponse, CarriersRpc, FindCarrierRequest, FindCarrierResponse,
    GetCarrierRequest, ProjectCarrier, PutCarrierRequest, RemoveCarrierRequest, RemoveCarrierResponse,
};

use crate::app::App;
use crate::connecting;
use crate::error::BridgeError;
use crate::store::project_carriers::{self, Choice, Chosen};

/// Answers `Carriers`.
pub(crate) struct Carriers(pub(crate) App);

#[async_trait]
impl CarriersRpc for Carriers {
    async fn find_carrier(
        &self,
        _: Context,
        request: FindCarrierRequest,
    ) -> Result<FindCarrierResponse, RpcError> {
        let project = project(&request.project_id)?;
        let found = self.0.carriers.of_project(project).await.map_err(failed)?;
        Ok(FindCarrierResponse { found: found.is_some() })
    }

    async fn put_carrier(&self, _: Context, request: PutCarrierRequest) -> Result<ProjectCarrier, RpcError> {
        let project = project(&request.project_id)?;
        let chosen = match request.carrier {
            Some(Wanted::Twilio(account)) => connecting::twilio(&self.0, project, account).await?,
            Some(Wanted::Sandbox(_)) => connecting::sandbox(&self.0, project).await?,
            None => {
                let problem = "is required: twilio or sandbox".to_owned();
                return Err(RpcError::Invalid { field: "kind".to_owned(), problem });
            }
        };
        Ok(shown(&self.0, Some(&chosen)))
    }

    async fn get_carrier(&self, _: Context, request: GetCarrierRequest) -> Result<ProjectCarrier, RpcError> {
        let project = project(&request.project_id)?;
        let read = move |db: &mut common::db::Db| project_carriers::of_project(db, project);
        let chosen = self.0.platform.database.read(read).await.map_err(|e| failed(e.into()))?;
        Ok(shown(&self.0, chosen.as_ref()))
    }

    async fn remove_carrier(
        &self,
        _: Context,
        request: RemoveCarrierRequest,
    ) -> Result<RemoveCarrierResponse, RpcError> {
        let project = project(&request.project_id)?;
        let retired = self.0.write(move |tx| {
            let now = tx.now();
            Ok(project_carriers::retire(tx.conn, project, now)?)
        });
        retired.await.map_err(failed)?;
        Ok(RemoveCarrierResponse {})
    }

    async fn answer_with_bot(
        &self,
        _: Context,
        request: AnswerWithBotRequest,
    ) -> Result<AnswerWithBotResponse, RpcError> {
        let project = project(&request.project_id)?;
        let bot: BotId = request
            .bot_id
            .parse()
            .map_err(|e: BadId| RpcError::Invalid { field: "bot_id".to_owned(), problem: e.to_string() })?;
        let phone_number = connecting::answer_with_bot(&self.0, project, bot).await?;
        Ok(AnswerWithBotResponse { phone_number })
    }
}

fn project(text: &str) -> Result<ProjectId, RpcError> {
    text.parse()
        .map_err(|e: BadId| RpcError::Invalid { field: "project_id".to_owned(), problem: e.to_string() })
}

/// What an asker is told when something here broke.
pub(crate) fn failed(error: BridgeError) -> RpcError {
    match error {
        BridgeError::Db(DbError::Unavailable(_) | DbError::Conflict) | BridgeError::Slow => {
            RpcError::Unavailable(error.to_string())
        }
        other => RpcError::Internal(other.to_string()),
    }
}

/// What is told of a project's choice, `None` for a project that has made none. No token is.
fn shown(app: &App, chosen: Option<&Chosen>) -> ProjectCarrier {
    let (kind, carrier) = match chosen.map(|chosen| &chosen.choice) {
        None => ("operator", app.carriers.operator()),
        Some(Choice::Sandbox) => ("sandbox", app.carriers.sandbox()),
        Some(Choice::Twilio(account)) => {
            return ProjectCarrier {
                kind: "twilio".to_owned(),
                account_sid: account.account_sid.clone(),
                phone_number_sid: account.phone_number_sid.clone(),
                phone_number: account.phone_number.clone(),
                status: "active".to_owned(),
                calls_per_second: account.calls_per_second,
                ..times(chosen)
            };
        }
    };
    ProjectCarrier {
        kind: kind.to_owned(),
        phone_number: carrier.map(|c| c.account.from.clone()).unwrap_or_default(),
        status: if carrier.is_some() { "active" } else { "missing" }.to_owned(),
        ..times(chosen)
    }
}

fn times(chosen: Option<&Chosen>) -> ProjectCarrier {
    ProjectCarrier {
        created_at_ms: chosen.map(|chosen| to_millis(chosen.created_at)).unwrap_or_default(),
        updated_at_ms: chosen.map(|chosen| to_millis(chosen.updated_at)).unwrap_or_default(),
        ..ProjectCarrier::default()
    }
}
