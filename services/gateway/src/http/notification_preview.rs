//! `/notifications/preview`: who would be rung now, and who not and why. Customers are looked up here, the rules are the
//! orchestrator's; nobody is rung.

use std::collections::HashMap;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use common::db::Db;
use contracts::accounts::CustomerStanding;
use contracts::calls::{PreviewRulesRequest, PreviewedCustomer, RuleVerdict};
use contracts::ids::{CustomerId, ProjectId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::body;
use super::fields::{Fields, decode};
use super::reply::millis;
use crate::app::App;
use crate::domain::phone_book::PhoneStatus;
use crate::domain::previewed::{self, Named};
use crate::domain::role::Operation;
use crate::error::{ApiError, from_rpc};
use crate::identity::credential::authorise;
use crate::store::customers::{self, CustomerRow};
use crate::store::{phones, projects};

/// About whom: either of the two lists.
#[derive(ToSchema)]
#[schema(as = PreviewRequest, example = json!({"customers": [{"customer_external_id": "user_123"}, {"phone": "+14155552671"}]}))]
#[expect(dead_code, reason = "the document's view of what `preview` reads")]
pub(super) struct PreviewRequest {
    /// Customers by their ids.
    #[schema(required = false, min_items = 1, max_items = 1000)]
    customer_ids: Option<Vec<Uuid>>,
    /// Customers by one of their names.
    #[schema(required = false, min_items = 1, max_items = 1000)]
    customers: Option<Vec<PreviewedName>>,
}

/// A customer by exactly one of these.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document's view of what `preview` reads")]
pub(super) struct PreviewedName {
    /// Our id.
    #[schema(required = false)]
    customer_id: Option<Uuid>,
    /// Your own id.
    #[schema(required = false)]
    customer_external_id: Option<String>,
    /// A number, E.164, which need not be a customer's.
    #[schema(required = false)]
    phone: Option<String>,
}

/// Who would be rung now.
#[derive(Serialize, ToSchema)]
#[schema(as = Preview, example = json!({"would_ring": 1, "would_not": 1, "results": [
    {"customer_id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "external_id": "user_123", "phone": "+14155552671",
     "would_ring": true, "blocked_by": null, "until": null, "problem": null},
    {"customer_id": null, "external_id": null, "phone": "+14155550100", "would_ring": false,
     "blocked_by": "calling_hours", "until": "2026-03-19T08:00:00.000Z", "problem": null}
]}))]
pub(super) struct PreviewBody {
    /// How many would be rung.
    would_ring: usize,
    /// How many would not.
    would_not: usize,
    /// One for each customer, in the order in which they were sent. Each is judged as if they alone were rung now.
    results: Vec<PreviewResult>,
}

/// What would become of one customer.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = PreviewResult)]
pub(super) struct PreviewResult {
    /// Who; null for a number that was sent as one, and for nobody.
    customer_id: Option<String>,
    external_id: Option<String>,
    /// The number that would be rung.
    phone: Option<String>,
    /// Whether they would be rung now.
    would_ring: bool,
    /// The rule that holds them back, as in a notification's `blocked_by`.
    blocked_by: Option<String>,
    /// When the rule lets them through, or looks again; null when it never will.
    until: Option<String>,
    /// What else is in the way: there is no such customer, or nothing to ring them on.
    problem: Option<String>,
}

/// A customer as far as they were found.
struct Found {
    result: PreviewResult,
    standing: Option<CustomerStanding>,
}

impl Found {
    fn problem(id: Option<String>, external_id: Option<String>, problem: impl Into<String>) -> Self {
        let result = PreviewResult {
            customer_id: id,
            external_id,
            phone: None,
            would_ring: false,
            blocked_by: None,
            until: None,
            problem: Some(problem.into()),
        };
        Self { result, standing: None }
    }

    fn at(phone: String) -> Self {
        let mut found = Self::problem(None, None, "");
        (found.result.phone, found.result.problem) = (Some(phone), None);
        found
    }
}

fn read(fields: &mut Fields<'_>) -> Option<Vec<Named>> {
    let by_id = fields.nested("customer_ids", previewed::ids);
    let by_name = fields.nested("customers", previewed::objects);
    match (by_id?, by_name?) {
        (Some(named), None) | (None, Some(named)) => Some(named),
        _ => {
            fields.refuse("customers", "is required, unless customer_ids is sent in its place");
            None
        }
    }
}

