//! `/projects/{project}/carrier`: what a project calls with. The telephony-bridge owns it, and asks Twilio about an account
//! before it takes it. A token is passed on, kept sealed there, and never comes back.

use std::time::Duration;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use contracts::rpc::{Context, RpcError};
use contracts::telephony::put_carrier_request::Carrier;
use contracts::telephony::{
    GetCarrierRequest, ProjectCarrier, PutCarrierRequest, RemoveCarrierRequest, Sandbox, TwilioAccount,
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::audit::note;
use super::body;
use super::fields::{Fields, decode};
use super::openapi::ErrorBody;
use super::projects::authorise_path;
use super::reply::millis;
use crate::app::App;
use crate::domain::audit::Action;
use crate::domain::carrier::{Kind, account_sid, auth_token, phone_number_sid};
use crate::domain::role::Operation;
use crate::error::{ApiError, from_rpc};
use crate::store::audit::Event;

/// Twilio is asked three things, ten seconds each at most; whoever waits longer than this asks again.
pub(super) const CHECKED_WITHIN: Duration = Duration::from_secs(20);

/// What a project wants to call with. For the sandbox, `kind` is all; for an account of its own the SIDs and the token are
/// required.
#[derive(ToSchema)]
#[schema(as = NewCarrier, example = json!({
    "kind": "twilio", "account_sid": "AC0123456789abcdef0123456789abcdef",
    "auth_token": "0123456789abcdef0123456789abcdef", "phone_number_sid": "PN0123456789abcdef0123456789abcdef",
    "configure_number": true
}))]
#[expect(dead_code, reason = "the document's view of what `put` reads")]
pub(super) struct NewCarrierRequest {
    /// `twilio`: an account of the project's own. `sandbox`: no real phone ever rings.
    #[schema(default = "twilio")]
    kind: Option<String>,
    /// As Twilio's console shows it.
    #[schema(pattern = "^AC[0-9a-fA-F]{32}$")]
    account_sid: Option<String>,
    /// The account's token. It is checked with Twilio, kept sealed, and never shown.
    #[schema(min_length = 1, max_length = 128)]
    auth_token: Option<String>,
    /// The number that calls come from, one of the account's.
    #[schema(pattern = "^PN[0-9a-fA-F]{32}$")]
    phone_number_sid: Option<String>,
    /// How many calls the account may place in a second, as agreed with Twilio.
    #[schema(minimum = 1, maximum = 100, default = 1)]
    calls_per_second: Option<u32>,
    /// Let the calls to the number come to this Echo, so that customers can ring back: sets its voice URL and status callback.
    #[schema(default = false)]
    configure_number: Option<bool>,
}

/// What a project calls with. Never the token.
#[derive(Serialize, ToSchema)]
#[schema(as = Carrier, example = json!({
    "kind": "twilio", "account_sid": "AC0123456789abcdef0123456789abcdef",
    "phone_number_sid": "PN0123456789abcdef0123456789abcdef", "phone_number": "+15005550006", "calls_per_second": 1,
    "status": "active", "created_at": "2026-03-18T17:43:46.714Z", "updated_at": "2026-03-18T17:43:46.714Z"
}))]
pub(super) struct CarrierBody {
    /// `operator` for a project that has none of its own.
    kind: String,
    /// The project's own account; null without one.
    account_sid: Option<String>,
    /// Its number; null without one.
    phone_number_sid: Option<String>,
    /// What customers see, E.164; null when there is nothing to call with.
    phone_number: Option<String>,
    /// How many calls the project's own account may place in a second; null without one.
    calls_per_second: Option<u32>,
    /// `missing` when there is nothing to call with.
    status: String,
    /// When the project chose it; null for the operator's.
    created_at: Option<String>,
    /// When that last changed; null for the operator's.
    updated_at: Option<String>,
}

impl From<ProjectCarrier> for CarrierBody {
    fn from(carrier: ProjectCarrier) -> Self {
        let text = |text: String| Some(text).filter(|text| !text.is_empty());
        let at = |ms: i64| Some(ms).filter(|ms| *ms != 0).map(millis);
        Self {
            kind: carrier.kind,
            account_sid: text(carrier.account_sid),
            phone_number_sid: text(carrier.phone_number_sid),
            phone_number: text(carrier.phone_number),
            calls_per_second: Some(carrier.calls_per_second).filter(|calls| *calls > 0),
            status: carrier.status,
            created_at: at(carrier.created_at_ms),
            updated_at: at(carrier.updated_at_ms),
        }
    }
}

