//! The table of all routes: which path and method lead to which handler.
//!
//! A path stands here once, however many bases it is reached under. A new row wants its handler named in `openapi.rs`, too: a
//! test compares the two, both ways.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig, delete, get, patch, post, put};
use actix_web::{Error, HttpRequest, HttpResponse, Resource, Route};

use super::{
    agent_trials, agents, api_keys, app_keys, apps, audit, auth, auth_passwords, auth_sessions, bot_calls,
    bot_webhooks, bots, business, calls, carrier, connect, customer_import, customers, deliveries, docs,
    edge, invitations, members, notification_batch, notification_preview, notifications, pages, phones,
    projects, sdk, suppressions, usage, voice_proxy, webhooks, widget,
};
use crate::app::App;
use crate::error::{ApiError, Shape};

/// A path and what its methods lead to.
struct Path {
    /// Below the base, with `{names}` for what varies.
    path: &'static str,
    /// The methods it has.
    methods: &'static [Method],
}

/// A method and its handler.
type Method = (&'static str, fn() -> Route);

/// Paths that belong together.
struct Group {
    /// Where they are reached: the first base is the one that the document names.
    bases: &'static [&'static str],
    paths: &'static [Path],
}

/// What programs of integrators call. All of it stands in the document.
const FOR_PROGRAMS: [Group; 6] = [
    Group { bases: &["/auth", "/api/auth"], paths: AUTH },
    // Before Echo's own, of which one is among them.
    Group { bases: &["/v1"], paths: SHARED },
    Group { bases: &["/api/v1", "/v1"], paths: API },
    Group { bases: &["/v1"], paths: LINK },
    Group { bases: &["/v1"], paths: APPS },
    Group { bases: &["/api"], paths: SDK },
];

/// What people open in a browser, and the document itself.
const FOR_PEOPLE: [Group; 3] = [
    Group { bases: &[""], paths: DOCUMENT },
    Group { bases: &[""], paths: PAGES },
    Group { bases: &[""], paths: WIDGET },
];

/// Becoming somebody.
const AUTH: &[Path] = &[
    Path { path: "/signup", methods: &[("POST", || post().to(auth::signup))] },
    Path { path: "/login", methods: &[("POST", || post().to(auth::login))] },
    Path { path: "/refresh", methods: &[("POST", || post().to(auth_sessions::refresh))] },
    Path { path: "/logout", methods: &[("POST", || post().to(auth_sessions::logout))] },
    Path { path: "/password", methods: &[("POST", || post().to(auth_passwords::change))] },
    Path { path: "/password/forgot", methods: &[("POST", || post().to(auth_passwords::forgot))] },
    Path { path: "/password/reset", methods: &[("POST", || post().to(auth_passwords::reset))] },
    Path { path: "/invitations/accept", methods: &[("POST", || post().to(invitations::accept))] },
    Path { path: "/me", methods: &[("GET", || get().to(auth_sessions::me))] },
];

