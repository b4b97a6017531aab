//! The public HTTP edge: one file per resource; each decodes, authorises, calls and encodes.
//!
//! Every resource is registered by itself and wrapped by itself: other services may have routes on the same listener, and
//! a scope would swallow them.

mod agents;
mod api_keys;
mod auth;
mod body;
mod customers;
mod edge;
mod fields;
mod idempotent;
mod notifications;
mod page;
mod query;
pub(crate) mod rate_limits;
mod reply;
pub(crate) mod request_id;
pub(crate) mod voice_proxy;
mod webhooks;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig, get, patch, post};
use actix_web::{Error, HttpRequest, HttpResponse, Resource};

use crate::app::App;
use crate::error::ApiError;

/// All routes. What has no route of anybody's is answered here, too.
pub(crate) fn routes(app: &App) -> impl Fn(&mut ServiceConfig) + Send + Sync + 'static {
    let app = app.clone();
    move |config| {
        config.app_data(Data::new(app.clone()));
        for base in ["/auth", "/api/auth"] {
            config
                .service(resource(base, "/signup", "POST").route(post().to(auth::signup)))
                .service(resource(base, "/login", "POST").route(post().to(auth::login)));
        }
        for base in ["/api/v1", "/v1"] {
            tenant_routes(base, config);
        }
        if app.bridges.is_some() {
            config.service(
                resource("/v1", "/voice{rest:(-[a-z-]+)?}", "any")
                    .route(web::route().to(voice_proxy::forward)),
            );
        }
        config.default_service(web::route().to(no_route).wrap(from_fn(edge::edge)));
    }
}

fn tenant_routes(base: &str, config: &mut ServiceConfig) {
    config
        .service(
            resource(base, "/api-keys", "GET, POST")
                .route(get().to(api_keys::list))
                .route(post().to(api_keys::create)),
        )
        .service(resource(base, "/api-keys/{id}/revoke", "PATCH").route(patch().to(api_keys::revoke)))
        .service(
            resource(base, "/agents", "GET, POST")
                .route(get().to(agents::list))
                .route(post().to(agents::create)),
        )
        .service(resource(base, "/agents/{id}", "GET").route(get().to(agents::read)))
        .service(
            resource(base, "/customers", "GET, POST")
                .route(get().to(customers::list))
                .route(post().to(customers::create)),
        )
        .service(resource(base, "/customers/{id}", "GET").route(get().to(customers::read)))
        .service(
            resource(base, "/notifications", "GET, POST")
                .route(get().to(notifications::list))
                .route(post().to(notifications::create)),
        )
        .service(resource(base, "/notifications/{id}", "GET").route(get().to(notifications::read)))
        .service(
            resource(base, "/projects/{project}/webhooks", "GET, POST")
                .route(get().to(webhooks::list))
                .route(post().to(webhooks::create)),
        )
        .service(resource(base, "/projects/{project}/webhooks/{id}", "GET").route(get().to(webhooks::read)));
}

/// A path with everything around it; the methods that it has come as routes.
fn resource(
    base: &str,
    path: &str,
    methods: &'static str,
) -> Resource<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    web::resource(format!("{base}{path}")).wrap(from_fn(edge::edge)).default_service(web::to(
        move |request: HttpRequest| async move {
            Err::<HttpResponse, _>(ApiError::wrong_method(request.method().as_str(), methods))
        },
    ))
}

async fn no_route(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    Err(ApiError::no_route(request.method().as_str(), request.path()))
}
