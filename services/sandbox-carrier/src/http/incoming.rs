//! `POST /sandbox/v1/incoming`: a person rings the account's number.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use serde::Deserialize;
use serde_json::json;
use twilio::CallSid;
use twilio::call::Direction;

use super::control::refusal;
use crate::domain::call::Parties;
use crate::domain::number::is_e164;
use crate::state::Shared;

/// Who rings whom.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Incoming {
    from: String,
    to: String,
}

/// Lets the person with the number `from` call `to`.
pub(super) async fn ring(shared: Data<Shared>, wanted: Json<Incoming>) -> HttpResponse {
    let Incoming { from, to } = wanted.into_inner();
    if !is_e164(&from) {
        return HttpResponse::BadRequest()
            .json(refusal("`from` must be a number in E.164, such as +14155550117"));
    }
    if to != shared.config.number {
        let message = format!("`to` must be the account's number, {}", shared.config.number);
        return HttpResponse::NotFound().json(refusal(&message));
    }
    let Some(plan) = shared.books(|books| books.number.plan()) else {
        let message = "nobody answers there: the number has no VoiceUrl, or an application or trunk that the \
                       sandbox does not know takes precedence; set VoiceUrl with a POST to its resource";
        return HttpResponse::Conflict().json(refusal(message));
    };
    let Ok(sid) = CallSid::random() else {
        return HttpResponse::InternalServerError().json(refusal("the random source cannot be read"));
    };
    let parties = Parties { to, from, direction: Direction::Inbound, parent: None };
    shared.start_call(&sid, parties, plan);
    HttpResponse::Created().json(json!({ "call_sid": sid }))
}