/// What a key or an access token opens.
const API: &[Path] = &[
    Path {
        path: "/api-keys",
        methods: &[("GET", || get().to(api_keys::list)), ("POST", || post().to(api_keys::create))],
    },
    Path { path: "/api-keys/{id}/revoke", methods: &[("PATCH", || patch().to(api_keys::revoke))] },
    Path { path: "/audit", methods: &[("GET", || get().to(audit::list))] },
    Path {
        path: "/business",
        methods: &[("GET", || get().to(business::read)), ("PATCH", || patch().to(business::change))],
    },
    Path {
        path: "/members",
        methods: &[("GET", || get().to(members::list)), ("POST", || post().to(invitations::create))],
    },
    Path {
        path: "/members/{id}",
        methods: &[("PATCH", || patch().to(members::change)), ("DELETE", || delete().to(members::remove))],
    },
    Path {
        path: "/projects",
        methods: &[("GET", || get().to(projects::list)), ("POST", || post().to(projects::create))],
    },
    Path {
        path: "/projects/{id}",
        methods: &[
            ("GET", || get().to(projects::read)),
            ("PATCH", || patch().to(projects::change)),
            ("DELETE", || delete().to(projects::remove)),
        ],
    },
    Path {
        path: "/agents",
        methods: &[("GET", || get().to(agents::list)), ("POST", || post().to(agents::create))],
    },
    Path {
        path: "/agents/{id}",
        methods: &[
            ("GET", || get().to(agents::read)),
            ("PATCH", || patch().to(agents::update)),
            ("DELETE", || delete().to(agents::disable)),
        ],
    },
    Path { path: "/agents/{id}/versions", methods: &[("GET", || get().to(agents::versions::list))] },
    Path {
        path: "/agents/{id}/versions/{version}",
        methods: &[("GET", || get().to(agents::versions::read))],
    },
    Path { path: "/agents/{id}/signing-secret", methods: &[("GET", || get().to(agents::signing::read))] },
    Path {
        path: "/agents/{id}/signing-secret/rotate",
        methods: &[("POST", || post().to(agents::signing::rotate))],
    },
    Path { path: "/agents/{id}/preview", methods: &[("POST", || post().to(agent_trials::preview))] },
    Path { path: "/agents/{id}/simulate", methods: &[("POST", || post().to(agent_trials::simulate))] },
    Path {
        path: "/customers",
        methods: &[("GET", || get().to(customers::list)), ("POST", || post().to(customers::create))],
    },
    // Before what looks like an id.
    Path { path: "/customers/import", methods: &[("POST", || post().to(customer_import::import))] },
    Path {
        path: "/customers/{id}",
        methods: &[
            ("GET", || get().to(customers::read)),
            ("PATCH", || patch().to(customers::update)),
            ("DELETE", || delete().to(customers::remove)),
        ],
    },
    Path { path: "/customers/{id}/phones", methods: &[("POST", || post().to(phones::create))] },
    Path {
        path: "/customers/{id}/phones/{phone}",
        methods: &[("PATCH", || patch().to(phones::update)), ("DELETE", || delete().to(phones::remove))],
    },
    Path {
        path: "/notifications",
        methods: &[("GET", || get().to(notifications::list)), ("POST", || post().to(notifications::create))],
    },
    Path {
        path: "/notifications/preview",
        methods: &[("POST", || post().to(notification_preview::preview))],
    },
    Path { path: "/notifications/batch", methods: &[("POST", || post().to(notification_batch::create))] },
    Path { path: "/notifications/{id}", methods: &[("GET", || get().to(notifications::read))] },
    Path { path: "/notifications/{id}/cancel", methods: &[("POST", || post().to(notifications::cancel))] },
    Path { path: "/notifications/{id}/calls", methods: &[("GET", || get().to(calls::of_notification))] },
    Path { path: "/calls/{id}", methods: &[("GET", || get().to(calls::read))] },
    Path {
        path: "/suppressions",
        methods: &[("GET", || get().to(suppressions::list)), ("POST", || post().to(suppressions::create))],
    },
    Path { path: "/suppressions/{id}", methods: &[("DELETE", || delete().to(suppressions::remove))] },
    Path { path: "/usage", methods: &[("GET", || get().to(usage::read))] },
    Path {
        path: "/projects/{project}/carrier",
        methods: &[
            ("GET", || get().to(carrier::read)),
            ("PUT", || put().to(carrier::put)),
            ("DELETE", || delete().to(carrier::remove)),
        ],
    },
    Path {
        path: "/projects/{project}/webhooks",
        methods: &[("GET", || get().to(webhooks::list)), ("POST", || post().to(webhooks::create))],
    },
    Path {
        path: "/projects/{project}/webhooks/{id}",
        methods: &[
            ("GET", || get().to(webhooks::read)),
            ("PATCH", || patch().to(webhooks::update)),
            ("DELETE", || delete().to(webhooks::remove)),
        ],
    },
    Path {
        path: "/projects/{project}/webhooks/{id}/secret/rotate",
        methods: &[("POST", || post().to(webhooks::rotate))],
    },
    Path {
        path: "/projects/{project}/webhooks/{id}/test",
        methods: &[("POST", || post().to(deliveries::test))],
    },
    Path {
        path: "/projects/{project}/webhooks/{id}/deliveries",
        methods: &[("GET", || get().to(deliveries::list))],
    },
    Path {
        path: "/projects/{project}/webhooks/{id}/deliveries/{delivery}",
        methods: &[("GET", || get().to(deliveries::read))],
    },
    Path {
        path: "/projects/{project}/webhooks/{id}/deliveries/{delivery}/retry",
        methods: &[("POST", || post().to(deliveries::retry))],
    },
];

/// Where calls to bots are, and below `/v1` Echo's calls, too: the credential decides what is seen and the form of errors.
const SHARED: &[Path] = &[
    Path { path: CALLS, methods: &[("GET", || get().to(bot_calls::list))] },
    Path { path: "/calls/{id}", methods: &[("GET", || get().to(bot_calls::read))] },
];

