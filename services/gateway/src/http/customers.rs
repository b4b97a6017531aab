//! `/customers`: the people of the credential's project.

use std::collections::HashMap;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use common::bus::Cause;
use common::db::{Db, DbError, Id, Time, Tx};
use contracts::accounts::{CustomerChanged, CustomerErased};
use contracts::ids::{CustomerId, PhoneId, ProjectId};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::body;
use super::fields::{Fields, decode, overlay};
use super::idempotent::{self, Keep};
use super::openapi::ErrorBody;
use super::page::{PageParams, Paging};
use super::phones::PhoneBody;
use super::query::path_id;
use super::reply::{Made, time};
use crate::app::App;
use crate::domain::audit::Action;
use crate::domain::customer::{Consent, ConsentTold, CustomerSpec, TimeZone, Told};
use crate::domain::json::Metadata;
use crate::domain::person::Email;
use crate::domain::phone::PhoneE164;
use crate::domain::phone_book::PhoneStatus;
use crate::domain::role::Operation;
use crate::domain::text::{ExternalId, Language, PersonName};
use crate::error::ApiError;
use crate::identity::credential::authorise;
use crate::store::audit::{self, Event};
use crate::store::customers::{self, CustomerRow};
use crate::store::idempotency;
use crate::store::phones::{self, PhoneRow};

/// Where consent is known from that a request brought without saying so.
pub(crate) const TOLD_HERE: &str = "api";

/// A person who may be rung.
#[derive(ToSchema)]
#[schema(as = NewCustomer, example = json!({
    "external_id": "user_12345", "first_name": "John", "last_name": "Smith", "phone": "+14155552671",
    "timezone": "America/New_York"
}))]
#[expect(dead_code, reason = "the document's view of what `NewCustomer::read` reads")]
pub(super) struct NewCustomerRequest {
    /// Your own id for them; unique in the project.
    #[schema(min_length = 1, max_length = 200)]
    external_id: String,
    #[schema(min_length = 1, max_length = 200)]
    first_name: String,
    #[schema(min_length = 1, max_length = 200)]
    last_name: String,
    /// E.164; becomes the primary phone. It must be a possible number; different customers may have the same one.
    phone: String,
    /// Your own data: at most 16 KiB. `{{customer.metadata.<key>}}` stands for a value of it in a prompt.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
    /// IANA name; calling hours count in it. Else the project's.
    timezone: Option<String>,
    /// BCP-47 tag: what is spoken with them, whatever the agent and the project have. Absent: the agent's, else the project's.
    language: Option<String>,
    /// Kept; nothing is sent to it.
    #[schema(max_length = 254)]
    email: Option<String>,
    consent: Option<ConsentRequest>,
}

/// What changes about a customer. `null` removes what is optional.
#[derive(ToSchema)]
#[schema(as = CustomerChanges, example = json!({"timezone": "Europe/Berlin", "email": null}))]
#[expect(dead_code, reason = "the document's view of what `merged` reads")]
pub(super) struct CustomerChangesRequest {
    #[schema(min_length = 1, max_length = 200)]
    external_id: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    first_name: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    last_name: Option<String>,
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
    timezone: Option<String>,
    language: Option<String>,
    email: Option<String>,
    consent: Option<ConsentRequest>,
}

/// What they said about being called.
#[derive(ToSchema)]
#[schema(as = NewConsent, example = json!({"given": true, "at": "2026-03-18T17:43:46.714Z", "source": "web-form"}))]
#[expect(dead_code, reason = "the document's view of what `domain/customer.rs` reads")]
pub(super) struct ConsentRequest {
    /// They agreed.
    given: bool,
    /// When they said so; else now.
    at: Option<String>,
    /// Where that is known from; else `api`.
    #[schema(max_length = 200)]
    source: Option<String>,
}

/// What they said about being called.
#[derive(ToSchema)]
#[schema(as = Consent, example = json!({"given": true, "at": "2026-03-18T17:43:46.714Z", "source": "web-form"}))]
#[expect(dead_code, reason = "the document's view of what `domain/customer.rs` writes")]
pub(super) struct ConsentBody {
    /// They agreed.
    given: bool,
    /// When they said so.
    at: String,
    /// Where that is known from.
    source: String,
}

