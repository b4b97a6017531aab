//! The carrier's own page: who there is, what to connect, who rings whom, and what is said. It loads nothing from elsewhere
//! and runs nothing but its own script.

use actix_web::HttpResponse;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};

/// Scripts, styles and requests of this address alone; in no frame, with no form that goes elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

fn file(kind: &str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(text)
}

/// `GET /`.
pub(super) async fn page() -> HttpResponse {
    file("text/html; charset=utf-8", include_str!("../../page/page.html"))
}

/// `GET /sandbox/v1/page.js`.
pub(super) async fn script() -> HttpResponse {
    file("text/javascript; charset=utf-8", include_str!("../../page/page.js"))
}

/// `GET /sandbox/v1/page.css`.
pub(super) async fn style() -> HttpResponse {
    file("text/css; charset=utf-8", include_str!("../../page/page.css"))
}
