//! `/v1/apps`: documents that answer questions, who may ask them, and who is told of what they do not answer.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use common::bus::Cause;
use common::db::{Time, Tx, lease};
use contracts::accounts::AppDeleted;
use contracts::ids::AppId;
use contracts::webhooks::PutSlackRequest;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::body;
use super::fields::{Fields, decode, overlay};
use super::idempotent::{self, Keep};
use super::openapi::ErrorBody;
use super::page::{PageParams, Paging};
use super::query::path_id;
use super::reply::{Made, time};
use crate::app::App;
use crate::domain::app::{AppSpec, MOST, emails, sites};
use crate::domain::app_key::AppKey;
use crate::domain::audit::Action;
use crate::domain::role::Operation;
use crate::domain::text::Label;
use crate::domain::webhook::HookUrl;
use crate::error::{ApiError, from_rpc};
use crate::identity::credential::Tenant;
use crate::identity::of_app::{authorise, not_found};
use crate::store::app_keys;
use crate::store::apps::{self, AppRow};
use crate::store::audit::{self, Event};

/// What the first key of an app is called.
const FIRST_KEY: &str = "default";

/// What an app is made of.
#[derive(ToSchema)]
#[schema(as = NewApp, example = json!({"name": "Help centre", "allowed_domains": ["example.com", "*.example.com"]}))]
#[expect(dead_code, reason = "the document's view of what `read_spec` reads")]
pub(super) struct NewAppRequest {
    /// A label; names need not be unique.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// The sites on which browsers may ask: a host such as `example.com`, or `*.example.com` for everything below it, but not
    /// `example.com` itself. Whatever the scheme and the port. None: no browser may ask.
    #[schema(max_items = 50)]
    allowed_domains: Option<Vec<String>>,
    /// Refuse requests that say nothing about the site they come from, as programs send them that are no browsers. A key or a
    /// member's token is good without.
    #[schema(default = false)]
    require_origin: Option<bool>,
    /// Who is told by mail of a question for a person.
    #[schema(max_items = 10)]
    notify_emails: Option<Vec<String>>,
}

/// What changes about an app. `null` brings a field's default back.
#[derive(ToSchema)]
#[schema(as = AppChanges, example = json!({"allowed_domains": ["example.com"], "require_origin": true}))]
#[expect(dead_code, reason = "the document's view of what `change` reads")]
pub(super) struct AppChangesRequest {
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    #[schema(max_items = 50)]
    allowed_domains: Option<Vec<String>>,
    require_origin: Option<bool>,
    #[schema(max_items = 10)]
    notify_emails: Option<Vec<String>>,
    /// An incoming webhook of Slack, https, where a question for a person is told. It is a secret: it is kept sealed and never shown.
    #[schema(max_length = 2048)]
    slack_webhook_url: Option<String>,
}

/// An app.
#[derive(Serialize, ToSchema)]
#[schema(as = App, example = json!({
    "id": "app_2Wm7cTrNp5xKd9JvHs4B", "name": "Help centre", "allowed_domains": ["example.com", "*.example.com"],
    "require_origin": false, "notify_emails": [], "created_at": "2026-03-18T17:43:46.714Z",
    "updated_at": "2026-03-18T17:43:46.714Z", "createdAt": "2026-03-18T17:43:46.714Z"
}))]
pub(super) struct AppBody {
    /// Public: it stands in pages.
    #[schema(pattern = "^app_[1-9A-HJ-NP-Za-km-z]{20}$")]
    id: String,
    name: String,
    allowed_domains: Vec<String>,
    require_origin: bool,
    notify_emails: Vec<String>,
    created_at: String,
    updated_at: String,
    /// `created_at`, by the name that EchoSDK's command line knows.
    #[serde(rename = "createdAt")]
    created_at_of_sdk: String,
}

/// An app on the one occasion when its first key is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = AppWithKey, example = json!({
    "id": "app_2Wm7cTrNp5xKd9JvHs4B", "name": "Help centre", "allowed_domains": ["example.com", "*.example.com"],
    "require_origin": false, "notify_emails": [], "created_at": "2026-03-18T17:43:46.714Z",
    "updated_at": "2026-03-18T17:43:46.714Z", "createdAt": "2026-03-18T17:43:46.714Z",
    "api_key": "echo_Zk9mUqQh8vYw2XnRt3LaB7cD5eF1gH4j"
}))]
pub(super) struct NewAppBody {
    #[serde(flatten)]
    app: AppBody,
    /// Its first key: shown here and never again. For servers, never for pages.
    api_key: String,
}

