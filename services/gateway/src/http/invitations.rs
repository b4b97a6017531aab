//! Asking somebody to become a member: `POST /members`, and `POST /auth/invitations/accept` for who was asked.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use chrono::TimeDelta;
use common::db::{DbError, Id, Time, Tx};
use contracts::ids::{BusinessId, UserId};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::auth::{Proved, SessionBody, actor, note_failure, prove, session, taken};
use super::body;
use super::fields::{Fields, decode};
use super::idempotent::{self, Keep};
use super::openapi::ErrorBody;
use super::reply::{Made, time};
use crate::app::App;
use crate::domain::audit::Action;
use crate::domain::person::{Email, Password};
use crate::domain::role::{Operation, Role};
use crate::domain::text::PersonName;
use crate::error::ApiError;
use crate::identity::credential::{Subject, Tenant, authorise, bearer, signed_in};
use crate::identity::one_time::OneTime;
use crate::identity::session::Opening;
use crate::mails::{self, Mail};
use crate::store::audit::{self, Actor, Event};
use crate::store::businesses::{self, Business};
use crate::store::invitations::{self, Invitation};
use crate::store::memberships;
use crate::store::users::{self, User};

/// Most invitations of a business that wait for an answer.
const MOST_OPEN: i64 = 100;
/// Most invitations of a business in a day, and of those for one address: each is a mail to somebody who has asked for nothing.
const MOST_A_DAY: i64 = 200;
const MOST_A_DAY_AND_ADDRESS: i64 = 3;

/// Who is invited.
#[derive(ToSchema)]
#[schema(as = NewMember, example = json!({"email": "new@yourcompany.com", "role": "developer"}))]
#[expect(dead_code, reason = "the document's view of what `create` reads")]
pub(super) struct InvitationRequest {
    /// Theirs; it need not have an account yet.
    #[schema(format = Email, max_length = 254)]
    email: String,
    /// What they may do. Only an owner makes owners.
    role: String,
}

/// An invitation on the one occasion when its link is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation, example = json!({
    "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "email": "new@yourcompany.com", "role": "developer", "status": "invited",
    "link": "https://echo.example.com/invitation#token=5f0c2a4be9d1733c80f6a1d25e4b97c8f10a6d3e2b5c49870f1e6d2c3b4a5968",
    "token": "5f0c2a4be9d1733c80f6a1d25e4b97c8f10a6d3e2b5c49870f1e6d2c3b4a5968",
    "created_at": "2026-03-18T17:43:46.714Z", "expires_at": "2026-03-25T17:43:46.714Z"
}))]
pub(super) struct InvitationBody {
    id: Uuid,
    email: String,
    role: String,
    status: &'static str,
    /// For the person alone; good once, for seven days. Shown here, and mailed where a mail server is set.
    link: String,
    /// What stands in the link.
    token: String,
    created_at: String,
    /// Until when it can be accepted.
    expires_at: String,
}

/// Invite somebody to become a member.
#[utoipa::path(
    post,
    path = "/api/v1/members",
    operation_id = "inviteMember",
    tag = "business",
    request_body = InvitationRequest,
    responses(
        (status = 201, description = "The invitation and its link.", body = InvitationBody),
        (status = 409, description = "`already_member`, `already_invited`: somebody with this address. \
            `invitation_limit_reached`: at most 100 wait for an answer.", body = ErrorBody)
    )
)]
pub(crate) async fn create(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::ManageMembers).await?;
    let body = body::json(&request, payload).await?;
    let (email, role) = decode(&body, |fields| {
        let email = fields.text("email", Email::parse);
        let role = fields.text("role", Role::parse);
        Some((email?, role?))
    })?;
    if role == Role::Owner {
        tenant.require(Operation::ManageOwners)?;
    }
    let keyed = idempotent::keyed(&request, &tenant, &body)?;
    let token = OneTime::generate().map_err(ApiError::internal)?;
    let link = mails::link(&app, "invitation", &token);
    let (id, business) = (Uuid::now_v7(), tenant.business);
    let this = app.get_ref().clone();
    idempotent::locally(&app, keyed, Keep::Nothing, move |tx| {
        let now = Time::from(tx.now());
        let row = Invitation {
            id: Id(id),
            business_id: Id::of(business),
            email: email.as_str().to_owned(),
            email_key: email.key(),
            role: role.as_str().to_owned(),
            status: invitations::PENDING.to_owned(),
            created_at: now,
            expires_at: invitations::expiry(tx.now()),
        };
        invite(tx, &tenant, &row, &token)?;
        let mail = mail(tx, &row, &link)?;
        mails::stage(&this, tx, mail)?;
        Made::created(&InvitationBody {
            id,
            email: row.email,
            role: row.role,
            status: "invited",
            link: link.clone(),
            token: token.reveal().to_owned(),
            created_at: time(row.created_at),
            expires_at: time(row.expires_at),
        })
    })
    .await
}

