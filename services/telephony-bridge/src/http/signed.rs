//! A request that really comes from the carrier: its signature is checked over the public address, with the token of the
//! account that it names, before anything in it is believed.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use contracts::ids::{AttemptId, BotId};
use twilio::call::CallStatus;
use twilio::webhook::{VoiceRequest, decode_form};
use twilio::{AccountSid, signature};

use crate::app::{App, count};
use crate::carrier::Carrier;
use crate::domain::urls::Place;
use crate::domain::voice::Voice;

/// What is answered to whoever is not the carrier.
pub(crate) const NOT_SIGNED: &str = "not signed by the carrier\n";
/// The carrier's mark of a request, the same on every attempt to make it.
const TOKEN: &str = "i-twilio-idempotency-token";
/// No mark is longer.
const MAX_TOKEN: usize = 128;

/// A verified request.
pub(super) struct Signed {
    pub(super) request: VoiceRequest,
    /// The account whose token signed it.
    pub(super) carrier: Carrier,
    query: Vec<(String, String)>,
    token: Option<String>,
}

/// Why a request is not believed. Always 403, whatever the reason; 503 when nobody can say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused(&'static str);

impl Refused {
    pub(super) const OTHER_ACCOUNT: Self = Self("other_account");
    /// The token of the account that it names cannot be had. The carrier asks again, as our addresses tell it.
    const NO_TOKENS: Self = Self("tokens_away");

    pub(super) fn response(self, app: &App) -> HttpResponse {
        tracing::warn!(why = self.0, "a request that is not the carrier's was refused");
        count(app.numbers.refused.as_ref(), self.0);
        if self.0 == Self::NO_TOKENS.0 {
            return HttpResponse::ServiceUnavailable().finish();
        }
        HttpResponse::build(StatusCode::FORBIDDEN).content_type("text/plain; charset=utf-8").body(NOT_SIGNED)
    }
}

impl Signed {
    pub(super) async fn check(app: &App, http: &HttpRequest, body: &[u8]) -> Result<Self, Refused> {
        let form = decode_form(body);
        let query = decode_form(http.query_string().as_bytes());
        // The body decides; the query is believed because it is part of what was signed.
        let all: Vec<_> = form.iter().chain(&query).cloned().collect();
        let request = VoiceRequest::parse(&all);
        let account = request.account_sid.clone().ok_or(Refused("unknown_account"))?;
        let proof = Proof::of(app, http, &form)?;
        let carrier = signer(app, &account, proof.as_ref()).await?;
        let token = http.headers().get(TOKEN).and_then(|token| token.to_str().ok());
        let token = token.filter(|token| (1..=MAX_TOKEN).contains(&token.len())).map(str::to_owned);
        Ok(Self { request, carrier, query, token })
    }

    /// The account that it speaks of.
    pub(super) fn account_sid(&self) -> &str {
        self.carrier.account.sid.as_str()
    }

    pub(super) fn number(&self, name: &str) -> u32 {
        self.text(name).and_then(|v| v.parse().ok()).unwrap_or(0)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The attempt that the address names.
    pub(super) fn attempt(&self) -> Option<AttemptId> {
        self.text("attempt").and_then(|id| id.parse().ok())
    }

    /// Whether the address is one of a bot.
    pub(super) fn names_a_bot(&self) -> bool {
        self.text("bot_id").is_some_and(|id| !id.is_empty())
    }

    /// The bot that the address names; `None` also for what is no bot's id.
    pub(super) fn bot(&self) -> Option<BotId> {
        self.text("bot_id").and_then(|id| id.parse().ok())
    }

    /// The turn that the address names.
    pub(super) fn turn(&self) -> Option<u32> {
        self.text("turn").and_then(|turn| turn.parse().ok())
    }

    /// By what a repeat of the request is known, where the carrier says it.
    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Whether nobody has picked up yet.
    pub(super) fn still_rings(&self) -> bool {
        matches!(self.request.call_status, Some(CallStatus::Queued | CallStatus::Ringing))
    }

    /// How the conversation is spoken, as the address says.
    pub(super) fn voice(&self) -> Voice {
        let given = |name: &str| self.text(name).filter(|text| !text.is_empty()).map(str::to_owned);
        Voice { language: given("lang"), voice: given("voice") }
    }

    /// The place in the conversation that the address names.
    pub(super) fn place(&self) -> Option<Place> {
        let attempt = self.attempt()?;
        Some(Place {
            attempt,
            turn: self.number("turn"),
            part: self.number("part"),
            fill: self.number("fill"),
            sorry: self.number("sorry"),
        })
    }
}

/// A signature and what it is checked over.
struct Proof<'a> {
    url: String,
    form: &'a [(String, String)],
    header: &'a str,
}

impl<'a> Proof<'a> {
    /// `None` when signatures are off.
    fn of(app: &App, http: &'a HttpRequest, form: &'a [(String, String)]) -> Result<Option<Self>, Refused> {
        if !app.config.signatures {
            return Ok(None);
        }
        let header = http.headers().get(signature::HEADER).and_then(|h| h.to_str().ok());
        let header = header.ok_or(Refused("no_signature"))?;
        let path = http.uri().path_and_query().map_or("/", |p| p.as_str());
        Ok(Some(Self { url: app.urls.signed(path), form, header }))
    }

    fn fits(&self, carrier: &Carrier) -> bool {
        signature::verify(carrier.account.auth_token.reveal(), &self.url, self.form, self.header)
    }
}

/// The account whose token made the signature. Several projects may have connected the same one, with different tokens.
async fn signer(app: &App, account: &AccountSid, proof: Option<&Proof<'_>>) -> Result<Carrier, Refused> {
    let fits = |carrier: &Carrier| proof.is_none_or(|proof| proof.fits(carrier));
    if let Some(carrier) = app.carriers.of_settings(account.as_str()).find(|carrier| fits(carrier)) {
        return Ok(carrier.clone());
    }
    let known = app.carriers.with_account(account, app.config.deadlines.tokens).await.map_err(|error| {
        tracing::warn!(%error, "whose token it is cannot be looked up");
        Refused::NO_TOKENS
    })?;
    let nobody = known.is_empty() && app.carriers.of_settings(account.as_str()).next().is_none();
    let fitting = known.into_iter().find(fits);
    fitting.ok_or(Refused(if nobody { "unknown_account" } else { "wrong_signature" }))
}
