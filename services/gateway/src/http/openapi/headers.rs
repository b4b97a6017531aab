//! The headers of answers: which there are, and which answers carry them.

use serde_json::{Value, json};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Ref, Type};
use utoipa::openapi::{OpenApi as Document, RefOr, Response};

use super::rules::Traits;

const REQUEST_ID: &str = "x-request-id";
const QUOTA: [&str; 2] = ["RateLimit", "RateLimit-Policy"];
const PAGE: [&str; 2] = ["Link", "x-next-cursor"];
const REPLAYED: &str = "idempotent-replayed";
const RETRY_AFTER: &str = "Retry-After";
const ALLOW: &str = "Allow";
const AUTHENTICATE: &str = "WWW-Authenticate";

/// Name, what it says, an example.
fn all() -> [(&'static str, &'static str, Value); 9] {
    [
        (
            REQUEST_ID,
            "The caller's, if it sent a sane one; it stands in every log line of this request.",
            json!("0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33"),
        ),
        (
            QUOTA[0],
            "What is left of this minute or hour: `r` requests, until it ends in `t` seconds. Absent where nothing was counted.",
            json!("\"default\";r=2999;t=60"),
        ),
        (QUOTA[1], "So many requests (`q`) in so many seconds (`w`).", json!("\"default\";q=3000;w=60")),
        (
            PAGE[0],
            "The next page; absent on the last one.",
            json!(
                "<https://echo.example.com/api/v1/customers?cursor=0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33>; rel=\"next\""
            ),
        ),
        (
            PAGE[1],
            "The `cursor` of the next page; absent on the last one.",
            json!("0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33"),
        ),
        (REPLAYED, "`true`: the answer to an earlier request with this `Idempotency-Key`.", json!("true")),
        (RETRY_AFTER, "When to come back, in seconds.", json!(12)),
        (ALLOW, "The methods that this path has.", json!("GET, POST")),
        (AUTHENTICATE, "How to say who one is.", json!("Bearer")),
    ]
}

/// Declares the headers.
pub(super) fn add(document: &mut Document) {
    let headers = &mut document.components.get_or_insert_default().headers;
    for (name, description, example) in all() {
        let kind = if example.is_number() { Type::Integer } else { Type::String };
        let header = HeaderBuilder::new()
            .schema(Some(ObjectBuilder::new().schema_type(kind).build()))
            .description(Some(description))
            .example(Some(example));
        headers.insert(name.to_owned(), RefOr::T(header.build()));
    }
}

/// Adds to an answer what it may carry.
pub(super) fn declare(response: &mut Response, status: &str, traits: &Traits) {
    let mut carries = vec![REQUEST_ID];
    carries.extend(QUOTA);
    match status {
        "401" => carries.push(AUTHENTICATE),
        "405" => carries.push(ALLOW),
        "429" | "503" => carries.push(RETRY_AFTER),
        "409" if traits.keyed => carries.push(RETRY_AFTER),
        "200" if traits.paged => carries.extend(PAGE),
        _ => {}
    }
    if status.starts_with('2') && traits.keyed && !traits.secret {
        carries.push(REPLAYED);
    }
    for name in carries {
        let place = Ref::new(format!("#/components/headers/{name}"));
        response.headers.insert(name.to_owned(), RefOr::Ref(place));
    }
}