fn invite(tx: &mut Tx<'_>, tenant: &Tenant, row: &Invitation, token: &OneTime) -> Result<(), ApiError> {
    businesses::hold(tx.conn, tenant.business)?;
    if memberships::has_address(tx.conn, tenant.business, &row.email_key)? {
        return Err(ApiError::conflict("already_member", "Somebody with this e-mail address is a member"));
    }
    match invitations::count_open(tx.conn, tenant.business, &row.email_key, row.created_at)? {
        (_, 1..) => {
            let message = "This e-mail address is invited already; take that invitation back to send another";
            return Err(ApiError::conflict("already_invited", message));
        }
        (MOST_OPEN.., _) => {
            let message = format!("At most {MOST_OPEN} invitations wait for an answer; take one back first");
            return Err(ApiError::conflict("invitation_limit_reached", message));
        }
        _ => {}
    }
    let yesterday = Time::from(tx.now() - TimeDelta::days(1));
    let (all, own) = invitations::count_since(tx.conn, tenant.business, &row.email_key, yesterday)?;
    if all >= MOST_A_DAY || own >= MOST_A_DAY_AND_ADDRESS {
        let message = format!(
            "At most {MOST_A_DAY} invitations are sent in a day, {MOST_A_DAY_AND_ADDRESS} of them to one address"
        );
        return Err(ApiError::conflict("invitation_limit_reached", message));
    }
    let inviter = match tenant.subject {
        Subject::User(user) => Some(user),
        Subject::Key(_) => None,
    };
    invitations::insert(tx.conn, row, &token.hash(), inviter)?;
    let details = json!({"email": row.email, "role": row.role});
    Ok(audit::note(tx, &tenant.actor(), Event::on(Action::Invited, row.id.0).with(details))?)
}

/// Brings the link, where a mail server is set; it stands in the answer all the same.
fn mail(tx: &mut Tx<'_>, row: &Invitation, link: &str) -> Result<Mail, DbError> {
    let business = BusinessId(row.business_id.0);
    let name = businesses::get(tx.conn, business)?.name;
    Ok(Mail {
        id: row.id.0,
        business: Some(business),
        to: Some(row.email.clone()),
        subject: format!("You are invited to {name} on Echo"),
        text: format!(
            "{name} invites you to work with them on Echo.\n\nTo accept, open this link within seven days:\n\n{link}\n\n\
             If you do not know them, do nothing.\n"
        ),
        good_for: invitations::LIFE,
    })
}

/// Who accepts an invitation.
#[derive(ToSchema)]
#[schema(as = Acceptance, example = json!({
    "token": "5f0c2a4be9d1733c80f6a1d25e4b97c8f10a6d3e2b5c49870f1e6d2c3b4a5968", "password": "YourPassword123!", "first_name": "Jane", "last_name": "Doe"
}))]
#[expect(dead_code, reason = "the document's view of what `accept` reads")]
pub(super) struct AcceptRequest {
    /// What stands in the link.
    token: String,
    /// Of the account with the invited address, if there is one; else the one that it is to have. Not needed with its
    /// access token.
    #[schema(required = false, format = Password)]
    password: String,
    /// Needed for a new account.
    #[schema(required = false, max_length = 200)]
    first_name: String,
    /// Needed for a new account.
    #[schema(required = false, max_length = 200)]
    last_name: String,
}

struct Acceptance {
    token: OneTime,
    password: Option<Password>,
    first_name: Option<PersonName>,
    last_name: Option<PersonName>,
}

impl Acceptance {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let token = fields.text("token", |text| Ok(OneTime::sent(text)));
        let password = fields.optional_text("password", Password::parse);
        let first_name = fields.optional_text("first_name", PersonName::parse);
        let last_name = fields.optional_text("last_name", PersonName::parse);
        Some(Self { token: token?, password: password?, first_name: first_name?, last_name: last_name? })
    }
}

fn unknown() -> ApiError {
    ApiError::not_found("invitation", "Invitation")
}

/// Why an invitation cannot be accepted any more, if it cannot.
fn gone(invitation: &Invitation, now: Time) -> Option<ApiError> {
    let (code, message) = match invitation.status.as_str() {
        invitations::ACCEPTED => ("invitation_used", "This invitation was accepted before; log in"),
        invitations::REVOKED => ("invitation_revoked", "This invitation was taken back; ask for another one"),
        _ if invitation.expires_at <= now => {
            ("invitation_expired", "This invitation has run out; ask for another one")
        }
        _ => return None,
    };
    Some(ApiError::new(StatusCode::GONE, code, message))
}