fn failed(error: RpcError) -> ApiError {
    from_rpc(error, "project", "Project")
}

/// Give a project a carrier of its own, in place of the one that it has. An account is checked with Twilio first: what Twilio
/// refuses is a 400 that names the field. Calls that run end with the account with which they were made.
#[utoipa::path(
    put,
    path = "/api/v1/projects/{project}/carrier",
    operation_id = "putCarrier",
    tag = "carrier",
    params(("project" = Uuid, Path, description = "Whose carrier.")),
    request_body = NewCarrierRequest,
    responses(
        (status = 200, description = "The carrier, without its token.", body = CarrierBody),
        (status = 409, body = ErrorBody, description = "`number_in_use`: another project calls from this number. \
            `no_sandbox`: this Echo has no sandbox carrier. `voice_url_not_public`: Twilio could not reach this Echo. \
            `number_has_trunk`: the number's calls go to a SIP trunk.")
    )
)]
pub(crate) async fn put(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_path(&app, &request, Operation::ManageCarrier).await?;
    let body = body::json(&request, payload).await?;
    let carrier = decode(&body, wanted)?;
    let wanted = PutCarrierRequest { project_id: tenant.project.to_string(), carrier: Some(carrier) };
    let context = Context { deadline: CHECKED_WITHIN, ..tenant.context() };
    let stored = app.carriers.put_carrier(context, wanted).await.map_err(failed)?;
    let details =
        json!({"kind": stored.kind, "account_sid": stored.account_sid, "phone_number": stored.phone_number});
    note(&app, &tenant, Event::on(Action::CarrierSet, tenant.project).with(details)).await?;
    Ok(HttpResponse::Ok().json(CarrierBody::from(stored)))
}

fn wanted(fields: &mut Fields<'_>) -> Option<Carrier> {
    let kind = fields.optional_text("kind", Kind::parse)?.unwrap_or(Kind::Twilio);
    let calls_per_second = fields.integer("calls_per_second", 1..=100);
    let configure_number = fields.flag("configure_number");
    match kind {
        Kind::Sandbox => {
            // It needs no account; one that comes along is held to the same rules.
            fields.optional_text("account_sid", account_sid)?;
            fields.optional_text("auth_token", auth_token)?;
            fields.optional_text("phone_number_sid", phone_number_sid)?;
            Some(Carrier::Sandbox(Sandbox {}))
        }
        Kind::Twilio => {
            let account_sid = fields.text("account_sid", account_sid);
            let auth_token = fields.text("auth_token", auth_token);
            let phone_number_sid = fields.text("phone_number_sid", phone_number_sid);
            Some(Carrier::Twilio(TwilioAccount {
                account_sid: account_sid?,
                auth_token: auth_token?,
                phone_number_sid: phone_number_sid?,
                calls_per_second: calls_per_second?.unwrap_or(0),
                configure_number: configure_number?.unwrap_or(false),
            }))
        }
    }
}

/// What a project calls with; the operator's carrier where it has none of its own.
#[utoipa::path(
    get,
    path = "/api/v1/projects/{project}/carrier",
    operation_id = "getCarrier",
    tag = "carrier",
    params(("project" = Uuid, Path, description = "Whose carrier.")),
    responses((status = 200, description = "The carrier, without its token.", body = CarrierBody))
)]
pub(crate) async fn read(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_path(&app, &request, Operation::Read).await?;
    let wanted = GetCarrierRequest { project_id: tenant.project.to_string() };
    let found = app.carriers.get_carrier(tenant.context(), wanted).await.map_err(failed)?;
    Ok(HttpResponse::Ok().json(CarrierBody::from(found)))
}

/// Go back to the operator's carrier. Also 204 for a project that has none of its own.
#[utoipa::path(
    delete,
    path = "/api/v1/projects/{project}/carrier",
    operation_id = "deleteCarrier",
    tag = "carrier",
    params(("project" = Uuid, Path, description = "Whose carrier.")),
    responses((status = 204, description = "The project calls with the operator's carrier."))
)]
pub(crate) async fn remove(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_path(&app, &request, Operation::ManageCarrier).await?;
    let wanted = RemoveCarrierRequest { project_id: tenant.project.to_string() };
    app.carriers.remove_carrier(tenant.context(), wanted).await.map_err(failed)?;
    note(&app, &tenant, Event::on(Action::CarrierRemoved, tenant.project)).await?;
    Ok(HttpResponse::NoContent().finish())
}