/// A customer.
#[derive(Serialize, ToSchema)]
#[schema(as = Customer, example = json!({
    "id": "8cc6199f-9466-46f2-9db7-936f3c2c1c0b", "project_id": "e56b4c35-882d-4604-9944-9763d314ea59",
    "external_id": "user_12345", "first_name": "John", "last_name": "Smith", "metadata": {"plan": "gold"},
    "phones": [{
        "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "customer_id": "8cc6199f-9466-46f2-9db7-936f3c2c1c0b",
        "value": "+14155552671", "is_primary": true, "status": "active", "created_at": "2026-03-18T17:43:46.714Z"
    }],
    "timezone": "America/New_York", "language": null, "email": null,
    "consent": {"given": true, "at": "2026-03-18T17:43:46.714Z", "source": "web-form"},
    "created_at": "2026-03-18T17:43:46.714Z"
}))]
pub(super) struct CustomerBody {
    id: Uuid,
    project_id: Uuid,
    external_id: String,
    first_name: String,
    last_name: String,
    #[schema(value_type = Object)]
    metadata: Value,
    /// Their numbers; the primary one is rung.
    phones: Vec<PhoneBody>,
    timezone: Option<String>,
    language: Option<String>,
    email: Option<String>,
    #[schema(value_type = Option<ConsentBody>)]
    consent: Option<Value>,
    created_at: String,
}

impl CustomerBody {
    fn new(row: CustomerRow, phones: Vec<PhoneRow>) -> Result<Self, ApiError> {
        let consent = row.consent()?;
        Ok(Self {
            id: row.id.0,
            project_id: row.project_id.0,
            external_id: row.external_id,
            first_name: row.first_name,
            last_name: row.last_name,
            metadata: row.metadata.0,
            phones: phones.into_iter().map(PhoneBody::from).collect(),
            timezone: row.timezone,
            language: row.language,
            email: row.email,
            consent: consent.as_ref().map(Consent::to_json),
            created_at: time(row.created_at),
        })
    }
}

/// A customer to be added, with the number that becomes their primary one.
#[derive(Clone, Debug)]
pub(crate) struct NewCustomer {
    /// What is said about them.
    pub(crate) spec: CustomerSpec,
    /// Where they are rung.
    pub(crate) phone: PhoneE164,
}

impl NewCustomer {
    /// Reads what a caller sends for a new customer.
    pub(crate) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let (spec, phone) = (read_spec(fields), fields.text("phone", PhoneE164::parse));
        Some(Self { spec: spec?, phone: phone? })
    }

    /// The rows of the customer and their number.
    pub(crate) fn rows(self, project: ProjectId, id: CustomerId, told: Told) -> (CustomerRow, PhoneRow) {
        let customer = CustomerRow::new(project, id, self.spec, told);
        let phone = PhoneRow {
            id: Id::of(PhoneId::new()),
            customer_id: customer.id,
            value: self.phone.into_inner(),
            is_primary: true,
            status: PhoneStatus::Active.as_str().to_owned(),
            created_at: customer.created_at,
        };
        (customer, phone)
    }

    /// Stores the customer and the primary phone.
    fn insert(self, tx: &mut Tx<'_>, project: ProjectId) -> Result<Made, ApiError> {
        let id = CustomerId::new();
        let (customer, phone) = self.rows(project, id, (tx.now(), TOLD_HERE));
        customers::insert(tx.conn, &customer).map_err(taken)?;
        phones::insert(tx.conn, project, &phone)?;
        Ok(Made::created(&CustomerBody::new(customer, vec![phone])?)?.about(id))
    }
}

fn read_spec(fields: &mut Fields<'_>) -> Option<CustomerSpec> {
    let external_id = fields.text("external_id", ExternalId::parse);
    let first_name = fields.text("first_name", PersonName::parse);
    let last_name = fields.text("last_name", PersonName::parse);
    let metadata = fields.nested("metadata", Metadata::parse);
    let timezone = fields.optional_text("timezone", TimeZone::parse);
    let language = fields.optional_text("language", Language::parse);
    let email = fields.optional_text("email", Email::parse);
    let consent = fields.nested("consent", ConsentTold::parse);
    Some(CustomerSpec {
        external_id: external_id?,
        first_name: first_name?,
        last_name: last_name?,
        metadata: metadata?,
        timezone: timezone?,
        language: language?,
        email: email?,
        consent: consent?,
    })
}

