//! A release build of Echo as a child process, and its API.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::figures::Figures;

/// Tables and bus.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pair {
    Embedded,
    Distributed,
}

impl Pair {
    pub(crate) fn shipped() -> [Self; 2] {
        [Self::Embedded, Self::Distributed]
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Embedded => "SQLite + in-process",
            Self::Distributed => "PostgreSQL + RabbitMQ",
        }
    }
}

/// The account that the driver's carrier knows.
pub(crate) const ACCOUNT: &str = "AC00000000000000000000000000000001";
/// Its token.
pub(crate) const TOKEN: &str = "bench-token";

/// Its number.
pub(crate) const NUMBER: &str = "+15005550006";

/// A running Echo.
pub(crate) struct Echo {
    child: Child,
    folder: tempfile::TempDir,
    traces: Option<(String, String)>,
    http: reqwest::Client,
    pub(crate) base: String,
    pub(crate) ready_after: Duration,
}

/// An account of the load.
#[derive(Clone)]
pub(crate) struct Project {
    pub(crate) api_key: String,
    number: usize,
}

impl Echo {
    pub(crate) async fn start(pair: Pair, carrier: &str) -> Self {
        Self::start_with(pair, carrier, &[]).await
    }

    /// The same with further settings.
    pub(crate) async fn start_with(pair: Pair, carrier: &str, more: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (http, ops, sandbox) = (free_port(), free_port(), free_port());
        let base = format!("http://127.0.0.1:{http}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_echo-standalone"));
        command
            .arg("serve")
            .env("ECHO_DATA_DIR", folder.path().join("data"))
            .env("ECHO_HTTP_ADDR", format!("127.0.0.1:{http}"))
            .env("ECHO_OPS_ADDR", format!("127.0.0.1:{ops}"))
            .env("ECHO_SANDBOX_ADDR", format!("127.0.0.1:{sandbox}"))
            .env("ECHO_RATE_LIMITS", "off")
            .env("ECHO_EGRESS_ALLOW", "127.0.0.0/8")
            .env("ECHO_CARRIER", "twilio")
            .env("ECHO_TWILIO_API_URL", carrier)
            .env("ECHO_TWILIO_ACCOUNT_SID", ACCOUNT)
            .env("ECHO_TWILIO_AUTH_TOKEN", TOKEN)
            .env("ECHO_TWILIO_FROM", NUMBER)
            .env("ECHO_CALLS_PER_SECOND", "10000")
            .env("ECHO_LOG", "error")
            .envs(more.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true);
        let traces = (pair == Pair::Distributed).then(|| distributed(&mut command));
        let begun = Instant::now();
        let child = command.spawn().expect("the binary");
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        await_ready(&client, ops).await;
        Self { child, folder, traces, http: client, base, ready_after: begun.elapsed() }
    }

    pub(crate) fn resident_mb(&self) -> f64 {
        let id = self.child.id().unwrap_or_default();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
    }

    /// Accounts, each with an agent and its webhook endpoints.
    pub(crate) async fn projects(&self, count: usize, endpoints: Option<(&str, usize)>) -> Vec<Project> {
        let mut projects = Vec::new();
        for number in 0..count {
            let body = json!({
                "email": format!("load{number}@example.com"), "password": "LoadPassword1!", "first_name": "Load",
                "last_name": "Test", "business_name": "Acme Inc", "business_summary": "Load", "industry": "Software",
            });
            let made = self.post("/auth/signup", "", &body).await;
            let text = |v: &Value| v.as_str().expect("a text").to_owned();
            let api_key = text(&made["default_project"]["api_key"]);
            let id = text(&made["default_project"]["id"]);
            for _ in 0..endpoints.map_or(0, |(_, n)| n) {
                let url = endpoints.map_or("", |(url, _)| url);
                let endpoint = json!({"url": url, "events": ["call.ended", "call.summary"]});
                self.post(&format!("/api/v1/projects/{id}/webhooks"), &api_key, &endpoint).await;
            }
            projects.push(Project { api_key, number });
        }
        projects
    }

    /// A bot of each project that tells what it learns to `hook`. Answers where the carrier asks for them.
    pub(crate) async fn bots(&self, projects: &[Project], hook: &str) -> Vec<String> {
        let mut voice_urls = Vec::new();
        for project in projects {
            let bot = json!({"goal": "Book table", "webhook": hook, "context": "Open 5-10PM. Tables: 2,4,6"});
            let made = self.post("/v1/bots", &project.api_key, &bot).await;
            voice_urls.push(made["voice_url"].as_str().expect("a voice URL").to_owned());
        }
        voice_urls
    }

    /// The same tables, for a driver that fills them by itself.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let mut pairs =
            vec![("ECHO_DATA_DIR".to_owned(), self.folder.path().join("data").display().to_string())];
        if let Some((schemas, _)) = &self.traces {
            pairs.push(("ECHO_DATABASE_URL".to_owned(), testkit::database::postgres_url()));
            pairs.push(("ECHO_SCHEMA_PREFIX".to_owned(), schemas.clone()));
        }
        pairs
    }

    pub(crate) const fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> Value {
        let answer =
            self.http.post(format!("{}{path}", self.base)).header("x-api-key", key).json(body).send().await;
        let answer = answer.expect("an answer");
        let status = answer.status();
        let value = answer.json().await.unwrap_or(Value::Null);
        assert_eq!(status, 201, "{path}: {value}");
        value
    }

    /// A customer with a number of its own.
    pub(crate) async fn customer(&self, project: &Project, n: usize) -> String {
        let phone = format!("+1415{:03}{:04}", 200 + project.number, n);
        let body = json!({"external_id": format!("c{n}"), "first_name": "John", "last_name": "Smith", "phone": phone});
        let made = self.post("/api/v1/customers", &project.api_key, &body).await;
        made["id"].as_str().expect("an id").to_owned()
    }

    /// Rings `each` customers of every project.
    pub(crate) async fn ring(&self, projects: &[Project], each: usize) {
        for project in projects {
            for n in 0..each {
                let customer = self.customer(project, n).await;
                self.post("/api/v1/notifications", &project.api_key, &message(&customer)).await;
            }
        }
    }

    /// Has an agent ring `each` customers of a project.
    pub(crate) async fn ring_with(&self, project: &Project, each: usize, agent: &str) {
        for n in 0..each {
            let customer = self.customer(project, n).await;
            let body = json!({"customer_id": customer, "agent_id": agent});
            self.post("/api/v1/notifications", &project.api_key, &body).await;
        }
    }

    /// Customers of every project, with their keys: whom the load rings.
    pub(crate) async fn people(&self, projects: &[Project]) -> People {
        let mut people = Vec::new();
        for project in projects {
            for n in 0..10 {
                people.push((project.api_key.clone(), self.customer(project, n).await));
            }
        }
        People { http: self.http.clone(), url: format!("{}/api/v1/notifications", self.base), people }
    }

    pub(crate) async fn stop(mut self) {
        self.child.kill().await.expect("a process");
        if let Some((schemas, namespace)) = &self.traces {
            testkit::database::drop_schemas(schemas);
            testkit::broker::clear(namespace).await.expect("the broker");
        }
    }
}

