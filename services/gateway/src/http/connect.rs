//! `POST /v1/connect-twilio` and `GET /v1/my-number`: an account of EchoLink, and the number that it answers.
//!
//! Twilio is asked before anything of an account is there, and no transaction waits for it. What comes before it is a row that
//! names the project to be: so what was refused, or what nobody knows the end of, is taken back (`tasks/undo_connections.rs`),
//! and whoever asks again goes on where they were. A token is passed on, kept sealed at the bridge, and never comes back.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time, Tx};
use contracts::calls::CountBotsRequest;
use contracts::ids::{BusinessId, ProjectId, UserId};
use contracts::rpc::{Context, RpcError};
use contracts::telephony::put_carrier_request::Carrier;
use contracts::telephony::{GetCarrierRequest, ProjectCarrier, PutCarrierRequest, TwilioAccount};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::auth::actor;
use super::body;
use super::fields::{Fields, decode};
use super::idempotent::{Failed, to_its_end};
use super::openapi::LinkErrorBody;
use crate::app::App;
use crate::domain::audit::Action;
use crate::domain::carrier::{account_sid, auth_token, phone_number_sid};
use crate::domain::connection::{Known, Plan, Refused, decide};
use crate::domain::person::Email;
use crate::domain::project_settings::ProjectSettings;
use crate::domain::role::{Operation, Role};
use crate::domain::text::{PersonName, line};
use crate::error::{ApiError, from_rpc};
use crate::identity::credential::{Member, authorise_link, bearer, signed_in};
use crate::identity::session::LinkOpening;
use crate::identity::tokens::LINK_LIFE;
use crate::store::audit::{self, Actor, Event};
use crate::store::businesses::{self, Business};
use crate::store::connections::{self, Connection};
use crate::store::memberships;
use crate::store::projects::{self, Project};
use crate::store::users::{self, User};

/// Twilio is asked two things, ten seconds each at most.
const CHECKED_WITHIN: Duration = Duration::from_secs(20);
/// How often a race with another request for the same account is decided again.
const TRIES: usize = 4;
/// The first project of a business.
const DEFAULT: &str = "default";
/// Longest name of a business, in characters.
const LONGEST_NAME: usize = 200;

/// Who connects which number.
#[derive(ToSchema)]
#[schema(as = NewConnection, example = json!({
    "first_name": "Jane", "last_name": "Doe", "email": "jane@eatery.com",
    "account_sid": "AC0123456789abcdef0123456789abcdef", "auth_token": "0123456789abcdef0123456789abcdef",
    "phone_number_sid": "PN0123456789abcdef0123456789abcdef"
}))]
#[expect(dead_code, reason = "the document's view of what `Connect::read` reads")]
pub(super) struct ConnectRequest {
    #[schema(min_length = 1, max_length = 200)]
    first_name: String,
    #[schema(min_length = 1, max_length = 200)]
    last_name: String,
    /// One account for an address, in capital letters or not.
    #[schema(format = Email, max_length = 254)]
    email: String,
    /// As Twilio's console shows it.
    #[schema(min_length = 1, max_length = 200)]
    account_sid: String,
    /// The account's token. It is checked with Twilio, kept sealed, and never shown.
    #[schema(min_length = 1, max_length = 200)]
    auth_token: String,
    /// The number that is to be answered, one of the account's.
    #[schema(min_length = 1, max_length = 200)]
    phone_number_sid: String,
}

/// A connected number.
#[derive(Serialize, ToSchema)]
#[schema(as = Connected, example = json!({
    "message": "Connected", "phone_number": "+14155551234", "access_token": "eyJhbGciOiJIUzI1NiI...",
    "token_type": "Bearer", "expires_in": 86400
}))]
pub(super) struct ConnectedBody {
    /// `Connected`.
    message: &'static str,
    /// E.164.
    phone_number: String,
    /// Good for EchoLink's operations.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// For how many seconds the token is good.
    expires_in: i64,
}

