//! `/audit`: who did what in the business, for its owners.

use std::collections::HashMap;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use common::db::{Db, DbError, Id};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::page::{PageParams, Paging};
use super::reply::time;
use crate::app::App;
use crate::domain::audit::{Action, target_type};
use crate::domain::role::Operation;
use crate::error::ApiError;
use crate::identity::credential::{Tenant, authorise};
use crate::store::audit::{self, Entry, Event, Filter};
use crate::store::users;

/// Notes what another service has done. Who fails here asks again, and then it is done and noted twice.
///
/// # Errors
/// Of the database.
pub(super) async fn note(app: &App, tenant: &Tenant, event: Event) -> Result<(), ApiError> {
    let actor = tenant.actor();
    Ok(app.platform.database.write(move |tx| audit::note(tx, &actor, event.clone())).await?)
}

/// An entry as it is answered.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry, example = json!({
    "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "action": "member.role_changed",
    "actor": {"type": "user", "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f34", "email": "you@yourcompany.com"},
    "target": {"type": "member", "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f35"},
    "project_id": "e56b4c35-882d-4604-9944-9763d314ea59",
    "details": {"from": "developer", "to": "admin", "email": "max@yourcompany.com"}, "address": "203.0.113.7",
    "request_id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f36", "created_at": "2026-03-18T17:43:46.714Z"
}))]
pub(super) struct EntryBody {
    id: Uuid,
    /// `<type of the target>.<what was done>`.
    action: String,
    actor: ActorBody,
    target: TargetBody,
    /// The project of the credential.
    project_id: Option<Uuid>,
    /// What else is worth knowing; never a secret.
    #[schema(value_type = Object)]
    details: Value,
    /// Where the request came from: an IP address.
    address: Option<String>,
    /// The `x-request-id` of the request.
    request_id: String,
    created_at: String,
}

/// Who did it: a user, a key, or somebody who has not proved who they are.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditActor)]
pub(super) struct ActorBody {
    /// Who that was: a user, a key, or somebody who has not proved who they are.
    r#type: String,
    /// Null for somebody who has not proved who they are.
    id: Option<Uuid>,
    /// Of a user who is still there.
    email: Option<String>,
}

/// What it was done to.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditTarget)]
pub(super) struct TargetBody {
    /// What stands in front of the dot of `action`.
    r#type: String,
    id: Option<Uuid>,
}

impl EntryBody {
    fn new(entry: Entry, emails: &HashMap<Id, String>) -> Self {
        let email = entry.actor_id.and_then(|id| emails.get(&id).cloned());
        let kind = target_type(&entry.action).to_owned();
        Self {
            id: entry.id.0,
            actor: ActorBody { r#type: entry.actor_type, id: entry.actor_id.map(|id| id.0), email },
            target: TargetBody { r#type: kind, id: entry.target_id.map(|id| id.0) },
            action: entry.action,
            project_id: entry.project_id.map(|id| id.0),
            details: entry.details.0,
            address: entry.address,
            request_id: entry.request_id,
            created_at: time(entry.created_at),
        }
    }
}

/// Which entries are asked for, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document's view of what `list` reads")]
pub(super) struct AuditParams {
    /// Only this action.
    #[param(required = false, example = "member.role_changed")]
    action: String,
    /// Only what the user or the key with this id did.
    #[param(required = false)]
    subject: Uuid,
    /// Only what was done to the thing with this id.
    #[param(required = false)]
    target: Uuid,
}

/// Who did what in the business: sign-ins, keys, members, projects, settings. Kept for a year.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    operation_id = "listAudit",
    tag = "business",
    params(PageParams, AuditParams),
    responses((status = 200, description = "Newest first.", body = Vec<EntryBody>))
)]
pub(crate) async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::ReadAudit).await?;
    let paging = Paging::of(&request)?;
    let id = |text: &str| Uuid::parse_str(text).map_err(|_| "must be an id".to_owned());
    let filter = Filter {
        action: paging.query.get("action", Action::parse)?,
        subject: paging.query.get("subject", id)?,
        target: paging.query.get("target", id)?,
    };
    let rows = paging.rows();
    let mut rows =
        app.platform.database.read(move |db| audit::list(db, tenant.business, filter, rows)).await?;
    let next = paging.cut(&mut rows, |row| row.id.0);
    let items = app.platform.database.read(move |db| named(db, rows)).await.map_err(ApiError::from)?;
    Ok(paging.answer(&app, &request, &items, next.as_deref()))
}

/// With the addresses of the users who did it.
fn named(db: &mut Db, rows: Vec<Entry>) -> Result<Vec<EntryBody>, DbError> {
    let ids: Vec<Id> =
        rows.iter().filter(|row| row.actor_type == "user").filter_map(|row| row.actor_id).collect();
    let emails = users::several(db, &ids)?.into_iter().map(|user| (user.id, user.email)).collect();
    Ok(rows.into_iter().map(|row| EntryBody::new(row, &emails)).collect())
}
