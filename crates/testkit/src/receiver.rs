//! A webhook endpoint that believes nothing without a signature and remembers everything. It can hold an attempt in the
//! middle: take it, and not answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use tokio::sync::watch;

/// One attempt that arrived, genuine.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The event.
    pub event: Value,
    /// When.
    pub at: Instant,
    /// The port that it came from.
    pub port: u16,
}

struct Seen {
    secret: Mutex<String>,
    arrivals: Mutex<Vec<Arrival>>,
    forged: Mutex<u32>,
    held: watch::Sender<Option<String>>,
}

/// An endpoint that runs.
pub struct Receiver {
    port: u16,
    seen: Arc<Seen>,
    handle: ServerHandle,
}

impl Receiver {
    /// Starts one on a free port.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn start() -> Self {
        let seen = Arc::new(Seen {
            secret: Mutex::default(),
            arrivals: Mutex::default(),
            forged: Mutex::default(),
            held: watch::channel(None).0,
        });
        let data = web::Data::from(Arc::clone(&seen));
        let server = HttpServer::new(move || {
            App::new().app_data(data.clone()).route("/hook", web::post().to(receive))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .expect("a port");
        let port = server.addrs().first().expect("an address").port();
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { port, seen, handle }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// From now on only what is signed with this secret is believed.
    pub fn trust(&self, secret: &str) {
        secret.clone_into(&mut lock(&self.seen.secret));
    }

    /// From now on attempts with this event are taken and not answered, until [`Receiver::release`].
    pub fn hold(&self, event: &str) {
        self.seen.held.send_replace(Some(event.to_owned()));
    }

    /// Answers what was held, and everything after it.
    pub fn release(&self) {
        self.seen.held.send_replace(None);
    }

    /// Every attempt with an event of this notification and name, in order.
    ///
    /// # Panics
    /// When anything forged has ever come.
    #[must_use]
    pub fn arrivals(&self, notification: &str, name: &str) -> Vec<Arrival> {
        assert_eq!(*lock(&self.seen.forged), 0, "a webhook came with a wrong signature");
        let arrivals = lock(&self.seen.arrivals);
        let of = |a: &&Arrival| a.event["notification_id"] == notification && a.event["event_name"] == name;
        arrivals.iter().filter(of).cloned().collect()
    }

    /// The genuine events of a notification with this name. Nothing forged may ever have come.
    #[must_use]
    pub fn of(&self, notification: &str, name: &str) -> Vec<Value> {
        self.arrivals(notification, name).into_iter().map(|arrival| arrival.event).collect()
    }

    /// The names of everything that came for a notification, in order.
    #[must_use]
    pub fn names_of(&self, notification: &str) -> Vec<String> {
        let arrivals = lock(&self.seen.arrivals);
        let own = arrivals.iter().filter(|a| a.event["notification_id"] == notification);
        own.map(|a| a.event["event_name"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.release();
        drop(self.handle.stop(false));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn receive(seen: web::Data<Seen>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let header = request.headers().get("x-echo-signature").and_then(|h| h.to_str().ok()).unwrap_or_default();
    let mut mac = Hmac::<Sha256>::new_from_slice(lock(&seen.secret).as_bytes()).expect("any key is a key");
    mac.update(&body);
    let made = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    if made != header {
        *lock(&seen.forged) += 1;
        return HttpResponse::Unauthorized().finish();
    }
    let event: Value = serde_json::from_slice(&body).expect("JSON");
    let name = event["event_name"].as_str().map(str::to_owned);
    let port = request.peer_addr().map_or(0, |peer| peer.port());
    lock(&seen.arrivals).push(Arrival { event, at: Instant::now(), port });
    // The sender cannot go away: it is kept beside the receiver.
    let _ = seen.held.subscribe().wait_for(|held| held.is_none() || *held != name).await;
    HttpResponse::Ok().finish()
}
