//! Errors: their form, and which of them any operation of a kind can answer.

use actix_web::http::StatusCode;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::Ref;
use utoipa::openapi::{ContentBuilder, OpenApi as Document, RefOr, Response, ResponseBuilder};

use super::headers;
use super::rules::Traits;

/// An error. `code` is stable and meant for programs, `message` for people.
#[derive(ToSchema)]
#[schema(example = json!({
    "statusCode": 404, "message": "Customer not found", "error": "Not Found", "code": "customer_not_found",
    "details": [], "request_id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33"
}))]
#[expect(dead_code, reason = "the document's view of what `error.rs` writes")]
#[schema(as = Error)]
pub(crate) struct ErrorBody {
    /// The HTTP status.
    #[schema(rename = "statusCode", minimum = 400, maximum = 599)]
    status_code: u16,
    /// What is wrong, where, and what would be right.
    message: String,
    /// The HTTP reason phrase.
    error: String,
    /// Stable, in snake_case. Each answer of an operation names its codes; what is not there is `<thing>_not_found`. There may be
    /// more of them any time: treat one that you do not know by its status.
    code: String,
    /// Every field that is wrong, at most 50. A place inside a field follows behind slashes:
    /// `output_schema/properties/age/type`. Empty for all but 400.
    details: Vec<Detail>,
    /// The same as in `x-request-id`.
    request_id: String,
}

/// An error of EchoLink's operations. `code` is stable and meant for programs, `error` for people.
#[derive(ToSchema)]
#[schema(as = LinkError, example = json!({
    "error": "Bot not found", "code": "bot_not_found", "request_id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33"
}))]
#[expect(dead_code, reason = "the document's view of what `error.rs` writes")]
pub(crate) struct LinkErrorBody {
    /// What is wrong, where, and what would be right.
    error: String,
    /// Stable, in snake_case; as in `Error`.
    code: String,
    /// The same as in `x-request-id`.
    request_id: String,
}

/// One field that is wrong.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document's view of what `domain/problem.rs` writes")]
pub(super) struct Detail {
    /// Which; empty for the request as a whole.
    field: String,
    /// What is wrong with it.
    problem: String,
}

/// An error that operations of a kind can all answer.
struct Shared {
    /// As a component; behind `Link` for EchoLink.
    name: &'static str,
    status: StatusCode,
    code: &'static str,
    /// For people, in the example.
    message: &'static str,
    /// When it is answered.
    when: &'static str,
    /// Whether an operation can answer it.
    of: fn(&Traits) -> bool,
}

/// All of them.
const SHARED: [Shared; 15] = [
    Shared {
        name: "BadRequest",
        status: StatusCode::BAD_REQUEST,
        code: "invalid_request",
        message: "name is required",
        when: "`invalid_request`: something in the request is wrong; `details` names every field.",
        of: |_| true,
    },
    Shared {
        name: "Unauthorized",
        status: StatusCode::UNAUTHORIZED,
        code: "unauthorized",
        message: "Send your API key in the x-api-key header",
        when: "`unauthorized`: no credential, or one that is not valid (any more).",
        of: |traits| traits.guarded,
    },
    Shared {
        name: "WrongCredential",
        status: StatusCode::UNAUTHORIZED,
        code: "unauthorized",
        message: "The API key is not valid",
        when: "`unauthorized`: none is needed, and the one that was sent is not valid (any more).",
        of: |traits| traits.open,
    },
    Shared {
        name: "Forbidden",
        status: StatusCode::FORBIDDEN,
        code: "forbidden",
        message: "The role viewer may not do this",
        when: "`forbidden`: the credential's role may not do this; a key acts as a developer. Another project's path is 404, \
               not 403.",
        of: |traits| traits.guarded,
    },
    Shared {
        name: "OriginNotAllowed",
        status: StatusCode::FORBIDDEN,
        code: "origin_not_allowed",
        message: "evil.example is not one of the sites that this app allows",
        when: "`origin_not_allowed`: the app does not allow the site that is asked from.",
        of: |traits| traits.open,
    },
    Shared {
        name: "NotFound",
        status: StatusCode::NOT_FOUND,
        code: "customer_not_found",
        message: "Customer not found",
        when: "`<thing>_not_found`: there is no such thing, or it belongs to somebody else. `project_not_found` also where \
               `x-echo-project` names no project of the business.",
        of: |traits| traits.guarded || traits.open,
    },
    Shared {
        name: "MethodNotAllowed",
        status: StatusCode::METHOD_NOT_ALLOWED,
        code: "method_not_allowed",
        message: "PUT is not possible here; GET, POST is",
        when: "`method_not_allowed`: the path is there, but not with this method.",
        of: |_| true,
    },
    Shared {
        name: "RequestTimeout",
        status: StatusCode::REQUEST_TIMEOUT,
        code: "request_timeout",
        message: "The body did not arrive within 15 seconds",
        when: "`request_timeout`: the body did not arrive in time; the connection ends.",
        of: |traits| traits.has_body,
    },
    Shared {
        name: "Conflict",
        status: StatusCode::CONFLICT,
        code: "idempotency_in_progress",
        message: "A request with this Idempotency-Key is still running",
        when: IN_PROGRESS,
        of: |traits| traits.keyed,
    },
    Shared {
        name: "PayloadTooLarge",
        status: StatusCode::PAYLOAD_TOO_LARGE,
        code: "payload_too_large",
        message: "The body is larger than 1048576 bytes",
        when: "`payload_too_large`: the body is larger than allowed.",
        of: |traits| traits.has_body,
    },
    Shared {
        name: "UnsupportedMediaType",
        status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
        code: "unsupported_media_type",
        message: "Send JSON in UTF-8, with the header Content-Type: application/json",
        when: "`unsupported_media_type`: the body is of a type or an encoding that is not read here.",
        of: |traits| traits.has_body,
    },
    Shared {
        name: "UnprocessableEntity",
        status: StatusCode::UNPROCESSABLE_ENTITY,
        code: "idempotency_mismatch",
        message: "This Idempotency-Key was used for another request",
        when: "`idempotency_mismatch`: this Idempotency-Key was used for another request.",
        of: |traits| traits.keyed,
    },
    Shared {
        name: "TooManyRequests",
        status: StatusCode::TOO_MANY_REQUESTS,
        code: "rate_limited",
        message: "Too many requests; try again in 12 seconds",
        when: "`rate_limited`: too many requests in this minute.",
        of: |_| true,
    },
    Shared {
        name: "InternalServerError",
        status: StatusCode::INTERNAL_SERVER_ERROR,
        code: "internal_error",
        message: "Something broke on our side; the request id names it in the log",
        when: "`internal_error`: ours; `request_id` finds it in the log.",
        of: |_| true,
    },
    Shared {
        name: "ServiceUnavailable",
        status: StatusCode::SERVICE_UNAVAILABLE,
        code: "unavailable",
        message: "A service behind this one is away or busy; try again in a moment",
        when: "`unavailable`: a service behind this one is away or busy.",
        of: |_| true,
    },
];

