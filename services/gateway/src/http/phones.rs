//! `/customers/{id}/phones`: the numbers of a customer. Exactly one of them is the primary one, which is rung.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use common::db::{Id, Time, Tx};
use contracts::ids::{CustomerId, PhoneId, ProjectId};
use serde::Serialize;
use uuid::Uuid;

use super::body;
use super::customers::{customer_in, held};
use super::fields::{Fields, decode};
use super::idempotent::{self, Keep};
use super::query::path_id;
use super::reply::{Made, time};
use crate::app::App;
use crate::domain::phone::PhoneE164;
use crate::domain::phone_book::{self, Entry, PhoneStatus, Refusal};
use crate::domain::role::Operation;
use crate::error::ApiError;
use crate::identity::credential::authorise;
use crate::store::phones::{self, PhoneRow};

/// A number as it is answered.
#[derive(Serialize)]
pub(crate) struct PhoneBody {
    id: Uuid,
    customer_id: Uuid,
    value: String,
    is_primary: bool,
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

fn refused(why: Refusal) -> ApiError {
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

/// `POST /customers/{id}/phones`: one more number; the first one is the primary one.
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

/// `PATCH /customers/{id}/phones/{phone}`: what is sent changes.
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
    Ok(row)
}

/// `DELETE /customers/{id}/phones/{phone}`: the primary one only as the last one.
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
