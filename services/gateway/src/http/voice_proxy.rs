//! Where no ingress does it: the carrier's requests to `/v1/voice*` go on to one of the bridges, unchanged, because the
//! carrier has signed them. A bridge that cannot be connected to is passed over for the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use common::config::ConfigError;
use common::trace;
use url::Url;

use super::body;
use super::request_id::{HEADER, RequestId};
use crate::app::App;
use crate::error::ApiError;

/// For the whole exchange, all bridges together: whoever is on the phone hears nothing meanwhile.
const DEADLINE: Duration = Duration::from_secs(2);
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
pub(crate) async fn forward(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let unreachable = |why: String| {
        tracing::error!(why, "no bridge could be reached");
        ApiError::new(StatusCode::BAD_GATEWAY, "bad_gateway", "No telephony bridge can be reached")
    };
    let Some(bridges) = &app.bridges else {
        return Err(unreachable("ECHO_BRIDGE_URLS is not set".to_owned()));
    };
    let body = body::read(&request, payload).await?.freeze();
    let exchange = tokio::time::timeout(DEADLINE, bridges.exchange(&request, body)).await;
    exchange.map_err(|_| unreachable("no answer within 2 s".to_owned()))?.map_err(unreachable)
}