/// A customer as a caller would describe them, with the fields of `changes` in place of theirs.
///
/// # Errors
/// 400 with every problem of the changes.
fn merged(row: &CustomerRow, changes: &Value) -> Result<CustomerSpec, ApiError> {
    let mut whole = json!({
        "external_id": row.external_id,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "metadata": row.metadata.0,
        "timezone": row.timezone,
        "language": row.language,
        "email": row.email,
        "consent": row.consent()?.as_ref().map(Consent::to_json),
    });
    overlay(&mut whole, changes)?;
    decode(&whole, |fields| {
        if changes.get("phone").is_some() || changes.get("phones").is_some() {
            fields.refuse("phone", "cannot be changed here; use /customers/{id}/phones");
        }
        read_spec(fields)
    })
}

fn taken(error: DbError) -> ApiError {
    match error {
        DbError::Duplicate { .. } => {
            ApiError::conflict("external_id_taken", "A customer with this external_id exists in this project")
        }
        other => other.into(),
    }
}

/// Add a customer.
#[utoipa::path(
    post,
    path = "/api/v1/customers",
    operation_id = "createCustomer",
    tag = "customers",
    request_body = NewCustomerRequest,
    responses(
        (status = 201, description = "The customer, with one phone.", body = CustomerBody),
        (status = 409, description = "`external_id_taken`: a customer of this project has it.", body = ErrorBody)
    )
)]
pub(crate) async fn create(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let body = body::json(&request, payload).await?;
    let new = decode(&body, NewCustomer::read)?;
    let keyed = idempotent::keyed(&request, &tenant, &body)?;
    idempotent::locally(&app, keyed, Keep::Answer, move |tx| new.clone().insert(tx, tenant.project)).await
}

/// The customers of the project.
#[utoipa::path(
    get,
    path = "/api/v1/customers",
    operation_id = "listCustomers",
    tag = "customers",
    params(PageParams, ("external_id" = Option<String>, Query, description = "Only the one with this external id.")),
    responses((status = 200, description = "Newest first.", body = Vec<CustomerBody>))
)]
pub(crate) async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let paging = Paging::of(&request)?;
    let external_id = paging.query.get("external_id", ExternalId::parse)?;
    let rows = paging.rows();
    let project = tenant.project;
    let mut rows = app
        .platform
        .database
        .read(move |db| customers::list(db, project, external_id.as_ref().map(AsRef::as_ref), rows))
        .await?;
    let next = paging.cut(&mut rows, |row| row.id.0);
    let items = app.platform.database.read(move |db| with_phones(db, project, rows)).await?;
    Ok(paging.answer(&app, &request, &items, next.as_deref()))
}

fn with_phones(
    db: &mut Db,
    project: ProjectId,
    rows: Vec<CustomerRow>,
) -> Result<Vec<CustomerBody>, ApiError> {
    let ids: Vec<Id> = rows.iter().map(|row| row.id).collect();
    let mut phones: HashMap<Id, Vec<PhoneRow>> = HashMap::new();
    for phone in phones::of_customers(db, project, &ids)? {
        phones.entry(phone.customer_id).or_default().push(phone);
    }
    let bodies = rows.into_iter().map(|row| {
        let own = phones.remove(&row.id).unwrap_or_default();
        CustomerBody::new(row, own)
    });
    bodies.collect()
}

/// A customer.
#[utoipa::path(
    get,
    path = "/api/v1/customers/{id}",
    operation_id = "getCustomer",
    tag = "customers",
    params(("id" = Uuid, Path, description = "Which customer.")),
    responses((status = 200, description = "The customer.", body = CustomerBody))
)]
pub(crate) async fn read(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let id = customer_in(&request)?;
    let found = app.platform.database.read(move |db| {
        let row = customers::get(db, tenant.project, id)?;
        with_phones(db, tenant.project, row.into_iter().collect())
    });
    let body = found.await?.pop().ok_or_else(not_found)?;
    Ok(HttpResponse::Ok().json(body))
}

