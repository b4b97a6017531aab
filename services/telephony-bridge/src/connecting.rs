//! Gives a project a carrier, and its number to a bot. An account of its own is looked at with Twilio first, so that what is
//! stored can call; all of that comes before the transaction. The sandbox's account is looked at with the sandbox.

use common::config::Secret;
use contracts::ids::{BotId, CarrierId, ProjectId};
use contracts::rpc::RpcError;
use contracts::telephony::TwilioAccount;
use twilio::rest::{AccountStatus, ApiError, Error, PhoneNumber};
use twilio::{AccountSid, PhoneNumberSid};

use crate::app::App;
use crate::carrier::Carrier;
use crate::error::BridgeError;
use crate::handlers::carriers::failed;
use crate::store::project_carriers::{self, Choice, Chosen, OwnAccount};

/// Twilio's own limit for an account that has agreed on nothing else.
const DEFAULT_PACE: u32 = 1;

/// Gives the project an account of its own.
pub(crate) async fn twilio(app: &App, project: ProjectId, wanted: TwilioAccount) -> Result<Chosen, RpcError> {
    let sid = wanted.account_sid.parse().map_err(|e| invalid("account_sid", format!("is no SID: {e}")));
    // What is no SID is no account of the sandbox either.
    refuse_if_out_of_reach(app, sid.as_ref().ok())?;
    let sid: AccountSid = sid?;
    let number_sid: PhoneNumberSid = wanted
        .phone_number_sid
        .parse()
        .map_err(|e| invalid("phone_number_sid", format!("is no SID: {e}")))?;
    let token = Secret::new(wanted.auth_token);
    let carrier = app
        .carriers
        .carrier(None, sid.clone(), token.clone(), String::new(), f64::from(DEFAULT_PACE))
        .map_err(failed)?;
    check_account(&carrier).await?;
    let number = check_number(&carrier, &number_sid).await?;
    let phone_number = number.phone_number.clone().unwrap_or_default();
    refuse_if_taken(app, project, &phone_number).await?;
    if wanted.configure_number {
        configure(app, &carrier, &number, None).await?;
    }
    let account = Checked {
        token,
        account: OwnAccount {
            account_sid: sid.to_string(),
            auth_token: String::new(),
            phone_number_sid: number_sid.to_string(),
            phone_number,
            calls_per_second: match wanted.calls_per_second {
                0 => DEFAULT_PACE,
                pace => pace,
            },
        },
    };
    store(app, project, account).await
}

/// Lets a bot answer the project's own number. Answers the number.
pub(crate) async fn answer_with_bot(app: &App, project: ProjectId, bot: BotId) -> Result<String, RpcError> {
    let read = move |db: &mut common::db::Db| project_carriers::of_project(db, project);
    let chosen = app.platform.database.read(read).await.map_err(|e| failed(e.into()))?;
    let Some(Chosen { id, choice: Choice::Twilio(account), .. }) = chosen else { return Err(no_number()) };
    let carrier = app.carriers.own(id, &account).map_err(failed)?;
    refuse_if_out_of_reach(app, Some(&carrier.account.sid))?;
    let sid = account.phone_number_sid.parse().map_err(|_| no_number())?;
    let number = carrier.look_at_number(&sid).await.map_err(|error| match error {
        Error::Api(ApiError { status: 401 | 403, .. }) => {
            let message = "Twilio does not accept the stored token any more; connect the account again";
            conflict("account_refused", message)
        }
        Error::Api(error) if error.is_not_found() => {
            let message = "The account does not own its number any more; connect another one";
            conflict("no_number", message)
        }
        other => away(other),
    })?;
    configure(app, &carrier, &number, Some(bot)).await?;
    Ok(account.phone_number)
}

fn no_number() -> RpcError {
    conflict("no_number", "The project has no number of its own; connect a Twilio account with one first")
}

/// Twilio has to reach us; the sandbox is beside us.
fn refuse_if_out_of_reach(app: &App, sid: Option<&AccountSid>) -> Result<(), RpcError> {
    if !app.config.out_of_twilios_reach || sid.is_some_and(|sid| app.carriers.is_sandboxs(sid)) {
        return Ok(());
    }
    let message = format!(
        "Twilio cannot reach this Echo at {}: its operator has to set ECHO_VOICE_URL to a public address",
        app.config.voice_url
    );
    Err(conflict("voice_url_not_public", message))
}

/// Lets the project call with the sandbox alone.
pub(crate) async fn sandbox(app: &App, project: ProjectId) -> Result<Chosen, RpcError> {
    if app.carriers.sandbox().is_none() {
        let message = "This Echo has no sandbox carrier: its operator has to set ECHO_SANDBOX_URL, \
                       ECHO_SANDBOX_ACCOUNT_SID and ECHO_SANDBOX_AUTH_TOKEN";
        return Err(conflict("no_sandbox", message));
    }
    let chosen = app.write(move |tx| {
        let now = tx.now();
        match project_carriers::of_project(tx.conn, project)? {
            Some(chosen) if chosen.choice == Choice::Sandbox => Ok(chosen),
            _ => {
                project_carriers::retire(tx.conn, project, now)?;
                let chosen = Chosen::new(CarrierId::new(), project, Choice::Sandbox, now);
                project_carriers::insert(tx.conn, &chosen)?;
                Ok(chosen)
            }
        }
    });
    chosen.await.map_err(failed)
}

