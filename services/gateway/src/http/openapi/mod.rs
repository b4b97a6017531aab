//! The OpenAPI document: the operations that are in it, the events that are sent, and what is true of all of them.
//!
//! What one operation takes and gives stands above its handler (`#[utoipa::path]`), what a body holds on its type
//! (`ToSchema`). What operations share is added here by rule and written nowhere twice: credentials and who needs which role
//! (`needs.rs`), errors, headers, `Idempotency-Key` where something is made (`rules.rs`, `errors.rs`, `headers.rs`), the closed
//! lists of words (`words.rs`) and the examples that follow from others (`examples.rs`). What is sent to webhooks stands in
//! `events.rs`.

mod credentials;
mod errors;
mod events;
mod examples;
mod headers;
mod meanings;
mod needs;
mod rules;
#[cfg(test)]
mod tests;
mod words;

use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::path::{Operation, PathItem};

pub(super) use self::errors::{ErrorBody, LinkErrorBody};
use super::{
    agent_trials, agents, api_keys, app_keys, apps, audit, auth, auth_passwords, auth_sessions, bot_calls,
    bot_webhooks, bots, business, calls, carrier, connect, customer_import, customers, deliveries,
    invitations, members, notification_batch, notification_preview, notifications, phones, projects, sdk,
    suppressions, usage, webhooks,
};

/// The operations in the document.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Echo",
        description = "Software that talks to people by phone: ring a customer, talk, and get the structured result \
                       back as a signed webhook.\n\nEvery path below `/api/v1` works below `/v1`, too, and `/auth` as \
                       `/api/auth`. Times are RFC 3339 in UTC with milliseconds, ids are UUIDs (a bot's and an app's are not). Unknown fields are ignored. \
                       Lists are bare arrays, newest first; where there are more, `Link` and `x-next-cursor` say how \
                       to go on.\n\nThe API is at version 1. Additions (fields, operations, events) may come at any time; what \
                       would break a client comes under another path. Call it from servers: there is CORS only below `/api/{appId}`, for the sites that \
                       an app allows.\n\nA \
                       body has at most 1 MiB (an import 16, a batch 4) and arrives within 15 seconds (an import: \
                       60).\n\nA key or a user has 3,000 requests a minute, an address 60 to `/auth/*` and as many with wrong \
                       keys; each replica counts for itself, and the `RateLimit` headers say what is left. The operator may \
                       have set other numbers for these, and for the seconds. A business has at most 100 projects and 100 apps, an app 50 keys, a project 50 active \
                       keys and 50 active webhooks, a customer 20 numbers, an agent 20 tools. Echo has no prices.",
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
        app_keys::create,
        app_keys::list,
        app_keys::revoke,
        apps::change,
        apps::create,
        apps::list,
        apps::read,
        apps::remove,
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
        bot_calls::list,
        bot_calls::read,
        bot_webhooks::list,
        bot_webhooks::retry,
        bot_webhooks::rotate,
        bots::create,
        bots::list,
        bots::read,
        bots::remove,
        bots::update,
        calls::of_notification,
        calls::read,
        carrier::put,
        carrier::read,
        carrier::remove,
        connect::connect,
        connect::my_number,
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
        sdk::feedback::give,
        sdk::handover::hand_over,
        sdk::handover::hand_over_named,
        sdk::ingest::ingest,
        sdk::insights::read,
        sdk::query::query,
        sdk::query::query_named,
        sdk::search::search,
        sdk::sources::list,
        sdk::sources::remove,
        sdk::tickets::change,
        sdk::tickets::list,
        sdk::tickets::read,
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
    components(schemas(ErrorBody, errors::LinkErrorBody)),
    tags(
        (name = "auth", description = "Becoming somebody: accounts and sessions. Addresses are not verified by mail, and there is no \
                                       second factor."),
        (name = "business", description = "The account that owns everything, its people, and who did what."),
        (name = "agents", description = "Voice personas of a business, usable from each of its projects."),
        (name = "bots", description = "EchoLink: who answers the calls to your own Twilio number. These paths stand below `/v1` only, and \
                                       their errors have a form of their own: `LinkError`. What a bot has to tell, its webhook is sent \
                                       (`bot.action` and `bot.completed` under `webhooks` in this document), signed with the bot's \
                                       `webhook_secret`; `bot.completed` is sent again like every event. Its log is the bot's own, and no \
                                       webhook of a project."),
        (name = "apps", description = "EchoSDK: documents that answer questions on your pages. These paths stand below `/v1` only. An \
                                       app belongs to a project; a key is shown once, when it is made."),
        (name = "knowledge", description = "EchoSDK: what an app knows. These paths stand below `/api` only, and their fields are in camelCase. A \
                                       minute and address have 10 documents, 60 questions, five wishes for a person and 120 other requests, an app \
                                       has 100 documents, 1,000 questions and 60 wishes an hour. An app of \
                                       others is not there."),
        (name = "customers", description = "The people of a project who may be rung, and their numbers."),
        (name = "projects", description = "Isolated environments of a business, and what they set for their calls."),
        (name = "api keys", description = "Keys of a project. A key is shown once, when it is made."),
        (name = "notifications", description = "Calls that are asked for, and what became of them."),
        (name = "suppressions", description = "Numbers that are not to be called."),
        (name = "usage", description = "What was used, by project and day."),
        (name = "calls", description = "Each attempt, with what was said in it."),
        (name = "carrier", description = "What a project calls with: an account of its own, or the sandbox."),
        (name = "webhooks", description = events::SENDING),
    )
)]
struct Operations;

/// The whole document.
pub(crate) fn document() -> Document {
    let mut document = Operations::openapi();
    events::add(&mut document);
    credentials::add(&mut document);
    headers::add(&mut document);
    errors::add(&mut document);
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations_of(item) {
            rules::complete(path, method, operation);
        }
    }
    words::add(&mut document);
    meanings::add(&mut document);
    examples::add(&mut document);
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
