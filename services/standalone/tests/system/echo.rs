//! A whole Echo for one story: started through the same door as the binary, with its own tables, queues and ports.

use std::time::Duration;

use common::clock::Clock;
use common::config::Settings;
use common::runtime::{Running, start};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::api::{Api, Carrier};
use testkit::broker;
use testkit::database::{drop_schemas, postgres_url};
use testkit::receiver::Receiver;
use testkit::wait::eventually;

/// Tables and bus of a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pair {
    /// `SQLite` and the in-process bus.
    Embedded,
    /// `PostgreSQL` and `RabbitMQ`.
    Distributed,
}

/// Longer than any story takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What a distributed Echo leaves on the servers.
struct Traces {
    schemas: String,
    namespace: String,
}

/// A running Echo with an account, and a webhook endpoint that hears everything.
pub(crate) struct Echo {
    running: Option<Running>,
    settings: Vec<(String, String)>,
    folder: tempfile::TempDir,
    traces: Option<Traces>,
    api: Api,
    carrier: Carrier,
    pub(crate) receiver: Receiver,
}

impl Echo {
    /// Starts one, signs up and registers the endpoint.
    pub(crate) async fn start(pair: Pair) -> Self {
        Self::start_with(pair, &[]).await
    }

    /// The same with further settings.
    pub(crate) async fn start_with(pair: Pair, more: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut settings: Vec<(String, String)> = [
            ("ECHO_HTTP_ADDR", "127.0.0.1:0"),
            ("ECHO_OPS_ADDR", "127.0.0.1:0"),
            ("ECHO_SANDBOX_ADDR", "127.0.0.1:0"),
            ("ECHO_SANDBOX_SPEED", "60"),
            ("ECHO_CARRIER_CHECK_SECONDS", "2"),
            ("ECHO_RATE_LIMITS", "off"),
            ("ECHO_DATA_DIR", &folder.path().display().to_string()),
        ]
        .iter()
        .chain(more)
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
        let traces = (pair == Pair::Distributed).then(|| distributed(&mut settings));
        let running = run(&settings).await;
        let api = Api::sign_up(format!("http://{}", running.setting("ECHO_HTTP_ADDR"))).await;
        let carrier = Carrier::at(&format!("http://{}", running.setting("ECHO_SANDBOX_ADDR")));
        let receiver = Receiver::start();
        api.report_to(&receiver).await;
        Self { running: Some(running), settings, folder, traces, api, carrier, receiver }
    }

    /// The account's view of the API.
    pub(crate) const fn api(&self) -> &Api {
        &self.api
    }

    /// Another business, with a project of its own. Nobody hears its events.
    pub(crate) async fn another_account(&self, email: &str) -> Api {
        let running = self.running.as_ref().expect("a running Echo");
        Api::sign_up_as(format!("http://{}", running.setting("ECHO_HTTP_ADDR")), email).await
    }

