//! The OpenAPI document: the operations that are in it, and what is true of all of them.
//!
//! What one operation takes and gives stands above its handler (`#[utoipa::path]`), what a body holds on its type
//! (`ToSchema`). What every operation shares is added here by rule and written nowhere twice: credentials, the errors that
//! any of them can answer, `Idempotency-Key` where something is made, the request id.

use serde_json::json;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Ref, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi as Document, RefOr, Required};
use utoipa::{OpenApi as _, ToSchema};

use super::{
    agent_trials, agents, api_keys, audit, auth, auth_passwords, auth_sessions, business, calls, carrier,
    customer_import, customers, deliveries, invitations, members, notification_batch, notification_preview,
    notifications, phones, projects, suppressions, usage, webhooks,
};

/// The operations in the document.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Echo",
        description = "Software that talks to people by phone: ring a customer, talk, and get the structured result \
                       back as a signed webhook.\n\nEvery path below `/api/v1` works below `/v1`, too, and `/auth` as \
                       `/api/auth`. Times are RFC 3339 in UTC with milliseconds, ids are UUIDs. Unknown fields are ignored. \
                       Lists are bare arrays, newest first; where there are more, `Link` and `x-next-cursor` say how \
                       to go on.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/")),
    paths(
        auth::signup,
        auth::login,
        auth_passwords::change,
        auth_passwords::forgot,
        auth_passwords::reset,
        invitations::accept,
        auth_sessions::refresh,
        auth_sessions::logout,
        auth_sessions::me,
        api_keys::create,
        api_keys::list,
        api_keys::revoke,
        audit::list,
        agent_trials::preview,
        agent_trials::simulate,
        agents::create,
        agents::disable,
        agents::list,
        agents::read,
        agents::signing::read,
        agents::signing::rotate,
        agents::update,
        agents::versions::list,
        agents::versions::read,
        calls::of_notification,
        calls::read,
        carrier::put,
        carrier::read,
        carrier::remove,
        customer_import::import,
        customers::create,
        customers::list,
        customers::read,
        customers::remove,
        customers::update,
        notification_batch::create,
        notification_preview::preview,
        notifications::cancel,
        notifications::create,
        notifications::list,
        notifications::read,
        phones::create,
        phones::remove,
        phones::update,
        suppressions::create,
        suppressions::list,
        suppressions::remove,
        usage::read,
        deliveries::list,
        deliveries::read,
        deliveries::retry,
        deliveries::test,
        business::change,
        business::read,
        invitations::create,
        members::change,
        members::list,
        members::remove,
        projects::change,
        projects::create,
        projects::list,
        projects::read,
        projects::remove,
        webhooks::create,
        webhooks::list,
        webhooks::read,
        webhooks::remove,
        webhooks::rotate,
        webhooks::update,
    ),
    components(schemas(ErrorBody)),
    tags(
        (name = "auth", description = "Becoming somebody: accounts and sessions."),
        (name = "business", description = "The account that owns everything, its people, and who did what."),
        (name = "agents", description = "Voice personas of a business, usable from each of its projects."),
        (name = "customers", description = "The people of a project who may be rung, and their numbers."),
        (name = "projects", description = "Isolated environments of a business, and what they set for their calls."),
        (name = "api keys", description = "Keys of a project. A key is shown once, when it is made."),
        (name = "notifications", description = "Calls that are asked for, and what became of them."),
        (name = "suppressions", description = "Numbers that are not to be called."),
        (name = "usage", description = "What was used, by project and day."),
        (name = "calls", description = "Each attempt, with what was said in it."),
        (name = "carrier", description = "What a project calls with: an account of its own, or the sandbox."),
        (name = "webhooks", description = "Where a project wants its events, and what was sent there."),
    )
)]
struct Operations;

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
    /// Stable, in snake_case.
    code: String,
    /// Every field that is wrong. A place inside a field follows behind slashes: `output_schema/properties/age/type`.
    details: Vec<Detail>,
    /// The same as in `x-request-id`.
    request_id: String,
}

/// One field that is wrong.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document's view of what `domain/problem.rs` writes")]
pub(super) struct Detail {
    /// Which.
    field: String,
    /// What is wrong with it.
    problem: String,
}

/// The whole document.
pub(crate) fn document() -> Document {
    let mut document = Operations::openapi();
    add_credentials(&mut document);
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations_of(item) {
            complete(path, method, operation);
        }
    }
    document
}