impl From<AppRow> for AppBody {
    fn from(row: AppRow) -> Self {
        Self {
            id: row.id.to_string(),
            name: row.name,
            allowed_domains: row.allowed_domains,
            require_origin: row.require_origin,
            notify_emails: row.notify_emails,
            created_at: time(row.created_at),
            updated_at: time(row.updated_at),
            created_at_of_sdk: time(row.created_at),
        }
    }
}

fn read_spec(fields: &mut Fields<'_>) -> Option<AppSpec> {
    let name = fields.text("name", Label::parse);
    let allowed_domains = fields.nested("allowed_domains", sites);
    let require_origin = fields.flag("require_origin");
    let notify_emails = fields.nested("notify_emails", emails);
    Some(AppSpec {
        name: name?,
        allowed_domains: allowed_domains?.unwrap_or_default(),
        require_origin: require_origin?.unwrap_or_default(),
        notify_emails: notify_emails?.unwrap_or_default(),
    })
}

/// The app in the path.
pub(super) fn app_in(request: &HttpRequest) -> Result<AppId, ApiError> {
    path_id(request, "id").ok_or_else(not_found)
}

/// The app, held until the transaction ends: nobody else changes it or its keys.
pub(super) fn held(tx: &mut Tx<'_>, tenant: &Tenant, id: AppId) -> Result<AppRow, ApiError> {
    lease::exclusive(tx.conn, &format!("app {id}"))?;
    apps::get(tx.conn, tenant.project, id)?.ok_or_else(not_found)
}

/// Make an app in the credential's project. Its first key is shown in this answer and never again.
#[utoipa::path(
    post,
    path = "/v1/apps",
    operation_id = "createApp",
    tag = "apps",
    request_body = NewAppRequest,
    responses(
        (status = 201, description = "The app and its first key.", body = NewAppBody),
        (status = 409, description = "`app_limit_reached`: a business has at most 100 apps.", body = ErrorBody)
    )
)]
pub(crate) async fn create(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let body = body::json(&request, payload).await?;
    let spec = decode(&body, read_spec)?;
    let keyed = idempotent::keyed(&request, &tenant, &body)?;
    let key = AppKey::generate().map_err(ApiError::internal)?;
    idempotent::locally(&app, keyed, Keep::Nothing, move |tx| {
        lease::exclusive(tx.conn, &format!("apps of business {}", tenant.business))?;
        if apps::count(tx.conn, tenant.business)? >= MOST {
            let message = format!("A business has at most {MOST} apps; delete one that is not used any more");
            return Err(ApiError::conflict("app_limit_reached", message));
        }
        let row = AppRow::new(tenant.business, tenant.project, spec.clone(), Time::from(tx.now()));
        apps::insert(tx.conn, &row)?;
        app_keys::insert(tx.conn, row.id, FIRST_KEY, &key, row.created_at)?;
        tx.stage(&row.told(), &Cause::own(tenant.project))?;
        let event = Event::on(Action::AppMade, row.id).with(json!({"name": row.name}));
        audit::note(tx, &tenant.actor(), event)?;
        Made::created(&NewAppBody { app: AppBody::from(row), api_key: key.reveal().to_owned() })
    })
    .await
}

/// The apps of the credential's project.
#[utoipa::path(
    get,
    path = "/v1/apps",
    operation_id = "listApps",
    tag = "apps",
    params(PageParams),
    responses((status = 200, description = "Newest first.", body = Vec<AppBody>))
)]
pub(crate) async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let paging = Paging::of(&request)?;
    let rows = paging.rows();
    let mut rows = app.platform.database.read(move |db| apps::list(db, tenant.project, rows)).await?;
    let next = paging.cut(&mut rows, |row| row.id.into());
    let items: Vec<AppBody> = rows.into_iter().map(AppBody::from).collect();
    Ok(paging.answer(&app, &request, &items, next.as_deref()))
}

/// An app with everything that it sets.
#[utoipa::path(
    get,
    path = "/v1/apps/{id}",
    operation_id = "getApp",
    tag = "apps",
    params(("id" = String, Path, description = "Which app.")),
    responses((status = 200, description = "The app, without its keys.", body = AppBody))
)]
pub(crate) async fn read(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let id = app_in(&request)?;
    let found = app.platform.database.read(move |db| apps::get(db, tenant.project, id)).await;
    let row = found.map_err(ApiError::from)?.ok_or_else(not_found)?;
    Ok(HttpResponse::Ok().json(AppBody::from(row)))
}

