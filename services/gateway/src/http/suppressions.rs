//! `/suppressions`: the numbers that the credential's project is not to call. The orchestrator owns the list, because its rules
//! read it before every call.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use contracts::calls::{
    AddSuppressionRequest, ListSuppressionsRequest, RemoveSuppressionRequest, Suppression,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::audit::note;
use super::body;
use super::fields::{Fields, decode};
use super::idempotent;
use super::page::{PageParams, Paging};
use super::query::path_id;
use super::reply::{Made, millis};
use crate::app::App;
use crate::domain::audit::Action;
use crate::domain::phone::PhoneE164;
use crate::domain::role::Operation;
use crate::domain::text::Label;
use crate::error::{ApiError, from_rpc};
use crate::identity::credential::authorise;
use crate::store::audit::Event;

/// A number to be put on the list.
#[derive(ToSchema)]
#[schema(as = NewSuppression, example = json!({"phone": "+14155552671", "reason": "Asked by mail"}))]
#[expect(dead_code, reason = "the document's view of what `create` reads")]
pub(super) struct NewSuppressionRequest {
    /// The number, E.164. It need not belong to a customer.
    phone: String,
    /// Why.
    #[schema(required = false, min_length = 1, max_length = 200)]
    reason: Option<String>,
}

/// A number that is not to be called.
#[derive(Serialize, ToSchema)]
#[schema(as = Suppression, example = json!({
    "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "phone": "+14155552671", "reason": "Asked by mail",
    "source": "api", "created_at": "2026-03-18T17:43:46.714Z"
}))]
pub(super) struct SuppressionBody {
    id: String,
    /// E.164.
    phone: String,
    /// Why, if anybody said.
    reason: Option<String>,
    /// Where it was put on the list: here, or in a call in which somebody asked for it.
    source: String,
    created_at: String,
}

impl From<Suppression> for SuppressionBody {
    fn from(row: Suppression) -> Self {
        Self {
            id: row.id,
            phone: row.phone_e164,
            reason: Some(row.reason).filter(|reason| !reason.is_empty()),
            source: row.source,
            created_at: millis(row.created_at_ms),
        }
    }
}

fn read(fields: &mut Fields<'_>) -> Option<(PhoneE164, Option<Label>)> {
    let phone = fields.text("phone", PhoneE164::parse);
    let reason = fields.optional_text("reason", Label::parse);
    Some((phone?, reason?))
}

fn failed(error: contracts::rpc::RpcError) -> ApiError {
    from_rpc(error, "suppression", "Suppression")
}

/// Put a number on the opt-out list. What waits for it ends as `blocked` by `suppressed`; a call that rings or talks goes on.
/// The same number again answers the row that is there.
#[utoipa::path(
    post,
    path = "/api/v1/suppressions",
    operation_id = "createSuppression",
    tag = "suppressions",
    request_body = NewSuppressionRequest,
    responses((status = 201, description = "The row of the number.", body = SuppressionBody))
)]
pub(crate) async fn create(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let body = body::json(&request, payload).await?;
    let (phone, reason) = decode(&body, read)?;
    let keyed = idempotent::keyed(&request, &tenant, &body)?;
    let this = app.get_ref().clone();
    idempotent::remotely(&app, keyed, move |_| async move {
        let wanted = AddSuppressionRequest {
            project_id: tenant.project.to_string(),
            phone_e164: phone.into_inner(),
            reason: reason.map(String::from).unwrap_or_default(),
        };
        let row = this.suppressions.add_suppression(tenant.context(), wanted).await.map_err(failed)?;
        if let Ok(id) = row.id.parse::<Uuid>() {
            note(&this, &tenant, Event::on(Action::SuppressionMade, id)).await?;
        }
        Made::created(&SuppressionBody::from(row))
    })
    .await
}

/// The opt-out list of the project.
#[utoipa::path(
    get,
    path = "/api/v1/suppressions",
    operation_id = "listSuppressions",
    tag = "suppressions",
    params(PageParams, ("phone" = Option<String>, Query, description = "Only this number, E.164 (its `+` written as `%2B`).")),
    responses((status = 200, description = "Newest first.", body = Vec<SuppressionBody>))
)]
pub(crate) async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let paging = Paging::of(&request)?;
    let phone = paging.query.get("phone", PhoneE164::parse)?;
    let wanted = ListSuppressionsRequest {
        project_id: tenant.project.to_string(),
        limit: paging.limit,
        after_id: paging.after_text(),
        phone_e164: phone.map(PhoneE164::into_inner).unwrap_or_default(),
    };
    let listed = app.suppressions.list_suppressions(tenant.context(), wanted).await.map_err(failed)?;
    let next = Some(listed.next_after_id).filter(|next| !next.is_empty());
    let items: Vec<SuppressionBody> = listed.suppressions.into_iter().map(Into::into).collect();
    Ok(paging.answer(&app, &request, &items, next.as_deref()))
}

/// Take a number off the list: it may be called again.
#[utoipa::path(
    delete,
    path = "/api/v1/suppressions/{id}",
    operation_id = "deleteSuppression",
    tag = "suppressions",
    params(("id" = Uuid, Path, description = "Which row.")),
    responses((status = 204, description = "It is off the list."))
)]
pub(crate) async fn remove(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let not_found = || ApiError::not_found("suppression", "Suppression");
    let id: Uuid = path_id(&request, "id").ok_or_else(not_found)?;
    let wanted =
        RemoveSuppressionRequest { project_id: tenant.project.to_string(), suppression_id: id.to_string() };
    app.suppressions.remove_suppression(tenant.context(), wanted).await.map_err(failed)?;
    note(&app, &tenant, Event::on(Action::SuppressionRemoved, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
