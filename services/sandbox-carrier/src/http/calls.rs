//! `…/Calls.json` and `…/Calls/{sid}.json`: create, list, fetch, update, delete.

use std::time::Duration;

use actix_web::web::{Bytes, Path};
use actix_web::{HttpRequest, HttpResponse};
use chrono::TimeDelta;
use futures_util::stream;
use serde_json::Value;
use twilio::CallSid;

use super::auth::Account;
use super::error::ApiError;
use super::form::Form;
use super::{call_create, call_list, call_update, json};
use crate::domain::nasty::Creation;
use crate::domain::nasty::Creation::{AnswerLost, ErrorAfter, ErrorBefore};
use crate::wall;

/// `POST …/Calls.json`: the call is in the books and on its way when this answers.
pub(super) async fn create(account: Account, body: Bytes) -> Result<HttpResponse, ApiError> {
    let shared = &account.shared;
    let form = Form::of_body(&body);
    let owned: Vec<String> =
        shared.books(|books| books.numbers.iter().map(|own| own.number.clone()).collect());
    let (parties, plan) = call_create::read(&form, &owned, &shared.config.people)?;
    if let Some((status, code, message)) = shared.books(|books| books.nasty.forbids(&parties.to)) {
        return Err(ApiError::new(status, code, message));
    }
    let fate = shared.books(|books| books.nasty.creation());
    let broken = || ApiError::new(500, 20500, "Internal server error");
    if fate == ErrorBefore {
        return Err(broken());
    }
    let sid = CallSid::random().map_err(|_| broken())?;
    shared.start_call(&sid, parties, plan);
    tokio::time::sleep(Duration::from_millis(shared.books(|books| books.nasty.answer_late_ms))).await;
    match fate {
        ErrorAfter => Err(broken()),
        AnswerLost => Ok(lost()),
        Creation::Kind | ErrorBefore => {
            let answer = shared.call(&sid, |call| json::fresh_call(&shared.config, call));
            Ok(HttpResponse::Created().json(answer))
        }
    }
}

/// An answer that breaks off before its first byte: whoever asked sees the connection close.
fn lost() -> HttpResponse {
    let nothing =
        Err::<Bytes, _>(actix_web::error::ErrorInternalServerError("the answer is lost on purpose"));
    HttpResponse::Created().streaming(stream::iter([nothing]))
}

/// `GET …/Calls.json`.
pub(super) async fn list(account: Account, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let form = Form::of_query(&request);
    let shared = &account.shared;
    let page = shared.books(|books| call_list::page(&shared.config, &books.calls, &form))?;
    Ok(HttpResponse::Ok().json(page))
}

/// `GET …/Calls/{sid}.json`.
pub(super) async fn fetch(
    account: Account,
    path: Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let sid = sid_of(&path.1, &request)?;
    let shared = &account.shared;
    let behind = shared.books(|books| books.nasty.fetch_behind_ms);
    let then = wall::now() - TimeDelta::milliseconds(i64::try_from(behind).unwrap_or(i64::MAX / 2));
    let found = shared.call(&sid, |call| call.as_of(then)).flatten();
    let found = found.ok_or_else(|| ApiError::not_found(request.path()))?;
    Ok(HttpResponse::Ok().json(json::call(&shared.config, &found)))
}

/// `POST …/Calls/{sid}.json`.
pub(super) async fn update(
    account: Account,
    path: Path<(String, String)>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, ApiError> {
    let sid = sid_of(&path.1, &request)?;
    call_update::apply(&account.shared, &sid, &Form::of_body(&body), request.path())?;
    Ok(HttpResponse::Ok().json(shown(&account, &sid, &request)?))
}

/// `DELETE …/Calls/{sid}.json`: only when it is over.
pub(super) async fn remove(
    account: Account,
    path: Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let sid = sid_of(&path.1, &request)?;
    let over = account.shared.call(&sid, crate::domain::call::Call::is_over);
    match over {
        None => Err(ApiError::not_found(request.path())),
        Some(false) => Err(ApiError::bad(20009, "Cannot delete this resource before it is complete")),
        Some(true) => {
            account.shared.books(|books| books.calls.remove(&sid));
            Ok(HttpResponse::NoContent().finish())
        }
    }
}

fn sid_of(text: &str, request: &HttpRequest) -> Result<CallSid, ApiError> {
    text.parse().map_err(|_| ApiError::not_found(request.path()))
}

fn shown(account: &Account, sid: &CallSid, request: &HttpRequest) -> Result<Value, ApiError> {
    let shared = &account.shared;
    let found = shared.call(sid, |call| json::call(&shared.config, call));
    found.ok_or_else(|| ApiError::not_found(request.path()))
}
