//! `/sandbox/v1`: what a test or a demo reads (people, calls with what was said, faults, rings) and the
//! switches for unkindness.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path, Query};
use serde::Deserialize;
use serde_json::{Value, json};
use twilio::CallSid;

use super::json as shape;
use crate::domain::call::Call;
use crate::domain::nasty::Nasty;
use crate::state::Shared;

/// The controls' own error: they are ours and not Twilio's.
pub(super) fn refusal(message: &str) -> Value {
    json!({ "error": message })
}

/// `GET /sandbox/v1/people`.
pub(super) async fn people(shared: Data<Shared>) -> HttpResponse {
    let people: Vec<Value> = shared
        .config
        .people
        .listed()
        .map(|(number, scenario)| json!({"number": number, "name": scenario.name, "about": scenario.about}))
        .collect();
    let account = json!({
        "account_sid": shared.config.account_sid,
        "number": shared.config.number,
        "number_sid": shared.config.number_sid().ok(),
    });
    HttpResponse::Ok().json(json!({
        "account": account,
        "people": people,
        "anyone_else": shared.config.people.at("").name,
    }))
}

/// `GET /sandbox/v1/calls`: newest first.
pub(super) async fn calls(shared: Data<Shared>) -> HttpResponse {
    let calls: Vec<Value> =
        shared.books(|books| books.calls.newest_first().map(|call| told(&shared, call)).collect());
    HttpResponse::Ok().json(calls)
}

/// `GET /sandbox/v1/calls/{sid}`.
pub(super) async fn call(shared: Data<Shared>, sid: Path<String>) -> HttpResponse {
    let found = sid.parse::<CallSid>().ok().and_then(|sid| shared.call(&sid, |call| told(&shared, call)));
    match found {
        Some(call) => HttpResponse::Ok().json(call),
        None => HttpResponse::NotFound().json(refusal("there is no such call")),
    }
}

/// The call resource and what was said.
fn told(shared: &Shared, call: &Call) -> Value {
    let mut body = shape::call(&shared.config, call);
    body["transcript"] = json!(call.transcript);
    body["attempt"] = json!(call.plan.attempt());
    body["sip_response_code"] = json!(call.ending.map(crate::domain::ending::Ending::sip_code));
    body
}

/// `GET /sandbox/v1/faults`: oldest first.
pub(super) async fn faults(shared: Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(shared.books(|books| json!(books.faults)))
}

/// `?to=` of `rings`.
#[derive(Deserialize)]
pub(super) struct RingsOf {
    to: String,
}

/// `GET /sandbox/v1/rings?to=`: how often a number was dialled and rang, per attempt.
pub(super) async fn rings(shared: Data<Shared>, of: Query<RingsOf>) -> HttpResponse {
    // An unescaped `+` arrives as a space.
    let to = of.to.replace(' ', "+");
    let rings = shared.books(|books| books.rings.get(&to).cloned()).unwrap_or_default();
    HttpResponse::Ok().json(json!({
        "to": to,
        "dialled": rings.dialled,
        "rang": rings.rang,
        "attempts": rings.attempts,
    }))
}

/// `GET /sandbox/v1/nasty`.
pub(super) async fn nasty(shared: Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(shared.books(|books| books.nasty.clone()))
}

/// `POST /sandbox/v1/nasty`: these switches from now on; a switch that is not named is off.
pub(super) async fn set_nasty(shared: Data<Shared>, wanted: Json<Nasty>) -> HttpResponse {
    let wanted = wanted.into_inner();
    shared.books(|books| books.nasty = wanted.clone());
    HttpResponse::Ok().json(wanted)
}
