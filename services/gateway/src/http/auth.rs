//! `/auth/signup` and `/auth/login`: the ways into an account.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use common::db::{Db, DbError, Id, Time, Tx};
use contracts::ids::{BusinessId, ProjectId, UserId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::body;
use super::fields::{Fields, decode};
use super::openapi::ErrorBody;
use super::request_id::RequestId;
use crate::app::App;
use crate::domain::api_key::ApiKey;
use crate::domain::audit::Action;
use crate::domain::person::{Email, Password};
use crate::domain::project_settings::ProjectSettings;
use crate::domain::role::Role;
use crate::domain::text::{Label, PersonName, Summary};
use crate::error::ApiError;
use crate::identity::credential::Subject;
use crate::identity::session::Opening;
use crate::identity::tokens::Pair;
use crate::store::audit::{self, Actor, Event};
use crate::store::businesses::{self, Business};
use crate::store::projects::{self, Project};
use crate::store::users::{self, User};
use crate::store::{api_keys, memberships};

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

/// What a login, a refresh and a signup answer.
#[derive(Serialize, ToSchema)]
#[schema(as = Session, example = json!({
    "access_token": "eyJhbGci...", "refresh_token": "eyJhbGci...",
    "user": {
        "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "email": "you@yourcompany.com", "first_name": "Jane", "last_name": "Doe"
    },
    "business": {"id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f34", "name": "Acme Inc"},
    "default_project": {
        "id": "e56b4c35-882d-4604-9944-9763d314ea59", "name": "default", "api_key": "echo_6f437a610fbb..."
    }
}))]
pub(crate) struct SessionBody {
    /// Good for an hour, wherever an API key is accepted.
    access_token: String,
    /// Good once, for thirty days.
    refresh_token: String,
    user: UserBody,
    business: BusinessBody,
    /// Only in the answer to a signup.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    default_project: Option<ProjectBody>,
}

/// A user as they are answered.
#[derive(Serialize, ToSchema)]
#[schema(as = User, example = json!({
    "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "email": "you@yourcompany.com", "first_name": "Jane", "last_name": "Doe"
}))]
pub(crate) struct UserBody {
    id: Uuid,
    email: String,
    first_name: String,
    last_name: String,
}

/// A business beside its user.
#[derive(Serialize, ToSchema)]
#[schema(as = BusinessName, example = json!({"id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f34", "name": "Acme Inc"}))]
pub(crate) struct BusinessBody {
    id: Uuid,
    name: String,
}

/// The first project, with its first key.
#[derive(Serialize, ToSchema)]
#[schema(as = DefaultProject)]
pub(crate) struct ProjectBody {
    #[schema(value_type = Uuid)]
    id: ProjectId,
    /// `default`.
    name: &'static str,
    /// Shown here and never again.
    api_key: String,
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self { id: user.id.0, email: user.email, first_name: user.first_name, last_name: user.last_name }
    }
}

impl From<Business> for BusinessBody {
    fn from(business: Business) -> Self {
        Self { id: business.id.0, name: business.name }
    }
}

/// The answer to one who has just proved who they are.
pub(crate) fn session(pair: Pair, user: User, business: Business) -> SessionBody {
    SessionBody {
        access_token: pair.access,
        refresh_token: pair.refresh,
        user: user.into(),
        business: business.into(),
        default_project: None,
    }
}

/// Who does something under `/auth`, for the audit log.
pub(crate) fn actor(
    app: &App,
    request: &HttpRequest,
    business: Option<BusinessId>,
    user: Option<UserId>,
) -> Actor {
    Actor {
        business,
        project: None,
        subject: user.map(Subject::User),
        address: app.limits.client(request),
        request_id: RequestId::of(request).as_str().to_owned(),
    }
}

