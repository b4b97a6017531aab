//! `/openapi.json` and the playground at `/docs`, which loads nothing from elsewhere: its files are part of this program, and its
//! policy lets the browser ask nobody else.

use std::sync::{Arc, LazyLock};

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION};
use actix_web::{HttpRequest, HttpResponse};
use utoipa_swagger_ui::Config;

use super::openapi;
use crate::error::ApiError;

/// Swagger UI styles its elements in place and draws with data addresses; scripts come from here only.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; font-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Never changes while the process runs.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| openapi::document().to_json().unwrap_or_default());

/// Relative: it works behind every prefix. The badge of the public validator would be a request to elsewhere.
static PLAYGROUND: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let config = Config::from("../openapi.json").validator_url("none").try_it_out_enabled(true);
    Arc::new(config.persist_authorization(false).filter(true).display_request_duration(true))
});

/// `GET /openapi.json`.
pub(crate) async fn document() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-cache"))
        .content_type("application/json")
        .body(DOCUMENT.as_str())
}

/// `GET /docs`: the playground's files lie below it.
pub(crate) async fn to_playground() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "docs/")).finish()
}

/// `GET /docs/` and its files.
pub(crate) async fn playground(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let file = request.match_info().get("file").unwrap_or_default();
    let found = utoipa_swagger_ui::serve(file, Arc::clone(&PLAYGROUND)).map_err(ApiError::internal)?;
    let file = found.ok_or_else(|| ApiError::no_route("GET", request.path()))?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header(("x-content-type-options", "nosniff"))
        .content_type(file.content_type)
        .body(file.bytes.into_owned()))
}
