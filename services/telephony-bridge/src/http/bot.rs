//! A call to a bot. Its address names the bot and, at first, nothing of ours: whose bot it is says the orchestrator, and the
//! call is believed when the account of that project has signed it. Whatever is away meanwhile, the caller hears something.

use std::time::Instant;

use actix_web::HttpResponse;
use common::clock::to_millis;
use common::db::{DbError, Tx};
use common::telemetry::Masked;
use contracts::calls::{BeginBotCallRequest, FindBotRequest};
use contracts::ids::{AttemptId, BotId, CallId, CarrierId, ProjectId};
use contracts::rpc::{Context, RpcError};
use twilio::CallSid;

use super::ask::ASK_AGAIN;
use super::signed::{Refused, Signed};
use super::voice::document;
use crate::app::{App, count};
use crate::carrier::Carrier;
use crate::domain::attempt::AttemptState;
use crate::domain::caller::caller_number;
use crate::domain::document::{hang_up, say_it_again, unknown_call, wait_at_the_door};
use crate::domain::patience::OwnWords;
use crate::domain::urls::Place;
use crate::error::BridgeError;
use crate::store::attempts::{self, Attempt};
use crate::store::bot_turns;

/// Only a bound: the bot ends a call itself, long before that.
const TIME_LIMIT_SECONDS: u32 = 3_600;

/// What a request names instead of an attempt.
#[derive(Clone)]
struct Named {
    bot: BotId,
    account: String,
    sid: CallSid,
}

impl Named {
    /// `None`: an id that no bot has, or no call.
    fn by(signed: &Signed) -> Option<Self> {
        let (bot, sid) = (signed.bot()?, signed.request.call_sid.clone()?);
        Some(Self { bot, account: signed.account_sid().to_owned(), sid })
    }

    /// The call, if it is known and the bot's.
    fn find(&self, tx: &mut Tx<'_>) -> Result<Option<Attempt>, DbError> {
        attempts::of_call(tx.conn, &self.account, self.sid.as_str())
    }

    fn is_of(&self, attempt: &Attempt) -> bool {
        attempt.bot == Some(self.bot)
    }
}

/// Whose call it is.
enum Whose {
    Attempt(AttemptId),
    /// There is no such bot that answers, or the call is somebody else's.
    Nobody,
    /// The account that signed is not the bot's.
    OtherAccount,
}

/// Enters a call to a bot, unless it is there already.
///
/// # Errors
/// What is answered instead of a conversation.
pub(super) async fn arrive(app: &App, signed: &Signed, began: Instant) -> Result<Place, HttpResponse> {
    let Some(named) = Named::by(signed) else { return Err(document(&unknown_call())) };
    let (bot, fill) = (named.bot, signed.number("fill"));
    let until = began + app.config.deadlines.known;
    let whose = tokio::time::timeout_at(until.into(), whose_call(app, signed, named, until)).await;
    match whose.unwrap_or(Err(BridgeError::Slow)) {
        // Whoever was asked to wait at the door has said nothing yet that they could say again: the patience starts anew.
        Ok(Whose::Attempt(attempt)) => Ok(Place { attempt, turn: 0, part: 0, fill: 0, sorry: 0 }),
        Ok(Whose::Nobody) => {
            tracing::info!(%bot, "somebody called a bot that does not answer");
            count(app.numbers.inbound.as_ref(), "no_bot");
            Err(document(&unknown_call()))
        }
        Ok(Whose::OtherAccount) => Err(Refused::OTHER_ACCOUNT.response(app)),
        Err(error) => {
            tracing::warn!(%bot, %error, "whose bot it is could not be found out");
            Err(spoken(app, wait_at_the_door(&app.urls, bot, fill)))
        }
    }
}

fn spoken(app: &App, (words, response): (OwnWords, twilio::twiml::Response)) -> HttpResponse {
    count(app.numbers.own_words.as_ref(), words.as_str());
    document(&response)
}

