//! Where no ingress does it: the carrier's requests to `/v1/voice*` go on to one of the bridges, unchanged, because the
//! carrier has signed them. A bridge that cannot be connected to is passed over for the next one. When none has answered in
//! time the carrier gets 503 and nothing to read: it asks again, as the addresses that it was given tell it, and comes to
//! another replica. All time here is counted from the end of the headers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _};
use common::config::ConfigError;
use common::trace;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::body;
use super::request_id::{HEADER, RequestId};
use crate::app::App;

/// For everything, the body and all bridges together: whoever is on the phone hears nothing meanwhile. The rest of two seconds
/// is for the way.
const ALL_WITHIN: Duration = Duration::from_millis(1_980);
/// For the body, as at the bridge.
const BODY_WITHIN: Duration = Duration::from_millis(500);
/// More than a carrier's request ever is, as at the bridge.
const MAX_BODY: usize = 64 * 1024;
/// To find out that a bridge is not there. What a bridge takes at most (1.75 s) still fits behind one of these.
const CONNECT: Duration = Duration::from_millis(200);
/// What the carrier's requests carry beside the body.
const PASSED_ON: [&str; 3] = ["content-type", "x-twilio-signature", "i-twilio-idempotency-token"];

/// The bridges, in turn. Cloning shares the turn.
#[derive(Clone)]
pub(crate) struct Bridges {
    client: reqwest::Client,
    urls: Arc<Vec<Url>>,
    turn: Arc<AtomicUsize>,
}

impl Bridges {
    /// `None` without addresses: then nothing is forwarded.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub(crate) fn new(urls: Vec<Url>) -> Result<Option<Self>, ConfigError> {
        if urls.is_empty() {
            return Ok(None);
        }
        // The operator's own addresses: no egress guard, and no proxy in between.
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|e| ConfigError::new("ECHO_BRIDGE_URLS", e.to_string()))?;
        Ok(Some(Self { client, urls: Arc::new(urls), turn: Arc::default() }))
    }

    /// All of them, each time beginning with the next one.
    fn in_turn(&self) -> impl Iterator<Item = &Url> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % self.urls.len();
        self.urls.iter().cycle().skip(first).take(self.urls.len())
    }

    async fn exchange(&self, request: &HttpRequest, body: Bytes) -> Result<HttpResponse, String> {
        let mut last = "no bridge".to_owned();
        for base in self.in_turn() {
            match self.send(base, request, body.clone()).await {
                Ok(answer) => return passed_back(answer).await,
                Err(e) if e.is_connect() => last = format!("{base}: {e}"),
                Err(e) => return Err(format!("{base}: {e}")), // it may have been heard: not a second time
            }
        }
        Err(last)
    }

    async fn send(
        &self,
        base: &Url,
        request: &HttpRequest,
        body: Bytes,
    ) -> reqwest::Result<reqwest::Response> {
        let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
        let url = format!("{}{path}", base.as_str().trim_end_matches('/'));
        let method = reqwest::Method::from_bytes(request.method().as_str().as_bytes()).unwrap_or_default();
        let headers =
            PASSED_ON.iter().filter_map(|name| request.headers().get(*name).map(|v| (*name, v.as_bytes())));
        let outgoing = self.client.request(method, url).header(HEADER, RequestId::of(request).as_str());
        let trace_id = trace::current().map_or_else(trace::new_id, |cause| cause.trace_id);
        let outgoing = outgoing.header(trace::HEADER, trace::header_of(&trace_id));
        headers.fold(outgoing, |outgoing, (name, value)| outgoing.header(name, value)).body(body).send().await
    }
}

async fn passed_back(answer: reqwest::Response) -> Result<HttpResponse, String> {
    let status = StatusCode::from_u16(answer.status().as_u16()).map_err(|e| e.to_string())?;
    let kind = answer.headers().get("content-type").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let body = answer.bytes().await.map_err(|e| e.to_string())?;
    let mut response = HttpResponse::build(status);
    if let Some(kind) = kind {
        response.insert_header((CONTENT_TYPE, kind));
    }
    Ok(response.body(body))
}

/// `/v1/voice*`.
pub(crate) async fn forward(app: Data<App>, request: HttpRequest, mut payload: Payload) -> HttpResponse {
    let began = Instant::now();
    let whole = body::at_most(MAX_BODY, &request, &mut payload);
    let body = match timeout_at(began + BODY_WITHIN, whole).await {
        Ok(Ok(body)) => body.freeze(),
        Ok(Err(refused)) => return put_off(refused.status_code(), "no usable body", payload),
        Err(_) => return put_off(StatusCode::SERVICE_UNAVAILABLE, "the body is slow", payload),
    };
    let Some(bridges) = &app.bridges else {
        return again_elsewhere("ECHO_BRIDGE_URLS is not set");
    };
    match timeout_at(began + ALL_WITHIN, bridges.exchange(&request, body)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(why)) => again_elsewhere(&why),
        Err(_) => again_elsewhere("no answer in time"),
    }
}

/// The carrier reads nothing but the status here: a 5xx is asked again, and what is documented for errors of the API is no
/// document for a call.
fn again_elsewhere(why: &str) -> HttpResponse {
    tracing::error!(why, "no bridge could be reached");
    HttpResponse::ServiceUnavailable().finish()
}

/// The answer to a request without a usable body, after which the connection is closed.
fn put_off(status: StatusCode, why: &str, unread: Payload) -> HttpResponse {
    tracing::warn!(why, "a carrier's request was refused");
    let mut response = HttpResponse::build(status).force_close().finish();
    // Kept until the answer is out: the server reads a body that was let go to its end, however slowly it comes.
    response.extensions_mut().insert(unread);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_the_time_fit_into_two_seconds() {
        assert!(BODY_WITHIN + CONNECT < ALL_WITHIN && ALL_WITHIN < Duration::from_secs(2));
        // Beside the time that a bridge takes at most, one that is not there may be found out.
        assert!(CONNECT + Duration::from_millis(1_750) < ALL_WITHIN);
    }
}