pub(crate) fn not_found() -> ApiError {
    ApiError::not_found("customer", "Customer")
}

/// The customer in the path.
pub(crate) fn customer_in(request: &HttpRequest) -> Result<CustomerId, ApiError> {
    path_id(request, "id").ok_or_else(not_found)
}

/// A customer and their numbers, held until the end of the transaction: nobody else changes them meanwhile.
///
/// # Errors
/// 404.
pub(crate) fn held(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: CustomerId,
) -> Result<(CustomerRow, Vec<PhoneRow>), ApiError> {
    customers::hold(tx.conn, id)?;
    let row = customers::get(tx.conn, project, id)?.ok_or_else(not_found)?;
    let phones = phones::of_customers(tx.conn, project, &[row.id])?;
    Ok((row, phones))
}

/// Stores a changed customer, and tells whoever holds their standing when that is another one now.
///
/// # Errors
/// [`DbError::Conflict`], and [`DbError::Duplicate`] for a taken external id.
pub(crate) fn keep(tx: &mut Tx<'_>, row: &mut CustomerRow, before: &CustomerRow) -> Result<(), DbError> {
    let now = Time::from(tx.now());
    customers::save(tx.conn, row, now)?;
    if row.stands_otherwise(before) {
        let (project_id, standing) = (row.project_id.0.to_string(), Some(row.standing()?));
        let cause = Cause::own(&project_id);
        tx.stage(&CustomerChanged { project_id, standing }, &cause)?;
    }
    Ok(())
}

/// Change a customer: what is sent changes, `null` removes. Their numbers have paths of their own.
#[utoipa::path(
    patch,
    path = "/api/v1/customers/{id}",
    operation_id = "updateCustomer",
    tag = "customers",
    params(("id" = Uuid, Path, description = "Which customer.")),
    request_body = CustomerChangesRequest,
    responses(
        (status = 200, description = "The customer, changed.", body = CustomerBody),
        (status = 409, description = "`external_id_taken`: another customer of this project has it.", body = ErrorBody)
    )
)]
pub(crate) async fn update(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let id = customer_in(&request)?;
    let changes = body::json(&request, payload).await?;
    let write = app.platform.database.write(move |tx| {
        let (before, phones) = held(tx, tenant.project, id)?;
        let mut row = before.clone();
        row.replace(merged(&before, &changes)?, (tx.now(), TOLD_HERE));
        if row != before {
            keep(tx, &mut row, &before).map_err(taken)?;
            let event = Event::on(Action::CustomerChanged, id).with(json!({"fields": row.differs(&before)}));
            audit::note(tx, &tenant.actor(), event)?;
        }
        CustomerBody::new(row, phones)
    });
    Ok(HttpResponse::Ok().json(write.await?))
}

/// Erase a customer: nothing personal about them is kept anywhere. Their notifications stay, with `customer_id` null; what
/// waits is canceled, calls that run are stopped, and one by which they ring back is forgotten when it ends. A number on the opt-out list stays there.
#[utoipa::path(
    delete,
    path = "/api/v1/customers/{id}",
    operation_id = "eraseCustomer",
    tag = "customers",
    params(("id" = Uuid, Path, description = "Which customer.")),
    responses((status = 204, description = "Erased."))
)]
pub(crate) async fn remove(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let id = customer_in(&request)?;
    let write = app.platform.database.write(move |tx| {
        held(tx, tenant.project, id)?;
        phones::remove_all(tx.conn, tenant.project, id)?;
        customers::remove(tx.conn, tenant.project, id)?;
        idempotency::forget_customer(tx.conn, tenant.project, id)?;
        audit::note(tx, &tenant.actor(), Event::on(Action::CustomerErased, id))?;
        let erased = CustomerErased { project_id: tenant.project.to_string(), customer_id: id.to_string() };
        tx.stage(&erased, &Cause::own(tenant.project))?;
        Ok::<_, ApiError>(())
    });
    write.await?;
    Ok(HttpResponse::NoContent().finish())
}
