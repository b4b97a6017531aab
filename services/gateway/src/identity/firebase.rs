//! ID tokens of Firebase, for those whose people sign in there: who is named by one. Accounts are not made of them.

use std::sync::Arc;

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use common::config::ConfigError;
use common::db::{Db, DbError};
use common::egress::EgressPolicy;
use contracts::ids::{BusinessId, ProjectId, UserId};
use jsonwebtoken::{Algorithm, Validation};
use serde::Deserialize;

use super::credential::{Subject, Tenant};
use super::firebase_keys::{Found, Keys};
use crate::app::App;
use crate::config::FirebaseConfig;
use crate::domain::firebase::{Claims, Refused, is_issuer};
use crate::domain::role::Role;
use crate::error::ApiError;
use crate::http::request_id::RequestId;
use crate::store::{memberships, projects, users};

/// What a token of Firebase's is answered with where the operator names no project.
const OFF: &str = "Firebase ID tokens are not accepted here; the operator sets ECHO_FIREBASE_PROJECT_ID to accept those of a project";

/// The Firebase project whose tokens are accepted. Cloning shares its keys.
#[derive(Clone)]
pub(crate) struct Firebase {
    project: Arc<str>,
    keys: Keys,
}

/// Why a token says nothing.
enum Failed {
    Refused(Refused),
    KeysAway,
}

impl Firebase {
    /// As the operator has set it.
    ///
    /// # Errors
    /// Which setting is wrong.
    pub(crate) fn new(config: &FirebaseConfig, egress: &EgressPolicy) -> Result<Self, ConfigError> {
        Ok(Self { project: config.project.as_str().into(), keys: Keys::new(&config.keys, egress)? })
    }

    /// What a token says, if Firebase has signed it for this project and it is good now. The algorithm is ours, whatever the token
    /// names (RFC 8725, section 3.1).
    async fn read(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, Failed> {
        let forged = || Failed::Refused(Refused::Forged);
        let header = jsonwebtoken::decode_header(token).map_err(|_| forged())?;
        let (Algorithm::RS256, Some(kid)) = (header.alg, header.kid) else { return Err(forged()) };
        let key = match self.keys.find(&kid, now).await {
            Found::Key(key) => key,
            Found::Unknown => return Err(forged()),
            Found::Away => return Err(Failed::KeysAway),
        };
        let mut validation = Validation::new(Algorithm::RS256);
        validation.required_spec_claims.clear(); // all of them are looked at below, by our own clock
        validation.validate_exp = false;
        validation.validate_aud = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation).map_err(|_| forged())?.claims;
        claims.check(&self.project, now).map_err(Failed::Refused)?;
        Ok(claims)
    }
}

/// Whether a token says that it is one of Firebase's. Nothing is proved by it.
pub(crate) fn is_one(token: &str) -> bool {
    #[derive(Deserialize)]
    struct Said {
        iss: String,
    }
    jsonwebtoken::dangerous::insecure_decode_claims::<Said>(token).is_ok_and(|said| is_issuer(&said.iss))
}

/// A member who has signed in at Firebase. Unlike a session of ours, that is not on behalf of one business.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    user: UserId,
    /// Where they are a member, the oldest membership first.
    member_of: Vec<(BusinessId, Role)>,
}

impl Person {
    /// Them, on behalf of a business that they belong to.
    pub(crate) fn on_behalf_of(
        &self,
        app: &App,
        request: &HttpRequest,
        (business, project): (BusinessId, ProjectId),
    ) -> Option<Tenant> {
        let (_, role) = self.member_of.iter().find(|(own, _)| *own == business)?;
        Some(Tenant {
            subject: Subject::User(self.user),
            role: *role,
            project,
            business,
            address: app.limits.client(request),
            request_id: RequestId::of(request),
        })
    }

    /// Them, in the project that they name, else in the first one of their first business.
    ///
    /// # Errors
    /// 404 when it is none of theirs.
    pub(crate) async fn in_project(
        &self,
        app: &App,
        request: &HttpRequest,
        named: Option<ProjectId>,
    ) -> Result<Tenant, ApiError> {
        let businesses: Vec<BusinessId> = self.member_of.iter().map(|(business, _)| *business).collect();
        let found = app.platform.database.read(move |db| pick(db, &businesses, named)).await;
        let place = found.map_err(ApiError::from)?;
        let tenant = place.and_then(|place| self.on_behalf_of(app, request, place));
        tenant.ok_or_else(|| ApiError::not_found("project", "Project"))
    }
}

/// The first of these businesses that has this project; without one the first that has any.
fn pick(
    db: &mut Db,
    businesses: &[BusinessId],
    named: Option<ProjectId>,
) -> Result<Option<(BusinessId, ProjectId)>, DbError> {
    for business in businesses {
        if let Some(project) = projects::pick(db, *business, named)? {
            return Ok(Some((*business, project)));
        }
    }
    Ok(None)
}

/// Who is named by a token of Firebase's: the member with its verified address. Asked for with every request, so that who is no
/// member any more is refused at once.
///
/// # Errors
/// 401 when the token is not good, names nobody whom we know, or such tokens are not accepted; 429 when too many were not good; 503 when
/// the keys are away.
pub(crate) async fn person(app: &App, request: &HttpRequest, token: &str) -> Result<Person, ApiError> {
    let firebase = app.firebase.as_ref().ok_or_else(|| ApiError::unauthorized(OFF))?;
    let claims = firebase.read(token, app.platform.clock.now()).await.map_err(|failed| match failed {
        // Counted as a wrong key is: each costs a look at its signature.
        Failed::Refused(why) => match app.limits.count_wrong_key(request) {
            Ok(()) => ApiError::unauthorized(why.told()),
            Err(too_many) => too_many,
        },
        Failed::KeysAway => ApiError::unavailable("the keys of Firebase are away"),
    })?;
    let stranger = || ApiError::unauthorized(Refused::Stranger.told());
    let address = claims.verified_address().ok_or_else(stranger)?.key();
    let found = app.platform.database.read(move |db| known(db, &address)).await;
    found.map_err(ApiError::from)?.ok_or_else(stranger)
}

/// The member with this address.
fn known(db: &mut Db, email_key: &str) -> Result<Option<Person>, DbError> {
    let Some(user) = users::by_email_key(db, email_key)? else { return Ok(None) };
    let user = UserId(user.id.0);
    let member_of = memberships::of_user(db, user)?;
    Ok((!member_of.is_empty()).then_some(Person { user, member_of }))
}
