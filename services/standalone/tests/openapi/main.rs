//! Strangers try the API by its document: schemathesis makes requests up from `/openapi.json`, right ones and wrong ones, and holds
//! every answer to what the document says. First with an API key, then, for what only people may do, with an owner's token. In
//! one process, on both shipped pairs. And the document's words are those of the service that says them.

#![cfg(test)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::clock::Clock;
use common::config::Settings;
use common::runtime::{Running, start};
use echo_call_orchestrator::domain::call::CallStatus;
use echo_call_orchestrator::domain::ended_reason::EndedReason;
use echo_call_orchestrator::domain::rules;
use serde_json::{Value, json};
use testkit::broker;
use testkit::database::{drop_schemas, postgres_url};

/// This test's own folder.
const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openapi");
/// The same requests on every run: a failure can be looked at again.
const SEED: &str = "20";
/// Requests made up for each operation and kind, of all operations.
const EXAMPLES: &str = "15";
/// The same of those that only people may do, which are few.
const EXAMPLES_BY_PEOPLE: &str = "60";
/// What a key may not do, or sees less of than a member does.
const BY_PEOPLE: [&str; 14] = [
    "changePassword",
    "createProject",
    "deleteCarrier",
    "deleteProject",
    "getUsage",
    "inviteMember",
    "listAudit",
    "listProjects",
    "me",
    "putCarrier",
    "removeMember",
    "updateBusiness",
    "updateMember",
    "updateProject",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_every_answer_to_a_key_is_as_the_document_says() {
    try_by_the_document(&[], "sqlite", By::Key).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_every_answer_to_an_owner_is_as_the_document_says() {
    try_by_the_document(&[], "sqlite", By::Owner).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_and_rabbitmq_every_answer_to_a_key_is_as_the_document_says() {
    on_postgres_and_rabbitmq(By::Key).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_and_rabbitmq_every_answer_to_an_owner_is_as_the_document_says() {
    on_postgres_and_rabbitmq(By::Owner).await;
}

async fn on_postgres_and_rabbitmq(by: By) {
    let tag = uuid::Uuid::now_v7().simple().to_string().split_off(16);
    let (schemas, namespace) = (format!("t{tag}_"), format!("test.{tag}"));
    let servers = [
        ("ECHO_DATABASE_URL", postgres_url()),
        ("ECHO_SCHEMA_PREFIX", schemas.clone()),
        ("ECHO_AMQP_URL", broker::amqp_url()),
        ("ECHO_AMQP_NAMESPACE", namespace.clone()),
    ];
    try_by_the_document(&servers, "postgres", by).await;
    drop_schemas(&schemas);
    broker::clear(&namespace).await.expect("the broker");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_knows_the_words_that_the_orchestrator_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = echo(&[], folder.path()).await;
    let base = format!("http://{}", running.setting("ECHO_HTTP_ADDR"));
    let answer = client().get(format!("{base}/openapi.json")).send().await.expect("an answer");
    let document: Value = answer.json().await.expect("JSON");
    running.stop().await;
    let blocked_by = [
        rules::SUPPRESSED,
        rules::COUNTRY,
        rules::NO_CONSENT,
        rules::CALLING_HOURS,
        rules::SPEND_CAP,
        rules::PER_DAY,
        rules::CONCURRENCY,
        rules::LINE_BUSY,
    ];
    assert_eq!(words(&document, "Call", "status"), CallStatus::ALL.map(CallStatus::as_str));
    assert_eq!(words(&document, "Call", "ended_reason"), EndedReason::ALL.map(EndedReason::as_str));
    assert_eq!(words(&document, "Notification", "blocked_by"), blocked_by);
    let ends = CallStatus::ALL.into_iter().filter(|status| status.is_final()).map(CallStatus::as_str);
    assert_eq!(words(&document, "CallEndedData", "status"), ends.collect::<Vec<_>>());
}

/// The words that a field may hold.
fn words<'a>(document: &'a Value, schema: &str, field: &str) -> Vec<&'a str> {
    let place = format!("/components/schemas/{schema}/properties/{field}/enum");
    let allowed = document.pointer(&place).and_then(Value::as_array).expect("an enum");
    allowed.iter().filter_map(Value::as_str).collect()
}

/// Who tries.
#[derive(Clone, Copy)]
enum By {
    Key,
    Owner,
}

async fn try_by_the_document(servers: &[(&str, String)], name: &str, by: By) {
    let folder = tempfile::tempdir().expect("a folder");
    let running = echo(servers, folder.path()).await;
    let base = format!("http://{}", running.setting("ECHO_HTTP_ADDR"));
    let visit = match by {
        By::Key => Visit::with_a_key(&base, name).await,
        By::Owner => Visit::as_an_owner(&base, name).await,
    };
    let tried = tokio::task::spawn_blocking(move || visit.try_it(&base)).await.expect("a thread");
    running.stop().await;
    assert!(tried.is_ok(), "{}", tried.unwrap_err());
}

/// One run of the tool.
struct Visit {
    /// Where its words are kept.
    report: String,
    /// The file that says how, in this test's folder.
    config: &'static str,
    /// A header.
    credential: String,
    /// The only operations that are tried; none: all.
    only: &'static [&'static str],
    /// How many requests are made up.
    examples: &'static str,
    /// What the file leaves open: ids of things that are there.
    ids: Vec<(&'static str, String)>,
}

impl Visit {
    async fn with_a_key(base: &str, name: &str) -> Self {
        let made = sign_up(base, "jane@example.com").await;
        let credential = format!("x-api-key: {}", text(&made["default_project"], "api_key"));
        let report = format!("openapi-{name}.txt");
        Self {
            report,
            config: "schemathesis.toml",
            credential,
            only: &[],
            examples: EXAMPLES,
            ids: Vec::new(),
        }
    }

    async fn as_an_owner(base: &str, name: &str) -> Self {
        let made = sign_up(base, "owner@example.com").await;
        let token = text(&made, "access_token");
        let own = text(&made["default_project"], "id").to_owned();
        let spare = post(base, token, "/api/v1/projects", &json!({"name": "to be deleted"})).await;
        let mut ids = vec![("ECHO_PROJECT", own), ("ECHO_PROJECT_TO_DELETE", text(&spare, "id").to_owned())];
        for (name, email) in
            [("ECHO_MEMBER", "asked@example.com"), ("ECHO_MEMBER_TO_REMOVE", "asked-in-vain@example.com")]
        {
            let member = json!({"email": email, "role": "viewer"});
            ids.push((name, text(&post(base, token, "/api/v1/members", &member).await, "id").to_owned()));
        }
        let credential = format!("Authorization: Bearer {token}");
        let report = format!("openapi-{name}-owner.txt");
        Self {
            report,
            config: "as_an_owner.toml",
            credential,
            only: &BY_PEOPLE,
            examples: EXAMPLES_BY_PEOPLE,
            ids,
        }
    }

    /// Runs the tool; its words where something was not as the document says.
    fn try_it(&self, base: &str) -> Result<(), String> {
        let products = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let programs = testkit::python::environment(&Path::new(HERE).join("requirements.txt"), products);
        let (config, report) = (format!("{HERE}/{}", self.config), products.join(&self.report));
        let ended = Command::new(programs.join("st"))
            .current_dir(products) // where it keeps what it remembers
            .envs(self.ids.iter().map(|(name, id)| (name, id)))
            .args(["--config-file", &config, "run", &format!("{base}/openapi.json")])
            .args(["--url", base, "--seed", SEED, "--max-examples", self.examples, "--no-color"])
            .args(["--header", &self.credential])
            .args(self.only.iter().flat_map(|operation| ["--include-operation-id", operation]))
            .output()
            .map_err(|e| format!("schemathesis: {e}"))?;
        std::fs::write(&report, &ended.stdout).map_err(|e| format!("{}: {e}", report.display()))?;
        if ended.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&ended.stdout);
        Err(format!("{said}\n{}", String::from_utf8_lossy(&ended.stderr)))
    }
}

async fn echo(servers: &[(&str, String)], folder: &Path) -> Running {
    // What projects call Twilio is the sandbox carrier, too: accounts that are made up are asked for there.
    let carrier = testkit::processes::free_address();
    let own = [
        ("ECHO_HTTP_ADDR", "127.0.0.1:0".to_owned()),
        ("ECHO_OPS_ADDR", "127.0.0.1:0".to_owned()),
        ("ECHO_SANDBOX_ADDR", carrier.to_string()),
        ("ECHO_TWILIO_API_URL", format!("http://{carrier}")),
        ("ECHO_SANDBOX_SPEED", "50".to_owned()),
        ("ECHO_RATE_LIMITS", "off".to_owned()),
        ("ECHO_DATA_DIR", folder.display().to_string()),
    ];
    let pairs = own.iter().chain(servers).map(|(name, value)| ((*name).to_owned(), value.clone()));
    let mut settings = Settings::from_pairs(pairs.collect::<Vec<_>>());
    echo_standalone::prepare(&mut settings).expect("settings");
    start(echo_standalone::PROCESS, settings, Clock::system()).await.expect("Echo starts")
}

/// A business of one's own.
async fn sign_up(base: &str, email: &str) -> Value {
    let body = json!({
        "email": email, "password": "YourPassword123!", "first_name": "Jane", "last_name": "Doe",
        "business_name": "Acme Inc", "business_summary": "A SaaS platform", "industry": "Software",
    });
    post(base, "", "/auth/signup", &body).await
}

async fn post(base: &str, token: &str, path: &str, body: &Value) -> Value {
    let request = client().post(format!("{base}{path}")).bearer_auth(token).json(body);
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), 201, "{path}");
    answer.json().await.expect("JSON")
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}"))
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().expect("a client")
}
