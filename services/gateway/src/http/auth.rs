//! `/auth/signup` and `/auth/login`.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use common::db::{DbError, Id, Time, Tx};
use contracts::ids::{BusinessId, ProjectId, UserId};
use serde::Serialize;
use uuid::Uuid;

use super::body;
use super::fields::{Fields, decode};
use crate::app::App;
use crate::domain::api_key::ApiKey;
use crate::domain::person::{Email, Password};
use crate::domain::role::Role;
use crate::domain::text::{Label, PersonName, Summary};
use crate::error::ApiError;
use crate::identity::tokens::{Holder, Pair};
use crate::store::businesses::{self, Business};
use crate::store::refresh_tokens::{self, Issued};
use crate::store::users::{self, User};
use crate::store::{api_keys, memberships, projects};

/// The first project of a business, and its first key.
const DEFAULT: &str = "default";

/// Who signs up.
#[derive(Clone, Debug)]
struct Signup {
    email: Email,
    password: Password,
    first_name: PersonName,
    last_name: PersonName,
    business_name: Label,
    business_summary: Summary,
    industry: Label,
}

impl Signup {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let email = fields.text("email", Email::parse);
        let password = fields.text("password", Password::parse);
        let first_name = fields.text("first_name", PersonName::parse);
        let last_name = fields.text("last_name", PersonName::parse);
        let business_name = fields.text("business_name", Label::parse);
        let business_summary = fields.text("business_summary", Summary::parse);
        let industry = fields.text("industry", Label::parse);
        Some(Self {
            email: email?,
            password: password?,
            first_name: first_name?,
            last_name: last_name?,
            business_name: business_name?,
            business_summary: business_summary?,
            industry: industry?,
        })
    }
}

#[derive(Serialize)]
struct SessionBody {
    access_token: String,
    refresh_token: String,
    user: UserBody,
    business: BusinessBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_project: Option<ProjectBody>,
}

#[derive(Serialize)]
struct UserBody {
    id: Uuid,
    email: String,
    first_name: String,
    last_name: String,
}

#[derive(Serialize)]
struct BusinessBody {
    id: Uuid,
    name: String,
}

#[derive(Serialize)]
struct ProjectBody {
    id: ProjectId,
    name: &'static str,
    api_key: String,
}

fn session(pair: Pair, user: User, business: Business, default_project: Option<ProjectBody>) -> SessionBody {
    SessionBody {
        access_token: pair.access,
        refresh_token: pair.refresh,
        user: UserBody {
            id: user.id.0,
            email: user.email,
            first_name: user.first_name,
            last_name: user.last_name,
        },
        business: BusinessBody { id: business.id.0, name: business.name },
        default_project,
    }
}

/// `POST /auth/signup`: user, business, project and key in one step.
pub(crate) async fn signup(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let signup = decode(&body::json(&request, payload).await?, Signup::read)?;
    let password_hash = app.passwords.hash(&signup.password).await?;
    let key = ApiKey::generate().map_err(ApiError::internal)?;
    let user = User {
        id: Id::of(UserId::new()),
        email: signup.email.as_str().to_owned(),
        password_hash: Some(password_hash),
        first_name: signup.first_name.into(),
        last_name: signup.last_name.into(),
        token_generation: 1,
    };
    let business = Business {
        id: Id::of(BusinessId::new()),
        name: signup.business_name.into(),
        summary: signup.business_summary.into(),
        industry: signup.industry.into(),
    };
    let pair = issue(&app, &user, &business)?;
    let account =
        Account { user, email_key: signup.email.key(), business, project: ProjectId::new(), key, pair };
    let stored = account.clone();
    app.platform.database.write(move |tx| stored.insert(tx)).await.map_err(taken)?;
    let Account { user, business, project, key, pair, .. } = account;
    let project = ProjectBody { id: project, name: DEFAULT, api_key: key.reveal().to_owned() };
    Ok(HttpResponse::Created().json(session(pair, user, business, Some(project))))
}

fn taken(error: DbError) -> ApiError {
    match error {
        DbError::Duplicate { .. } => {
            ApiError::conflict("email_taken", "There is an account with this e-mail address")
        }
        other => other.into(),
    }
}

/// Everything that a signup stores.
#[derive(Clone)]
struct Account {
    user: User,
    email_key: String,
    business: Business,
    project: ProjectId,
    key: ApiKey,
    pair: Pair,
}

impl Account {
    fn insert(&self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        let now = Time::from(tx.now());
        let (user, business) = (UserId(self.user.id.0), BusinessId(self.business.id.0));
        users::insert(tx.conn, &self.user, &self.email_key, now)?;
        businesses::insert(tx.conn, &self.business, now)?;
        memberships::insert(tx.conn, business, user, Role::Owner, now)?;
        projects::insert(tx.conn, business, self.project, DEFAULT, now)?;
        api_keys::insert(tx.conn, self.project, DEFAULT, &self.key, now)?;
        refresh_tokens::insert(tx.conn, user, business, issued(&self.pair), now)
    }
}

fn issue(app: &App, user: &User, business: &Business) -> Result<Pair, ApiError> {
    let holder = Holder {
        user: UserId(user.id.0),
        email: user.email.clone(),
        business: BusinessId(business.id.0),
        generation: user.token_generation,
    };
    app.tokens.issue(&holder, app.platform.clock.now()).map_err(ApiError::internal)
}

/// A login begins a family: its first token lends it its id.
fn issued(pair: &Pair) -> Issued {
    Issued { id: pair.refresh_id, family_id: pair.refresh_id, expires_at: pair.refresh_expires.into() }
}

/// `POST /auth/login`.
pub(crate) async fn login(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    // What cannot be an address or a password is a wrong one: the answer is the same.
    let (email, password) = decode(&body::json(&request, payload).await?, |fields| {
        let email = fields.text("email", |text| Ok(Email::parse(text).ok()));
        let password = fields.text("password", |text| Ok(Password::parse(text).ok()));
        Some((email?, password?))
    })?;
    let (Some(email), Some(password)) = (email, password) else {
        return Err(ApiError::invalid_credentials());
    };
    let email_key = email.key();
    let found = app.platform.database.read(move |db| users::by_email_key(db, &email_key)).await;
    let found = found.map_err(ApiError::from)?;
    let stored = found.as_ref().and_then(|user| user.password_hash.clone());
    let right = app.passwords.verify(&password, stored).await?;
    let Some(user) = found.filter(|_| right) else { return Err(ApiError::invalid_credentials()) };
    let id = UserId(user.id.0);
    let business = app
        .platform
        .database
        .read(move |db| match memberships::first_business(db, id)? {
            Some(business) => businesses::get(db, business).map(Some),
            None => Ok::<_, DbError>(None),
        })
        .await?
        .ok_or_else(|| ApiError::forbidden("You are no member of any business"))?;
    let pair = issue(&app, &user, &business)?;
    let (token, of) = (issued(&pair), BusinessId(business.id.0));
    let note = app.platform.database.write(move |tx| {
        let now = Time::from(tx.now());
        refresh_tokens::insert(tx.conn, id, of, token, now)
    });
    note.await.map_err(ApiError::from)?;
    Ok(HttpResponse::Ok().json(session(pair, user, business, None)))
}