/// What is documented: path and method.
#[cfg(test)]
pub(crate) fn operations() -> Vec<(String, &'static str)> {
    let mut document = Operations::openapi();
    let paths = document.paths.paths.iter_mut();
    paths.flat_map(|(path, item)| operations_of(item).map(|(method, _)| (path.clone(), method))).collect()
}

fn operations_of(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [
        ("GET", &mut item.get),
        ("PUT", &mut item.put),
        ("POST", &mut item.post),
        ("DELETE", &mut item.delete),
        ("PATCH", &mut item.patch),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}

fn add_credentials(document: &mut Document) {
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(
        "apiKey",
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
            "x-api-key",
            "A project's key: `echo_` and 64 hexadecimal digits.",
        ))),
    );
    components.add_security_scheme(
        "accessToken",
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("JWT")
                .description(Some(
                    "A member's access token. The project is the `x-echo-project` header, else the business' first.",
                ))
                .build(),
        ),
    );
    components.add_security_scheme(
        "refreshToken",
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("JWT")
                .description(Some("A refresh token: good once, for another pair of tokens."))
                .build(),
        ),
    );
}

/// Adds what an operation shares with others.
fn complete(path: &str, method: &str, operation: &mut Operation) {
    let guarded = path.starts_with("/api/v1");
    let keyed = has_idempotency_key(operation);
    let creates = keyed || method == "POST" && operation.responses.responses.contains_key("201");
    if guarded && operation.security.is_none() {
        operation.security = Some(either_credential());
    }
    if guarded && creates && !keyed {
        add_parameter(operation, idempotency_key());
    }
    for (status, why) in shared_errors(path, operation.request_body.is_some(), guarded, creates) {
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(error(why)));
    }
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            response.headers.entry("x-request-id".to_owned()).or_insert_with(request_id);
        }
    }
}

fn either_credential() -> Vec<utoipa::openapi::SecurityRequirement> {
    let none: [&str; 0] = [];
    ["apiKey", "accessToken"].map(|name| utoipa::openapi::SecurityRequirement::new(name, none)).to_vec()
}

/// Statuses that operations of a kind can all answer, and when.
fn shared_errors(
    path: &str,
    has_body: bool,
    guarded: bool,
    creates: bool,
) -> Vec<(&'static str, &'static str)> {
    let mut errors = vec![
        ("400", "Something in the request is wrong; `details` names every field."),
        ("429", "Too many requests in this minute; `Retry-After` says when to come back."),
        ("503", "A service behind this one is away or busy; `Retry-After` says when to come back."),
    ];
    if guarded {
        errors.push(("401", "No credential, or one that is not valid (any more)."));
        errors.push(("403", "The credential's role may not do this."));
    }
    if path.contains('{') {
        errors.push(("404", "There is no such thing, or it belongs to somebody else."));
    }
    if has_body {
        errors.push(("408", "The body did not arrive in time."));
        errors.push(("413", "The body is larger than allowed."));
        errors.push(("415", "The body is of a type that is not read here."));
    }
    if guarded && creates {
        errors.push((
            "409",
            "It conflicts with what is there, or a request with this Idempotency-Key is still running.",
        ));
        errors.push(("422", "This Idempotency-Key was used for another request."));
    }
    errors
}

/// The documented form of an error, with this explanation.
fn error(why: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Error"))).build();
    ResponseBuilder::new().description(why).content("application/json", content).build()
}

fn request_id() -> RefOr<Header> {
    let schema = ObjectBuilder::new().schema_type(Type::String).build();
    let mut header = Header::new(schema);
    header.description =
        Some("The caller's, if it sent a sane one; it stands in every log line of this request.".to_owned());
    RefOr::T(header)
}

fn idempotency_key() -> Parameter {
    let schema =
        ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255)).build();
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "1–255 printable characters. The same key and body within 24 hours answers the same again, with the header \
             `idempotent-replayed: true`, and has no second effect.",
        ))
        .schema(Some(schema))
        .example(Some(json!("order-4711")))
        .build()
}

/// Whether an operation says by itself that it takes the header, as one does that makes many things at once.
fn has_idempotency_key(operation: &Operation) -> bool {
    let named = |p: &RefOr<Parameter>| matches!(p, RefOr::T(p) if p.name == "Idempotency-Key");
    operation.parameters.iter().flatten().any(named)
}

fn add_parameter(operation: &mut Operation, parameter: Parameter) {
    operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
}
