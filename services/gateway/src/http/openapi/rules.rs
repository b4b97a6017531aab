//! What is true of every operation of a kind.

use serde_json::json;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, Required};

use super::{credentials, errors, headers, needs};

/// Operations whose answer holds a secret that is shown once, so that it is not kept for a repetition.
const WITH_SECRET: [&str; 6] =
    ["createApiKey", "createApp", "createAppKey", "createBot", "createProject", "inviteMember"];
/// Makes nothing twice, for accounts are one for an address.
const IGNORES_KEY: &str = "signUp";

/// What an app opens to everybody whom it lets in, below `/api/`.
const OPEN: [&str; 5] = ["query", "handover", "{appId}/query", "{appId}/feedback", "{appId}/handover"];

/// EchoLink's operation for which nobody has a credential yet.
const MAKES_ACCOUNTS: &str = "connectTwilio";

/// What rules ask about an operation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traits {
    /// It needs a key or an access token.
    pub(super) guarded: bool,
    /// It is for whoever an app lets in, and a key or an access token is looked at where there is one.
    pub(super) open: bool,
    /// It takes an `Idempotency-Key`.
    pub(super) keyed: bool,
    /// Its answer holds a secret that is shown once.
    pub(super) secret: bool,
    /// It has a body.
    pub(super) has_body: bool,
    /// It answers a list by pages.
    pub(super) paged: bool,
    /// It is one of EchoLink's: its errors have another form.
    pub(super) link: bool,
}

impl Traits {
    fn of(path: &str, method: &str, operation: &Operation) -> Self {
        let id = operation.operation_id.as_deref().unwrap_or_default();
        let makes = method == "POST" && operation.responses.responses.contains_key("201");
        let (link, open) = (is_link(path), is_open(path));
        let guarded = path.starts_with("/api/v1") || is_sdk(path) || link && id != MAKES_ACCOUNTS;
        Self {
            guarded,
            open,
            link,
            keyed: has_parameter(operation, KEY) || makes && guarded && id != IGNORES_KEY,
            secret: WITH_SECRET.contains(&id),
            has_body: operation.request_body.is_some(),
            paged: has_parameter(operation, "cursor") && answers_array(operation),
        }
    }
}

/// Whether a path is one of EchoLink's.
pub(super) fn is_link(path: &str) -> bool {
    path.starts_with("/v1") && !is_sdk(path)
}

/// Whether a path is one that an app opens to everybody whom it lets in.
pub(super) fn is_open(path: &str) -> bool {
    path.strip_prefix("/api/").is_some_and(|below| OPEN.contains(&below))
}

/// Whether a path is one of EchoSDK's that needs a credential.
pub(super) fn is_sdk(path: &str) -> bool {
    path.starts_with("/v1/apps") || path.starts_with("/api/apps/") || is_of_app(path) && !is_open(path)
}

/// Whether a path leads to one app, where its keys are good.
fn is_of_app(path: &str) -> bool {
    path.starts_with("/api/{appId}/")
}

/// Adds what an operation shares with others.
pub(super) fn complete(path: &str, method: &str, operation: &mut Operation) {
    let traits = Traits::of(path, method, operation);
    describe(operation);
    if (traits.guarded || traits.open) && operation.security.is_none() {
        operation.security = Some(match (traits.link, traits.open, is_of_app(path)) {
            (true, ..) => credentials::of_link(),
            (_, true, _) => credentials::none_or_of_app(),
            (.., true) => credentials::of_app(),
            _ if is_sdk(path) => credentials::of_sdk(),
            _ => credentials::either(),
        });
    }
    if traits.guarded || traits.open {
        add_parameter(operation, credentials::project());
    }
    if traits.keyed {
        operation.parameters.get_or_insert_default().retain(|p| !is_named(p, KEY));
        add_parameter(operation, idempotency_key(traits.secret));
    }
    errors::declare(operation, &traits);
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            headers::declare(response, status, &traits);
        }
    }
}

/// The first sentence is the summary; the others follow it, and who may do it.
fn describe(operation: &mut Operation) {
    let whole = operation.summary.take().unwrap_or_default().replace('\n', " ");
    let (first, rest) = whole.split_once(". ").unwrap_or((&whole, ""));
    let own = operation.description.take().unwrap_or_default();
    let needs = operation.operation_id.as_deref().and_then(needs::told).unwrap_or_default();
    let parts: Vec<&str> =
        [rest, own.as_str(), needs.as_str()].into_iter().filter(|part| !part.is_empty()).collect();
    operation.summary = Some(first.trim_end_matches('.').to_owned());
    operation.description = (!parts.is_empty()).then(|| parts.join("\n\n"));
}

fn answers_array(operation: &Operation) -> bool {
    let Some(RefOr::T(response)) = operation.responses.responses.get("200") else { return false };
    let Some(RefOr::T(content)) = response.content.get("application/json") else { return false };
    matches!(content.schema, Some(RefOr::T(Schema::Array(_))))
}

const KEY: &str = "Idempotency-Key";

fn idempotency_key(secret: bool) -> Parameter {
    let again = match secret {
        false => {
            "answers the same again, with the header `idempotent-replayed: true`, and has no second effect"
        }
        true => {
            "has no second effect and is 409 `secret_already_shown`: the answer holds a secret that is not kept"
        }
    };
    let schema =
        ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255)).build();
    ParameterBuilder::new()
        .name(KEY)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(format!(
            "1–255 printable characters, kept for the project. The same key and body within 24 hours {again}. Another body is \
             422. While the first request runs it is 409 with `Retry-After`; a request that was left unfinished is taken up \
             again after ten seconds.",
        )))
        .schema(Some(schema))
        .example(Some(json!("order-4711")))
        .build()
}

fn has_parameter(operation: &Operation, name: &str) -> bool {
    operation.parameters.iter().flatten().any(|parameter| is_named(parameter, name))
}

fn is_named(parameter: &RefOr<Parameter>, name: &str) -> bool {
    matches!(parameter, RefOr::T(parameter) if parameter.name == name)
}

fn add_parameter(operation: &mut Operation, parameter: Parameter) {
    operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
}
