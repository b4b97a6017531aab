//! `POST /sandbox/v1/incoming`: a person rings one of the account's numbers.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use serde::Deserialize;
use serde_json::json;
use twilio::CallSid;
use twilio::call::Direction;

use super::control::refusal;
use crate::domain::call::Parties;
use crate::domain::number::{OwnNumber, is_e164};
use crate::state::Shared;

/// Who rings whom.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Incoming {
    from: String,
    to: String,
    /// Whether the person hides their number.
    #[serde(default)]
    hidden: bool,
    /// What the carrier says instead of their number: a text that may be no number at all.
    shown: Option<String>,
}

/// What Twilio says of a caller who hides their number.
const HIDDEN: &str = "anonymous";

/// Lets the person with the number `from` call `to`.
pub(super) async fn ring(shared: Data<Shared>, wanted: Json<Incoming>) -> HttpResponse {
    let Incoming { from, to, hidden, shown } = wanted.into_inner();
    if !is_e164(&from) {
        return HttpResponse::BadRequest()
            .json(refusal("`from` must be a number in E.164, such as +14155550117"));
    }
    let plan = shared.books(|books| books.numbers.iter().find(|own| own.number == to).map(OwnNumber::plan));
    let Some(plan) = plan else {
        let message =
            format!("`to` must be one of the account's numbers: {}", shared.config.numbers().join(", "));
        return HttpResponse::NotFound().json(refusal(&message));
    };
    let Some(plan) = plan else {
        let message = "nobody answers there: the number has no VoiceUrl, or an application or trunk that the \
                       sandbox does not know takes precedence; set VoiceUrl with a POST to its resource";
        return HttpResponse::Conflict().json(refusal(message));
    };
    let Ok(sid) = CallSid::random() else {
        return HttpResponse::InternalServerError().json(refusal("the random source cannot be read"));
    };
    let shown = if hidden { HIDDEN.to_owned() } else { shown.unwrap_or_else(|| from.clone()) };
    let parties = Parties { to, from: shown, direction: Direction::Inbound, parent: None };
    shared.start_incoming(&sid, &from, parties, plan);
    HttpResponse::Created().json(json!({ "call_sid": sid }))
}
