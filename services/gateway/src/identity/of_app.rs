//! The credential of a request to an app: a key of the app, a key of its project, or a member's token. Unlike elsewhere the app says
//! which project is meant.

use actix_web::HttpRequest;
use contracts::ids::ProjectId;

use super::credential::{Tenant, bearer, by_key, by_token, header, wrong_key};
use super::tokens::Use;
use crate::app::App;
use crate::domain::app_key::AppKey;
use crate::error::ApiError;
use crate::store::app_keys;
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
    if header(request, "x-echo-project").is_some_and(|named| named.parse::<ProjectId>() != Ok(of.project)) {
        return Err(not_found());
    }
    let tenant = by_token(app, request, token, &[Use::Access]).await?.tenant;
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
    let (hash, asked) = (key.hash(), app.platform.clock.now());
    let owner = match app.app_keys.get(&hash, asked) {
        Some(owner) => owner,
        None => {
            let wanted = hash.clone();
            let found = app.platform.database.read(move |db| app_keys::owner(db, &wanted)).await;
            let owner = found.map_err(ApiError::from)?.ok_or_else(|| wrong_key(app, request))?;
            app.app_keys.put(hash, owner, asked);
            owner
        }
    };
    if owner.app_id == of.id { Ok(Insider::Key) } else { Err(not_found()) }
}