/// Accept an invitation: with the password or the access token of the account that has the invited address, or with what a new
/// account is made of. Begins a session in the business.
#[utoipa::path(
    post,
    path = "/auth/invitations/accept",
    operation_id = "acceptInvitation",
    tag = "auth",
    security((), ("accessToken" = [])),
    request_body = AcceptRequest,
    responses(
        (status = 200, description = "The tokens of a new session.", body = SessionBody),
        (status = 401, description = "`invalid_credentials`: not the password of the account with this address.", body = ErrorBody),
        (status = 403, description = "`forbidden`: the access token is of an account with another address.", body = ErrorBody),
        (status = 404, description = "`invitation_not_found`: there is no such invitation.", body = ErrorBody),
        (status = 409, description = "`already_member`: log in. `email_taken`: somebody made the account in the meantime.", body = ErrorBody),
        (status = 410, description = "`invitation_used`, `invitation_revoked`, `invitation_expired`.", body = ErrorBody)
    )
)]
pub(crate) async fn accept(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let acceptance = decode(&body::json(&request, payload).await?, Acceptance::read)?;
    let (hash, now) = (acceptance.token.hash(), Time::from(app.platform.database.now()));
    let found = app.platform.database.read(move |db| invitations::by_token_hash(db, &hash)).await;
    let invitation = found.map_err(ApiError::from)?.ok_or_else(unknown)?;
    if let Some(gone) = gone(&invitation, now) {
        return Err(gone);
    }
    let guest = guest(&app, &request, &invitation, acceptance).await?;
    let business = BusinessId(invitation.business_id.0);
    let opening = Opening::new(&app, guest.user(), business)?;
    let by = actor(&app, &request, Some(business), Some(UserId(guest.user().id.0)));
    let entry = Entry { guest, invitation, opening: opening.clone() };
    let (user, business) = app.platform.database.write(move |tx| entry.insert(tx, &by)).await?;
    Ok(HttpResponse::Ok().json(session(opening.into_pair(), user, business)))
}

/// Who accepts.
enum Guest {
    /// Somebody who has an account.
    Known(User),
    /// Somebody who gets one with it.
    New(User),
}

impl Guest {
    const fn user(&self) -> &User {
        match self {
            Self::Known(user) | Self::New(user) => user,
        }
    }
}

async fn guest(
    app: &App,
    request: &HttpRequest,
    invitation: &Invitation,
    acceptance: Acceptance,
) -> Result<Guest, ApiError> {
    let email_key = invitation.email_key.clone();
    let known = app.platform.database.read(move |db| users::by_email_key(db, &email_key)).await;
    let known: Option<User> = known.map_err(ApiError::from)?;
    if bearer(request).is_some() {
        let member = signed_in(app, request).await?;
        let own = known.filter(|user| UserId(user.id.0) == member.user);
        let another = || ApiError::forbidden("This invitation is for another e-mail address than yours");
        return own.map(Guest::Known).ok_or_else(another);
    }
    let Acceptance { password, first_name, last_name, .. } = acceptance;
    let required = |field| ApiError::invalid_field(field, "is required");
    let password = password.ok_or_else(|| required("password"))?;
    let email = Email::parse(&invitation.email).map_err(ApiError::internal)?;
    if known.is_some() {
        return match prove(app, &email, &password).await? {
            Proved::Right(user) => Ok(Guest::Known(user)),
            wrong => {
                note_failure(app, request, wrong.known()).await?;
                Err(ApiError::invalid_credentials())
            }
        };
    }
    let first_name = first_name.ok_or_else(|| required("first_name"))?;
    let last_name = last_name.ok_or_else(|| required("last_name"))?;
    Ok(Guest::New(User {
        id: Id::of(UserId::new()),
        email: invitation.email.clone(),
        password_hash: Some(app.passwords.hash(&password).await?),
        first_name: first_name.into(),
        last_name: last_name.into(),
        token_generation: 1,
    }))
}

/// Everything that an acceptance stores.
struct Entry {
    guest: Guest,
    invitation: Invitation,
    opening: Opening,
}

impl Entry {
    fn insert(self, tx: &mut Tx<'_>, by: &Actor) -> Result<(User, Business), ApiError> {
        let (now, invitation) = (Time::from(tx.now()), self.invitation);
        let business = BusinessId(invitation.business_id.0);
        businesses::hold(tx.conn, business)?;
        // As it is now: its role may have changed, and it may have been taken back.
        let current = invitations::get_open(tx.conn, business, invitation.id.0, now)?;
        let used =
            ApiError::new(StatusCode::GONE, "invitation_used", "This invitation cannot be used any more");
        let role = Role::from_stored(&current.ok_or(used)?.role);
        let user = match self.guest {
            Guest::Known(user) => user,
            Guest::New(user) => {
                users::insert(tx.conn, &user, &invitation.email_key, now).map_err(taken)?;
                user
            }
        };
        let id = UserId(user.id.0);
        let membership =
            memberships::insert(tx.conn, business, id, role, now).map_err(|error| match error {
                DbError::Duplicate { .. } => {
                    ApiError::conflict("already_member", "You are a member already; log in")
                }
                other => other.into(),
            })?;
        invitations::end(tx.conn, business, invitation.id, invitations::ACCEPTED, now)?;
        self.opening.insert(tx)?;
        let details = json!({"email": user.email, "role": role.as_str(), "invitation": invitation.id.0});
        audit::note(tx, by, Event::on(Action::MemberJoined, membership).with(details))?;
        Ok((user, businesses::get(tx.conn, business)?))
    }
}