/// When a key's request has not ended.
const IN_PROGRESS: &str = "`idempotency_in_progress`: a request with this Idempotency-Key is still running.";
/// When a key's answer cannot come again.
const SHOWN: &str =
    "`secret_already_shown`: it was made with this Idempotency-Key, and its secret is shown only once.";

/// Declares the errors that operations share.
pub(super) fn add(document: &mut Document) {
    let responses = &mut document.components.get_or_insert_default().responses;
    for (link, shared) in [false, true].into_iter().flat_map(|link| SHARED.iter().map(move |s| (link, s))) {
        let traits = Traits { keyed: true, link, ..Traits::default() };
        let mut response = ResponseBuilder::new().description(shared.when).build();
        let body = example(&traits, shared.status, shared.code, shared.message);
        let schema = Ref::from_schema_name(if link { "LinkError" } else { "Error" });
        let content = ContentBuilder::new().schema(Some(schema)).example(Some(body));
        response.content.insert("application/json".to_owned(), RefOr::T(content.build()));
        headers::declare(&mut response, shared.status.as_str(), &traits);
        responses.insert(shared.component(&traits), RefOr::T(response));
    }
}

impl Shared {
    /// Its name as a component.
    fn component(&self, traits: &Traits) -> String {
        format!("{}{}", if traits.link { "Link" } else { "" }, self.name)
    }
}

/// Adds the shared errors to an operation, and to its own ones what they lack.
pub(super) fn declare(operation: &mut Operation, traits: &Traits) {
    let responses = &mut operation.responses.responses;
    for (status, response) in responses.iter_mut() {
        if let RefOr::T(response) = response {
            own(status, response, traits);
        }
    }
    for shared in SHARED.iter().filter(|shared| (shared.of)(traits)) {
        let place = RefOr::Ref(Ref::from_response_name(shared.component(traits)));
        responses.entry(shared.status.as_str().to_owned()).or_insert(place);
    }
}

/// What an operation says itself about an error: with what a key adds to it, and an example with its first code.
fn own(status: &str, response: &mut Response, traits: &Traits) {
    if status == "409" && traits.keyed {
        let more = if traits.secret { [SHOWN, IN_PROGRESS].join(" ") } else { IN_PROGRESS.to_owned() };
        response.description = format!("{} {more}", response.description);
    }
    let Ok(status) = status.parse::<StatusCode>() else { return };
    if let (Some(code), true) = (first_code(&response.description), status.is_client_error()) {
        let mut message = code.replace('_', " ");
        message.get_mut(..1).into_iter().for_each(str::make_ascii_uppercase);
        if let Some(RefOr::T(content)) = response.content.get_mut("application/json") {
            content.example.get_or_insert_with(|| example(traits, status, code, &message));
        }
    }
}

/// The first word between backticks.
fn first_code(description: &str) -> Option<&str> {
    description.split('`').nth(1)
}

fn example(traits: &Traits, status: StatusCode, code: &str, message: &str) -> Value {
    const REQUEST: &str = "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33";
    if traits.link {
        return json!({"error": message, "code": code, "request_id": REQUEST});
    }
    let details = match message.split_once(' ') {
        Some((field, problem)) if status == StatusCode::BAD_REQUEST => {
            json!([{"field": field, "problem": problem}])
        }
        _ => json!([]),
    };
    json!({
        "statusCode": status.as_u16(), "message": message, "error": status.canonical_reason().unwrap_or("Error"),
        "code": code, "details": details, "request_id": REQUEST
    })
}
