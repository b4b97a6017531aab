//! The credential of a request to an app: a key of the app, a key of its project, or a member's token. Unlike elsewhere the app says
//! which project is meant.

use actix_web::HttpRequest;
use contracts::ids::ProjectId;

use super::credential::{Tenant, bearer, by_key, by_token, header, wrong_key};
use super::tokens::Use;
use crate::app::App;
use crate::domain::app_key::AppKey;
use crate::error::ApiError;
use crate::store::app_keys::{self, AppKeyOwner};
use crate::store::apps::AppRow;

/// Who has shown that they may do more with an app than anybody.
#[derive(Clone, Debug)]
pub(crate) enum Insider {
    /// A program with a key of the app.
    Key,
    /// A member of its business, or a program with a key of its project.
    Tenant(Tenant),
}

/// Who makes this request, if it says so. A key comes before a token; a key as a token is a key.
///
/// # Errors
/// 401 when the credential is wrong, 404 when it is good for something else than this app.
pub(crate) async fn insider(
    app: &App,
    request: &HttpRequest,
    of: &AppRow,
) -> Result<Option<Insider>, ApiError> {
    let token = bearer(request);
    let as_token = token.filter(|token| AppKey::parse(token).is_some());
    if let Some(key) = header(request, "x-api-key").or(as_token) {
        return match AppKey::parse(key.trim()) {
            Some(key) => by_app_key(app, request, &key, of).await.map(Some),
            None => of_project(by_key(app, request, key).await?, of).map(Some),
        };
    }
    let Some(token) = token else { return Ok(None) };
    let tenant = by_token(app, request, token, &[Use::Access]).await?.tenant;
    if header(request, "x-echo-project").is_some_and(|named| named.parse::<ProjectId>() != Ok(of.project)) {
        return Err(not_found());
    }
    // A member reaches every project of the business: here the one of the app.
    if tenant.business != of.business {
        return Err(not_found());
    }
    Ok(Some(Insider::Tenant(Tenant { project: of.project, ..tenant })))
}

/// The app is not there for whom it is not meant.
pub(crate) fn not_found() -> ApiError {
    ApiError::not_found("app", "App")
}

fn of_project(tenant: Tenant, of: &AppRow) -> Result<Insider, ApiError> {
    if tenant.project == of.project { Ok(Insider::Tenant(tenant)) } else { Err(not_found()) }
}

async fn by_app_key(
    app: &App,
    request: &HttpRequest,
    key: &AppKey,
    of: &AppRow,
) -> Result<Insider, ApiError> {
    let owner = owner(app, request, key).await?;
    if owner.app_id == of.id { Ok(Insider::Key) } else { Err(not_found()) }
}

/// Of which app a key is.
async fn owner(app: &App, request: &HttpRequest, key: &AppKey) -> Result<AppKeyOwner, ApiError> {
    let (hash, asked) = (key.hash(), app.platform.clock.now());
    if let Some(owner) = app.app_keys.get(&hash, asked) {
        return Ok(owner);
    }
    let wanted = hash.clone();
    let found = app.platform.database.read(move |db| app_keys::owner(db, &wanted)).await;
    let owner = found.map_err(ApiError::from)?.ok_or_else(|| wrong_key(app, request))?;
    app.app_keys.put(hash, owner, asked);
    Ok(owner)
}

/// Whether the credential of a request that names no app of ours is one at all, if it has one.
///
/// # Errors
/// 401 when it is wrong.
pub(crate) async fn is_somebody(app: &App, request: &HttpRequest) -> Result<(), ApiError> {
    let token = bearer(request);
    let as_token = token.filter(|token| AppKey::parse(token).is_some());
    if let Some(key) = header(request, "x-api-key").or(as_token) {
        return match AppKey::parse(key.trim()) {
            Some(key) => owner(app, request, &key).await.map(drop),
            None => by_key(app, request, key).await.map(drop),
        };
    }
    match token {
        Some(token) => by_token(app, request, token, &[Use::Access]).await.map(drop),
        None => Ok(()),
    }
}
