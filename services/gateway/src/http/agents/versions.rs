//! `/agents/{id}/versions`: what an agent has been.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use uuid::Uuid;

use super::body::VersionBody;
use super::{agent_in, not_found};
use crate::app::App;
use crate::domain::role::Operation;
use crate::error::ApiError;
use crate::http::page::{PageParams, Paging};
use crate::http::query::path_id;
use crate::identity::credential::authorise;
use crate::store::agents;

/// A version's number as a cursor: one form for all lists.
fn cursor(version: i32) -> Uuid {
    Uuid::from_u128(u128::from(version.unsigned_abs()))
}

/// The versions of an agent.
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}/versions",
    operation_id = "listAgentVersions",
    tag = "agents",
    params(PageParams, ("id" = Uuid, Path, description = "Which agent.")),
    responses((status = 200, description = "Newest first.", body = Vec<VersionBody>))
)]
pub(crate) async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let id = agent_in(&request)?;
    let paging = Paging::of(&request)?;
    let before = paging.after.map(|after| i32::try_from(after.as_u128()).unwrap_or(i32::MAX));
    let (business, limit) = (tenant.business, paging.rows().limit);
    let found = app.platform.database.read(move |db| {
        let exists = agents::get(db, business, id)?.is_some();
        let rows = agents::versions(db, business, id, before, limit)?;
        Ok::<_, ApiError>(exists.then_some(rows))
    });
    let mut rows = found.await?.ok_or_else(not_found)?;
    let next = paging.cut(&mut rows, |row| cursor(row.version));
    let items = rows.into_iter().map(VersionBody::try_from).collect::<Result<Vec<_>, _>>()?;
    Ok(paging.answer(&app, &request, &items, next.as_deref()))
}

/// One version of an agent.
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}/versions/{version}",
    operation_id = "getAgentVersion",
    tag = "agents",
    params(
        ("id" = Uuid, Path, description = "Which agent."),
        ("version" = u32, Path, description = "Which version, from 1.", minimum = 1)
    ),
    responses((status = 200, description = "The version.", body = VersionBody))
)]
pub(crate) async fn read(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let id = agent_in(&request)?;
    let no_version = || ApiError::not_found("agent_version", "Agent version");
    let version: i32 = path_id(&request, "version").ok_or_else(no_version)?;
    let row = app.platform.database.read(move |db| agents::version(db, tenant.business, id, version)).await?;
    Ok(HttpResponse::Ok().json(VersionBody::try_from(row.ok_or_else(no_version)?)?))
}