/// An account that Twilio knows, before its token is sealed.
#[derive(Clone)]
struct Checked {
    token: Secret,
    account: OwnAccount,
}

async fn store(app: &App, project: ProjectId, checked: Checked) -> Result<Chosen, RpcError> {
    let carriers = app.carriers.clone();
    let stored = app.write(move |tx| {
        let now = tx.now();
        let Checked { token, account } = checked.clone();
        if project_carriers::number_taken(tx.conn, project, &account.phone_number)? {
            return Ok(None);
        }
        let known = project_carriers::of_project(tx.conn, project)?;
        if let Some(known) = known.filter(|known| known.same_number(&account)) {
            // The token may be a new one; the calls that run are told apart by the account.
            let auth_token = carriers.seal(known.id, &token)?;
            let choice = Choice::Twilio(OwnAccount { auth_token, ..account });
            return Ok(Some(project_carriers::save(tx.conn, Chosen { choice, ..known }, now)?));
        }
        project_carriers::retire(tx.conn, project, now)?;
        let id = CarrierId::new();
        let auth_token = carriers.seal(id, &token)?;
        let choice = Choice::Twilio(OwnAccount { auth_token, ..account });
        let chosen = Chosen::new(id, project, choice, now);
        project_carriers::insert(tx.conn, &chosen)?;
        Ok(Some(chosen))
    });
    match stored.await {
        Ok(Some(chosen)) => Ok(chosen),
        Ok(None) | Err(BridgeError::Db(common::db::DbError::Duplicate { .. })) => Err(number_in_use()),
        Err(error) => Err(failed(error)),
    }
}

impl Chosen {
    fn same_number(&self, account: &OwnAccount) -> bool {
        matches!(&self.choice, Choice::Twilio(own)
            if own.account_sid == account.account_sid && own.phone_number_sid == account.phone_number_sid
                && own.phone_number == account.phone_number)
    }
}

async fn check_account(carrier: &Carrier) -> Result<(), RpcError> {
    let account = carrier.look_at_account().await.map_err(|error| match error {
        Error::Api(ApiError { status: 401 | 403, .. }) => {
            invalid("auth_token", "is not the token of this account: Twilio refuses the two together")
        }
        Error::Api(error) if error.is_not_found() => {
            invalid("account_sid", "is no account that Twilio knows")
        }
        other => away(other),
    })?;
    match account.status {
        Some(AccountStatus::Suspended | AccountStatus::Closed) => {
            Err(invalid("account_sid", "is an account that Twilio has suspended or closed"))
        }
        _ => Ok(()),
    }
}

async fn check_number(carrier: &Carrier, sid: &PhoneNumberSid) -> Result<PhoneNumber, RpcError> {
    let number = carrier.look_at_number(sid).await.map_err(|error| match error {
        Error::Api(error) if error.is_not_found() => invalid(
            "phone_number_sid",
            "is no number of this account; its numbers are listed in Twilio's console",
        ),
        other => away(other),
    })?;
    if number.capabilities.voice == Some(false) {
        return Err(invalid("phone_number_sid", "is a number that cannot make voice calls"));
    }
    if number.phone_number.is_none() {
        return Err(RpcError::Unavailable("Twilio does not say which number it is".to_owned()));
    }
    Ok(number)
}

async fn refuse_if_taken(app: &App, project: ProjectId, phone_number: &str) -> Result<(), RpcError> {
    let wanted = phone_number.to_owned();
    let taken = app.platform.database.read(move |db| project_carriers::number_taken(db, project, &wanted));
    if taken.await.map_err(|e| failed(e.into()))? { Err(number_in_use()) } else { Ok(()) }
}

/// Lets calls to the number come to us: to this bot, or from customers who ring back.
async fn configure(
    app: &App,
    carrier: &Carrier,
    number: &PhoneNumber,
    bot: Option<BotId>,
) -> Result<(), RpcError> {
    if number.trunk_sid.is_some() {
        let message = "The number's calls go to a SIP trunk; take the number out of the trunk first, or leave \
                       configure_number out";
        return Err(conflict("number_has_trunk", message));
    }
    carrier.answer_number(&app.urls, &number.sid, bot).await.map_err(|error| match error {
        Error::Api(error) if error.status < 500 && !error.is_rate_limit() => {
            invalid("configure_number", format!("cannot be done: Twilio says: {}", error.message))
        }
        other => away(other),
    })
}

fn away(error: Error) -> RpcError {
    tracing::warn!(%error, "an account could not be checked");
    RpcError::Unavailable("Twilio gives no useful answer now".to_owned())
}

fn number_in_use() -> RpcError {
    let message = "Another project calls from this number; a number belongs to one project";
    conflict("number_in_use", message)
}

fn conflict(code: &str, message: impl Into<String>) -> RpcError {
    RpcError::Conflict { code: code.to_owned(), message: message.into() }
}

fn invalid(field: &str, problem: impl Into<String>) -> RpcError {
    RpcError::Invalid { field: field.to_owned(), problem: problem.into() }
}
