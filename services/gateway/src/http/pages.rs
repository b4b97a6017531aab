//! The pages behind mailed links: accepting an invitation, setting a new password. Their files are part of this program; they
//! ask nobody but this server, and work behind every prefix.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use actix_web::{HttpRequest, HttpResponse};

use crate::error::ApiError;

/// Scripts and styles from here alone, and no page of somebody else around ours.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

fn page(content_type: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(("referrer-policy", "no-referrer"))
        .content_type(content_type)
        .body(text)
}

/// `GET /invitation`.
pub(crate) async fn invitation() -> HttpResponse {
    page("text/html; charset=utf-8", include_str!("../../pages/invitation.html"))
}

/// `GET /reset-password`.
pub(crate) async fn reset_password() -> HttpResponse {
    page("text/html; charset=utf-8", include_str!("../../pages/reset-password.html"))
}

/// `GET /pages/{file}`: what the two share, and the look of the demo page.
pub(crate) async fn file(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    match request.match_info().get("file") {
        Some("account.js") => {
            Ok(page("text/javascript; charset=utf-8", include_str!("../../pages/account.js")))
        }
        Some("demo.css") => Ok(page("text/css; charset=utf-8", include_str!("../../pages/demo.css"))),
        Some("account.css") => Ok(page("text/css; charset=utf-8", include_str!("../../pages/account.css"))),
        _ => Err(ApiError::no_route("GET", request.path())),
    }
}