/// Customers, and where they are rung.
pub(crate) struct People {
    http: reqwest::Client,
    url: String,
    people: Vec<(String, String)>,
}

impl People {
    /// Rings the nth of them; answers how long the request took.
    async fn ring(&self, n: usize) -> Duration {
        let (key, customer) = &self.people[n % self.people.len()];
        let asked = Instant::now();
        let request = self.http.post(&self.url).header("x-api-key", key).json(&message(customer));
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap_or_default());
        asked.elapsed()
    }

    /// As fast as it goes with so many requests at a time.
    pub(crate) async fn ring_at_once(self, at_once: usize, how_long: Duration) -> Figures {
        let (people, begun) = (Arc::new(self), Instant::now());
        let workers = (0..at_once).map(|worker| {
            let people = Arc::clone(&people);
            tokio::spawn(async move {
                let (mut samples, mut n) = (Vec::new(), worker);
                while begun.elapsed() < how_long {
                    samples.push(people.ring(n).await);
                    n += at_once;
                }
                samples
            })
        });
        let workers: Vec<_> = workers.collect();
        let mut samples = Vec::new();
        for worker in workers {
            samples.extend(worker.await.expect("a worker"));
        }
        Figures { samples, within: begun.elapsed() }
    }

    /// So many a second, whether or not the ones before have been answered.
    pub(crate) async fn ring_steadily(self, a_second: u32, how_long: Duration) -> Figures {
        let (people, begun) = (Arc::new(self), Instant::now());
        let between = Duration::from_secs(1) / a_second;
        let mut beat = tokio::time::interval(between);
        let mut asked = Vec::new();
        for n in 0.. {
            beat.tick().await;
            if begun.elapsed() >= how_long {
                break;
            }
            let people = Arc::clone(&people);
            asked.push(tokio::spawn(async move { people.ring(n).await }));
        }
        let mut samples = Vec::new();
        for one in asked {
            samples.push(one.await.expect("a request"));
        }
        Figures { samples, within: begun.elapsed() }
    }
}

/// A request for a call with this customer.
pub(crate) fn message(customer: &str) -> Value {
    json!({"customer_id": customer, "message": "Your appointment tomorrow at 10 AM is booked.", "collect_feedback": true})
}

fn distributed(command: &mut Command) -> (String, String) {
    let id = uuid::Uuid::now_v7().simple().to_string();
    let (_, tag) = id.split_at(16);
    let (schemas, namespace) = (format!("b{tag}_"), format!("bench.{tag}"));
    command
        .env("ECHO_DATABASE_URL", testkit::database::postgres_url())
        .env("ECHO_SCHEMA_PREFIX", &schemas)
        .env("ECHO_AMQP_URL", testkit::broker::amqp_url())
        .env("ECHO_AMQP_NAMESPACE", &namespace);
    (schemas, namespace)
}

async fn await_ready(http: &reqwest::Client, ops: u16) {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = http.get(format!("http://127.0.0.1:{ops}/readyz")).send().await;
        if answer.is_ok_and(|a| a.status().is_success()) {
            return;
        }
        assert!(Instant::now() < until, "Echo did not become ready");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
