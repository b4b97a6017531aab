//! `/auth/password`: changing a password, and getting a new one without the old one.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use chrono::TimeDelta;
use common::db::{DbError, Time, Tx, lease};
use contracts::ids::UserId;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::auth::{UserBody, actor, audit_user, note_failure};
use super::body;
use super::fields::decode;
use super::openapi::ErrorBody;
use crate::app::App;
use crate::domain::audit::Action;
use crate::domain::person::{Email, Password};
use crate::error::ApiError;
use crate::identity::credential::{Member, signed_in};
use crate::identity::one_time::OneTime;
use crate::mails::{self, Mail};
use crate::store::audit::{self, Actor, Event};
use crate::store::password_resets::{self as resets, Reset};
use crate::store::users::{self, User};
use crate::store::{memberships, sessions};

/// Mails that one user is sent in an hour, whoever asks for them.
const MAILS_AN_HOUR: i64 = 3;

/// A change of one's password.
#[derive(ToSchema)]
#[schema(as = PasswordChange, example = json!({
    "current_password": "YourPassword123!", "new_password": "AnotherPassword456!"
}))]
#[expect(dead_code, reason = "the document's view of what `change` reads")]
pub(super) struct ChangeRequest {
    /// The one that counts until now.
    #[schema(format = Password)]
    current_password: String,
    /// The one that counts from now on.
    #[schema(format = Password, min_length = 8, max_length = 128)]
    new_password: String,
}

/// Change one's password. Other sessions of the user end, on every replica within five seconds; this one goes on.
#[utoipa::path(
    post,
    path = "/auth/password",
    operation_id = "changePassword",
    tag = "auth",
    security(("accessToken" = [])),
    request_body = ChangeRequest,
    responses(
        (status = 200, description = "Whose password it is.", body = UserBody),
        (status = 401, description = "`unauthorized`: no access token, or one that is not valid.", body = ErrorBody),
        (status = 403, description = "`wrong_password`: not the current one. `forbidden`: an API key is nobody's account.", body = ErrorBody),
        (status = 409, description = "`password_changed`: somebody changed it in the meantime.", body = ErrorBody)
    )
)]
pub(crate) async fn change(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let Member { user: id, session, tenant } = signed_in(&app, &request).await?;
    let (current, new) = decode(&body::json(&request, payload).await?, |fields| {
        // What cannot be a password is not the current one.
        let current = fields.text("current_password", |text| Ok(Password::parse(text).ok()));
        let new = fields.text("new_password", Password::parse);
        Some((current?, new?))
    })?;
    let wrong =
        || ApiError::new(StatusCode::FORBIDDEN, "wrong_password", "The current password is another one");
    let user = app.platform.database.read(move |db| users::get(db, id)).await.map_err(ApiError::from)?;
    let user: User = user.ok_or_else(wrong)?;
    let current = current.ok_or_else(wrong)?;
    if !app.passwords.verify(&current, user.password_hash.clone()).await? {
        note_failure(&app, &request, Some(id)).await?;
        return Err(wrong());
    }
    let hash = app.passwords.hash(&new).await?;
    let (standings, generation) = (app.standings.clone(), user.token_generation);
    let write = app.platform.database.write(move |tx| {
        set(tx, id, generation, &hash)?;
        sessions::take_along(tx.conn, id, session, generation + 1)?;
        audit_user(tx, &tenant.actor(), id, Action::PasswordChanged)?;
        tx.after_commit(move || standings.forget(|standing| standing.user == id));
        Ok::<_, ApiError>(())
    });
    write.await?;
    Ok(HttpResponse::Ok().json(UserBody::from(user)))
}

/// Sets a password. Sessions and mailed links of before are good for nothing from now on.
fn set(tx: &mut Tx<'_>, user: UserId, generation: i32, hash: &str) -> Result<(), ApiError> {
    let now = Time::from(tx.now());
    if !users::set_password(tx.conn, user, generation, hash, now)? {
        let message = "The password was changed in the meantime; try again with the new one";
        return Err(ApiError::conflict("password_changed", message));
    }
    Ok(resets::spend_all(tx.conn, user, now)?)
}

/// Somebody who has forgotten their password.
#[derive(ToSchema)]
#[schema(as = PasswordForgotten, example = json!({"email": "you@yourcompany.com"}))]
#[expect(dead_code, reason = "the document's view of what `forgot` reads")]
pub(super) struct ForgotRequest {
    #[schema(format = Email, max_length = 254)]
    email: String,
}

/// The same for everybody.
#[derive(Serialize, ToSchema)]
#[schema(as = PasswordForgottenAnswer, example = json!({
    "message": "If there is an account with this e-mail address and this server sends mail, a link is on its way"
}))]
pub(super) struct ForgotBody {
    message: &'static str,
}

/// Ask for a new password. Where a mail server is set, a link is mailed that is good once and for an hour; at most three an
/// hour and address. The answer is the same for an address that nobody has.
#[utoipa::path(
    post,
    path = "/auth/password/forgot",
    operation_id = "forgotPassword",
    tag = "auth",
    request_body = ForgotRequest,
    responses((status = 200, description = "If somebody has this address and a mail server is set (`ECHO_SMTP_URL`), a mail is on its way.", body = ForgotBody))
)]
pub(crate) async fn forgot(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let email = decode(&body::json(&request, payload).await?, |fields| fields.text("email", Email::parse))?;
    let token = OneTime::generate().map_err(ApiError::internal)?;
    let (id, key, hash) = (Uuid::now_v7(), email.key(), token.hash());
    let by = actor(&app, &request, None, None);
    let link = mails::link(&app, "reset-password", &token);
    let this = app.get_ref().clone();
    let write = app.platform.database.write(move |tx| {
        let mail = ask(tx, &by, id, (&key, &hash), &link)?;
        mails::stage(&this, tx, mail)
    });
    write.await?;
    let message =
        "If there is an account with this e-mail address and this server sends mail, a link is on its way";
    Ok(HttpResponse::Ok().json(ForgotBody { message }))
}

