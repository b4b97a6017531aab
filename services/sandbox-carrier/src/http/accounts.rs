//! `…/Accounts/{sid}.json`: the one account, active and full unless a switch says otherwise.

use actix_web::HttpResponse;
use chrono::{DateTime, Utc};
use serde_json::json;

use super::auth::Account;
use super::error::ApiError;
use super::json::date;

/// `GET …/Accounts/{sid}.json`. An API key is not enough for it.
pub(super) async fn fetch(account: Account) -> Result<HttpResponse, ApiError> {
    if account.by_key {
        return Err(ApiError::unauthenticated());
    }
    let shared = &account.shared;
    let sid = &shared.config.account_sid;
    let created: Option<DateTime<Utc>> = shared.books(|books| books.numbers.first().map(|own| own.created));
    let (trial, suspended) = shared.books(|books| (books.nasty.trial, books.nasty.suspended));
    let root = format!("/2010-04-01/Accounts/{sid}");
    Ok(HttpResponse::Ok().json(json!({
        "sid": sid,
        "owner_account_sid": sid,
        "friendly_name": "Sandbox",
        "status": if suspended { "suspended" } else { "active" },
        "type": if trial { "Trial" } else { "Full" },
        "auth_token": shared.config.auth_token,
        "date_created": created.map(date),
        "date_updated": created.map(date),
        "uri": format!("{root}.json"),
        "subresource_uris": {
            "calls": format!("{root}/Calls.json"),
            "incoming_phone_numbers": format!("{root}/IncomingPhoneNumbers.json"),
        },
    })))
}
