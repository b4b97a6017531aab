//! What every request goes through: its id, its log span, the limit by address, the shape of errors, the numbers.

use std::time::Instant;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage as _};
use common::bus::Cause;
use common::trace;
use tracing::Instrument as _;

use super::rate_limits::Quotas;
use super::request_id::{HEADER, RequestId};
use super::routes::{proves_somebody, shape_of};
use super::sdk::cors;
use crate::app::App;
use crate::error::{ApiError, Shape};
use crate::identity::credential::made_for;

/// Wraps one resource.
pub(crate) async fn edge(request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse, Error> {
    let Some(app) = request.app_data::<Data<App>>().cloned() else { return next.call(request).await };
    let started = Instant::now();
    let id = RequestId::choose(request.headers().get(HEADER).and_then(|v| v.to_str().ok()));
    request.extensions_mut().insert(id.clone());
    // The pattern of the path: the unmatched paths are one, and so are the two spellings of a route.
    let pattern = request.match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    let shape = shape_of(&pattern, || made_for(&app, request.request()));
    let route = pattern.strip_prefix("/api").unwrap_or(&pattern).to_owned();
    let method = request.method().clone();
    let trace_id = request.headers().get(trace::HEADER).and_then(|v| trace::id_of(v.to_str().ok()?));
    let cause = Cause {
        request_id: id.as_str().to_owned(),
        tenant: String::new(),
        trace_id: trace_id.unwrap_or_else(trace::new_id),
    };
    let span = tracing::info_span!(
        "request",
        request_id = id.as_str(),
        trace_id = cause.trace_id,
        tenant = tracing::field::Empty,
        %method,
        route
    );
    let answered = async {
        if proves_somebody(&route)
            && let Err(refused) = app.limits.count_address(request.request())
        {
            return Ok(request.error_response(refused));
        }
        next.call(request).await
    };
    let response = trace::scope(cause, answered).instrument(span.clone()).await?;
    let mut response = shaped(response, shape, &id);
    mark(&mut response, &id);
    if cors::for_pages(&pattern) {
        cors::mark(&mut response);
    }
    let (status, took) = (response.status(), started.elapsed());
    app.metrics.answered(&route, &method, status, took);
    span.in_scope(|| log(status, took.as_secs_f64()));
    Ok(response)
}

/// Writes an error with the request's id into the documented shape.
fn shaped(response: ServiceResponse, shape: Shape, id: &RequestId) -> ServiceResponse {
    let Some(error) = response.response().error() else { return response };
    let error = match error.as_error::<ApiError>() {
        Some(error) => error.clone(),
        None => {
            let status = error.as_response_error().status_code();
            ApiError::new(status, "request_failed", status.canonical_reason().unwrap_or("Error"))
        }
    };
    response.into_response(error.response(shape, id.as_str()))
}

fn mark(response: &mut ServiceResponse, id: &RequestId) {
    let quotas = response.request().extensions().get::<Quotas>().cloned().unwrap_or_default().0;
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set(HEADER, id.as_str());
    if !quotas.is_empty() {
        let policies = quotas.iter().map(|q| format!("\"{}\";q={};w={}", q.name, q.limit, q.window));
        set("ratelimit-policy", &policies.collect::<Vec<_>>().join(", "));
        let left = quotas.iter().map(|q| format!("\"{}\";r={};t={}", q.name, q.remaining, q.reset));
        set("ratelimit", &left.collect::<Vec<_>>().join(", "));
    }
}

fn log(status: StatusCode, seconds: f64) {
    if status.is_server_error() {
        tracing::warn!(status = status.as_u16(), seconds, "answered");
    } else {
        tracing::debug!(status = status.as_u16(), seconds, "answered");
    }
}