/// Notes that somebody asks, whoever it is. The mail is to nobody where there is no such user, or one who has had enough of them.
fn ask(
    tx: &mut Tx<'_>,
    by: &Actor,
    id: Uuid,
    (email_key, hash): (&str, &str),
    link: &str,
) -> Result<Mail, DbError> {
    let now = tx.now();
    lease::exclusive(tx.conn, &format!("password resets of {email_key}"))?;
    let user = users::by_email_key(tx.conn, email_key)?;
    let known = user.as_ref().map(|user| UserId(user.id.0));
    let enough = match known {
        Some(user) => resets::count_since(tx.conn, user, now - TimeDelta::hours(1))? >= MAILS_AN_HOUR,
        None => false,
    };
    // One more than enough is kept as nobody's: it costs the same and is good for nothing.
    resets::insert(tx.conn, known.filter(|_| !enough), id, hash, now)?;
    let mut business = None;
    match known {
        Some(known) => {
            audit_user(tx, by, known, Action::PasswordForgotten)?;
            business = memberships::of_user(tx.conn, known)?.first().map(|(business, _)| *business);
        }
        None => audit::note(tx, by, Event::of(Action::PasswordForgotten))?,
    }
    Ok(Mail {
        id,
        business,
        to: user.filter(|_| !enough).map(|user| user.email),
        subject: "A new password for your account on Echo".to_owned(),
        text: format!(
            "Somebody, probably you, asks for a new password for your account on Echo.\n\nTo set one, open this link within \
             an hour:\n\n{link}\n\nIf it was not you, do nothing: your password stays as it is.\n"
        ),
        good_for: resets::LIFE,
    })
}

/// A new password for who has the mail.
#[derive(ToSchema)]
#[schema(as = PasswordReset, example = json!({"token": "5f0c2a4be9d1733c80f6a1d25e4b97c8f10a6d3e2b5c49870f1e6d2c3b4a5968", "password": "AnotherPassword456!"}))]
#[expect(dead_code, reason = "the document's view of what `reset` reads")]
pub(super) struct ResetRequest {
    /// What stands in the mailed link.
    token: String,
    /// The new one.
    #[schema(format = Password, min_length = 8, max_length = 128)]
    password: String,
}

fn unknown() -> ApiError {
    ApiError::not_found("password_reset", "Request for a new password")
}

fn gone(code: &'static str, message: &str) -> ApiError {
    ApiError::new(StatusCode::GONE, code, message)
}

/// Set a new password with what was mailed. All sessions of the user end, on every replica within five seconds.
#[utoipa::path(
    post,
    path = "/auth/password/reset",
    operation_id = "resetPassword",
    tag = "auth",
    request_body = ResetRequest,
    responses(
        (status = 200, description = "Whose password it is; log in with it.", body = UserBody),
        (status = 404, description = "`password_reset_not_found`: nobody was mailed this.", body = ErrorBody),
        (status = 409, description = "`password_changed`: somebody changed it in the meantime.", body = ErrorBody),
        (status = 410, description = "`password_reset_used`, `password_reset_expired`: ask for another one.", body = ErrorBody)
    )
)]
pub(crate) async fn reset(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let (token, password) = decode(&body::json(&request, payload).await?, |fields| {
        let token = fields.text("token", |text| Ok(OneTime::sent(text)));
        let password = fields.text("password", Password::parse);
        Some((token?, password?))
    })?;
    let token_hash = token.hash();
    let found = app.platform.database.read(move |db| resets::find(db, &token_hash)).await;
    let reset: Reset = found.map_err(ApiError::from)?.ok_or_else(unknown)?;
    if reset.used {
        return Err(gone(
            "password_reset_used",
            "This link was used, or the password changed since; ask again",
        ));
    }
    if reset.expires_at <= app.platform.database.now() {
        return Err(gone("password_reset_expired", "This link has run out; ask for another one"));
    }
    let id = reset.user;
    let user = app.platform.database.read(move |db| users::get(db, id)).await.map_err(ApiError::from)?;
    let user: User = user.ok_or_else(unknown)?;
    let hash = app.passwords.hash(&password).await?;
    let (standings, generation) = (app.standings.clone(), user.token_generation);
    let by = actor(&app, &request, None, Some(id));
    let write = app.platform.database.write(move |tx| {
        let now = Time::from(tx.now());
        if !resets::mark_used(tx.conn, id, reset.id, now)? {
            return Err(gone("password_reset_used", "This link was used just now; log in, or ask again"));
        }
        set(tx, id, generation, &hash)?;
        audit_user(tx, &by, id, Action::PasswordReset)?;
        tx.after_commit(move || standings.forget(|standing| standing.user == id));
        Ok(())
    });
    write.await?;
    Ok(HttpResponse::Ok().json(UserBody::from(user)))
}
