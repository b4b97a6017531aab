//! Reading a body: JSON in UTF-8, at most one mebibyte, and all of it within a deadline: who sends a byte now and then holds
//! a connection for nothing. The shape and the codes of all errors are in `error.rs`.

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{BytesMut, Data, Payload};
use futures_util::StreamExt as _;
use serde_json::Value;

use crate::app::App;
use crate::error::ApiError;

/// Largest body.
pub(crate) const LIMIT: usize = 1024 * 1024;

/// The body as JSON. Duplicate names: the last one counts.
///
/// # Errors
/// 408, 413, 415, or 400 with the place in the text.
pub(crate) async fn json(request: &HttpRequest, payload: Payload) -> Result<Value, ApiError> {
    json_of(request, payload, LIMIT).await
}

/// The same for a body of at most `limit` bytes.
///
/// # Errors
/// As [`json`].
pub(crate) async fn json_of(
    request: &HttpRequest,
    payload: Payload,
    limit: usize,
) -> Result<Value, ApiError> {
    check_type(request)?;
    let bytes = read(limit, 1, request, payload).await?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|e| ApiError::invalid_field("", format!("is not UTF-8 (byte {})", e.valid_up_to())))?;
    serde_json::from_str(text).map_err(|e| {
        let place = format!("line {}, column {}", e.line(), e.column());
        ApiError::invalid_field("", format!("body is not valid JSON ({place})"))
    })
}

/// The body as it came.
///
/// # Errors
/// 408 when it did not arrive within so many times the deadline, 413 when it is larger than `limit`, 400 when it broke off.
pub(crate) async fn read(
    limit: usize,
    deadlines: u32,
    request: &HttpRequest,
    mut payload: Payload,
) -> Result<BytesMut, ApiError> {
    let app =
        request.app_data::<Data<App>>().ok_or_else(|| ApiError::internal("a route without its state"))?;
    let deadline = app.config.body_deadline * deadlines;
    let whole = tokio::time::timeout(deadline, at_most(limit, request, &mut payload)).await;
    whole.map_err(|_| ApiError::body_too_slow(deadline))?
}

/// The body as it came, however long it takes.
///
/// # Errors
/// 413 when it is larger than `limit`, 400 when it broke off.
pub(crate) async fn at_most(
    limit: usize,
    request: &HttpRequest,
    payload: &mut Payload,
) -> Result<BytesMut, ApiError> {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(ApiError::too_large(limit));
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|e| ApiError::invalid_field("", format!("body broke off: {e}")))?;
        if bytes.len() + chunk.len() > limit {
            return Err(ApiError::too_large(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn check_type(request: &HttpRequest) -> Result<(), ApiError> {
    let essence = media_type(request)?;
    if essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
        return Ok(());
    }
    Err(ApiError::unsupported_media("Send JSON in UTF-8, with the header Content-Type: application/json"))
}

/// What a body says that it is, in lower case and without parameters.
///
/// # Errors
/// 415 when it is encoded, or no UTF-8 by its own words.
pub(crate) fn media_type(request: &HttpRequest) -> Result<String, ApiError> {
    let header = |name| request.headers().get(name).map(|v| v.to_str().unwrap_or("?").to_ascii_lowercase());
    if header(CONTENT_ENCODING).is_some_and(|encoding| encoding.trim() != "identity") {
        return Err(ApiError::unsupported_media("Send the body without Content-Encoding"));
    }
    let sent = header(CONTENT_TYPE).unwrap_or_default();
    let mut parts = sent.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_owned();
    let charset = parts.find_map(|p| p.strip_prefix("charset=").map(|c| c.trim_matches('"').to_owned()));
    match charset.is_none_or(|c| matches!(c.as_str(), "utf-8" | "utf8" | "us-ascii")) {
        true => Ok(essence),
        false => Err(ApiError::unsupported_media("Send the body in UTF-8")),
    }
}
