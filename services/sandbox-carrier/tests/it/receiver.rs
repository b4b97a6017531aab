//! A customer's server: checks every signature, notes every request, answers as the test says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use tokio::sync::mpsc;
use twilio::{signature, webhook};

use crate::harness::TOKEN;

/// A request that came in.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) method: String,
    pub(crate) token: String,
    pub(crate) cookie: String,
    pub(crate) form: Vec<(String, String)>,
    pub(crate) signed: Signed,
}

/// What a signature is made over, and the signature.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) url: String,
    pub(crate) form: Vec<(String, String)>,
    pub(crate) signature: String,
}

impl Got {
    /// The value of a parameter; empty if it did not come.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.form.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.form.iter().any(|(found, _)| found == name)
    }
}

type Respond = dyn Fn(&Got, usize) -> (u16, String) + Send + Sync;

struct State {
    url: Mutex<String>,
    respond: Box<Respond>,
    seen: Mutex<HashMap<String, usize>>,
    got: mpsc::UnboundedSender<Got>,
}

/// The server, and what it got.
pub(crate) struct Receiver {
    pub(crate) url: String,
    got: mpsc::UnboundedReceiver<Got>,
}

impl Receiver {
    /// A server that answers a request with a status and a TwiML body; `respond` also learns how often its
    /// path was requested before.
    pub(crate) fn start(respond: impl Fn(&Got, usize) -> (u16, String) + Send + Sync + 'static) -> Receiver {
        let (sender, got) = mpsc::unbounded_channel();
        let state = Arc::new(State {
            url: Mutex::new(String::new()),
            respond: Box::new(respond),
            seen: Mutex::new(HashMap::new()),
            got: sender,
        });
        let data = Data::from(Arc::clone(&state));
        let server =
            HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(receive)))
                .workers(1)
                .disable_signals()
                .bind(("127.0.0.1", 0))
                .unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        state.url.lock().unwrap().clone_from(&url);
        tokio::spawn(server.run());
        Receiver { url, got }
    }

    /// A server that gives one document to every path that is listed, and nothing to callbacks.
    pub(crate) fn with(documents: &[(&str, &str)]) -> Receiver {
        let documents: HashMap<String, String> =
            documents.iter().map(|(path, body)| ((*path).to_owned(), (*body).to_owned())).collect();
        Receiver::start(move |got, _| (200, documents.get(&got.path).cloned().unwrap_or_default()))
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> Got {
        let next = tokio::time::timeout(Duration::from_secs(10), self.got.recv()).await;
        next.expect("a request comes within ten seconds").expect("the receiver runs")
    }

    /// The next request to this path; others before it are passed over.
    pub(crate) async fn next_at(&mut self, path: &str) -> Got {
        loop {
            let got = self.next().await;
            if got.path == path {
                return got;
            }
        }
    }

    /// Everything up to and with the callback of a call's end.
    pub(crate) async fn until_the_end(&mut self) -> Vec<Got> {
        let mut all = Vec::new();
        loop {
            let got = self.next().await;
            let over = got.path == "/status" && got.has("CallDuration");
            all.push(got);
            if over {
                return all;
            }
        }
    }
}

async fn receive(state: Data<State>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let header = |name: &str| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let form = webhook::decode_form(&body);
    let target = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let url = format!("{}{target}", state.url.lock().unwrap());
    let signed = Signed { url, form: form.clone(), signature: header(signature::HEADER) };
    let genuine = signature::verify(TOKEN, &signed.url, &signed.form, &signed.signature);
    let query = webhook::decode_form(request.query_string().as_bytes());
    let got = Got {
        path: if genuine { request.path().to_owned() } else { format!("unsigned: {}", request.path()) },
        query: request.query_string().to_owned(),
        method: request.method().to_string(),
        token: header(signature::IDEMPOTENCY_HEADER),
        cookie: header("cookie"),
        form: if form.is_empty() { query } else { form },
        signed,
    };
    let before = {
        let mut seen = state.seen.lock().unwrap();
        let count = seen.entry(got.path.clone()).or_default();
        *count += 1;
        *count - 1
    };
    let (status, body) = (state.respond)(&got, before);
    state.got.send(got).unwrap();
    if body.is_empty() && status == 200 {
        return HttpResponse::NoContent().finish();
    }
    let status = actix_web::http::StatusCode::from_u16(status).unwrap();
    HttpResponse::build(status)
        .content_type("text/xml; charset=utf-8")
        .insert_header(("set-cookie", format!("last={}; Path=/", request.path())))
        .body(body)
}
