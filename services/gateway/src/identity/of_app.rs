//! The credential of a request to an app: a key of the app, a key of its project, or a member's token. Unlike elsewhere the app says
//! which project is meant.

use actix_web::HttpRequest;
use contracts::ids::{AppId, ProjectId};

use super::credential::{Tenant, bearer, by_key, by_token, header, wrong_key};
use super::tokens::Use;
use crate::app::App;
use crate::domain::app_key::AppKey;
use crate::error::ApiError;
use crate::store::app_keys::{self, AppKeyOwner};
use crate::store::apps::AppRow;

/// A credential that is one, whatever app is asked.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    /// A key of an app.
    OfApp(AppId),
    /// A key of a project.
    OfProject(Tenant),
    /// A member's token, and the project that the request names beside it.
    Member(Tenant, Option<ProjectId>),
}

/// Who has shown that they may do more with an app than anybody.
#[derive(Clone, Debug)]
pub(crate) enum Insider {
    /// A program with a key of the app.
    Key,
    /// A member of its business, or a program with a key of its project.
    Tenant(Tenant),
}

impl Credential {
    /// What it is good for at this app.
    ///
    /// # Errors
    /// 404 when it is good for something else.
    pub(crate) fn inside(self, of: &AppRow) -> Result<Insider, ApiError> {
        match self {
            Self::OfApp(id) if id == of.id => Ok(Insider::Key),
            Self::OfProject(tenant) if tenant.project == of.project => Ok(Insider::Tenant(tenant)),
            // A member reaches every project of the business: here the one of the app, unless another is named.
            Self::Member(tenant, named)
                if tenant.business == of.business && named.is_none_or(|named| named == of.project) =>
            {
                Ok(Insider::Tenant(Tenant { project: of.project, ..tenant }))
            }
            Self::OfApp(_) | Self::OfProject(_) | Self::Member(..) => Err(not_found()),
        }
    }
}

/// The credential of a request, if it has one. A key comes before a token; a key as a token is a key.
///
/// # Errors
/// 401 when it is wrong.
pub(crate) async fn credential(app: &App, request: &HttpRequest) -> Result<Option<Credential>, ApiError> {
    let token = bearer(request);
    let as_token = token.filter(|token| AppKey::parse(token).is_some());
    if let Some(key) = header(request, "x-api-key").or(as_token) {
        return Ok(Some(match AppKey::parse(key.trim()) {
            Some(key) => Credential::OfApp(owner(app, request, &key).await?.app_id),
            None => Credential::OfProject(by_key(app, request, key).await?),
        }));
    }
    let Some(token) = token else { return Ok(None) };
    let tenant = by_token(app, request, token, &[Use::Access]).await?.tenant;
    let named = header(request, "x-echo-project").map(|_| tenant.project);
    Ok(Some(Credential::Member(tenant, named)))
}

/// The app is not there for whom it is not meant.
pub(crate) fn not_found() -> ApiError {
    ApiError::not_found("app", "App")
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
