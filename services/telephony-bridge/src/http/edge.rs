//! What every request of the carrier runs in: a log span with the request's id and its trace.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use common::bus::Cause;
use common::trace;
use tracing::Instrument as _;

/// Wraps one resource. Who forwards a request may name its id and its trace.
pub(super) async fn edge<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok());
    let cause = Cause {
        request_id: trace::request_id_of(header(trace::REQUEST_ID)),
        tenant: String::new(),
        trace_id: header(trace::HEADER).and_then(trace::id_of).unwrap_or_else(trace::new_id),
    };
    let span = tracing::info_span!(
        "request",
        path = request.path(),
        request_id = cause.request_id,
        trace_id = cause.trace_id,
        tenant = tracing::field::Empty,
        call = tracing::field::Empty,
    );
    trace::scope(cause, next.call(request)).instrument(span).await
}
