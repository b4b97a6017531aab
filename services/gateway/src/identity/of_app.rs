//! The credential of a request to an app: a key of the app, a key of its project, or a member's token, ours or Firebase's. Unlike
//! elsewhere the app says which project is meant.

use actix_web::HttpRequest;
use contracts::ids::{AppId, ProjectId};

use super::credential::{self, Tenant, bearer, by_key, by_token, counted, header, named_project, wrong_key};
use super::firebase::{self, Person};
use super::tokens::Use;
use crate::app::App;
use crate::domain::app_key::AppKey;
use crate::domain::role::Operation;
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
    /// A member's token of Firebase's, and the same.
    Person(Person, Option<ProjectId>),
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
    pub(crate) fn inside(self, app: &App, request: &HttpRequest, of: &AppRow) -> Result<Insider, ApiError> {
        match self {
            Self::OfApp(id) if id == of.id => Ok(Insider::Key),
            Self::OfProject(tenant) if tenant.project == of.project => Ok(Insider::Tenant(tenant)),
            // A member reaches every project of the business: here the one of the app, unless another is named.
            Self::Member(tenant, named)
                if tenant.business == of.business && named.is_none_or(|named| named == of.project) =>
            {
                Ok(Insider::Tenant(Tenant { project: of.project, ..tenant }))
            }
            Self::Person(person, named) if named.is_none_or(|named| named == of.project) => {
                let tenant = person.on_behalf_of(app, request, (of.business, of.project));
                tenant.map(Insider::Tenant).ok_or_else(not_found)
            }
            Self::OfApp(_) | Self::OfProject(_) | Self::Member(..) | Self::Person(..) => Err(not_found()),
        }
    }
}

/// The credential of a request, if it has one. A key comes before a token; a key as a token is a key.
///
/// # Errors
/// 401 when it is wrong, 503 when nobody can tell.
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
    if firebase::is_one(token) {
        let (person, named) = (firebase::person(app, request, token).await?, named_project(request)?);
        if named.is_some() {
            person.in_project(app, request, named).await?; // it must be one of theirs, as with our own token
        }
        return Ok(Some(Credential::Person(person, named)));
    }
    let tenant = by_token(app, request, token, &[Use::Access]).await?.tenant;
    let named = header(request, "x-echo-project").map(|_| tenant.project);
    Ok(Some(Credential::Member(tenant, named)))
}

/// Who makes this request about a project's apps, if they may do `operation`: with what is accepted everywhere, or with a token of
/// Firebase's.
///
/// # Errors
/// 401, 403, 404, 429, 503.
pub(crate) async fn authorise(
    app: &App,
    request: &HttpRequest,
    operation: Operation,
) -> Result<Tenant, ApiError> {
    let token = bearer(request).filter(|token| firebase::is_one(token));
    let (None, Some(token)) = (header(request, "x-api-key"), token) else {
        return credential::authorise(app, request, operation).await;
    };
    let person = firebase::person(app, request, token).await?;
    let tenant = person.in_project(app, request, named_project(request)?).await?;
    counted(app, request, &tenant)?;
    tenant.require(operation)?;
    Ok(tenant)
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