async fn whose_call(app: &App, signed: &Signed, named: Named, until: Instant) -> Result<Whose, BridgeError> {
    let (account, sid) = (named.account.clone(), named.sid.to_string());
    let known = app.platform.database.read(move |db| attempts::of_call(db, &account, &sid)).await?;
    if let Some(known) = known.as_ref().filter(|known| named.is_of(known)) {
        return Ok(Whose::Attempt(known.id));
    }
    let (project, carrier) = match whose_bot(app, &named, until).await? {
        WhoseBot::OfSigner(project, carrier) => (project, carrier),
        WhoseBot::OfAnother => return Ok(Whose::OtherAccount),
        WhoseBot::Nobodys => return Ok(Whose::Nobody),
    };
    if known.is_some() {
        return Ok(Whose::Nobody);
    }
    let (from, to) = (caller_number(signed.request.from.as_deref()), signed.request.to.clone());
    tracing::info!(bot = %named.bot, from = %Masked(&from), "somebody calls a bot");
    let call = Entry { named, project, carrier: carrier.id, from, to: to.unwrap_or_default() };
    let check_after = app.config.check_after;
    app.write(move |tx| Ok(call.enter(tx, check_after)?)).await
}

/// Whose bot it is, seen from the account that has signed.
enum WhoseBot {
    /// Of this project, which calls with that account.
    OfSigner(ProjectId, Box<Carrier>),
    OfAnother,
    /// No bot that answers has this id.
    Nobodys,
}

async fn whose_bot(app: &App, named: &Named, until: Instant) -> Result<WhoseBot, BridgeError> {
    let Some(project) = project_of(app, named.bot, until).await? else { return Ok(WhoseBot::Nobodys) };
    let carrier = app.carriers.speaking_for(project, &named.account).await?;
    Ok(carrier.map_or(WhoseBot::OfAnother, |carrier| WhoseBot::OfSigner(project, Box::new(carrier))))
}

