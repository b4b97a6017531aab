//! A request that really comes from the carrier: its signature is checked over the public address, with the token of the
//! account that it names, before anything in it is believed.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use contracts::ids::AttemptId;
use twilio::signature;
use twilio::webhook::{VoiceRequest, decode_form};

use crate::app::{App, count};
use crate::domain::urls::Place;

/// A verified request.
pub(super) struct Signed {
    pub(super) request: VoiceRequest,
    pub(super) account_sid: String,
    query: Vec<(String, String)>,
}

/// Why a request is not believed. Always 403, whatever the reason.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused(&'static str);

impl Refused {
    pub(super) const OTHER_ACCOUNT: Self = Self("other_account");

    pub(super) fn response(self, app: &App) -> HttpResponse {
        tracing::warn!(why = self.0, "a request that is not the carrier's was refused");
        count(app.numbers.refused.as_ref(), self.0);
        HttpResponse::build(StatusCode::FORBIDDEN)
            .content_type("text/plain; charset=utf-8")
            .body("not signed by the carrier\n")
    }
}

impl Signed {
    pub(super) fn check(app: &App, http: &HttpRequest, body: &[u8]) -> Result<Self, Refused> {
        let form = decode_form(body);
        let query = decode_form(http.query_string().as_bytes());
        // The body decides; the query is believed because it is part of what was signed.
        let all: Vec<_> = form.iter().chain(&query).cloned().collect();
        let request = VoiceRequest::parse(&all);
        let Some(account) = app.carrier.as_ref().map(|carrier| &carrier.account) else {
            return Err(Refused("no_account"));
        };
        if request.account_sid.as_ref() != Some(&account.sid) {
            return Err(Refused("unknown_account"));
        }
        if app.config.signatures {
            let header = http.headers().get(signature::HEADER).and_then(|h| h.to_str().ok());
            let header = header.ok_or(Refused("no_signature"))?;
            let path = http.uri().path_and_query().map_or("/", |p| p.as_str());
            if !signature::verify(account.auth_token.reveal(), &app.urls.signed(path), &form, header) {
                return Err(Refused("wrong_signature"));
            }
        }
        Ok(Self { request, account_sid: account.sid.to_string(), query })
    }

    fn number(&self, name: &str) -> u32 {
        self.text(name).and_then(|v| v.parse().ok()).unwrap_or(0)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The attempt that the address names.
    pub(super) fn attempt(&self) -> Option<AttemptId> {
        self.text("attempt").and_then(|id| id.parse().ok())
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
