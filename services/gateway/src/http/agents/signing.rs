//! `/agents/{id}/signing-secret`: what signs the requests to an agent's tools. The dispatcher owns it.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use contracts::rpc::RpcError;
use contracts::webhooks::{RevealTargetRequest, RotateTargetRequest, Target};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::audit::note;
use super::{agent_in, load};
use crate::app::App;
use crate::domain::audit::Action;
use crate::domain::role::Operation;
use crate::error::{ApiError, from_rpc};
use crate::http::reply::millis;
use crate::identity::credential::authorise;
use crate::store::audit::Event;

/// A secret.
#[derive(Serialize, ToSchema)]
#[schema(as = SigningSecret, example = json!({
    "signing_secret": "whsec_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "created_at": "2026-03-18T17:43:46.714Z"
}))]
pub(crate) struct SecretBody {
    /// `whsec_` and 64 hexadecimal digits; the key of `X-Echo-Signature`, as a whole.
    signing_secret: String,
    created_at: String,
}

impl From<Target> for SecretBody {
    fn from(target: Target) -> Self {
        Self { signing_secret: target.signing_secret, created_at: millis(target.created_at_ms) }
    }
}

fn failed(error: RpcError) -> ApiError {
    from_rpc(error, "agent", "Agent")
}

/// The secret that signs the requests to an agent's tools and to its booking address; made when it is first asked for.
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}/signing-secret",
    operation_id = "getAgentSigningSecret",
    tag = "agents",
    params(("id" = uuid::Uuid, Path, description = "Which agent.")),
    responses((status = 200, description = "The secret.", body = SecretBody))
)]
pub(crate) async fn read(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::ReadSecrets).await?;
    let agent = load(&app, &tenant, agent_in(&request)?).await?;
    let wanted =
        RevealTargetRequest { business_id: tenant.business.to_string(), owner_id: agent.id.0.to_string() };
    let target = app.targets.reveal_target(tenant.context(), wanted).await.map_err(failed)?;
    Ok(HttpResponse::Ok().json(SecretBody::from(target)))
}

/// Replace the secret: from now on the new one signs.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/signing-secret/rotate",
    operation_id = "rotateAgentSigningSecret",
    tag = "agents",
    params(("id" = uuid::Uuid, Path, description = "Which agent.")),
    responses((status = 200, description = "The new secret.", body = SecretBody))
)]
pub(crate) async fn rotate(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let agent = load(&app, &tenant, agent_in(&request)?).await?;
    let wanted =
        RotateTargetRequest { business_id: tenant.business.to_string(), owner_id: agent.id.0.to_string() };
    let target = app.targets.rotate_target(tenant.context(), wanted).await.map_err(failed)?;
    let event = Event::on(Action::AgentSecretRotated, agent.id.0);
    note(&app, &tenant, event).await?;
    Ok(HttpResponse::Ok().json(SecretBody::from(target)))
}