/// The project of a bot that answers.
async fn project_of(app: &App, bot: BotId, until: Instant) -> Result<Option<ProjectId>, BridgeError> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let request = FindBotRequest { bot_id: bot.to_string() };
        match app.inbound.find_bot(Context::within(left), request).await {
            Ok(found) => return Ok(Some(found.project_id.parse()?)),
            Err(RpcError::NotFound(_)) => return Ok(None),
            // It may come back, or another replica answer; whoever called sets the bound.
            Err(error) => tracing::warn!(%bot, %error, "whose bot it is, is asked again"),
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

/// A call that is to be entered.
#[derive(Clone)]
struct Entry {
    named: Named,
    project: ProjectId,
    carrier: Option<CarrierId>,
    from: String,
    to: String,
}

impl Entry {
    fn enter(&self, tx: &mut Tx<'_>, check_after: chrono::TimeDelta) -> Result<Whose, DbError> {
        // The carrier may have asked twice at the same moment.
        if let Some(known) = self.named.find(tx)? {
            return Ok(if self.named.is_of(&known) { Whose::Attempt(known.id) } else { Whose::Nobody });
        }
        let now = tx.now();
        let attempt = Attempt {
            id: AttemptId::new(),
            project_id: self.project,
            call_id: CallId::new(),
            account_sid: self.named.account.clone(),
            to: self.to.clone(),
            from: self.from.clone(),
            state: AttemptState::Placed,
            live: true,
            carrier_call_sid: Some(self.named.sid.to_string()),
            carrier_status: None,
            answered_by: None,
            stop_requested: false,
            gave_up: false,
            nobody_reached: false,
            ring_timeout_seconds: 0,
            time_limit_seconds: TIME_LIMIT_SECONDS,
            dial_before: now,
            created_at: now,
            check_at: now + check_after,
            version: 0,
            leaves_message: false,
            carrier_id: self.carrier,
            answers: None,
            customer_id: None,
            bot: Some(self.named.bot),
            second_call_sid: None,
            records: None,
        };
        attempts::insert(tx.conn, &attempt, now)?;
        Ok(Whose::Attempt(attempt.id))
    }
}

/// What the orchestrator is told of a call that has come in.
pub(super) fn begun(attempt: &Attempt, bot: BotId) -> BeginBotCallRequest {
    BeginBotCallRequest {
        project_id: attempt.project_id.to_string(),
        call_id: attempt.call_id.to_string(),
        attempt_id: attempt.id.to_string(),
        bot_id: bot.to_string(),
        carrier_call_sid: attempt.carrier_call_sid.clone().unwrap_or_default(),
        from_e164: attempt.from.clone(),
        to_e164: attempt.to.clone(),
        at_ms: to_millis(attempt.created_at),
    }
}

/// Which turn a request without one means.
enum Turn {
    At(AttemptId, u32),
    /// A new one, of a call that is over.
    Over,
    NoCall,
    /// The account that signed is not the bot's.
    OtherAccount,
}

/// The place that something heard belongs to whose address names bot and call alone, as the public document shows it: the
/// turn that is open, or the one that the same request opened before.
///
/// # Errors
/// What is answered instead of a conversation.
pub(super) async fn open_turn(app: &App, signed: &Signed, began: Instant) -> Result<Place, HttpResponse> {
    let Some(named) = Named::by(signed) else { return Err(document(&unknown_call())) };
    let (bot, sid, sorry) = (named.bot, named.sid.clone(), signed.number("sorry"));
    let (turn, token) = (signed.turn(), signed.token().map(str::to_owned));
    let until = began + app.config.deadlines.known;
    let find = async {
        let here = named.clone();
        let found = app.write(move |tx| Ok(find_turn(tx, &here, turn, token.as_deref())?)).await?;
        match found {
            Turn::NoCall => Ok(match whose_bot(app, &named, until).await? {
                WhoseBot::OfAnother => Turn::OtherAccount,
                WhoseBot::OfSigner(..) | WhoseBot::Nobodys => Turn::NoCall,
            }),
            found => Ok(found),
        }
    };
    match tokio::time::timeout_at(until.into(), find).await.unwrap_or(Err(BridgeError::Slow)) {
        Ok(Turn::At(attempt, turn)) => Ok(Place { attempt, turn, part: 0, fill: 0, sorry }),
        Ok(Turn::Over) => Err(document(&hang_up())),
        Ok(Turn::NoCall) => Err(document(&unknown_call())),
        Ok(Turn::OtherAccount) => Err(Refused::OTHER_ACCOUNT.response(app)),
        Err(error) => {
            tracing::warn!(%bot, %error, "the open turn could not be looked up");
            Err(spoken(app, say_it_again(&app.urls, bot, &sid, sorry)))
        }
    }
}

fn find_turn(
    tx: &mut Tx<'_>,
    named: &Named,
    turn: Option<u32>,
    token: Option<&str>,
) -> Result<Turn, DbError> {
    let Some(attempt) = named.find(tx)?.filter(|attempt| named.is_of(attempt)) else {
        return Ok(Turn::NoCall);
    };
    if let Some(turn) = turn {
        return Ok(Turn::At(attempt.id, turn));
    }
    // In this order: a repeat that opens its turn meanwhile is found by its mark, or in the way of ours.
    let open = bot_turns::open(tx.conn, attempt.id)?;
    if let Some(token) = token
        && let Some(turn) = bot_turns::opened_by(tx.conn, attempt.id, token)?
    {
        return Ok(Turn::At(attempt.id, turn));
    }
    if !attempt.live {
        return Ok(Turn::Over);
    }
    bot_turns::note(tx.conn, attempt.id, open, token)?;
    Ok(Turn::At(attempt.id, open))
}

/// Notes a turn whose address names it, so that whoever leaves it out finds the one behind it.
pub(super) async fn note_turn(app: &App, place: Place, until: Instant) {
    let noted = app.write(move |tx| Ok(bot_turns::note(tx.conn, place.attempt, place.turn, None)?));
    let noted = tokio::time::timeout_at(until.into(), noted).await;
    if let Err(error) = noted.unwrap_or(Err(BridgeError::Slow)) {
        tracing::warn!(attempt = %place.attempt, %error, "a turn could not be noted");
    }
}
