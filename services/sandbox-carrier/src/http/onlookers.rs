//! `GET /sandbox/v1/events`: what happens, as server-sent events.

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data};
use futures_util::stream;
use tokio::sync::broadcast::error::RecvError;

use crate::state::Shared;

/// Streams until the onlooker leaves or the carrier stops. One who is too slow misses events and is told how many.
pub(super) async fn events(shared: Data<Shared>) -> HttpResponse {
    let seat = shared.watch();
    let events = stream::unfold((seat, shared), |(mut seat, shared)| async move {
        let next = tokio::select! {
            () = shared.stopped.cancelled() => return None,
            next = seat.recv() => next,
        };
        let frame = match next {
            Ok(event) => format!("data: {}\n\n", serde_json::to_string(&event).unwrap_or_default()),
            Err(RecvError::Lagged(missed)) => format!(": {missed} events were missed\n\n"),
            Err(RecvError::Closed) => return None,
        };
        Some((Ok::<_, actix_web::Error>(Bytes::from(frame)), (seat, shared)))
    });
    HttpResponse::Ok().content_type("text/event-stream").streaming(events)
}
