//! `/api-keys`: the keys of the credential's project.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use common::db::{DbError, Time, lease};
use contracts::ids::ApiKeyId;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::body;
use super::fields::decode;
use super::idempotent::{self, Keep};
use super::openapi::ErrorBody;
use super::page::{PageParams, Paging};
use super::query::path_id;
use super::reply::{Made, time};
use crate::app::App;
use crate::domain::api_key::{ApiKey, MOST_ACTIVE};
use crate::domain::audit::Action;
use crate::domain::role::Operation;
use crate::domain::text::Label;
use crate::error::ApiError;
use crate::identity::credential::authorise;
use crate::store::api_keys::{self, KeyRow};
use crate::store::audit::{self, Event};

/// What a new key is made of.
#[derive(ToSchema)]
#[schema(as = NewApiKey, example = json!({"name": "production"}))]
#[expect(dead_code, reason = "the document's view of what `create` reads")]
pub(super) struct NewKeyRequest {
    /// A label; names need not be unique.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
}

/// A key as it is listed: never the key itself.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey, example = json!({
    "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "name": "production", "key_prefix": "echo_6f437a610fb", "status": "active",
    "created_at": "2026-03-18T17:43:46.714Z", "updated_at": "2026-03-18T17:43:46.714Z"
}))]
pub(super) struct KeyBody {
    id: Uuid,
    name: String,
    /// The first 16 characters of the key.
    key_prefix: String,
    /// A revoked key never becomes active again, and stays in the list.
    status: String,
    created_at: String,
    updated_at: String,
}

/// A key on the one occasion when it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKeyWithSecret, example = json!({
    "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "name": "production",
    "key": "echo_6f437a610fbb1c9e8d7a6b5c4f3e2d1c0b9a8f7e6d5c4b3a2f1e0d9c8b7a6f5e", "key_prefix": "echo_6f437a610fb",
    "status": "active", "created_at": "2026-03-18T17:43:46.714Z"
}))]
pub(super) struct NewKeyBody {
    id: Uuid,
    name: String,
    /// Only here: what is kept is its SHA-256.
    key: String,
    /// The first 16 characters of the key.
    key_prefix: String,
    status: String,
    created_at: String,
}

impl From<KeyRow> for KeyBody {
    fn from(row: KeyRow) -> Self {
        Self {
            id: row.id.0,
            name: row.name,
            key_prefix: row.key_prefix,
            status: row.status,
            created_at: time(row.created_at),
            updated_at: time(row.updated_at),
        }
    }
}

/// Make a key for the credential's project. It is shown in this answer and never again.
#[utoipa::path(
    post,
    path = "/api/v1/api-keys",
    operation_id = "createApiKey",
    tag = "api keys",
    request_body = NewKeyRequest,
    responses(
        (status = 201, description = "The key.", body = NewKeyBody),
        (status = 409, description = "`api_key_limit_reached`: a project has at most 50 active keys.", body = ErrorBody)
    )
)]
pub(crate) async fn create(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::ManageKeys).await?;
    let body = body::json(&request, payload).await?;
    let name = decode(&body, |fields| fields.text("name", Label::parse))?;
    let keyed = idempotent::keyed(&request, &tenant, &body)?;
    let key = ApiKey::generate().map_err(ApiError::internal)?;
    idempotent::locally(&app, keyed, Keep::Nothing, move |tx| {
        let now = Time::from(tx.now());
        lease::exclusive(tx.conn, &format!("keys of project {}", tenant.project))?;
        if api_keys::count_active(tx.conn, tenant.project)? >= MOST_ACTIVE {
            return Err(too_many());
        }
        let row = api_keys::insert(tx.conn, tenant.project, name.as_ref(), &key, now)?;
        audit::note(
            tx,
            &tenant.actor(),
            Event::on(Action::KeyMade, row.id.0).with(json!({"name": row.name})),
        )?;
        Made::created(&NewKeyBody {
            id: row.id.0,
            name: row.name,
            key: key.reveal().to_owned(),
            key_prefix: row.key_prefix,
            status: row.status,
            created_at: time(row.created_at),
        })
    })
    .await
}

fn too_many() -> ApiError {
    let message =
        format!("A project has at most {MOST_ACTIVE} active keys; revoke one that is not used any more");
    ApiError::conflict("api_key_limit_reached", message)
}

/// The keys of the credential's project, revoked ones too.
#[utoipa::path(
    get,
    path = "/api/v1/api-keys",
    operation_id = "listApiKeys",
    tag = "api keys",
    params(PageParams),
    responses((status = 200, description = "Newest first.", body = Vec<KeyBody>))
)]
pub(crate) async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::ManageKeys).await?;
    let paging = Paging::of(&request)?;
    let rows = paging.rows();
    let mut rows = app.platform.database.read(move |db| api_keys::list(db, tenant.project, rows)).await?;
    let next = paging.cut(&mut rows, |row| row.id.0);
    let items: Vec<KeyBody> = rows.into_iter().map(KeyBody::from).collect();
    Ok(paging.answer(&app, &request, &items, next.as_deref()))
}

/// Revoke a key: refused from now on, here at once and by every other replica within five seconds. This cannot be undone.
/// Calls that were asked for with it go on. A key may revoke itself, also the last one; a member's token makes another.
#[utoipa::path(
    patch,
    path = "/api/v1/api-keys/{id}/revoke",
    operation_id = "revokeApiKey",
    tag = "api keys",
    params(("id" = Uuid, Path, description = "Which key.")),
    responses((status = 200, description = "The key, revoked.", body = KeyBody))
)]
pub(crate) async fn revoke(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::ManageKeys).await?;
    let not_found = || ApiError::not_found("api_key", "API key");
    let id: ApiKeyId = path_id(&request, "id").ok_or_else(not_found)?;
    let keys = app.keys.clone();
    let revoked = app.platform.database.write(move |tx| {
        let now = Time::from(tx.now());
        if api_keys::revoke(tx.conn, tenant.project, id, now)? {
            audit::note(tx, &tenant.actor(), Event::on(Action::KeyRevoked, id))?;
            tx.after_commit(move || keys.forget(|owner| owner.key_id == id));
        }
        api_keys::get(tx.conn, tenant.project, id)
    });
    match revoked.await {
        Ok(row) => Ok(HttpResponse::Ok().json(KeyBody::from(row))),
        Err(DbError::NotFound) => Err(not_found()),
        Err(other) => Err(other.into()),
    }
}
