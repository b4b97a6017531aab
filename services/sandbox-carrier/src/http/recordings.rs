//! `…/Accounts/{sid}/Recordings/{sid}.json`: recordings of whole calls can be deleted, and are known until then.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;
use twilio::RecordingSid;

use super::auth::Account;
use super::error::ApiError;
use super::json::date;

/// `GET …/Recordings/{sid}.json`.
pub(super) async fn fetch(
    account: Account,
    path: Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let sid = sid_of(&path.1, &request)?;
    let found = account.shared.books(|books| books.recordings.get(&sid).cloned());
    let recorded = found.ok_or_else(|| ApiError::not_found(request.path()))?;
    Ok(HttpResponse::Ok().json(json!({
        "sid": sid,
        "account_sid": account.shared.config.account_sid,
        "call_sid": recorded.call_sid,
        "status": "completed",
        "channels": 1,
        "source": recorded.source,
        "duration": recorded.seconds.to_string(),
        "start_time": date(recorded.started),
        "api_version": "2010-04-01",
        "uri": request.path(),
    })))
}

/// `DELETE …/Recordings/{sid}.json`.
pub(super) async fn remove(
    account: Account,
    path: Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let sid = sid_of(&path.1, &request)?;
    let removed = account.shared.books(|books| books.recordings.remove(&sid));
    removed.ok_or_else(|| ApiError::not_found(request.path()))?;
    Ok(HttpResponse::NoContent().finish())
}

fn sid_of(text: &str, request: &HttpRequest) -> Result<RecordingSid, ApiError> {
    text.parse().map_err(|_| ApiError::not_found(request.path()))
}