/// Who signs up: a person, and what the calls of their business say about it.
#[derive(ToSchema)]
#[schema(as = Signup, example = json!({
    "email": "you@yourcompany.com", "password": "YourPassword123!", "first_name": "Jane", "last_name": "Doe",
    "business_name": "Acme Inc", "business_summary": "A SaaS platform for project management", "industry": "Software"
}))]
#[expect(dead_code, reason = "the document's view of what `signup` reads")]
pub(super) struct SignupRequest {
    /// One account for an address, in capital letters or not. Nothing is sent to it now; later invitations and new passwords are.
    #[schema(format = Email, max_length = 254)]
    email: String,
    /// 8 to 128 characters; there is no other rule.
    #[schema(format = Password, min_length = 8, max_length = 128)]
    password: String,
    #[schema(min_length = 1, max_length = 200)]
    first_name: String,
    #[schema(min_length = 1, max_length = 200)]
    last_name: String,
    /// Fills `{{business_name}}`.
    #[schema(min_length = 1, max_length = 200)]
    business_name: String,
    /// Fills `{{business_summary}}`.
    #[schema(min_length = 1, max_length = 4000)]
    business_summary: String,
    /// Fills `{{industry}}`.
    #[schema(min_length = 1, max_length = 200)]
    industry: String,
}

/// Make an account: user, business, a project named `default` and its first key, in one step. `Idempotency-Key` is ignored.
#[utoipa::path(
    post,
    path = "/auth/signup",
    operation_id = "signUp",
    tag = "auth",
    request_body = SignupRequest,
    responses(
        (status = 201, description = "The account, and the key that is shown only here.", body = SessionBody),
        (status = 409, description = "`email_taken`: there is an account with this address.", body = ErrorBody)
    )
)]
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
    let opening = Opening::new(&app, &user, BusinessId(business.id.0))?;
    let by = actor(&app, &request, Some(BusinessId(business.id.0)), Some(UserId(user.id.0)));
    let account =
        Account { user, email_key: signup.email.key(), business, project: ProjectId::new(), key, opening };
    let stored = account.clone();
    app.platform.database.write(move |tx| stored.insert(tx, &by)).await.map_err(taken)?;
    let Account { user, business, project, key, opening, .. } = account;
    let project = ProjectBody { id: project, name: DEFAULT, api_key: key.reveal().to_owned() };
    let body = SessionBody { default_project: Some(project), ..session(opening.into_pair(), user, business) };
    Ok(HttpResponse::Created().json(body))
}

/// What a failed insert of a user means.
pub(crate) fn taken(error: DbError) -> ApiError {
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
    opening: Opening,
}

impl Account {
    fn insert(&self, tx: &mut Tx<'_>, by: &Actor) -> Result<(), DbError> {
        let now = Time::from(tx.now());
        let (user, business) = (UserId(self.user.id.0), BusinessId(self.business.id.0));
        users::insert(tx.conn, &self.user, &self.email_key, now)?;
        businesses::insert(tx.conn, &self.business, now)?;
        memberships::insert(tx.conn, business, user, Role::Owner, now)?;
        let project = Project {
            id: self.project,
            business,
            name: DEFAULT.to_owned(),
            settings: ProjectSettings::default(),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        projects::insert(tx.conn, &project)?;
        api_keys::insert(tx.conn, self.project, DEFAULT, &self.key, now)?;
        self.opening.insert(tx)?;
        audit::note(tx, by, Event::on(Action::SignedUp, user))
    }
}

/// Who logs in. What cannot be an address or a password is a wrong one: the answer is the same.
struct Login {
    email: Option<Email>,
    password: Option<Password>,
    business: Option<BusinessId>,
}

impl Login {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let email = fields.text("email", |text| Ok(Email::parse(text).ok()));
        let password = fields.text("password", |text| Ok(Password::parse(text).ok()));
        let business = fields.optional_id("business_id");
        Some(Self { email: email?, password: password?, business: business? })
    }
}

/// Who logs in.
#[derive(ToSchema)]
#[schema(as = Login, example = json!({"email": "you@yourcompany.com", "password": "YourPassword123!"}))]
#[expect(dead_code, reason = "the document's view of what `login` reads")]
pub(super) struct LoginRequest {
    email: String,
    /// Of the account with this address.
    #[schema(format = Password)]
    password: String,
    /// For members of several businesses; otherwise the one of the oldest membership.
    #[schema(required = false)]
    business_id: Option<Uuid>,
}

