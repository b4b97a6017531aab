//! The door of an app: who may come in, how often, and which page may read the answer.
//!
//! In this order: the address is counted, the app is looked for, who is asking shows a credential or comes from a site that the app
//! allows, and the app is counted. An app that is not there and one of others are told apart by nothing.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::{ORIGIN, REFERER};
use common::trace;
use contracts::ids::AppId;
use contracts::rpc::Context;

use super::cors;
use crate::app::App;
use crate::domain::app_limits::Asking;
use crate::domain::asking::{may_ask, origin};
use crate::domain::role::Operation;
use crate::error::ApiError;
use crate::http::rate_limits::Limits;
use crate::http::request_id::RequestId;
use crate::identity::credential::Tenant;
use crate::identity::of_app::{Insider, credential, not_found};
use crate::store::app_requests;
use crate::store::apps::{self, AppRow};

/// Somebody who has come in.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The app that is asked.
    pub(crate) app: AppRow,
    /// Who is asking; `None`: a visitor of a page, or whoever says so.
    pub(crate) by: Option<Insider>,
    request_id: RequestId,
}

impl Asked {
    /// What travels beside an rpc that may take so long.
    pub(crate) fn context(&self, deadline: Duration) -> Context {
        Context::within(deadline).caused_by(self.request_id.as_str()).for_tenant(self.app.project)
    }
}

/// Lets in whoever has a credential, and whoever comes from a site that the app allows.
///
/// # Errors
/// 401, 403, 404, 429.
pub(crate) async fn for_anybody(
    app: &App,
    request: &HttpRequest,
    named: &str,
    asking: Asking,
) -> Result<Asked, ApiError> {
    let asked = opened(app, request, named, asking).await?;
    if asked.by.is_none() {
        comes_from_allowed(request, &asked.app)?;
    }
    count_app(app, request, asked.app.id, asking).await?;
    Ok(asked)
}

/// Lets in whoever has a credential and may do `operation`: a key of the app may do everything that a program does.
///
/// # Errors
/// 401, 403, 404, 429.
pub(crate) async fn for_programs(
    app: &App,
    request: &HttpRequest,
    named: &str,
    (asking, operation): (Asking, Operation),
) -> Result<Asked, ApiError> {
    let asked = opened(app, request, named, asking).await?;
    match &asked.by {
        None => {
            let none = "Send a key of the app in the x-api-key header, or a member's access token";
            return Err(ApiError::unauthorized(none));
        }
        Some(Insider::Tenant(tenant)) => tenant.require(operation)?,
        Some(Insider::Key) => {}
    }
    count_app(app, request, asked.app.id, asking).await?;
    Ok(asked)
}

/// Lets in members of the app's business, and keys of its project: not the keys of the app.
///
/// # Errors
/// 401, 403, 404, 429.
pub(crate) async fn for_members(
    app: &App,
    request: &HttpRequest,
    named: &str,
    operation: Operation,
) -> Result<(AppRow, Tenant), ApiError> {
    let asked = opened(app, request, named, Asking::Rest).await?;
    match asked.by {
        None => Err(ApiError::unauthorized("Send your access token as Authorization: Bearer")),
        Some(Insider::Key) => {
            Err(ApiError::forbidden("A key of an app may not do this; send a member's access token"))
        }
        Some(Insider::Tenant(tenant)) => {
            tenant.require(operation)?;
            Ok((asked.app, tenant))
        }
    }
}

/// The app, and the credential of the request, if it has one. From here on the page reads the answer, where the app allows its site.
async fn opened(app: &App, request: &HttpRequest, named: &str, asking: Asking) -> Result<Asked, ApiError> {
    if let Err(too_many) = app.limits.count_asking(request, asking) {
        // A page is told how long to wait, whosever it is: there is nothing else in it.
        cors::let_read(request);
        return Err(too_many);
    }
    let (shown, found) = (credential(app, request).await, find(app, named).await);
    if let Ok(row) = &found {
        trace::of_tenant(row.project);
        if request.headers().contains_key(ORIGIN) && comes_from_allowed(request, row).is_ok() {
            cors::let_read(request);
        }
    }
    // A wrong credential is one, whatever is asked for with it.
    let (shown, row) = (shown?, found?);
    let by = shown.map(|credential| credential.inside(app, request, &row)).transpose()?;
    Ok(Asked { app: row, by, request_id: RequestId::of(request) })
}

/// The app with this id.
///
/// # Errors
/// 404.
pub(super) async fn find(app: &App, named: &str) -> Result<AppRow, ApiError> {
    let id: AppId = named.parse().map_err(|_| not_found())?;
    let found = app.platform.database.read(move |db| apps::find(db, id)).await;
    found.map_err(ApiError::from)?.ok_or_else(not_found)
}

/// Whether a request comes from a site that the app allows.
///
/// # Errors
/// 403.
pub(super) fn comes_from_allowed(request: &HttpRequest, row: &AppRow) -> Result<(), ApiError> {
    let said = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    let origin = origin(said(ORIGIN), said(REFERER));
    may_ask(&origin, &row.allowed_domains, row.require_origin)
        .map_err(|why| ApiError::new(actix_web::http::StatusCode::FORBIDDEN, "origin_not_allowed", why))
}

/// Counts a request of an app in its hour.
async fn count_app(app: &App, request: &HttpRequest, id: AppId, asking: Asking) -> Result<(), ApiError> {
    let Some(limit) = app.limits.per_app(asking) else { return Ok(()) };
    let counted = app.platform.database.write(move |tx| {
        let now = tx.now();
        app_requests::count(tx.conn, id, (asking.name_of_app(), limit), now.into())
    });
    Limits::heed(request, counted.await.map_err(ApiError::from)?)
}
