//! `/customers/{id}/phones`: the numbers of a customer. Exactly one of them is the primary one, which is rung.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use common::db::{Id, Time, Tx};
use contracts::ids::{CustomerId, PhoneId, ProjectId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::body;
use super::customers::{customer_in, held};
use super::fields::{Fields, decode};
use super::idempotent::{self, Keep};
use super::openapi::ErrorBody;
use super::query::path_id;
use super::reply::{Made, time};
use crate::app::App;
use crate::domain::phone::PhoneE164;
use crate::domain::phone_book::{self, Entry, PhoneStatus, Refusal};
use crate::domain::role::Operation;
use crate::error::ApiError;
use crate::identity::credential::authorise;
use crate::store::phones::{self, PhoneRow};

/// One more number.
#[derive(ToSchema)]
#[schema(as = NewPhone, example = json!({"value": "+14155552671", "is_primary": true}))]
#[expect(dead_code, reason = "the document's view of what `create` reads")]
pub(super) struct NewPhoneRequest {
    /// E.164; a possible number that this customer does not have yet. Others may have it.
    value: String,
    /// Whether it is the one that is rung from now on; the first one always is.
    #[schema(default = false)]
    is_primary: Option<bool>,
}

/// What changes about a number.
#[derive(ToSchema)]
#[schema(as = PhoneChanges, example = json!({"is_primary": true}))]
#[expect(dead_code, reason = "the document's view of what `Said` reads")]
pub(super) struct PhoneChangesRequest {
    /// E.164.
    value: Option<String>,
    /// `true` makes it the one that is rung, in the place of the one that was.
    is_primary: Option<bool>,
    /// Only an active number is rung. The carrier's word that a number cannot be rung makes it `unreachable`; whoever picks up
    /// there, and a new value, make it `active` again. `opted_out` is set here alone: who asks in a call not to be called is put
    /// on the opt-out list (`/suppressions`).
    status: Option<String>,
}

/// A number of a customer.
#[derive(Serialize, ToSchema)]
#[schema(as = Phone, example = json!({
    "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "customer_id": "8cc6199f-9466-46f2-9db7-936f3c2c1c0b",
    "value": "+14155552671", "is_primary": true, "status": "active", "created_at": "2026-03-18T17:43:46.714Z"
}))]
pub(crate) struct PhoneBody {
    id: Uuid,
    customer_id: Uuid,
    /// E.164.
    value: String,
    /// It is the one that is rung: exactly one of a customer's is.
    is_primary: bool,
    /// Whether it may be rung.
    status: String,
    created_at: String,
}

impl From<PhoneRow> for PhoneBody {
    fn from(row: PhoneRow) -> Self {
        Self {
            id: row.id.0,
            customer_id: row.customer_id.0,
            value: row.value,
            is_primary: row.is_primary,
            status: row.status,
            created_at: time(row.created_at),
        }
    }
}

/// What a rule of the phone book says to a caller.
pub(crate) fn refused(why: Refusal) -> ApiError {
    ApiError::conflict(why.code(), why.message())
}

fn not_found() -> ApiError {
    ApiError::not_found("phone", "Phone number")
}

/// The numbers as the rules see them.
pub(crate) fn book(rows: &[PhoneRow]) -> Vec<Entry<Id>> {
    let entry = |row: &PhoneRow| Entry { id: row.id, value: row.value.clone(), is_primary: row.is_primary };
    rows.iter().map(entry).collect()
}

/// What a request says about a number.
#[derive(Clone, Debug)]
struct Said {
    value: Option<PhoneE164>,
    is_primary: Option<bool>,
    status: Option<PhoneStatus>,
}

impl Said {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let value = fields.optional_text("value", PhoneE164::parse);
        let is_primary = fields.flag("is_primary");
        let status = fields.optional_text("status", PhoneStatus::parse);
        Some(Self { value: value?, is_primary: is_primary?, status: status? })
    }
}

/// Add a number. The first one is the primary one, which is rung.
#[utoipa::path(
    post,
    path = "/api/v1/customers/{id}/phones",
    operation_id = "addPhone",
    tag = "customers",
    params(("id" = Uuid, Path, description = "Which customer.")),
    request_body = NewPhoneRequest,
    responses(
        (status = 201, description = "The number.", body = PhoneBody),
        (status = 409, description = "`phone_taken`: the customer has this number. `phone_limit_reached`: a customer has at most 20.", body = ErrorBody)
    )
)]
pub(crate) async fn create(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let id = customer_in(&request)?;
    let body = body::json(&request, payload).await?;
    let (value, primary) = decode(&body, |fields| {
        let value = fields.text("value", PhoneE164::parse);
        let is_primary = fields.flag("is_primary");
        Some((value?.into_inner(), is_primary?.unwrap_or(false)))
    })?;
    let keyed = idempotent::keyed(&request, &tenant, &body)?;
    idempotent::locally(&app, keyed, Keep::Answer, move |tx| {
        let row = add(tx, tenant.project, id, &value, primary)?;
        Ok(Made::created(&PhoneBody::from(row))?.about(id))
    })
    .await
}

