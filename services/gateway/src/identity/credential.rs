//! The credential of a request: a project's key, or a member's access token. It alone says whose data is seen.

use actix_web::HttpRequest;
use common::trace;
use contracts::ids::{ApiKeyId, BusinessId, ProjectId, UserId};
use contracts::rpc::Context;

use crate::app::{App, RPC_DEADLINE};
use crate::domain::api_key::ApiKey;
use crate::domain::role::{Operation, Role};
use crate::error::ApiError;
use crate::http::request_id::RequestId;
use crate::identity::tokens::{Claims, Use};
use crate::store::{api_keys, memberships, projects, users};

/// Who is asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// A program with a project's key.
    Key(ApiKeyId),
    /// A member of the business.
    User(UserId),
}

/// For whom a request is made.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    /// Who is asking.
    pub(crate) subject: Subject,
    /// The project whose customers, notifications and webhooks are seen.
    pub(crate) project: ProjectId,
    /// The business whose agents are seen.
    pub(crate) business: BusinessId,
    /// The request.
    pub(crate) request_id: RequestId,
}

impl Tenant {
    /// What travels beside an rpc.
    pub(crate) fn context(&self) -> Context {
        Context::within(RPC_DEADLINE).caused_by(self.request_id.as_str()).for_tenant(self.project)
    }
}

/// Who makes this request, if they may do `operation`. A key comes before a token.
pub(crate) async fn authorise(
    app: &App,
    request: &HttpRequest,
    operation: Operation,
) -> Result<Tenant, ApiError> {
    let (tenant, role) = match (header(request, "x-api-key"), bearer(request)) {
        (Some(key), _) => (by_key(app, request, key).await?, Role::Developer),
        (None, Some(token)) => by_token(app, request, token).await?,
        (None, None) => return Err(ApiError::unauthorized("Send your API key in the x-api-key header")),
    };
    trace::of_tenant(tenant.project);
    app.limits.count_subject(request, tenant.subject)?;
    if role.may(operation) {
        return Ok(tenant);
    }
    Err(ApiError::forbidden(format!("The role {} may not do this", role.as_str())))
}

/// A header's text; one that is not text counts as a wrong one.
fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name).map(|value| value.to_str().unwrap_or_default())
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = header(request, "authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

async fn by_key(app: &App, request: &HttpRequest, key: &str) -> Result<Tenant, ApiError> {
    let wrong = || match app.limits.count_wrong_key(request) {
        Ok(()) => ApiError::unauthorized("The API key is not valid"),
        Err(too_many) => too_many,
    };
    let hash = ApiKey::parse(key.trim()).ok_or_else(wrong)?.hash();
    let asked = app.platform.clock.now();
    let owner = match app.keys.get(&hash, asked) {
        Some(owner) => owner,
        None => {
            let wanted = hash.clone();
            let found = app.platform.database.read(move |db| api_keys::owner(db, &wanted)).await;
            let owner = found.map_err(ApiError::from)?.ok_or_else(wrong)?;
            app.keys.put(hash, owner, asked);
            owner
        }
    };
    Ok(Tenant {
        subject: Subject::Key(owner.key_id),
        project: owner.project_id,
        business: owner.business_id,
        request_id: RequestId::of(request),
    })
}

async fn by_token(app: &App, request: &HttpRequest, token: &str) -> Result<(Tenant, Role), ApiError> {
    let wrong = || ApiError::unauthorized("The access token is not valid or has run out");
    let claims = app.tokens.read(token, Use::Access, app.platform.clock.now()).ok_or_else(wrong)?;
    let no_project = || ApiError::not_found("project", "Project");
    let named = match header(request, "x-echo-project") {
        Some(text) => Some(text.parse::<ProjectId>().map_err(|_| no_project())?),
        None => None,
    };
    let business = BusinessId(claims.business);
    let user = UserId(claims.sub);
    let role = app.platform.database.read(move |db| standing(db, &claims)).await?.ok_or_else(wrong)?;
    let project = app.platform.database.read(move |db| projects::pick(db, business, named)).await;
    let project = project.map_err(ApiError::from)?.ok_or_else(no_project)?;
    let tenant =
        Tenant { subject: Subject::User(user), project, business, request_id: RequestId::of(request) };
    Ok((tenant, role))
}

/// What the token's user may do in its business now; `None` when the token counts no longer.
fn standing(db: &mut common::db::Db, claims: &Claims) -> Result<Option<Role>, ApiError> {
    let (user, business) = (UserId(claims.sub), BusinessId(claims.business));
    if users::token_generation(db, user)? != Some(claims.generation) {
        return Ok(None);
    }
    Ok(memberships::role(db, business, user)?)
}