/// Of both, the one that only EchoLink has.
const CALLS: &str = "/calls";

/// EchoLink: an agent that answers the calls to one's own number. Errors have a shape of their own here.
const LINK: &[Path] = &[
    Path {
        path: "/bots",
        methods: &[("GET", || get().to(bots::list)), ("POST", || post().to(bots::create))],
    },
    Path {
        path: "/bots/{id}",
        methods: &[
            ("GET", || get().to(bots::read)),
            ("PATCH", || patch().to(bots::update)),
            ("DELETE", || delete().to(bots::remove)),
        ],
    },
    Path { path: "/bots/{id}/deliveries", methods: &[("GET", || get().to(bot_webhooks::list))] },
    Path {
        path: "/bots/{id}/deliveries/{delivery_id}/retry",
        methods: &[("POST", || post().to(bot_webhooks::retry))],
    },
    Path { path: "/bots/{id}/rotate-secret", methods: &[("POST", || post().to(bot_webhooks::rotate))] },
    Path { path: CONNECT, methods: &[("POST", || post().to(connect::connect))] },
    Path { path: "/my-number", methods: &[("GET", || get().to(connect::my_number))] },
];

/// EchoSDK: apps and their keys.
const APPS: &[Path] = &[
    Path {
        path: "/apps",
        methods: &[("GET", || get().to(apps::list)), ("POST", || post().to(apps::create))],
    },
    Path {
        path: "/apps/{id}",
        methods: &[
            ("GET", || get().to(apps::read)),
            ("PATCH", || patch().to(apps::change)),
            ("DELETE", || delete().to(apps::remove)),
        ],
    },
    Path {
        path: "/apps/{id}/keys",
        methods: &[("GET", || get().to(app_keys::list)), ("POST", || post().to(app_keys::create))],
    },
    Path { path: "/apps/{id}/keys/{key_id}", methods: &[("DELETE", || delete().to(app_keys::revoke))] },
];

/// EchoSDK: what is asked of one app. What looks like an app's id comes last.
const SDK: &[Path] = &[
    Path {
        path: "/apps/sources",
        methods: &[
            ("GET", || get().to(sdk::sources::list)),
            ("DELETE", || delete().to(sdk::sources::remove)),
        ],
    },
    Path { path: "/apps/insights", methods: &[("GET", || get().to(sdk::insights::read))] },
    Path { path: "/apps/tickets", methods: &[("GET", || get().to(sdk::tickets::list))] },
    Path {
        path: "/apps/tickets/{id}",
        methods: &[("GET", || get().to(sdk::tickets::read)), ("PATCH", || patch().to(sdk::tickets::change))],
    },
    Path { path: "/handover", methods: &[("POST", || post().to(sdk::handover::hand_over_named))] },
    Path { path: "/query", methods: &[("POST", || post().to(sdk::query::query_named))] },
    Path { path: "/{appId}/feedback", methods: &[("POST", || post().to(sdk::feedback::give))] },
    Path { path: "/{appId}/handover", methods: &[("POST", || post().to(sdk::handover::hand_over))] },
    Path { path: "/{appId}/ingest", methods: &[("POST", || post().to(sdk::ingest::ingest))] },
    Path { path: "/{appId}/query", methods: &[("POST", || post().to(sdk::query::query))] },
    Path { path: "/{appId}/search", methods: &[("GET", || get().to(sdk::search::search))] },
];

/// Where accounts of EchoLink are made.
const CONNECT: &str = "/connect-twilio";

/// Whether requests to a path, by its pattern, prove somebody, so that tries are counted by address.
pub(super) fn proves_somebody(pattern: &str) -> bool {
    pattern.starts_with("/auth/") || pattern.strip_prefix("/v1") == Some(CONNECT)
}

/// The shape of the errors of a path, by its pattern; of a shared one, by whom the credential was `made_for`.
pub(super) fn shape_of(pattern: &str, made_for: impl FnOnce() -> Option<Shape>) -> Shape {
    let Some(below) = pattern.strip_prefix("/v1") else { return Shape::Echo };
    let is_in = |paths: &[Path]| paths.iter().any(|path| path.path == below);
    match (is_in(LINK), is_in(SHARED)) {
        (true, _) => Shape::EchoLink,
        (_, true) => made_for().unwrap_or(if below == CALLS { Shape::EchoLink } else { Shape::Echo }),
        (false, false) => Shape::Echo,
    }
}