fn add(
    tx: &mut Tx<'_>,
    project: ProjectId,
    customer: CustomerId,
    value: &str,
    primary: bool,
) -> Result<PhoneRow, ApiError> {
    let (_, phones) = held(tx, project, customer)?;
    let is_primary = phone_book::add(&book(&phones), value, primary).map_err(refused)?;
    if is_primary {
        phones::clear_primary(tx.conn, project, customer)?;
    }
    let row = PhoneRow {
        id: Id::of(PhoneId::new()),
        customer_id: Id::of(customer),
        value: value.to_owned(),
        is_primary,
        status: PhoneStatus::Active.as_str().to_owned(),
        created_at: Time::from(tx.now()),
    };
    phones::insert(tx.conn, project, &row)?;
    Ok(row)
}

/// Change a number: what is sent changes. A new value makes an unreachable number active.
#[utoipa::path(
    patch,
    path = "/api/v1/customers/{id}/phones/{phone}",
    operation_id = "updatePhone",
    tag = "customers",
    params(
        ("id" = Uuid, Path, description = "Which customer."),
        ("phone" = Uuid, Path, description = "Which number.")
    ),
    request_body = PhoneChangesRequest,
    responses(
        (status = 200, description = "The number, changed.", body = PhoneBody),
        (status = 409, description = "`phone_taken`: the customer has this number. `phone_is_primary`: make another one the primary one instead.", body = ErrorBody)
    )
)]
pub(crate) async fn update(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let customer = customer_in(&request)?;
    let id: PhoneId = path_id(&request, "phone").ok_or_else(not_found)?;
    let said = decode(&body::json(&request, payload).await?, Said::read)?;
    let write = app.platform.database.write(move |tx| change(tx, tenant.project, customer, id, said));
    Ok(HttpResponse::Ok().json(PhoneBody::from(write.await?)))
}

fn change(
    tx: &mut Tx<'_>,
    project: ProjectId,
    customer: CustomerId,
    id: PhoneId,
    said: Said,
) -> Result<PhoneRow, ApiError> {
    let (_, phones) = held(tx, project, customer)?;
    let old = phones.iter().find(|row| row.id == Id::of(id)).ok_or_else(not_found)?;
    let value = said.value.map(PhoneE164::into_inner);
    let is_primary = phone_book::change(&book(&phones), &old.id, value.as_deref(), said.is_primary);
    let is_primary = is_primary.map_err(refused)?;
    let other_value = value.as_ref().is_some_and(|value| *value != old.value);
    let says_status = said.status.is_some() || other_value;
    let row = PhoneRow {
        is_primary,
        status: phone_book::status(&old.status, said.status, other_value).to_owned(),
        value: value.unwrap_or_else(|| old.value.clone()),
        ..old.clone()
    };
    if is_primary && !old.is_primary {
        phones::clear_primary(tx.conn, project, customer)?;
    }
    phones::save(tx.conn, project, &row)?;
    if says_status {
        let now = Time::from(tx.now());
        phones::status_was_said(tx.conn, project, id, now)?;
    }
    Ok(row)
}

/// Remove a number. The primary one can be removed only as the last one.
#[utoipa::path(
    delete,
    path = "/api/v1/customers/{id}/phones/{phone}",
    operation_id = "removePhone",
    tag = "customers",
    params(
        ("id" = Uuid, Path, description = "Which customer."),
        ("phone" = Uuid, Path, description = "Which number.")
    ),
    responses(
        (status = 204, description = "Removed."),
        (status = 409, description = "`phone_is_primary`: it is the primary one, and there are others.", body = ErrorBody)
    )
)]
pub(crate) async fn remove(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let customer = customer_in(&request)?;
    let id: PhoneId = path_id(&request, "phone").ok_or_else(not_found)?;
    let write = app.platform.database.write(move |tx| {
        let (_, phones) = held(tx, tenant.project, customer)?;
        let row = phones.iter().find(|row| row.id == Id::of(id)).ok_or_else(not_found)?;
        phone_book::remove(&book(&phones), &row.id).map_err(refused)?;
        phones::remove(tx.conn, tenant.project, id).map_err(ApiError::from)
    });
    write.await?;
    Ok(HttpResponse::NoContent().finish())
}