/// Log in. Begins a session; how many a user has is not limited.
#[utoipa::path(
    post,
    path = "/auth/login",
    operation_id = "logIn",
    tag = "auth",
    request_body = LoginRequest,
    responses(
        (status = 200, description = "The tokens of a new session.", body = SessionBody),
        (status = 401, description = "`invalid_credentials`: address or password is wrong.", body = ErrorBody),
        (status = 403, description = "`forbidden`: you are no member of any business, or not of this one.", body = ErrorBody)
    )
)]
pub(crate) async fn login(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let Login { email, password, business } = decode(&body::json(&request, payload).await?, Login::read)?;
    let (Some(email), Some(password)) = (email, password) else {
        return Err(ApiError::invalid_credentials());
    };
    let found = prove(&app, &email, &password).await?;
    let Proved::Right(user) = found else {
        let user = found.known();
        note_failure(&app, &request, user).await?;
        return Err(ApiError::invalid_credentials());
    };
    let id = UserId(user.id.0);
    let found = app.platform.database.read(move |db| membership(db, id, business)).await;
    let business = found
        .map_err(ApiError::from)?
        .ok_or_else(|| ApiError::forbidden("You are no member of any business, or not of this one"))?;
    let opening = Opening::new(&app, &user, BusinessId(business.id.0))?;
    let (stored, by) = (opening.clone(), actor(&app, &request, Some(BusinessId(business.id.0)), Some(id)));
    let begin = app.platform.database.write(move |tx| {
        stored.insert(tx)?;
        audit::note(tx, &by, Event::on(Action::SignedIn, id))
    });
    begin.await.map_err(ApiError::from)?;
    Ok(HttpResponse::Ok().json(session(opening.into_pair(), user, business)))
}

/// Whether an address and a password belong together.
pub(crate) enum Proved {
    /// They do.
    Right(User),
    /// The password is wrong.
    Wrong(UserId),
    /// Nobody has this address.
    Nobody,
}

impl Proved {
    /// Whose address it is.
    pub(crate) fn known(&self) -> Option<UserId> {
        match self {
            Self::Right(user) => Some(UserId(user.id.0)),
            Self::Wrong(user) => Some(*user),
            Self::Nobody => None,
        }
    }
}

/// Checks a password; with the same work for an address that nobody has.
///
/// # Errors
/// 503 when too many wait.
pub(crate) async fn prove(app: &App, email: &Email, password: &Password) -> Result<Proved, ApiError> {
    let email_key = email.key();
    let found = app.platform.database.read(move |db| users::by_email_key(db, &email_key)).await;
    let found = found.map_err(ApiError::from)?;
    let stored = found.as_ref().and_then(|user| user.password_hash.clone());
    let right = app.passwords.verify(password, stored).await?;
    Ok(match found {
        Some(user) if right => Proved::Right(user),
        Some(user) => Proved::Wrong(UserId(user.id.0)),
        None => Proved::Nobody,
    })
}

/// Notes that somebody could not prove who they are. An unknown address is noted, too: it costs the same time.
pub(crate) async fn note_failure(
    app: &App,
    request: &HttpRequest,
    user: Option<UserId>,
) -> Result<(), ApiError> {
    let by = actor(app, request, None, None);
    let note = app.platform.database.write(move |tx| match user {
        Some(user) => audit_user(tx, &by, user, Action::SignInFailed),
        None => audit::note(tx, &by, Event::of(Action::SignInFailed)),
    });
    note.await.map_err(ApiError::from)
}

/// Notes what happened to a user in the log of every business that they are a member of.
pub(crate) fn audit_user(tx: &mut Tx<'_>, by: &Actor, user: UserId, action: Action) -> Result<(), DbError> {
    for (business, _) in memberships::of_user(tx.conn, user)? {
        let by = Actor { business: Some(business), ..by.clone() };
        audit::note(tx, &by, Event::on(action, user))?;
    }
    Ok(())
}

/// The named business of a user, or the one that they have been a member of for the longest time.
fn membership(db: &mut Db, user: UserId, named: Option<BusinessId>) -> Result<Option<Business>, DbError> {
    let own = memberships::of_user(db, user)?;
    let found = own.into_iter().find(|(business, _)| named.is_none_or(|named| named == *business));
    found.map(|(business, _)| businesses::get(db, business)).transpose()
}
