//! The credential of a request: a project's key, or a member's access token. It alone says whose data is seen.

use std::net::IpAddr;

use actix_web::HttpRequest;
use common::trace;
use contracts::ids::{ApiKeyId, BusinessId, ProjectId, UserId};
use contracts::rpc::Context;

use crate::app::{App, RPC_DEADLINE};
use crate::domain::api_key::ApiKey;
use crate::domain::role::{Operation, Role};
use crate::error::{ApiError, Shape};
use crate::http::request_id::RequestId;
use crate::identity::tokens::{SessionId, Use};
use crate::store::audit::Actor;
use crate::store::sessions::{self, Standing};
use crate::store::{api_keys, projects};

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
    /// What they may do.
    pub(crate) role: Role,
    /// The project whose customers, notifications and webhooks are seen.
    pub(crate) project: ProjectId,
    /// The business whose agents are seen.
    pub(crate) business: BusinessId,
    /// Where the request came from.
    pub(crate) address: Option<IpAddr>,
    /// The request.
    pub(crate) request_id: RequestId,
}

impl Tenant {
    /// What travels beside an rpc.
    pub(crate) fn context(&self) -> Context {
        Context::within(RPC_DEADLINE).caused_by(self.request_id.as_str()).for_tenant(self.project)
    }

    /// Who does it, for the audit log.
    pub(crate) fn actor(&self) -> Actor {
        Actor {
            business: Some(self.business),
            project: Some(self.project),
            subject: Some(self.subject),
            address: self.address,
            request_id: self.request_id.as_str().to_owned(),
        }
    }

    /// Refuses who may not do `operation`.
    ///
    /// # Errors
    /// 403.
    pub(crate) fn require(&self, operation: Operation) -> Result<(), ApiError> {
        if self.role.may(operation) {
            return Ok(());
        }
        let who = match self.subject {
            Subject::Key(_) => "An API key acts as a developer, who".to_owned(),
            Subject::User(_) => format!("The role {}", self.role.as_str()),
        };
        Err(ApiError::forbidden(format!("{who} may not do this")))
    }
}

/// A signed-in member.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// The user.
    pub(crate) user: UserId,
    /// The session of the token.
    pub(crate) session: SessionId,
    /// For whom they ask.
    pub(crate) tenant: Tenant,
}

/// Who makes this request, if they may do `operation`. A key comes before a token.
pub(crate) async fn authorise(
    app: &App,
    request: &HttpRequest,
    operation: Operation,
) -> Result<Tenant, ApiError> {
    let none = "Send your API key in the x-api-key header";
    let tenant = credential(app, request, &[Use::Access], none).await?;
    tenant.require(operation)?;
    Ok(tenant)
}

/// The same for EchoLink's operations, which accept EchoLink's token, too.
pub(crate) async fn authorise_link(
    app: &App,
    request: &HttpRequest,
    operation: Operation,
) -> Result<Tenant, ApiError> {
    let none = "Send the access_token of POST /v1/connect-twilio as Authorization: Bearer";
    let tenant = credential(app, request, &[Use::Link, Use::Access], none).await?;
    tenant.require(operation)?;
    Ok(tenant)
}

/// Who makes this request: by a key, or by a token for one of these uses.
async fn credential(app: &App, request: &HttpRequest, uses: &[Use], none: &str) -> Result<Tenant, ApiError> {
    let tenant = match (header(request, "x-api-key"), bearer(request)) {
        (Some(key), _) => by_key(app, request, key).await?,
        (None, Some(token)) => by_token(app, request, token, uses).await?.tenant,
        (None, None) => return Err(ApiError::unauthorized(none)),
    };
    counted(app, request, &tenant)?;
    Ok(tenant)
}

/// The member who makes this request: with an access token, not with a key.
pub(crate) async fn signed_in(app: &App, request: &HttpRequest) -> Result<Member, ApiError> {
    let token = bearer(request).ok_or_else(|| match header(request, "x-api-key") {
        Some(_) => ApiError::forbidden("An API key is nobody's account; send a member's access token"),
        None => ApiError::unauthorized("Send your access token as Authorization: Bearer"),
    })?;
    let member = by_token(app, request, token, &[Use::Access]).await?;
    counted(app, request, &member.tenant)?;
    Ok(member)
}

/// For which product the credential of a request was made; `None` without one. A token that has run out was made for one, too:
/// nobody proves anything by it.
pub(crate) fn made_for(app: &App, request: &HttpRequest) -> Option<Shape> {
    if header(request, "x-api-key").is_some() {
        return Some(Shape::Echo);
    }
    let token = bearer(request)?;
    Some(if app.tokens.was_for(token, Use::Link) { Shape::EchoLink } else { Shape::Echo })
}

pub(super) fn counted(app: &App, request: &HttpRequest, tenant: &Tenant) -> Result<(), ApiError> {
    trace::of_tenant(tenant.project);
    app.limits.count_subject(request, tenant.subject)
}

/// A header's text; one that is not text counts as a wrong one.
pub(super) fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name).map(|value| value.to_str().unwrap_or_default())
}

/// The project that a request names.
///
/// # Errors
/// 404 when that cannot be one.
pub(super) fn named_project(request: &HttpRequest) -> Result<Option<ProjectId>, ApiError> {
    let named = header(request, "x-echo-project").map(str::parse).transpose();
    named.map_err(|_| ApiError::not_found("project", "Project"))
}

/// The token that a request bears.
pub(crate) fn bearer(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = header(request, "authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// What a wrong key is answered with, which is counted.
pub(super) fn wrong_key(app: &App, request: &HttpRequest) -> ApiError {
    match app.limits.count_wrong_key(request) {
        Ok(()) => ApiError::unauthorized("The API key is not valid"),
        Err(too_many) => too_many,
    }
}

pub(super) async fn by_key(app: &App, request: &HttpRequest, key: &str) -> Result<Tenant, ApiError> {
    let wrong = || wrong_key(app, request);
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
        role: Role::Developer,
        project: owner.project_id,
        business: owner.business_id,
        address: app.limits.client(request),
        request_id: RequestId::of(request),
    })
}

pub(super) async fn by_token(
    app: &App,
    request: &HttpRequest,
    token: &str,
    uses: &[Use],
) -> Result<Member, ApiError> {
    let wrong = || ApiError::unauthorized("The access token is not valid or has run out");
    let now = app.platform.clock.now();
    let claims = uses.iter().find_map(|wanted| app.tokens.read(token, *wanted, now));
    let session = claims.ok_or_else(wrong)?.sid;
    let no_project = || ApiError::not_found("project", "Project");
    let named = named_project(request)?;
    let Standing { user, business, role, project } = match app.standings.get(&(session, named), now) {
        Some(standing) => standing,
        None => {
            let found = app.platform.database.read(move |db| sessions::standing(db, session)).await;
            let (user, business, role) = found.map_err(ApiError::from)?.ok_or_else(wrong)?;
            let picked = app.platform.database.read(move |db| projects::pick(db, business, named)).await;
            let project = picked.map_err(ApiError::from)?.ok_or_else(no_project)?;
            let standing = Standing { user, business, role, project };
            app.standings.put((session, named), standing, now);
            standing
        }
    };
    let tenant = Tenant {
        subject: Subject::User(user),
        role,
        project,
        business,
        address: app.limits.client(request),
        request_id: RequestId::of(request),
    };
    Ok(Member { user, session, tenant })
}
