//! `/v1/apps/{id}/keys`: what programs show to an app.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use common::db::Time;
use contracts::ids::AppKeyId;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::apps::{app_in, held};
use super::body;
use super::fields::decode;
use super::idempotent::{self, Keep};
use super::openapi::ErrorBody;
use super::page::{PageParams, Paging};
use super::query::path_id;
use super::reply::{Made, time};
use crate::app::App;
use crate::domain::app_key::{AppKey, MOST};
use crate::domain::audit::Action;
use crate::domain::role::Operation;
use crate::domain::text::Label;
use crate::error::ApiError;
use crate::identity::of_app::{authorise, not_found};
use crate::store::app_keys::{self, AppKeyRow};
use crate::store::apps;
use crate::store::audit::{self, Event};

/// What a new key is made of.
#[derive(ToSchema)]
#[schema(as = NewAppKey, example = json!({"name": "ingest job"}))]
#[expect(dead_code, reason = "the document's view of what `create` reads")]
pub(super) struct NewAppKeyRequest {
    /// A label; names need not be unique.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
}

/// A key as it is listed: never the key itself.
#[derive(Serialize, ToSchema)]
#[schema(as = AppKey, example = json!({
    "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "name": "ingest job", "key_prefix": "echo_Zk9mUqQh8vY",
    "created_at": "2026-03-18T17:43:46.714Z"
}))]
pub(super) struct AppKeyBody {
    id: Uuid,
    name: String,
    /// The first 16 characters of the key.
    key_prefix: String,
    created_at: String,
}

/// A key on the one occasion when it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = AppKeyWithSecret, example = json!({
    "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "name": "ingest job", "key_prefix": "echo_Zk9mUqQh8vY",
    "created_at": "2026-03-18T17:43:46.714Z", "api_key": "echo_Zk9mUqQh8vYw2XnRt3LaB7cD5eF1gH4j"
}))]
pub(super) struct NewAppKeyBody {
    #[serde(flatten)]
    key: AppKeyBody,
    /// Only here: what is kept is its SHA-256.
    api_key: String,
}

impl From<AppKeyRow> for AppKeyBody {
    fn from(row: AppKeyRow) -> Self {
        Self { id: row.id.0, name: row.name, key_prefix: row.key_prefix, created_at: time(row.created_at) }
    }
}

/// Make another key of an app. It is shown in this answer and never again.
#[utoipa::path(
    post,
    path = "/v1/apps/{id}/keys",
    operation_id = "createAppKey",
    tag = "apps",
    params(("id" = String, Path, description = "Which app.")),
    request_body = NewAppKeyRequest,
    responses(
        (status = 201, description = "The key.", body = NewAppKeyBody),
        (status = 409, description = "`app_key_limit_reached`: an app has at most 50 keys.", body = ErrorBody)
    )
)]
pub(crate) async fn create(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::ManageKeys).await?;
    let id = app_in(&request)?;
    let body = body::json(&request, payload).await?;
    let name = decode(&body, |fields| fields.text("name", Label::parse))?;
    let keyed = idempotent::keyed(&request, &tenant, &body)?;
    let key = AppKey::generate().map_err(ApiError::internal)?;
    idempotent::locally(&app, keyed, Keep::Nothing, move |tx| {
        held(tx, &tenant, id)?;
        if app_keys::count(tx.conn, id)? >= MOST {
            let message = format!("An app has at most {MOST} keys; revoke one that is not used any more");
            return Err(ApiError::conflict("app_key_limit_reached", message));
        }
        let row = app_keys::insert(tx.conn, id, name.as_ref(), &key, Time::from(tx.now()))?;
        let event = Event::on(Action::AppKeyMade, row.id.0);
        audit::note(tx, &tenant.actor(), event.with(json!({"name": row.name, "app": id.to_string()})))?;
        Made::created(&NewAppKeyBody { key: AppKeyBody::from(row), api_key: key.reveal().to_owned() })
    })
    .await
}

/// The keys of an app.
#[utoipa::path(
    get,
    path = "/v1/apps/{id}/keys",
    operation_id = "listAppKeys",
    tag = "apps",
    params(("id" = String, Path, description = "Which app."), PageParams),
    responses((status = 200, description = "Newest first.", body = Vec<AppKeyBody>))
)]
pub(crate) async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::ManageKeys).await?;
    let id = app_in(&request)?;
    let paging = Paging::of(&request)?;
    let rows = paging.rows();
    let read = app.platform.database.read(move |db| match apps::get(db, tenant.project, id)? {
        Some(_) => app_keys::list(db, id, rows).map(Some),
        None => Ok(None),
    });
    let mut rows = read.await.map_err(ApiError::from)?.ok_or_else(not_found)?;
    let next = paging.cut(&mut rows, |row| row.id.0);
    let items: Vec<AppKeyBody> = rows.into_iter().map(AppKeyBody::from).collect();
    Ok(paging.answer(&app, &request, &items, next.as_deref()))
}

/// Revoke a key of an app: refused from now on, here at once and by every other replica within five seconds.
#[utoipa::path(
    delete,
    path = "/v1/apps/{id}/keys/{key_id}",
    operation_id = "revokeAppKey",
    tag = "apps",
    params(("id" = String, Path, description = "Which app."), ("key_id" = Uuid, Path, description = "Which key.")),
    responses((status = 204, description = "It is gone."))
)]
pub(crate) async fn revoke(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::ManageKeys).await?;
    let id = app_in(&request)?;
    let no_key = || ApiError::not_found("app_key", "Key");
    let key: AppKeyId = path_id(&request, "key_id").ok_or_else(no_key)?;
    let keys = app.app_keys.clone();
    let write = app.platform.database.write(move |tx| {
        held(tx, &tenant, id)?;
        if !app_keys::delete(tx.conn, id, key)? {
            return Err(no_key());
        }
        let event = Event::on(Action::AppKeyRevoked, key).with(json!({"app": id.to_string()}));
        audit::note(tx, &tenant.actor(), event)?;
        let keys = keys.clone();
        tx.after_commit(move || keys.forget(|owner| owner.key_id == key));
        Ok(())
    });
    write.await?;
    Ok(HttpResponse::NoContent().finish())
}
