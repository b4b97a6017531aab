//! The chat for other people's pages: `GET /widget.js` is its script, and `GET /demo/widget` a page that carries it. The script is
//! written by hand in a few files that are put together here, without a build step; it asks nobody but this server.

use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETag, EntityTag, Header as _, IfNoneMatch,
};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use common::crypto::sha256_hex;
use contracts::ids::AppId;

use super::query::Query;
use crate::app::App;
use crate::error::ApiError;

/// The whole script. What its files define is seen by each other, and by nothing else in the page.
const SCRIPT: &str = concat!(
    "// Echo's chat. <script src=\"…/widget.js\" data-app-id=\"app_…\" async></script>\n(() => {\n\"use strict\";\n",
    include_str!("../../pages/widget/texts.js"),
    include_str!("../../pages/widget/settings.js"),
    include_str!("../../pages/widget/client.js"),
    include_str!("../../pages/widget/elements.js"),
    include_str!("../../pages/widget/markdown.js"),
    include_str!("../../pages/widget/style.js"),
    include_str!("../../pages/widget/memory.js"),
    include_str!("../../pages/widget/entries.js"),
    include_str!("../../pages/widget/person.js"),
    include_str!("../../pages/widget/window.js"),
    include_str!("../../pages/widget/start.js"),
    "})();\n",
);

/// Tells one state of the script from another.
static TAG: LazyLock<EntityTag> = LazyLock::new(|| EntityTag::new_strong(sha256_hex(SCRIPT.as_bytes())));

/// The demo page's policy: as strict as a careful page's, so that it shows what the chat can do without.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'";

const PAGE: &str = include_str!("../../pages/demo-widget.html");
/// Where the page says something about the app.
const PLACE: &str = "<!-- app -->";

/// `GET /widget.js`: for any page. A browser asks after five minutes whether it has changed.
pub(crate) async fn script(request: HttpRequest) -> HttpResponse {
    let known = match IfNoneMatch::parse(&request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|tag| tag.weak_eq(&TAG)),
        Err(_) => false,
    };
    let mut response = HttpResponse::build(if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    response
        .insert_header(ETag(TAG.clone()))
        .insert_header((CACHE_CONTROL, "public, max-age=300, must-revalidate"))
        .insert_header(("access-control-allow-origin", "*"))
        .insert_header(("cross-origin-resource-policy", "cross-origin"))
        .insert_header(("x-content-type-options", "nosniff"));
    if known {
        return response.finish();
    }
    response.content_type("text/javascript; charset=utf-8").body(SCRIPT)
}

/// `GET /demo/widget?app_id=…`.
pub(crate) async fn demo(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let asked = Query::of(&request)?.get("app_id", |text| Ok(text.to_owned()))?;
    // Of what was asked for, the page repeats only what is certainly an id.
    let (status, about) = match asked.as_deref().map(str::trim) {
        None | Some("") => (StatusCode::OK, asks_for_app("Which app shall answer here?")),
        Some(id) if id.parse::<AppId>().is_ok() => (StatusCode::OK, with_chat(&app.config.public_url, id)),
        Some(_) => (StatusCode::BAD_REQUEST, asks_for_app("That is not the id of an app.")),
    };
    Ok(HttpResponse::build(status)
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header(("x-content-type-options", "nosniff"))
        .content_type("text/html; charset=utf-8")
        .body(PAGE.replace(PLACE, &about)))
}

fn asks_for_app(first: &str) -> String {
    format!(
        r#"<p>{first} Its id begins with <code>app_</code>; <code>POST /v1/apps</code> makes an app and <code>GET /v1/apps</code> lists
  yours.</p>
  <form method="get">
    <label>App id <input name="app_id" required pattern="app_[A-Za-z0-9]{{20}}" autocomplete="off" spellcheck="false"></label>
    <button>Show the chat</button>
  </form>"#
    )
}

fn with_chat(public_url: &str, app: &str) -> String {
    format!(
        r#"<p>The button in the corner opens the chat of <code>{app}</code>. It answers from the documents of that app, shows where each
  answer comes from, and hands over to a person.</p>
  <p>On a page of yours it is this one line:</p>
  <pre tabindex="0"><code>&lt;script src="{public_url}/widget.js" data-app-id="{app}" async&gt;&lt;/script&gt;</code></pre>
  <p>The page's host has to be among the <code>allowed_domains</code> of the app, and for this page that is the host of Echo. A page
  with a Content-Security-Policy allows Echo under <code>script-src</code> and <code>connect-src</code>; nothing else is needed.</p>
  <script src="../widget.js" data-app-id="{app}" async></script>"#
    )
}
