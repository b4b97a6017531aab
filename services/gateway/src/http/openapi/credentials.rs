//! How a caller says who they are.

use serde_json::json;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{OpenApi as Document, Required};

const API_KEY: &str = "A project's key: `echo_` and 64 hexadecimal digits. It acts as a `developer`, and has no scopes, no \
                       expiry, no time of last use and no list of addresses. Where nothing shall ring, the project has the \
                       carrier `sandbox`: there are no keys for tests.";
const ACCESS_TOKEN: &str = "A member's access token, good for an hour wherever an API key is. The project is the \
                            `x-echo-project` header, else the business' first.";
const APP_KEY: &str = "An app's key: `echo_` and 32 letters and digits. Good for what programs ask of that app, and for nothing else; \
                       `Authorization: Bearer` and the key is the same. For servers, never for pages.";
const FIREBASE_TOKEN: &str = "An ID token of Firebase, for what is asked of apps, where the operator has named a Firebase project. Its verified \
                              e-mail address says which member is asking, who then may do what their role may; accounts are not made of it. \
                              The project is the `x-echo-project` header, else the first one of the member's first business, and where an app \
                              is asked that app's.";
const REFRESH_TOKEN: &str = "A refresh token: good once, for another pair of tokens.";

const LINK_TOKEN: &str = "EchoLink's token, good for a day for EchoLink's operations.";

/// Declares the credentials.
pub(super) fn add(document: &mut Document) {
    let components = document.components.get_or_insert_default();
    let key = ApiKeyValue::with_description("x-api-key", API_KEY);
    components.add_security_scheme("apiKey", SecurityScheme::ApiKey(ApiKey::Header(key)));
    let key = ApiKeyValue::with_description("x-api-key", APP_KEY);
    components.add_security_scheme("appKey", SecurityScheme::ApiKey(ApiKey::Header(key)));
    components.add_security_scheme("accessToken", token(ACCESS_TOKEN));
    components.add_security_scheme("firebaseToken", token(FIREBASE_TOKEN));
    components.add_security_scheme("linkToken", token(LINK_TOKEN));
    components.add_security_scheme("refreshToken", token(REFRESH_TOKEN));
}

fn token(description: &str) -> SecurityScheme {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
    SecurityScheme::Http(bearer.description(Some(description)).build())
}

/// A project's key, or a member's token.
pub(super) fn either() -> Vec<SecurityRequirement> {
    ["apiKey", "accessToken"].map(required).to_vec()
}

/// The same, or a token of Firebase's.
pub(super) fn of_sdk() -> Vec<SecurityRequirement> {
    ["apiKey", "accessToken", "firebaseToken"].map(required).to_vec()
}

/// The same, or a key of the app.
pub(super) fn of_app() -> Vec<SecurityRequirement> {
    ["appKey", "apiKey", "accessToken", "firebaseToken"].map(required).to_vec()
}

/// The same, or none.
pub(super) fn none_or_of_app() -> Vec<SecurityRequirement> {
    let mut ways = vec![SecurityRequirement::default()];
    ways.extend(of_app());
    ways
}

/// [`either`], or EchoLink's token.
pub(super) fn of_link() -> Vec<SecurityRequirement> {
    ["apiKey", "accessToken", "linkToken"].map(required).to_vec()
}

fn required(name: &str) -> SecurityRequirement {
    let none: [&str; 0] = [];
    SecurityRequirement::new(name, none)
}

/// Which project a member means.
pub(super) fn project() -> Parameter {
    ParameterBuilder::new()
        .name("x-echo-project")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "With an access token: the id of the project that is meant, one of the business; without it the first one, and where an app \
             is asked that app's. A key has one project, and this header says nothing beside it.",
        ))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
        .example(Some(json!("e56b4c35-882d-4604-9944-9763d314ea59")))
        .build()
}