/// A number and who answers it.
#[derive(Serialize, ToSchema)]
#[schema(as = MyNumber, example = json!({"phone_number": "+14155551234", "bots_count": 2}))]
pub(super) struct MyNumberBody {
    /// E.164; null for an account without a number of its own.
    phone_number: Option<String>,
    /// How many bots the business has.
    bots_count: u32,
}

/// What is asked for. What cannot be a credential is a wrong one.
#[derive(Clone)]
struct Connect {
    first_name: PersonName,
    last_name: PersonName,
    email: Email,
    account_sid: String,
    auth_token: String,
    phone_number_sid: String,
}

impl Connect {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let first_name = fields.text("first_name", PersonName::parse);
        let last_name = fields.text("last_name", PersonName::parse);
        let email = fields.text("email", Email::parse);
        let account_sid = fields.text("account_sid", |text| line(text, 200));
        let auth_token = fields.text("auth_token", |text| line(text, 200));
        let phone_number_sid = fields.text("phone_number_sid", |text| line(text, 200));
        Some(Self {
            first_name: first_name?,
            last_name: last_name?,
            email: email?,
            account_sid: account_sid?,
            auth_token: auth_token?,
            phone_number_sid: phone_number_sid?,
        })
    }

    /// Refuses what Twilio would refuse, without asking it.
    fn check(&self) -> Result<(), ApiError> {
        account_sid(&self.account_sid).map_err(|problem| wrong("account_sid", &problem))?;
        auth_token(&self.auth_token).map_err(|problem| wrong("auth_token", &problem))?;
        phone_number_sid(&self.phone_number_sid).map_err(|problem| wrong("phone_number_sid", &problem))?;
        Ok(())
    }
}

/// 401: Twilio refuses a credential. What was sent is not repeated.
fn wrong(field: &str, problem: &str) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "twilio_refused", format!("{field} {problem}"))
}

/// What the bridge's refusal of an account means here.
fn failed(error: RpcError) -> ApiError {
    match error {
        RpcError::Invalid { field, problem } => wrong(&field, &problem),
        RpcError::Conflict { code, .. } if code == "number_in_use" => {
            ApiError::conflict("number_in_use", "This number is connected to another account")
        }
        other => from_rpc(other, "project", "Project"),
    }
}

fn refused(why: Refused) -> ApiError {
    match why {
        Refused::EmailTaken => ApiError::conflict(
            "email_taken",
            "There is an account with this e-mail address; send its access token as Authorization: Bearer",
        ),
        Refused::OtherAccount => ApiError::conflict(
            "other_account",
            "Another Twilio account is connected under this e-mail address",
        ),
    }
}

/// Where the number goes, and for whom.
#[derive(Clone, Debug)]
enum Aim {
    /// A user who is not there yet, with the project that they will have and when that is given up.
    New(ProjectId, DateTime<Utc>),
    /// A user who is there.
    Of(User, BusinessId, ProjectId),
}

impl Aim {
    fn project(&self) -> ProjectId {
        match self {
            Self::New(project, _) | Self::Of(_, _, project) => *project,
        }
    }
}

/// Connect a Twilio number: makes an account of EchoLink and answers its token, good for a day. The same address with the same
/// Twilio account gets another token, and token and number of the account are replaced. An account with a password gains the
/// number when its access token is sent as Bearer. Twilio is asked first; of what it refuses nothing is kept.
#[utoipa::path(
    post,
    path = "/v1/connect-twilio",
    operation_id = "connectTwilio",
    tag = "bots",
    security((), ("accessToken" = [])),
    request_body = ConnectRequest,
    responses(
        (status = 200, description = "The number, and the account's token.", body = ConnectedBody),
        (status = 401, description = "`twilio_refused`: Twilio does not know the account, its token or the number.",
            body = LinkErrorBody),
        (status = 403, description = "`forbidden`: you may not change what the project calls with.", body = LinkErrorBody),
        (status = 409, body = LinkErrorBody, description = "`email_taken`: the address has an account with a password; send \
            its access token. `other_account`: another Twilio account is connected under this address. `number_in_use`: the \
            number is connected to another account. `voice_url_not_public`: Twilio could not reach this Echo.")
    )
)]
pub(crate) async fn connect(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let wanted = decode(&body::json(&request, payload).await?, Connect::read)?;
    wanted.check()?;
    let member = signed_in_as(&app, &request).await?;
    let by = actor(&app, &request, None, None);
    let app = app.get_ref().clone();
    to_its_end(async move {
        for _ in 0..TRIES {
            match attempt(&app, &wanted, member.as_ref(), &by).await {
                Ok(connected) => return Ok(HttpResponse::Ok().json(connected)),
                Err(Failed::With(error)) => return Err(error),
                Err(Failed::Raced) => {}
            }
        }
        Err(ApiError::unavailable("requests to connect the same kept racing"))
    })
    .await
}

