//! A receiver of webhooks on loopback: answers as it is told, records what came, and checks signatures with its own code.

use std::collections::{BTreeMap, VecDeque};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use standardwebhooks::Webhook;
use testkit::wait::eventually;
use tokio::sync::watch;

/// How to answer.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Status(u16),
    Header(u16, &'static str, String),
    Body(u16, &'static [u8]),
    /// Waits for [`Receiver::release`], then this status.
    Held(u16),
    /// A byte every 20 ms, for ever.
    Drip,
    /// As much as anyone reads.
    Flood,
}

/// What came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

struct State {
    received: Mutex<Vec<Received>>,
    next: Mutex<VecDeque<Reply>>,
    otherwise: Mutex<Reply>,
    released: watch::Sender<bool>,
    /// Held now, and the most that ever were.
    held: Mutex<(usize, usize)>,
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    state: Arc<State>,
    handle: ServerHandle,
}

impl Receiver {
    /// Answers 200 until it is told otherwise.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let state = Arc::new(State {
            received: Mutex::default(),
            next: Mutex::default(),
            otherwise: Mutex::new(Reply::Status(200)),
            released: watch::Sender::new(false),
            held: Mutex::default(),
        });
        let data = web::Data::from(Arc::clone(&state));
        let routes = move |config: &mut web::ServiceConfig| {
            config.app_data(data.clone()).default_service(web::to(receive));
        };
        let handle = common::http::server::serve(listener, vec![Arc::new(routes)], 1).unwrap();
        Self { url, state, handle }
    }

    /// From now on, unless something stands in line.
    pub(crate) fn answer(&self, reply: Reply) {
        *self.state.otherwise.lock().unwrap() = reply;
    }

    /// For the next request that nothing stands in line for.
    pub(crate) fn answer_once(&self, reply: Reply) {
        self.state.next.lock().unwrap().push_back(reply);
    }

    /// Answers what is held, and holds nothing any more.
    pub(crate) fn release(&self) {
        self.state.released.send_replace(true);
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }

    /// Held now, and the most that ever were.
    pub(crate) fn held(&self) -> (usize, usize) {
        *self.state.held.lock().unwrap()
    }

    /// Waits until that many requests have come.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Received> {
        let look = || async {
            let received = self.received();
            if received.len() >= count { Ok(received) } else { Err(received.len()) }
        };
        eventually(&format!("{count} requests"), Duration::from_secs(20), look).await
    }

    /// Waits until that many requests are held.
    pub(crate) async fn wait_for_held(&self, count: usize) {
        let look = || async { if self.held().0 == count { Ok(()) } else { Err(self.held()) } };
        eventually(&format!("{count} held requests"), Duration::from_secs(20), look).await;
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.release();
        drop(self.handle.stop(false));
    }
}

async fn receive(request: HttpRequest, body: web::Bytes, state: web::Data<State>) -> HttpResponse {
    let headers = request.headers().iter();
    let headers = headers.map(|(k, v)| (k.to_string(), v.to_str().unwrap().to_owned())).collect();
    state.received.lock().unwrap().push(Received {
        path: request.path().to_owned(),
        headers,
        body: body.to_vec(),
    });
    let next = state.next.lock().unwrap().pop_front();
    let reply = next.unwrap_or_else(|| state.otherwise.lock().unwrap().clone());
    let with = |status: u16| HttpResponse::build(StatusCode::from_u16(status).unwrap());
    match reply {
        Reply::Status(status) => with(status).body("as told"),
        Reply::Header(status, name, value) => with(status).insert_header((name, value)).finish(),
        Reply::Body(status, body) => with(status).body(body),
        Reply::Held(status) => {
            hold(&state).await;
            with(status).finish()
        }
        Reply::Drip => with(200).streaming(stream::unfold(
            tokio::time::interval(Duration::from_millis(20)),
            |mut clock| async {
                clock.tick().await;
                Some((Ok::<_, actix_web::Error>(web::Bytes::from_static(b".")), clock))
            },
        )),
        Reply::Flood => with(200)
            .streaming(stream::repeat_with(|| Ok::<_, actix_web::Error>(web::Bytes::from(vec![b'x'; 8192])))),
    }
}

async fn hold(state: &State) {
    {
        let mut held = state.held.lock().unwrap();
        held.0 += 1;
        held.1 = held.1.max(held.0);
    }
    state.released.subscribe().wait_for(|released| *released).await.unwrap();
    state.held.lock().unwrap().0 -= 1;
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The documented signature.
    pub(crate) fn echo_signature(&self, secret: &str) -> String {
        format!("sha256={}", hex::encode(mac(secret.as_bytes(), &self.body)))
    }

    /// Checks both signatures as a receiver would: the documented one with a few lines of its own, that of Standard Webhooks
    /// with the public verifier.
    #[track_caller]
    pub(crate) fn assert_signed_with(&self, secret: &str) {
        assert_eq!(self.header("x-echo-signature"), self.echo_signature(secret));
        assert!(self.is_signed_with(secret), "{:?}", self.headers);
        assert_eq!(self.header("webhook-signature").split(' ').count(), 1);
    }

    /// True when one of the signatures is that of the public library. Clocks of these tests run ahead: the time is not compared.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let at = self.header("webhook-timestamp").parse().unwrap();
        let signer = Webhook::new(secret).unwrap();
        let expected = signer.sign(self.header("webhook-id"), at, &self.body).unwrap();
        self.header("webhook-signature").split(' ').any(|signature| signature == expected)
    }

    /// What the public verifier says, the time included.
    pub(crate) fn verifies_with(&self, secret: &str) -> bool {
        let headers = self.headers.iter();
        let headers = headers.map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap())).collect();
        Webhook::new(secret).unwrap().verify(&self.body, &headers).is_ok()
    }
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}
