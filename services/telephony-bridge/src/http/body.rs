//! The body of a carrier's request: small, and all there within a moment. Whoever sends it slowly is not waited for, so that
//! the caller of a carrier in trouble is not left in silence and a stranger keeps nothing open.

use std::time::Instant;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt as _;

use crate::app::{App, count};

/// A callback of the carrier is a form: small, but for what somebody says without an end. All of that is answered; that only its
/// beginning is heard is decided behind the signature.
const MAX_BODY: usize = 256 * 1024;

/// A request's body.
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    /// When its headers were there: what the carrier waits for is counted from here.
    pub(super) began: Instant,
}

/// Why there is no body.
#[derive(Clone, Copy, Debug)]
enum NoBody {
    /// It is not there in time. The carrier asks again after a 5xx, as our addresses tell it.
    Slow,
    /// More than a callback of the carrier ever is.
    Large,
    /// It ends before its end.
    Broken,
}

/// Reads the body, or answers the request without it.
pub(super) async fn read(app: &App, http: &HttpRequest, mut payload: Payload) -> Result<Body, HttpResponse> {
    let began = Instant::now();
    let whole = tokio::time::timeout(app.config.deadlines.body, whole(http, &mut payload)).await;
    match whole.unwrap_or(Err(NoBody::Slow)) {
        Ok(bytes) => Ok(Body { bytes, began }),
        Err(why) => Err(why.refuse(app, payload)),
    }
}

async fn whole(http: &HttpRequest, payload: &mut Payload) -> Result<Vec<u8>, NoBody> {
    let announced = http.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MAX_BODY) {
        return Err(NoBody::Large);
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| NoBody::Broken)?;
        if bytes.len() + chunk.len() > MAX_BODY {
            return Err(NoBody::Large);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

impl NoBody {
    /// The answer, after which the connection is closed.
    fn refuse(self, app: &App, unread: Payload) -> HttpResponse {
        let (status, why) = match self {
            Self::Slow => (StatusCode::SERVICE_UNAVAILABLE, "slow_body"),
            Self::Large => (StatusCode::PAYLOAD_TOO_LARGE, "large_body"),
            Self::Broken => (StatusCode::BAD_REQUEST, "broken_body"),
        };
        tracing::warn!(why, "a request without a usable body was refused");
        count(app.numbers.refused.as_ref(), why);
        let mut response = HttpResponse::build(status).force_close().finish();
        // Kept until the answer is out: the server reads a body that was let go to its end, however slowly it comes.
        response.extensions_mut().insert(unread);
        response
    }
}
