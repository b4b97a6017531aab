//! `/sandbox/v1`: what a test, a demo or the page reads (people, the account, calls with what was said, faults, rings) and the
//! switches for unkindness.

use actix_web::http::header::{CACHE_CONTROL, HOST};
use actix_web::web::{Data, Json, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};
use twilio::CallSid;
use url::{Host, Url};

use super::json as shape;
use crate::config::CarrierConfig;
use crate::domain::call::Call;
use crate::domain::nasty::Nasty;
use crate::domain::number::OwnNumber;
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
        "number_sid": shared.config.number_sid(&shared.config.number).ok(),
        "numbers": numbers(&shared),
    });
    HttpResponse::Ok().json(json!({
        "account": account,
        "people": people,
        "anyone_else": shared.config.people.at("").name,
    }))
}

/// The account's numbers, and who answers them.
fn numbers(shared: &Shared) -> Vec<Value> {
    let shown = |own: &OwnNumber| {
        json!({
            "number": own.number,
            "number_sid": shared.config.number_sid(&own.number).ok(),
            "voice_url": own.voice_url,
            "answers": own.plan().is_some(),
        })
    };
    shared.books(|books| books.numbers.iter().map(shown).collect())
}

/// `GET /sandbox/v1/account`: what somebody needs to connect it, the token too. Only where no page from elsewhere can have it
/// read: a name that is not ours may have been pointed at this machine.
pub(super) async fn account(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    if !asked_by_our_name(&request, &shared.config) {
        let message = format!("the token is shown at {} and at IP addresses only", shared.config.base_url);
        return HttpResponse::Forbidden().json(refusal(&message));
    }
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(json!({
        "account_sid": shared.config.account_sid,
        "auth_token": shared.config.auth_token,
        "numbers": numbers(&shared),
    }))
}

fn asked_by_our_name(request: &HttpRequest, config: &CarrierConfig) -> bool {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let asked = host.and_then(|host| Url::parse(&format!("http://{host}/")).ok());
    match asked.as_ref().and_then(Url::host) {
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        Some(Host::Domain(name)) => {
            name == "localhost" || name.ends_with(".localhost") || config.base_url.host_str() == Some(name)
        }
        None => false,
    }
}

/// `?limit=` of `calls`.
#[derive(Deserialize)]
pub(super) struct AtMost {
    limit: Option<usize>,
}

/// `GET /sandbox/v1/calls?limit=`: newest first.
pub(super) async fn calls(shared: Data<Shared>, at_most: Query<AtMost>) -> HttpResponse {
    let most = at_most.limit.unwrap_or(usize::MAX);
    let calls: Vec<Value> =
        shared.books(|books| books.calls.newest_first().take(most).map(|call| told(&shared, call)).collect());
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

/// `GET /sandbox/v1/requests`: oldest first.
pub(super) async fn requests(shared: Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(shared.books(|books| json!(books.asked)))
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
