//! `/customers`: the people of the credential's project.

use std::collections::HashMap;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use common::db::{Db, DbError, Id, Json, Time, Tx};
use contracts::ids::{CustomerId, PhoneId, ProjectId};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::body;
use super::fields::{Fields, decode};
use super::idempotent::{self, Keep};
use super::page::Paging;
use super::query::path_id;
use super::reply::{Made, time};
use crate::app::App;
use crate::domain::json::Metadata;
use crate::domain::phone::PhoneE164;
use crate::domain::role::Operation;
use crate::domain::text::{ExternalId, PersonName};
use crate::error::ApiError;
use crate::identity::credential::authorise;
use crate::store::customers::{self, CustomerRow};
use crate::store::phones::{self, PhoneRow};

/// A customer as they are answered.
#[derive(Serialize)]
struct CustomerBody {
    id: Uuid,
    project_id: Uuid,
    external_id: String,
    first_name: String,
    last_name: String,
    metadata: Value,
    phones: Vec<PhoneBody>,
    created_at: String,
}

#[derive(Serialize)]
struct PhoneBody {
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

impl CustomerBody {
    fn new(row: CustomerRow, phones: Vec<PhoneRow>) -> Self {
        Self {
            id: row.id.0,
            project_id: row.project_id.0,
            external_id: row.external_id,
            first_name: row.first_name,
            last_name: row.last_name,
            metadata: row.metadata.0,
            phones: phones.into_iter().map(PhoneBody::from).collect(),
            created_at: time(row.created_at),
        }
    }
}

/// A customer to be added.
#[derive(Clone, Debug)]
struct NewCustomer {
    external_id: ExternalId,
    first_name: PersonName,
    last_name: PersonName,
    phone: PhoneE164,
    metadata: Metadata,
}

impl NewCustomer {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let external_id = fields.text("external_id", ExternalId::parse);
        let first_name = fields.text("first_name", PersonName::parse);
        let last_name = fields.text("last_name", PersonName::parse);
        let phone = fields.text("phone", PhoneE164::parse);
        let metadata = fields.nested("metadata", Metadata::parse);
        Some(Self {
            external_id: external_id?,
            first_name: first_name?,
            last_name: last_name?,
            phone: phone?,
            metadata: metadata?.unwrap_or_default(),
        })
    }

    /// Stores the customer and the primary phone.
    fn insert(self, tx: &mut Tx<'_>, project: ProjectId) -> Result<CustomerBody, ApiError> {
        let created_at = Time::from(tx.now());
        let customer = CustomerRow {
            id: Id::of(CustomerId::new()),
            project_id: Id::of(project),
            external_id: self.external_id.into(),
            first_name: self.first_name.into(),
            last_name: self.last_name.into(),
            metadata: Json(self.metadata.into_inner()),
            created_at,
        };
        let phone = PhoneRow {
            id: Id::of(PhoneId::new()),
            customer_id: customer.id,
            value: self.phone.into_inner(),
            is_primary: true,
            status: phones::ACTIVE.to_owned(),
            created_at,
        };
        customers::insert(tx.conn, &customer).map_err(taken)?;
        phones::insert(tx.conn, project, &phone)?;
        Ok(CustomerBody::new(customer, vec![phone]))
    }
}

fn taken(error: DbError) -> ApiError {
    match error {
        DbError::Duplicate { .. } => {
            ApiError::conflict("external_id_taken", "A customer with this external_id exists in this project")
        }
        other => other.into(),
    }
}

/// `POST /customers`.
pub(crate) async fn create(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let body = body::json(&request, payload).await?;
    let new = decode(&body, NewCustomer::read)?;
    let keyed = idempotent::keyed(&request, &tenant, &body)?;
    idempotent::locally(&app, keyed, Keep::Answer, move |tx| {
        Made::created(&new.clone().insert(tx, tenant.project)?)
    })
    .await
}

/// `GET /customers`, with `?external_id=`.
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
    Ok(bodies.collect())
}

/// `GET /customers/{id}`.
pub(crate) async fn read(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let not_found = || ApiError::not_found("customer", "Customer");
    let id: CustomerId = path_id(&request, "id").ok_or_else(not_found)?;
    let found = app.platform.database.read(move |db| {
        let row = customers::get(db, tenant.project, id)?;
        with_phones(db, tenant.project, row.into_iter().collect())
    });
    let body = found.await?.pop().ok_or_else(not_found)?;
    Ok(HttpResponse::Ok().json(body))
}