/// The document and its playground.
const DOCUMENT: &[Path] = &[
    Path { path: "/openapi.json", methods: &[("GET", || get().to(docs::document))] },
    Path { path: "/docs", methods: &[("GET", || get().to(docs::to_playground))] },
    Path { path: "/docs/{file:.*}", methods: &[("GET", || get().to(docs::playground))] },
];

/// Where mailed links lead.
const PAGES: &[Path] = &[
    Path { path: "/invitation", methods: &[("GET", || get().to(pages::invitation))] },
    Path { path: "/reset-password", methods: &[("GET", || get().to(pages::reset_password))] },
    Path { path: "/pages/{file}", methods: &[("GET", || get().to(pages::file))] },
];

/// The chat for other people's pages.
const WIDGET: &[Path] = &[
    Path { path: "/widget.js", methods: &[("GET", || get().to(widget::script))] },
    Path { path: "/demo/widget", methods: &[("GET", || get().to(widget::demo))] },
];

/// Registers the table.
pub(crate) fn register(app: &App) -> impl Fn(&mut ServiceConfig) + Send + Sync + 'static {
    let app = app.clone();
    move |config| {
        config.app_data(Data::new(app.clone()));
        for group in FOR_PROGRAMS.iter().chain(&FOR_PEOPLE) {
            for base in group.bases {
                for path in group.paths {
                    config.service(resource(base, path));
                }
            }
        }
        if app.bridges.is_some() {
            config.service(
                web::resource("/v1/voice{rest:(-[a-z-]+)?}")
                    .wrap(from_fn(edge::edge))
                    .default_service(web::to(voice_proxy::forward)),
            );
        }
        config.default_service(web::route().to(no_route).wrap(from_fn(edge::edge)));
    }
}

/// A path with everything around it.
fn resource(
    base: &str,
    path: &'static Path,
) -> Resource<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    let pattern = format!("{base}{}", path.path);
    let for_pages = sdk::cors::for_pages(&pattern);
    let mut resource = web::resource(pattern);
    for (_, handler) in path.methods {
        resource = resource.route(handler());
    }
    resource.wrap(from_fn(edge::edge)).default_service(web::to(move |request: HttpRequest| async move {
        let allowed: Vec<&str> = path.methods.iter().map(|(method, _)| *method).collect();
        let allowed = allowed.join(", ");
        if for_pages && sdk::cors::is_preflight(&request) {
            return sdk::cors::preflight(&request, &allowed).await;
        }
        Err::<HttpResponse, _>(ApiError::wrong_method(request.method().as_str(), &allowed))
    }))
}

async fn no_route(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    Err(ApiError::no_route(request.method().as_str(), request.path()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::http::openapi::operations;

    #[test]
    fn errors_of_echolink_have_their_own_shape_and_nothing_else_has() {
        let nobody = || None;
        assert_eq!(shape_of("/v1/bots/{id}", nobody), Shape::EchoLink);
        for other in [
            "/v1/agents/{id}",
            "/v1",
            "/v1/apps/{id}",
            "/auth/login",
            "unmatched",
            "/bots",
            "/api/v1/calls/{id}",
        ] {
            assert_eq!(shape_of(other, || Some(Shape::EchoLink)), Shape::Echo, "{other}");
        }
        for shared in ["/v1/calls", "/v1/calls/{id}"] {
            for shape in [Shape::Echo, Shape::EchoLink] {
                assert_eq!(shape_of(shared, || Some(shape)), shape, "{shared}");
            }
        }
        assert_eq!(
            (shape_of("/v1/calls", nobody), shape_of("/v1/calls/{id}", nobody)),
            (Shape::EchoLink, Shape::Echo)
        );
    }

    #[test]
    fn routes_and_document_name_the_same_operations() {
        let routed: BTreeSet<(String, &str)> = FOR_PROGRAMS
            .iter()
            .flat_map(|group| {
                group.paths.iter().map(|path| (format!("{}{}", group.bases[0], path.path), path))
            })
            .flat_map(|(whole, path)| path.methods.iter().map(move |(method, _)| (whole.clone(), *method)))
            .collect();
        let documented: BTreeSet<(String, &str)> = operations().into_iter().collect();
        let without_a_route: Vec<_> = documented.difference(&routed).collect();
        assert!(without_a_route.is_empty(), "documented, but no route leads there: {without_a_route:?}");
        let undocumented: Vec<_> = routed.difference(&documented).collect();
        assert!(undocumented.is_empty(), "a route, but not in the document: {undocumented:?}");
    }
}
