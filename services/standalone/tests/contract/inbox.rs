//! The integrator's webhook endpoint: keeps every request as it came, and answers what the test wants.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use testkit::wait::eventually;
use tokio::sync::watch;

use crate::echo::PATIENCE;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    /// The bytes of the body.
    pub(crate) raw: Vec<u8>,
}

impl Arrival {
    /// The body.
    pub(crate) fn event(&self) -> Value {
        serde_json::from_slice(&self.raw).expect("JSON")
    }

    fn name(&self) -> Value {
        self.event()["event_name"].clone()
    }

    /// Signed with this secret, by the recipe of the documents and for the public verifier of Standard Webhooks.
    #[track_caller]
    pub(crate) fn is_signed_with(&self, secret: &str) {
        assert_eq!(self.headers["x-echo-signature"], signature(secret, &self.raw));
        let headers = self.headers.iter();
        let headers = headers.filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)));
        let verifier = standardwebhooks::Webhook::new(secret).expect("a secret");
        verifier.verify(&self.raw, &headers.collect()).expect("a signature of Standard Webhooks");
    }
}

/// How an endpoint answers a bot that is ready to act.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// 200 and this.
    Says(Value),
    /// This status, and this for a body.
    Answers(u16, &'static str),
    /// Not at all, as long as the endpoint is there.
    Never,
}

struct Kept {
    status: AtomicU16,
    act: Mutex<Act>,
    gone: watch::Sender<bool>,
    arrivals: Mutex<Vec<Arrival>>,
}

/// An endpoint that runs.
pub(crate) struct Inbox {
    /// Its address.
    pub(crate) url: String,
    kept: Arc<Kept>,
    handle: ServerHandle,
}

impl Inbox {
    /// Starts one; it answers 200.
    pub(crate) fn start() -> Self {
        let kept = Arc::new(Kept {
            status: AtomicU16::new(200),
            act: Mutex::new(Act::Answers(200, "")),
            gone: watch::Sender::new(false),
            arrivals: Mutex::default(),
        });
        let data = web::Data::from(Arc::clone(&kept));
        let server = move || App::new().app_data(data.clone()).default_service(web::to(receive));
        let server = HttpServer::new(server).workers(1).disable_signals().bind(("127.0.0.1", 0));
        let server = server.expect("a port");
        let url = format!("http://{}/webhooks/echo", server.addrs().first().expect("an address"));
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { url, kept, handle }
    }

    /// From now on it answers this.
    pub(crate) fn answer(&self, status: u16) {
        self.kept.status.store(status, Ordering::SeqCst);
    }

    /// From now on it answers `bot.action` so.
    pub(crate) fn acts(&self, act: Act) {
        *lock(&self.kept.act) = act;
    }

    /// What has come so far.
    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        lock(&self.kept.arrivals).clone()
    }

    /// The events that have come so far.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.arrivals().iter().map(Arrival::event).collect()
    }

    /// The first request with this event, when it has come.
    pub(crate) async fn arrival(&self, name: &str) -> Arrival {
        self.arrivals_of(name, 1).await.remove(0)
    }

    /// The first event of this name, when it has come.
    pub(crate) async fn event(&self, name: &str) -> Value {
        self.arrival(name).await.event()
    }

    /// All requests with this event, when at least so many have come.
    pub(crate) async fn arrivals_of(&self, name: &str, least: usize) -> Vec<Arrival> {
        let look = || async {
            let found: Vec<_> = self.arrivals().into_iter().filter(|a| a.name() == name).collect();
            if found.len() >= least { Ok(found) } else { Err(json!(self.events())) }
        };
        eventually(name, PATIENCE, look).await
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.kept.gone.send_replace(true);
        drop(self.handle.stop(false));
    }
}

/// What `X-Echo-Signature` says of a body under a secret, made by the recipe of the documents.
pub(crate) fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key is a key");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn receive(kept: web::Data<Kept>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let headers = request.headers().iter();
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()));
    let arrival = Arrival { headers: headers.collect(), raw: body.to_vec() };
    let acts = arrival.name() == "bot.action";
    lock(&kept.arrivals).push(arrival);
    if acts {
        return act(&kept).await;
    }
    let status = StatusCode::from_u16(kept.status.load(Ordering::SeqCst));
    HttpResponse::build(status.expect("a status")).finish()
}

async fn act(kept: &Kept) -> HttpResponse {
    let act = lock(&kept.act).clone();
    match act {
        Act::Says(body) => HttpResponse::Ok().json(body),
        Act::Answers(status, body) => {
            HttpResponse::build(StatusCode::from_u16(status).expect("a status")).body(body)
        }
        Act::Never => {
            // It cannot fail: the sender is beside the receiver.
            let _ = kept.gone.subscribe().wait_for(|gone| *gone).await;
            HttpResponse::Ok().finish()
        }
    }
}