/// Once through all of it.
async fn attempt(
    app: &App,
    wanted: &Connect,
    member: Option<&Member>,
    by: &Actor,
) -> Result<ConnectedBody, Failed> {
    let aim = aim(app, wanted, member).await?;
    let carrier = match put(app, by, aim.project(), wanted).await {
        Ok(carrier) => carrier,
        Err(error) => return Err(withdrawn(app, &aim, error).await.into()),
    };
    match store(app, aim.clone(), wanted, by, &carrier).await {
        Ok(token) => Ok(ConnectedBody {
            message: "Connected",
            phone_number: carrier.phone_number,
            access_token: token,
            token_type: "Bearer",
            expires_in: LINK_LIFE.num_seconds(),
        }),
        Err(failed) => {
            give_up(app, &aim).await;
            Err(failed)
        }
    }
}

/// Whose access token came along. Another token is none: EchoLink's own may come with every request of a client.
async fn signed_in_as(app: &App, request: &HttpRequest) -> Result<Option<Member>, ApiError> {
    if bearer(request).is_none() {
        return Ok(None);
    }
    match signed_in(app, request).await {
        Ok(member) => Ok(Some(member)),
        Err(error) if error.status() == StatusCode::UNAUTHORIZED => Ok(None),
        Err(error) => Err(error),
    }
}

/// Decides where the number goes; for a new user, notes the project that they will have.
async fn aim(app: &App, wanted: &Connect, member: Option<&Member>) -> Result<Aim, Failed> {
    let (email_key, sid) = (wanted.email.key(), wanted.account_sid.clone());
    let key = email_key.clone();
    let found = app.platform.database.read(move |db| known(db, &key)).await.map_err(ApiError::from)?;
    let (user, connected) = found;
    let member = member.filter(|member| user.as_ref().is_some_and(|user| user.id.0 == member.user.0));
    let own = match member {
        Some(member) => connected_to(app, member).await?,
        None => None,
    };
    let known = Known {
        password: user.as_ref().map(|user| user.password_hash.is_some()),
        account_sid: own.as_deref().or(connected.as_ref().map(|c| c.account_sid.as_str())),
        signed_in: member.is_some(),
    };
    let plan = decide(known, &sid).map_err(|why| Failed::With(refused(why)))?;
    match (plan, user, member, connected) {
        (Plan::Gain, Some(user), Some(member), _) => {
            member.tenant.require(Operation::ManageCarrier)?;
            Ok(Aim::Of(user, member.tenant.business, member.tenant.project))
        }
        (Plan::Again, Some(user), _, Some(Connection { owner: Some((id, business)), .. })) => {
            let found = app.platform.database.read(move |db| first_project(db, id, business)).await;
            let project = found.map_err(ApiError::from)?;
            let project = project
                .ok_or_else(|| ApiError::forbidden("You may not change what the business calls with"))?;
            Ok(Aim::Of(user, business, project))
        }
        _ => begin(app, email_key, sid).await,
    }
}

/// The user with an address, and their connection.
fn known(db: &mut Db, email_key: &str) -> Result<(Option<User>, Option<Connection>), DbError> {
    // The user first: who is one has the connection that came with them.
    let user = users::by_email_key(db, email_key)?;
    let connection = connections::of_address(db, email_key)?.into_iter().find(|c| c.owner.is_some());
    Ok((user, connection))
}