    /// Creates something.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        self.api.post(path, body).await
    }

    /// Reads something.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.api.get(path).await
    }

    /// A customer with this number. Answers the id.
    pub(crate) async fn customer(&self, phone: &str) -> String {
        self.api.customer(phone).await
    }

    /// The quickstart's agent. Answers the id.
    pub(crate) async fn agent(&self) -> String {
        self.api.agent().await
    }

    /// The quickstart's agent with another prompt.
    pub(crate) async fn agent_with(&self, prompt: &str) -> String {
        self.api.agent_with(prompt).await
    }

    /// Rings a new customer with the quickstart's agent. Answers the notification's id.
    pub(crate) async fn ring(&self, phone: &str) -> String {
        let (customer, agent) = (self.customer(phone).await, self.agent().await);
        self.ring_again(&customer, &agent).await
    }

    /// Rings a customer with an agent. Answers the notification's id.
    pub(crate) async fn ring_again(&self, customer: &str, agent: &str) -> String {
        self.api.ring(customer, agent).await
    }

    /// Asks for a call that may be refused. Answers status and body.
    pub(crate) async fn try_ring(&self, customer: &str, agent: &str, key: &str) -> (u16, Value) {
        let body = testkit::api::ring(customer, agent);
        let path = "/api/v1/notifications";
        self.api.try_send(Method::POST, path, Some(&body), Some(key)).await.expect("an answer")
    }

    /// Stops a notification. Answers status and body.
    pub(crate) async fn cancel(&self, notification: &str) -> (u16, Value) {
        let path = format!("/api/v1/notifications/{notification}/cancel");
        self.api.try_send(Method::POST, &path, Some(&json!({})), None).await.expect("an answer")
    }

    /// The calls made for a notification, newest first.
    pub(crate) async fn calls(&self, notification: &str) -> Vec<Value> {
        let calls = self.get(&format!("/api/v1/notifications/{notification}/calls")).await;
        calls.as_array().expect("a list").clone()
    }

    /// The summary of a notification, when it has arrived, together with the notification as the API shows it then.
    pub(crate) async fn summary_of(&self, notification: &str) -> (Value, Value) {
        let path = format!("/api/v1/notifications/{notification}");
        let look = || async {
            match self.receiver.of(notification, "call.summary").first() {
                Some(summary) => Ok(summary.clone()),
                None => Err(json!({
                    "notification": self.get(&path).await,
                    "webhooks": self.receiver.names_of(notification),
                })
                .to_string()),
            }
        };
        let summary = eventually("the summary", PATIENCE, look).await;
        (summary, self.get(&path).await)
    }

    /// What the sandbox carrier knows, below `/sandbox/v1`.
    pub(crate) async fn carrier(&self, path: &str) -> Value {
        self.carrier.get(path).await
    }

    /// Sets the carrier's switches.
    pub(crate) async fn nasty(&self, switches: &Value) {
        self.carrier.nasty(switches).await;
    }

    /// How often the carrier was made to dial this number.
    pub(crate) async fn dialled(&self, phone: &str) -> u64 {
        self.carrier.rings(phone).await.0
    }

    /// What Echo said in the latest call to this number.
    pub(crate) async fn spoken(&self, phone: &str) -> Vec<String> {
        self.carrier.spoken(phone).await
    }

    /// Stops everything in order and starts it again on the same tables and ports.
    pub(crate) async fn restart(&mut self) {
        let running = self.running.take().expect("a running Echo");
        for name in ["ECHO_HTTP_ADDR", "ECHO_SANDBOX_ADDR"] {
            let address = running.setting(name);
            self.settings.retain(|(k, _)| k != name);
            self.settings.push((name.to_owned(), address));
        }
        running.stop().await;
        self.running = Some(run(&self.settings).await);
    }

    /// Stops everything in order and clears away what it left on the servers.
    pub(crate) async fn stop(mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
        if let Some(traces) = &self.traces {
            drop_schemas(&traces.schemas);
            broker::clear(&traces.namespace).await.expect("the broker");
        }
        drop(self.folder);
    }
}

/// Tables and queues of its own on the servers of the tests.
fn distributed(settings: &mut Vec<(String, String)>) -> Traces {
    let id = uuid::Uuid::now_v7().simple().to_string();
    // The random end of the id: two tests of the same millisecond share its beginning.
    let (_, tag) = id.split_at(16);
    let traces = Traces { schemas: format!("t{tag}_"), namespace: format!("test.{tag}") };
    let own = [
        ("ECHO_DATABASE_URL", postgres_url()),
        ("ECHO_DATABASE_CONNECTIONS", "3".to_owned()),
        ("ECHO_SCHEMA_PREFIX", traces.schemas.clone()),
        ("ECHO_AMQP_URL", broker::amqp_url()),
        ("ECHO_AMQP_NAMESPACE", traces.namespace.clone()),
    ];
    settings.extend(own.map(|(name, value)| (name.to_owned(), value)));
    traces
}

async fn run(settings: &[(String, String)]) -> Running {
    let mut settings = Settings::from_pairs(settings.iter().cloned());
    echo_standalone::prepare(&mut settings).expect("settings");
    // `ECHO_LOG=info cargo test …` shows what happened.
    if let Some(filter) = log_filter() {
        settings.set("ECHO_LOG", filter);
        common::telemetry::start(&settings).expect("logging");
    }
    start(echo_standalone::PROCESS, settings, Clock::system()).await.expect("Echo starts")
}

#[expect(clippy::disallowed_methods, reason = "whoever runs a test may want to see its log")]
fn log_filter() -> Option<String> {
    std::env::var("ECHO_LOG").ok()
}
