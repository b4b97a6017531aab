//! The demo's webhook endpoint: verifies `X-Echo-Signature` over the raw body, as the quickstart shows it.

use std::sync::{Arc, Mutex, PoisonError};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use super::client::Problem;

/// What the signature says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Made with our secret over these bytes.
    Genuine,
    /// Not.
    Forged,
}

type Arrived = Arc<Mutex<Vec<(Verdict, Value)>>>;

/// An endpoint that runs.
pub(super) struct Receiver {
    arrived: Arrived,
    handle: ServerHandle,
}

struct Inner {
    secret: String,
    arrived: Arrived,
}

impl Receiver {
    pub(super) async fn start(port: u16, secret: &str) -> Result<Self, Problem> {
        let arrived = Arrived::default();
        let inner = web::Data::new(Inner { secret: secret.to_owned(), arrived: Arc::clone(&arrived) });
        let server = HttpServer::new(move || {
            App::new().app_data(inner.clone()).route("/webhooks/echo", web::post().to(receive))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", port))
        .map_err(|e| Problem(format!("the demo's webhook endpoint cannot listen on port {port} (remove demo.json in the data folder to choose another): {e}")))?
        .run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self { arrived, handle })
    }

    /// The summary of a notification, if it has arrived.
    pub(super) fn summary_of(&self, notification: &str) -> Option<(Verdict, Value)> {
        let arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        arrived
            .iter()
            .find(|(_, v)| v["notification_id"] == notification && v["event_name"] == "call.summary")
            .cloned()
    }

    pub(super) async fn stop(self) {
        self.handle.stop(true).await;
    }
}

async fn receive(inner: web::Data<Inner>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let header = request.headers().get("x-echo-signature").and_then(|h| h.to_str().ok()).unwrap_or_default();
    let verdict = verify(&inner.secret, &body, header);
    let Ok(value) = serde_json::from_slice(&body) else { return HttpResponse::BadRequest().finish() };
    inner.arrived.lock().unwrap_or_else(PoisonError::into_inner).push((verdict, value));
    match verdict {
        Verdict::Genuine => HttpResponse::Ok().finish(),
        Verdict::Forged => HttpResponse::Unauthorized().finish(),
    }
}

/// `sha256=` and the hex of HMAC-SHA256 over the raw body; the key is the whole secret.
fn verify(secret: &str, body: &[u8], header: &str) -> Verdict {
    let sent = header.strip_prefix("sha256=").and_then(|hex| hex::decode(hex).ok()).unwrap_or_default();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return Verdict::Forged };
    mac.update(body);
    if mac.verify_slice(&sent).is_ok() { Verdict::Genuine } else { Verdict::Forged }
}