/// Change an app: what is named. Other sites are allowed, or refused, from the next request on.
#[utoipa::path(
    patch,
    path = "/v1/apps/{id}",
    operation_id = "updateApp",
    tag = "apps",
    params(("id" = String, Path, description = "Which app.")),
    request_body = AppChangesRequest,
    responses((status = 200, description = "The app as it is now.", body = AppBody))
)]
pub(crate) async fn change(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let id = app_in(&request)?;
    let changes = body::json(&request, payload).await?;
    let slack = decode(&changes, read_slack)?;
    if let Some(url) = &slack {
        let found = app.platform.database.read(move |db| apps::get(db, tenant.project, id)).await;
        let row = found.map_err(ApiError::from)?.ok_or_else(not_found)?;
        decode(&overlaid(&row, &changes)?, read_spec)?;
        tell_slack(&app, &tenant, id, url.clone()).await?;
    }
    let write = app.platform.database.write(move |tx| {
        let before = held(tx, &tenant, id)?;
        let mut row = before.with(decode(&overlaid(&before, &changes)?, read_spec)?);
        let mut noted = differences(&before, &row);
        if slack.is_some() {
            noted["slack_webhook_url"] = json!({});
        }
        if row != before {
            apps::save(tx.conn, &mut row, Time::from(tx.now()))?;
            tx.stage(&row.told(), &Cause::own(tenant.project))?;
        }
        if noted != json!({}) {
            audit::note(tx, &tenant.actor(), Event::on(Action::AppChanged, id).with(noted))?;
        }
        Ok::<_, ApiError>(row)
    });
    Ok(HttpResponse::Ok().json(AppBody::from(write.await?)))
}

/// Where Slack is to be told, if the change says something about it: an empty address for nowhere.
#[expect(clippy::option_option, reason = "wrong, not named, and named")]
fn read_slack(fields: &mut Fields<'_>) -> Option<Option<String>> {
    let url = fields.optional_text("slack_webhook_url", |text| HookUrl::parse(text).map(HookUrl::into_inner));
    let names = fields.names("slack_webhook_url");
    Some(names.then_some(url?.unwrap_or_default()))
}

/// The dispatcher keeps the address, sealed, before anything else changes: where it cannot, nothing has.
async fn tell_slack(app: &App, tenant: &Tenant, id: AppId, url: String) -> Result<(), ApiError> {
    let wanted = PutSlackRequest { app_id: id.to_string(), business_id: tenant.business.to_string(), url };
    let kept = app.ticket_notices.put_slack(tenant.context(), wanted).await;
    kept.map(drop).map_err(|error| from_rpc(error, "app", "App"))
}

/// What an app says with these changes.
fn overlaid(row: &AppRow, changes: &Value) -> Result<Value, ApiError> {
    let mut whole = said(row);
    overlay(&mut whole, changes)?;
    Ok(whole)
}

/// What is said about an app, as a caller would say it.
fn said(row: &AppRow) -> Value {
    json!({
        "name": row.name,
        "allowed_domains": row.allowed_domains,
        "require_origin": row.require_origin,
        "notify_emails": row.notify_emails,
    })
}

/// What has changed, as it was and as it is; of people's addresses only that they have.
fn differences(before: &AppRow, row: &AppRow) -> Value {
    let (then, now) = (said(before), said(row));
    let fields =
        now.as_object().into_iter().flatten().filter(|(name, value)| then.get(*name) != Some(*value));
    let told = |name: &str, value: &Value| match name {
        "notify_emails" => json!({}),
        _ => json!({"from": then[name], "to": value}),
    };
    fields.map(|(name, value)| (name.clone(), told(name, value))).collect()
}

/// Delete an app with its keys and everything that it knows: its documents, what was asked, its tickets.
#[utoipa::path(
    delete,
    path = "/v1/apps/{id}",
    operation_id = "deleteApp",
    tag = "apps",
    params(("id" = String, Path, description = "Which app.")),
    responses((status = 204, description = "It is gone."))
)]
pub(crate) async fn remove(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let id = app_in(&request)?;
    let write = app.platform.database.write(move |tx| {
        let row = held(tx, &tenant, id)?;
        apps::delete(tx.conn, tenant.project, id)?;
        tx.stage(&AppDeleted { app_id: id.to_string() }, &Cause::own(tenant.project))?;
        let event = Event::on(Action::AppDeleted, id).with(json!({"name": row.name}));
        audit::note(tx, &tenant.actor(), event)?;
        Ok::<_, ApiError>(())
    });
    write.await?;
    Ok(HttpResponse::NoContent().finish())
}
