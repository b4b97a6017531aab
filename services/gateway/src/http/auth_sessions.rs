//! `/auth/refresh`, `/auth/logout` and `/auth/me`: staying in an account, leaving it, and seeing whose it is.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use common::db::{Db, DbError, Time, Tx};
use contracts::ids::{BusinessId, ProjectId, UserId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::auth::{BusinessBody, SessionBody, UserBody, actor, session};
use super::openapi::ErrorBody;
use crate::app::App;
use crate::domain::audit::Action;
use crate::domain::refresh::{Presented, presented};
use crate::domain::role::Role;
use crate::error::ApiError;
use crate::identity::credential::{Member, bearer, signed_in};
use crate::identity::session::issue;
use crate::identity::tokens::{Claims, Pair, SessionId, Use};
use crate::store::audit::{self, Actor, Event};
use crate::store::businesses::{self, Business};
use crate::store::users::{self, User};
use crate::store::{memberships, projects, refresh_tokens, sessions};

fn no_good() -> ApiError {
    ApiError::unauthorized("The refresh token is not valid or has run out; log in again")
}

/// Get a new pair of tokens for a refresh token, which is used up by it. Within ten seconds of its use it gives another pair
/// of the same session; later its coming again ends the session.
#[utoipa::path(
    post,
    path = "/auth/refresh",
    operation_id = "refresh",
    tag = "auth",
    security(("refreshToken" = [])),
    responses(
        (status = 201, description = "New tokens of the same session.", body = SessionBody),
        (status = 401, description = "`unauthorized`: not valid, has run out, or its session has ended. \
            `refresh_token_reused`: it was used before, and now its session has ended.", body = ErrorBody)
    )
)]
pub(crate) async fn refresh(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let token = bearer(&request)
        .ok_or_else(|| ApiError::unauthorized("Send your refresh token as Authorization: Bearer"))?;
    let claims = app.tokens.read(token, Use::Refresh, app.platform.clock.now()).ok_or_else(no_good)?;
    let id = UserId(claims.sub);
    let user = app.platform.database.read(move |db| users::get(db, id)).await;
    let user = user.map_err(ApiError::from)?.ok_or_else(no_good)?;
    let pair = issue(&app, &user, claims.sid)?;
    let rotation = Rotation { claims, pair, by: actor(&app, &request, None, Some(id)) };
    let standings = app.standings.clone();
    let rotated = app.platform.database.write(move |tx| {
        let rotated = rotation.rotate(tx)?;
        if matches!(rotated, Rotated::Reused) {
            tx.after_commit(move || standings.forget(|standing| standing.user == id));
        }
        Ok::<_, DbError>(rotated)
    });
    match rotated.await? {
        Rotated::To(pair, business) => Ok(HttpResponse::Created().json(session(pair, user, business))),
        Rotated::Ended => Err(no_good()),
        Rotated::Reused => Err(ApiError::new(
            actix_web::http::StatusCode::UNAUTHORIZED,
            "refresh_token_reused",
            "This refresh token was used before: its session has ended, because somebody else may have it; log in again",
        )),
    }
}

/// One use of a refresh token.
struct Rotation {
    claims: Claims,
    pair: Pair,
    by: Actor,
}

/// What came of it.
enum Rotated {
    To(Pair, Business),
    /// The session counts no longer.
    Ended,
    /// The token was used long ago; now its session has ended.
    Reused,
}

impl Rotation {
    fn rotate(self, tx: &mut Tx<'_>) -> Result<Rotated, DbError> {
        let (now, Self { claims, pair, by }) = (tx.now(), self);
        let (session, expires_at) = (claims.sid, Time::from(pair.refresh_expires));
        // First of all: two who use one token at the same time take turns from here on.
        if !sessions::prolong(tx.conn, session, expires_at)? {
            return Ok(Rotated::Ended);
        }
        let Some((_, business, _)) = sessions::standing(tx.conn, session)? else {
            return Ok(Rotated::Ended);
        };
        let Some(used_at) = refresh_tokens::used_at(tx.conn, session, claims.jti)? else {
            return Ok(Rotated::Ended);
        };
        match presented(used_at, now) {
            Presented::First => refresh_tokens::mark_used(tx.conn, session, claims.jti, now.into())?,
            Presented::Again => {}
            Presented::Reused => {
                sessions::revoke(tx.conn, session, now.into())?;
                let by = Actor { business: Some(business), subject: None, ..by };
                audit::note(tx, &by, Event::on(Action::RefreshReused, claims.sub))?;
                return Ok(Rotated::Reused);
            }
        }
        refresh_tokens::insert(tx.conn, session, pair.refresh_id, expires_at, now.into())?;
        Ok(Rotated::To(pair, businesses::get(tx.conn, business)?))
    }
}

