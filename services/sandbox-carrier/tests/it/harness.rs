//! A running carrier for one test, and the requests that tests make of it.

use std::time::Duration;

use actix_web::{App, HttpServer};
use echo_sandbox_carrier::{ApiKey, Carrier, CarrierConfig, CarrierEvent, Happening, People, Speed};
use serde_json::Value;
use tokio::sync::broadcast;
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
pub(crate) const TOKEN: &str = "a-token-for-tests";
pub(crate) const NUMBER: &str = "+15005550100";
/// Further numbers of the account.
pub(crate) const MORE_NUMBERS: [&str; 2] = ["+15005550111", "+15005550112"];
pub(crate) const KEY: (&str, &str) = ("SK0123456789abcdef0123456789abcdef", "a-secret-for-tests");

/// Fast enough that a minute takes 60 ms.
const FAST: f64 = 1000.0;

/// A carrier on a port of its own. It stops when it is dropped.
pub(crate) struct Sandbox {
    pub(crate) url: String,
    pub(crate) carrier: Carrier,
    pub(crate) http: reqwest::Client,
    events: broadcast::Receiver<CarrierEvent>,
    _stop: DropGuard,
}

impl Sandbox {
    /// A carrier at test speed.
    pub(crate) fn start() -> Sandbox {
        Sandbox::at_speed(FAST)
    }

    pub(crate) fn at_speed(speed: f64) -> Sandbox {
        Sandbox::with(speed, |_| {})
    }

    pub(crate) fn with(speed: f64, adjust: impl FnOnce(&mut CarrierConfig)) -> Sandbox {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let addr = listener.local_addr().unwrap();
        let url = format!("http://{addr}");
        let mut config = CarrierConfig {
            addr,
            base_url: url.parse().unwrap(),
            account_sid: ACCOUNT.parse().unwrap(),
            auth_token: TOKEN.to_owned(),
            api_keys: vec![ApiKey { sid: KEY.0.to_owned(), secret: KEY.1.to_owned() }],
            number: NUMBER.to_owned(),
            more_numbers: MORE_NUMBERS.map(str::to_owned).to_vec(),
            speed: Speed::try_from(speed).unwrap(),
            people: People::builtin().unwrap(),
            calls_per_second: None,
        };
        adjust(&mut config);
        let carrier = Carrier::new(config);
        let mounted = carrier.clone();
        let server = HttpServer::new(move || {
            let carrier = mounted.clone();
            App::new().configure(move |cfg| carrier.mount(cfg))
        });
        tokio::spawn(server.workers(1).disable_signals().listen(listener).unwrap().run());
        let stop = CancellationToken::new();
        let (running, shutdown) = (carrier.clone(), stop.clone());
        tokio::spawn(async move { running.run(shutdown).await });
        let events = carrier.events();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
        Sandbox { url, carrier, http, events, _stop: stop.drop_guard() }
    }

    /// The address of a resource under the account.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}/2010-04-01/Accounts/{ACCOUNT}{path}", self.url)
    }

    /// Posts a form with the account's credentials.
    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let request = self.http.post(self.at(path)).basic_auth(ACCOUNT, Some(TOKEN)).form(form);
        answer(request.send().await.unwrap()).await
    }

    /// Deletes a resource.
    pub(crate) async fn delete(&self, path: &str) -> u16 {
        let request = self.http.delete(self.at(path)).basic_auth(ACCOUNT, Some(TOKEN));
        request.send().await.unwrap().status().as_u16()
    }

    /// Gets a resource with the account's credentials.
    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let request = self.http.get(self.at(path)).basic_auth(ACCOUNT, Some(TOKEN));
        answer(request.send().await.unwrap()).await
    }

    /// Creates a call whose document is at `/voice` of the receiver, and whose callbacks all go to `/status`.
    pub(crate) async fn call(&self, to: &str, receiver: &str, more: &[(&str, &str)]) -> String {
        let (voice, status) = (format!("{receiver}/voice"), format!("{receiver}/status"));
        let mut form = vec![("To", to), ("From", NUMBER), ("StatusCallback", &status)];
        for event in ["initiated", "ringing", "answered", "completed"] {
            form.push(("StatusCallbackEvent", event));
        }
        if !more.iter().any(|(name, _)| matches!(*name, "Url" | "Twiml")) {
            form.push(("Url", &voice));
        }
        form.extend(more);
        let (status, body) = self.post("/Calls.json", &form).await;
        assert_eq!(status, 201, "{body}");
        body["sid"].as_str().unwrap().to_owned()
    }

    /// Reads a control.
    pub(crate) async fn look(&self, path: &str) -> Value {
        self.http.get(format!("{}/sandbox/v1/{path}", self.url)).send().await.unwrap().json().await.unwrap()
    }

    /// Posts to a control.
    pub(crate) async fn control(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self.http.post(format!("{}/sandbox/v1/{path}", self.url)).json(&body);
        answer(request.send().await.unwrap()).await
    }

    /// What was said, as `agent: …` and `person: …`.
    pub(crate) async fn transcript(&self, sid: &str) -> Vec<String> {
        let call = self.look(&format!("calls/{sid}")).await;
        let lines = call["transcript"].as_array().unwrap();
        lines.iter().map(|line| format!("{}: {}", text(&line["by"]), text(&line["text"]))).collect()
    }

    /// The codes of all faults.
    pub(crate) async fn fault_codes(&self) -> Vec<u64> {
        let faults = self.look("faults").await;
        faults.as_array().unwrap().iter().map(|fault| fault["code"].as_u64().unwrap()).collect()
    }

    /// Waits for something to happen.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Happening) -> bool) -> CarrierEvent {
        let wait = async {
            loop {
                let event = self.events.recv().await.unwrap();
                if wanted(&event.what) {
                    return event;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait).await.expect("it happens within ten seconds")
    }

    /// Waits for the end of a call; its status and duration.
    pub(crate) async fn until_over(&mut self) -> (String, u64) {
        match self.until(|what| matches!(what, Happening::Ended { .. })).await.what {
            Happening::Ended { status, duration } => (status, duration),
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

async fn answer(response: reqwest::Response) -> (u16, Value) {
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or(Value::Null))
}

/// A document that asks something and, if nothing is heard, goes to `/silent`.
pub(crate) fn ask(question: &str, action: &str) -> String {
    format!(
        "<Response><Gather input=\"speech dtmf\" action=\"{action}\" timeout=\"5\" speechTimeout=\"auto\">\
         <Say>{question}</Say></Gather><Redirect>/silent</Redirect></Response>"
    )
}

/// A document that says something and hangs up.
pub(crate) fn bye(text: &str) -> String {
    format!("<Response><Say>{text}</Say><Hangup/></Response>")
}
