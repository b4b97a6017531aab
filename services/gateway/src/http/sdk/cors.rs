//! What a browser has to be told before a page on another site may ask an app and read the answer. Without cookies or other
//! credentials of the browser: there are none.

use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderValue,
    ORIGIN, VARY,
};
use actix_web::web::Data;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};

use super::door;
use crate::app::App;
use crate::domain::app_limits::Asking;
use crate::error::ApiError;

/// What a page may read of an answer, beside its body.
const EXPOSED: &str = "x-echo-sources, x-echo-conversation, x-echo-answer, x-echo-verdict, retry-after, ratelimit, ratelimit-policy, \
                       x-request-id";
/// What a page may send.
const SENT: &str = "content-type, authorization, x-api-key, x-request-id";
/// How long a browser remembers that it may, in seconds: the most that browsers agree on.
const REMEMBERED: &str = "7200";

/// The site whose pages may read the answer.
#[derive(Clone)]
struct Reader(HeaderValue);

/// Whether pages on other sites ask for a path, by its pattern.
pub(crate) fn for_pages(pattern: &str) -> bool {
    pattern.starts_with("/api/{appId}/") || matches!(pattern, "/api/query" | "/api/handover")
}

/// The page that asks may read the answer, whatever it is.
pub(super) fn let_read(request: &HttpRequest) {
    if let Some(origin) = request.headers().get(ORIGIN) {
        request.extensions_mut().insert(Reader(origin.clone()));
    }
}

/// Writes into an answer who may read it.
pub(crate) fn mark(response: &mut ServiceResponse<BoxBody>) {
    let reader = response.request().extensions().get::<Reader>().cloned();
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(Reader(origin)) = reader {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
}

/// Whether a browser asks if a page may ask.
pub(crate) fn is_preflight(request: &HttpRequest) -> bool {
    let has = |name| request.headers().contains_key(name);
    request.method() == Method::OPTIONS && has(ORIGIN) && has(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Answers that: by the app in the path. Where the app stands in a body that is still to come, the answer to that says it.
///
/// # Errors
/// 403, 404, 429.
pub(crate) async fn preflight(request: &HttpRequest, methods: &str) -> Result<HttpResponse, ApiError> {
    let app =
        request.app_data::<Data<App>>().ok_or_else(|| ApiError::internal("a route without its state"))?;
    app.limits.count_asking(request, Asking::Preflight)?;
    if let Some(named) = request.match_info().get("appId") {
        door::comes_from_allowed(request, &door::find(app, named).await?)?;
    }
    let_read(request);
    Ok(HttpResponse::NoContent()
        .insert_header((ACCESS_CONTROL_ALLOW_METHODS, methods))
        .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, SENT))
        .insert_header((ACCESS_CONTROL_MAX_AGE, REMEMBERED))
        .finish())
}