/// End the session that the token belongs to, with either of its tokens. Its tokens are refused here at once and by every
/// other replica within five seconds.
#[utoipa::path(
    post,
    path = "/auth/logout",
    operation_id = "logOut",
    tag = "auth",
    security(("refreshToken" = []), ("accessToken" = [])),
    responses(
        (status = 204, description = "The session has ended."),
        (status = 401, description = "`unauthorized`: no token, or one that is not valid.", body = ErrorBody)
    )
)]
pub(crate) async fn logout(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let token = bearer(&request).ok_or_else(|| {
        ApiError::unauthorized("Send your refresh token or your access token as Authorization: Bearer")
    })?;
    let now = app.platform.clock.now();
    let read = |wanted| app.tokens.read(token, wanted, now);
    let claims = read(Use::Refresh)
        .or_else(|| read(Use::Access))
        .ok_or_else(|| ApiError::unauthorized("The token is not valid or has run out"))?;
    let (user, standings) = (UserId(claims.sub), app.standings.clone());
    let by = actor(&app, &request, None, Some(user));
    let end = app.platform.database.write(move |tx| {
        end_session(tx, claims.sid, user, by)?;
        tx.after_commit(move || standings.forget(|standing| standing.user == user));
        Ok::<_, DbError>(())
    });
    end.await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ends a session; one that has ended stays as it is.
fn end_session(tx: &mut Tx<'_>, session: SessionId, user: UserId, by: Actor) -> Result<(), DbError> {
    let standing = sessions::standing(tx.conn, session)?;
    let ended = sessions::revoke(tx.conn, session, tx.now().into())?;
    match standing {
        Some((_, business, _)) if ended => {
            let by = Actor { business: Some(business), ..by };
            audit::note(tx, &by, Event::on(Action::SignedOut, user))
        }
        _ => Ok(()),
    }
}

/// Whose account it is.
#[derive(Serialize, ToSchema)]
#[schema(as = Me, example = json!({
    "user": {
        "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "email": "you@yourcompany.com", "first_name": "Jane", "last_name": "Doe"
    },
    "business": {"id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f34", "name": "Acme Inc"}, "role": "owner",
    "projects": [{"id": "e56b4c35-882d-4604-9944-9763d314ea59", "name": "default"}],
    "businesses": [{"id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f34", "name": "Acme Inc", "role": "owner"}]
}))]
pub(super) struct MeBody {
    user: UserBody,
    business: BusinessBody,
    /// `owner`, `admin`, `developer` or `viewer`: in this business.
    role: &'static str,
    /// Of this business, the oldest first.
    projects: Vec<NamedBody>,
    /// All that you are a member of.
    businesses: Vec<PlaceBody>,
}

/// A project by name.
#[derive(Serialize, ToSchema)]
#[schema(as = ProjectName)]
pub(super) struct NamedBody {
    #[schema(value_type = Uuid)]
    id: ProjectId,
    name: String,
}

/// A business that the user can log in to by its id.
#[derive(Serialize, ToSchema)]
#[schema(as = Membership)]
pub(super) struct PlaceBody {
    id: Uuid,
    name: String,
    role: &'static str,
}

/// See whose access token it is: the user, the business, what the user may do there, and its projects.
#[utoipa::path(
    get,
    path = "/auth/me",
    operation_id = "me",
    tag = "auth",
    security(("accessToken" = [])),
    responses(
        (status = 200, description = "Who you are.", body = MeBody),
        (status = 401, description = "`unauthorized`: no access token, or one that is not valid.", body = ErrorBody),
        (status = 403, description = "`forbidden`: an API key is nobody's account.", body = ErrorBody)
    )
)]
pub(crate) async fn me(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let Member { user, tenant, .. } = signed_in(&app, &request).await?;
    let body = app.platform.database.read(move |db| whole(db, user, tenant.business, tenant.role));
    Ok(HttpResponse::Ok().json(body.await?))
}

fn whole(db: &mut Db, id: UserId, business: BusinessId, role: Role) -> Result<MeBody, ApiError> {
    let user: User = users::get(db, id)?.ok_or_else(no_good)?;
    let mut places = Vec::new();
    for (business, role) in memberships::of_user(db, id)? {
        let business = businesses::get(db, business)?;
        places.push(PlaceBody { id: business.id.0, name: business.name, role: role.as_str() });
    }
    let projects = projects::names(db, business)?;
    Ok(MeBody {
        user: user.into(),
        business: businesses::get(db, business)?.into(),
        role: role.as_str(),
        projects: projects.into_iter().map(|(id, name)| NamedBody { id, name }).collect(),
        businesses: places,
    })
}