/// The first project of a business whose carrier the user may set.
fn first_project(db: &mut Db, user: UserId, business: BusinessId) -> Result<Option<ProjectId>, DbError> {
    let own = memberships::of_user(db, user)?;
    let may = |role: &Role| role.may(Operation::ManageCarrier);
    match own.iter().any(|(of, role)| *of == business && may(role)) {
        true => projects::pick(db, business, None),
        false => Ok(None),
    }
}

/// The Twilio account that a member's project calls with.
async fn connected_to(app: &App, member: &Member) -> Result<Option<String>, ApiError> {
    let wanted = GetCarrierRequest { project_id: member.tenant.project.to_string() };
    let found = app.carriers.get_carrier(member.tenant.context(), wanted).await.map_err(failed)?;
    Ok(Some(found.account_sid).filter(|sid| !sid.is_empty()))
}

/// Notes the project of a new user, or goes on with what the same request has noted a moment ago.
async fn begin(app: &App, email_key: String, account_sid: String) -> Result<Aim, Failed> {
    let begun = app.platform.database.write(move |tx| {
        let now = tx.now();
        let known = connections::of_address(tx.conn, &email_key)?;
        match known.into_iter().find(|c| c.account_sid == account_sid) {
            None => {
                let project = ProjectId::new();
                let begun = connections::begin(tx.conn, project, (&email_key, &account_sid), now);
                let undo_at = begun.map_err(raced)?;
                Ok(Aim::New(project, undo_at))
            }
            Some(Connection { owner: None, undo_at: Some(at), project, .. }) if at > now => {
                Ok(Aim::New(project, connections::go_on(tx.conn, project, now)?))
            }
            Some(Connection { owner: None, .. }) => {
                Err(Failed::With(ApiError::unavailable("an earlier connection is being taken back")))
            }
            Some(_) => Err(Failed::Raced),
        }
    });
    begun.await
}

/// Has the bridge check the account with Twilio and keep it.
async fn put(
    app: &App,
    by: &Actor,
    project: ProjectId,
    wanted: &Connect,
) -> Result<ProjectCarrier, RpcError> {
    let account = TwilioAccount {
        account_sid: wanted.account_sid.clone(),
        auth_token: wanted.auth_token.clone(),
        phone_number_sid: wanted.phone_number_sid.clone(),
        ..TwilioAccount::default()
    };
    let request =
        PutCarrierRequest { project_id: project.to_string(), carrier: Some(Carrier::Twilio(account)) };
    let context = Context::within(CHECKED_WITHIN).caused_by(&by.request_id).for_tenant(project);
    app.carriers.put_carrier(context, request).await
}

/// After a refusal nothing of a new connection is left; of what nobody knows the end of, the row stays until it is taken back.
async fn withdrawn(app: &App, aim: &Aim, error: RpcError) -> ApiError {
    let is_refusal = matches!(error, RpcError::Invalid { .. } | RpcError::Conflict { .. });
    if let (Aim::New(project, undo_at), true) = (aim, is_refusal) {
        let (project, undo_at) = (*project, *undo_at);
        let forget = app.platform.database.write(move |tx| connections::forget(tx.conn, project, undo_at));
        warn(forget.await);
    }
    failed(error)
}

/// What the bridge keeps for a user who could not be stored is taken back soon, unless somebody else has gone on with it.
async fn give_up(app: &App, aim: &Aim) {
    if let Aim::New(project, undo_at) = aim {
        let (project, undo_at) = (*project, *undo_at);
        let write = app.platform.database.write(move |tx| {
            let now = tx.now();
            connections::give_up(tx.conn, project, undo_at, now)
        });
        warn(write.await);
    }
}

/// Another request was faster where a row is there already.
fn raced(error: DbError) -> Failed {
    match error {
        DbError::Duplicate { .. } => Failed::Raced,
        other => Failed::With(other.into()),
    }
}

fn warn(done: Result<(), DbError>) {
    if let Err(error) = done {
        tracing::warn!(%error, "what is left of a connection goes in a minute");
    }
}