/// Say who of these customers would be rung now, and who not and why, without ringing anybody.
#[utoipa::path(
    post,
    path = "/api/v1/notifications/preview",
    operation_id = "previewNotifications",
    tag = "notifications",
    request_body = PreviewRequest,
    responses((status = 200, description = "Who would be rung.", body = PreviewBody))
)]
pub(crate) async fn preview(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let body = body::json(&request, payload).await?;
    let named = decode(&body, read)?;
    let project = tenant.project;
    let read = app
        .platform
        .database
        .read(move |db| Ok::<_, ApiError>((find(db, project, &named)?, projects::policy(db, project)?)));
    let (mut found, policy) = read.await?;
    let wanted = PreviewRulesRequest {
        project_id: project.to_string(),
        policy: Some(policy),
        customers: found.iter().filter_map(asked).collect(),
    };
    if !wanted.customers.is_empty() {
        let told = app.rules.preview_rules(tenant.context(), wanted).await;
        let told = told.map_err(|error| from_rpc(error, "customer", "Customer"))?;
        let open = found.iter_mut().filter(|found| found.result.problem.is_none());
        open.zip(told.verdicts).for_each(|(found, verdict)| judge(&mut found.result, verdict));
    }
    let results: Vec<PreviewResult> = found.into_iter().map(|found| found.result).collect();
    let would_ring = results.iter().filter(|result| result.would_ring).count();
    Ok(HttpResponse::Ok().json(PreviewBody { would_ring, would_not: results.len() - would_ring, results }))
}

/// What the orchestrator is asked about a customer; nothing where a problem is known already.
fn asked(found: &Found) -> Option<PreviewedCustomer> {
    let phone_e164 = found.result.phone.clone().filter(|_| found.result.problem.is_none())?;
    // Nobody has this id: of a number alone nothing is known.
    let customer_id = found.result.customer_id.clone().unwrap_or_else(|| Uuid::nil().to_string());
    Some(PreviewedCustomer { customer_id, phone_e164, standing: found.standing.clone() })
}

fn judge(result: &mut PreviewResult, verdict: RuleVerdict) {
    result.would_ring = verdict.would_ring;
    result.blocked_by = Some(verdict.blocked_by).filter(|by| !by.is_empty());
    result.until = verdict.until_ms.map(millis);
}

fn find(db: &mut Db, project: ProjectId, named: &[Named]) -> Result<Vec<Found>, ApiError> {
    let ids: Vec<CustomerId> =
        named.iter().filter_map(|n| if let Named::Id(id) = n { Some(*id) } else { None }).collect();
    let external: Vec<&str> = named
        .iter()
        .filter_map(|n| if let Named::External(id) = n { Some(id.as_str()) } else { None })
        .collect();
    let rows = customers::named(db, project, &ids, &external)?;
    let keys: Vec<_> = rows.iter().map(|row| row.id).collect();
    let mut primary: HashMap<_, _> = phones::of_customers(db, project, &keys)?
        .into_iter()
        .filter(|phone| phone.is_primary)
        .map(|phone| (phone.customer_id, (phone.value, phone.status)))
        .collect();
    let mut by_name = HashMap::new();
    for row in rows {
        let phone = primary.remove(&row.id);
        by_name.insert(Named::External(row.external_id.clone()), (row.clone(), phone.clone()));
        by_name.insert(Named::Id(CustomerId(row.id.0)), (row, phone));
    }
    let one = |named: &Named| match (by_name.get(named), named) {
        (_, Named::Phone(phone)) => Ok(Found::at(phone.clone())),
        (Some((row, phone)), _) => known(row, phone.clone()),
        (None, Named::Id(id)) => Ok(Found::problem(Some(id.to_string()), None, NOBODY)),
        (None, Named::External(id)) => Ok(Found::problem(None, Some(id.clone()), NOBODY)),
    };
    named.iter().map(one).collect()
}

const NOBODY: &str = "There is no such customer in this project";

fn known(row: &CustomerRow, phone: Option<(String, String)>) -> Result<Found, ApiError> {
    let (id, external_id) = (Some(row.id.0.to_string()), Some(row.external_id.clone()));
    let Some((phone, status)) = phone else {
        return Ok(Found::problem(id, external_id, "The customer has no primary phone"));
    };
    let mut found = Found::at(phone);
    (found.result.customer_id, found.result.external_id) = (id, external_id);
    if status != PhoneStatus::Active.as_str() {
        found.result.problem = Some(format!("The customer's primary phone is {status}"));
    }
    found.standing = Some(row.standing()?);
    Ok(found)
}
