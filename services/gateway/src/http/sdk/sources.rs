//! `/api/apps/sources`: the documents of an app, for its owners.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use contracts::ids::SourceId;
use contracts::knowledge::{DeleteSourceRequest, ListSourcesRequest, Source};
use serde::Serialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::door;
use super::named::app_in_query;
use crate::app::App;
use crate::domain::audit::Action;
use crate::domain::role::Operation;
use crate::error::{ApiError, from_rpc};
use crate::http::audit::note;
use crate::http::page::{PageParams, Paging};
use crate::http::query::Query;
use crate::http::reply::millis;
use crate::store::audit::Event;

/// Which app, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document's view of what the handlers read")]
#[expect(non_snake_case, reason = "by its documented name")]
pub(crate) struct AppParams {
    /// Which app.
    #[param(example = "app_2Wm7cTrNp5xKd9JvHs4B")]
    appId: String,
}

/// Which document, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document's view of what `remove` reads")]
pub(crate) struct SourceParams {
    /// Which document.
    id: Uuid,
}

/// A document of an app.
#[derive(Serialize, ToSchema)]
#[schema(as = Source, example = json!({
    "id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890", "title": "Introduction", "url": "https://docs.echosdk.com/intro", "chunks": 42,
    "createdAt": "2026-03-18T17:43:46.714Z", "updatedAt": "2026-03-18T17:43:46.714Z"
}))]
#[serde(rename_all = "camelCase")]
pub(crate) struct SourceBody {
    id: Uuid,
    /// What it is called.
    title: String,
    /// Where it comes from; null: from nowhere.
    url: Option<String>,
    /// Into how many pieces it was cut.
    chunks: u32,
    /// When it first came.
    created_at: String,
    /// When it last came.
    updated_at: String,
}

/// That it was done.
#[derive(Serialize, ToSchema)]
#[schema(as = Success, example = json!({"success": true}))]
pub(crate) struct SuccessBody {
    /// Always true.
    success: bool,
}

impl SourceBody {
    fn new(source: Source) -> Result<Self, ApiError> {
        Ok(Self {
            id: source.id.parse().map_err(ApiError::internal)?,
            title: source.title,
            url: Some(source.url).filter(|url| !url.is_empty()),
            chunks: source.chunks,
            created_at: millis(source.created_at_ms),
            updated_at: millis(source.updated_at_ms),
        })
    }
}

/// The documents that an app knows.
#[utoipa::path(
    get,
    path = "/api/apps/sources",
    operation_id = "listSources",
    tag = "knowledge",
    params(AppParams, PageParams),
    responses((status = 200, description = "Newest first.", body = Vec<SourceBody>))
)]
pub(crate) async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let named = app_in_query(&Query::of(&request)?)?;
    let (row, tenant) = door::for_members(&app, &request, &named, Operation::Read).await?;
    let paging = Paging::of(&request)?;
    let wanted =
        ListSourcesRequest { app_id: row.id.to_string(), limit: paging.limit, after_id: paging.after_text() };
    let listed = app.knowledge.list_sources(tenant.context(), wanted).await;
    let listed = listed.map_err(|error| from_rpc(error, "app", "App"))?;
    let next = Some(listed.next_after_id).filter(|id| !id.is_empty());
    let items = listed.sources.into_iter().map(SourceBody::new).collect::<Result<Vec<_>, _>>()?;
    Ok(paging.answer(&app, &request, &items, next.as_deref()))
}

/// Delete a document and all its pieces: no answer from now on knows it.
#[utoipa::path(
    delete,
    path = "/api/apps/sources",
    operation_id = "deleteSource",
    tag = "knowledge",
    params(AppParams, SourceParams),
    responses((status = 200, description = "It is gone.", body = SuccessBody))
)]
pub(crate) async fn remove(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let query = Query::of(&request)?;
    let (row, tenant) = door::for_members(&app, &request, &app_in_query(&query)?, Operation::Build).await?;
    let named = query.get("id", |text| Ok(text.to_owned()))?;
    let named = named.ok_or_else(|| ApiError::invalid_field("id", "is required"))?;
    let id: SourceId = named.parse().map_err(|_| ApiError::not_found("source", "Source"))?;
    let wanted = DeleteSourceRequest { app_id: row.id.to_string(), source_id: id.to_string() };
    let gone = app.knowledge.delete_source(tenant.context(), wanted).await;
    gone.map_err(|error| from_rpc(error, "source", "Source"))?;
    let event = Event::on(Action::SourceDeleted, id).with(json!({"app": row.id.to_string()}));
    note(&app, &tenant, event).await?;
    Ok(HttpResponse::Ok().json(SuccessBody { success: true }))
}