/// Stores the account, if it is a new one, and begins a session. Answers its token.
async fn store(
    app: &App,
    aim: Aim,
    wanted: &Connect,
    by: &Actor,
    carrier: &ProjectCarrier,
) -> Result<String, Failed> {
    let (project, is_new) = (aim.project(), matches!(aim, Aim::New(..)));
    let (user, business) = match aim {
        Aim::New(..) => (new_user(wanted), new_business(wanted)),
        Aim::Of(user, business, _) => (user, Business { id: Id::of(business), ..new_business(wanted) }),
    };
    let (user_id, business_id) = (UserId(user.id.0), BusinessId(business.id.0));
    let opening = LinkOpening::new(app, &user, business_id)?;
    let (stored, email_key) = (opening.clone(), wanted.email.key());
    let by = Actor { business: Some(business_id), project: Some(project), ..by.clone() };
    let details = json!({"kind": carrier.kind, "account_sid": carrier.account_sid, "phone_number": carrier.phone_number});
    let write = app.platform.database.write(move |tx| {
        if is_new {
            insert(tx, (&user, &email_key), &business, project)?;
            audit::note(tx, &by, Event::on(Action::SignedUp, user_id))?;
        }
        stored.insert(tx)?;
        audit::note(tx, &by, Event::on(Action::CarrierSet, project).with(details.clone()))?;
        audit::note(tx, &by, Event::on(Action::SignedIn, user_id))
    });
    match write.await {
        Ok(()) => Ok(opening.into_token()),
        // Somebody has just become the user with this address: perhaps the same person, asking twice.
        Err(error) => Err(raced(error)),
    }
}

/// A user, their business, its first project and their membership.
fn insert(
    tx: &mut Tx<'_>,
    (user, email_key): (&User, &str),
    business: &Business,
    project: ProjectId,
) -> Result<(), DbError> {
    let now = Time::from(tx.now());
    let owner = (UserId(user.id.0), BusinessId(business.id.0));
    users::insert(tx.conn, user, email_key, now)?;
    businesses::insert(tx.conn, business, now)?;
    memberships::insert(tx.conn, owner.1, owner.0, Role::Owner, now)?;
    let made = Project {
        id: project,
        business: owner.1,
        name: DEFAULT.to_owned(),
        settings: ProjectSettings::default(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    projects::insert(tx.conn, &made)?;
    match connections::finish(tx.conn, project, owner)? {
        true => Ok(()),
        false => Err(DbError::Unavailable("the connection took too long and was given up".to_owned())),
    }
}

fn new_user(wanted: &Connect) -> User {
    User {
        id: Id::of(UserId::new()),
        email: wanted.email.as_str().to_owned(),
        password_hash: None,
        first_name: wanted.first_name.clone().into(),
        last_name: wanted.last_name.clone().into(),
        token_generation: 1,
    }
}

/// Named after its owner, who has said nothing of it.
fn new_business(wanted: &Connect) -> Business {
    let whole = format!("{} {}", wanted.first_name.as_ref(), wanted.last_name.as_ref());
    let name = whole.chars().take(LONGEST_NAME).collect();
    Business { id: Id::of(BusinessId::new()), name, summary: String::new(), industry: String::new() }
}

/// The number of one's own, and how many bots there are.
#[utoipa::path(
    get,
    path = "/v1/my-number",
    operation_id = "getMyNumber",
    tag = "bots",
    responses((status = 200, description = "Number and count.", body = MyNumberBody))
)]
pub(crate) async fn my_number(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise_link(&app, &request, Operation::Read).await?;
    let carrier = GetCarrierRequest { project_id: tenant.project.to_string() };
    let bots = CountBotsRequest { business_id: tenant.business.to_string() };
    let (carrier, bots) = tokio::join!(
        app.carriers.get_carrier(tenant.context(), carrier),
        app.bots.count_bots(tenant.context(), bots)
    );
    let carrier = carrier.map_err(failed)?;
    // The operator's number is nobody's own.
    let own = carrier.kind != "operator" && !carrier.phone_number.is_empty();
    let phone_number = Some(carrier.phone_number).filter(|_| own);
    let bots_count = bots.map_err(failed)?.count;
    Ok(HttpResponse::Ok().json(MyNumberBody { phone_number, bots_count }))
}
