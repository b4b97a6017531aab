//! `/business`: the account that owns everything. Its texts fill the variables of prompts.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use common::db::Time;
use serde::Serialize;
use serde_json::{Map, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::body;
use super::fields::{Fields, decode};
use super::reply::time;
use crate::app::App;
use crate::domain::audit::Action;
use crate::domain::role::Operation;
use crate::domain::text::{Label, Summary};
use crate::error::ApiError;
use crate::identity::credential::authorise;
use crate::store::audit::{self, Event};
use crate::store::businesses::{self, Business, Dates};

/// A business as it is answered.
#[derive(Serialize, ToSchema)]
#[schema(as = Business, example = json!({
    "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f34", "name": "Acme Inc",
    "summary": "A SaaS platform for project management", "industry": "Software",
    "created_at": "2026-03-18T17:43:46.714Z", "updated_at": "2026-03-18T17:43:46.714Z"
}))]
pub(super) struct BusinessBody {
    id: Uuid,
    /// Fills `{{business_name}}`.
    name: String,
    /// Fills `{{business_summary}}`.
    summary: String,
    /// Fills `{{industry}}`.
    industry: String,
    created_at: String,
    updated_at: String,
}

impl BusinessBody {
    fn new(business: Business, dates: Dates) -> Self {
        Self {
            id: business.id.0,
            name: business.name,
            summary: business.summary,
            industry: business.industry,
            created_at: time(dates.created_at),
            updated_at: time(dates.updated_at),
        }
    }
}

/// What a business is changed to.
#[derive(ToSchema)]
#[schema(as = BusinessChanges, example = json!({"summary": "A SaaS platform for project management"}))]
#[expect(dead_code, reason = "the document's view of what `change` reads")]
pub(super) struct ChangeRequest {
    #[schema(required = false, min_length = 1, max_length = 200)]
    name: String,
    #[schema(required = false, min_length = 1, max_length = 4000)]
    summary: String,
    #[schema(required = false, min_length = 1, max_length = 200)]
    industry: String,
}

/// The credential's business.
#[utoipa::path(
    get,
    path = "/api/v1/business",
    operation_id = "getBusiness",
    tag = "business",
    responses((status = 200, description = "The business.", body = BusinessBody))
)]
pub(crate) async fn read(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let found = app.platform.database.read(move |db| {
        let business = businesses::get(db, tenant.business)?;
        Ok::<_, ApiError>(BusinessBody::new(business, businesses::dates(db, tenant.business)?))
    });
    Ok(HttpResponse::Ok().json(found.await?))
}

/// What a caller wants changed.
struct Change {
    name: Option<Label>,
    summary: Option<Summary>,
    industry: Option<Label>,
}

impl Change {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let name = fields.optional_text("name", Label::parse);
        let summary = fields.optional_text("summary", Summary::parse);
        let industry = fields.optional_text("industry", Label::parse);
        Some(Self { name: name?, summary: summary?, industry: industry? })
    }

    /// Changes the business, and says which fields are different now.
    fn apply(self, business: &mut Business) -> Vec<&'static str> {
        let mut changed = Vec::new();
        let mut set = |name, slot: &mut String, given: Option<String>| {
            if let Some(given) = given.filter(|given| given != slot) {
                *slot = given;
                changed.push(name);
            }
        };
        set("name", &mut business.name, self.name.map(String::from));
        set("summary", &mut business.summary, self.summary.map(String::from));
        set("industry", &mut business.industry, self.industry.map(String::from));
        changed
    }
}

/// Change what the calls of the business say about it. Calls that are placed from now on use it.
#[utoipa::path(
    patch,
    path = "/api/v1/business",
    operation_id = "updateBusiness",
    tag = "business",
    request_body = ChangeRequest,
    responses((status = 200, description = "The business as it is now.", body = BusinessBody))
)]
pub(crate) async fn change(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::ManageBusiness).await?;
    let change = decode(&body::json(&request, payload).await?, Change::read)?;
    let write = app.platform.database.write(move |tx| {
        businesses::hold(tx.conn, tenant.business)?;
        let mut business = businesses::get(tx.conn, tenant.business)?;
        let changed = change.apply(&mut business);
        if !changed.is_empty() {
            let now = Time::from(tx.now());
            businesses::save(tx.conn, &business, now)?;
            let details: Map<_, _> =
                changed.into_iter().map(|name| (name.to_owned(), json!("changed"))).collect();
            let event = Event::on(Action::BusinessChanged, tenant.business).with(details.into());
            audit::note(tx, &tenant.actor(), event)?;
        }
        Ok::<_, ApiError>(BusinessBody::new(business, businesses::dates(tx.conn, tenant.business)?))
    });
    Ok(HttpResponse::Ok().json(write.await?))
}
