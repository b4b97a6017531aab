//! Strangers try the API by its document: schemathesis makes requests up from `/openapi.json`, right ones and wrong ones, and holds
//! every answer to what the document says. In one process, on both shipped pairs. And the document's words are those of the service
//! that says them.

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
/// Requests made up for each operation and kind.
const EXAMPLES: &str = "15";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_every_answer_is_as_the_document_says() {
    try_by_the_document(&[], "sqlite").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_and_rabbitmq_every_answer_is_as_the_document_says() {
    let tag = uuid::Uuid::now_v7().simple().to_string().split_off(16);
    let (schemas, namespace) = (format!("t{tag}_"), format!("test.{tag}"));
    let servers = [
        ("ECHO_DATABASE_URL", postgres_url()),
        ("ECHO_SCHEMA_PREFIX", schemas.clone()),
        ("ECHO_AMQP_URL", broker::amqp_url()),
        ("ECHO_AMQP_NAMESPACE", namespace.clone()),
    ];
    try_by_the_document(&servers, "postgres").await;
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

async fn try_by_the_document(servers: &[(&str, String)], name: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let running = echo(servers, folder.path()).await;
    let base = format!("http://{}", running.setting("ECHO_HTTP_ADDR"));
    let key = a_key(&base).await;
    let report = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("openapi-{name}.txt"));
    let tried = tokio::task::spawn_blocking(move || try_it(&base, &key, &report)).await.expect("a thread");
    running.stop().await;
    assert!(tried.is_ok(), "{}", tried.unwrap_err());
}

/// Runs the tool; its words where something was not as the document says.
fn try_it(base: &str, key: &str, report: &Path) -> Result<(), String> {
    let products = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let programs = testkit::python::environment(&Path::new(HERE).join("requirements.txt"), products);
    let ended = Command::new(programs.join("st"))
        .current_dir(products) // where it keeps what it remembers
        .args(["--config-file", &format!("{HERE}/schemathesis.toml"), "run", &format!("{base}/openapi.json")])
        .args(["--url", base, "--seed", SEED, "--max-examples", EXAMPLES, "--no-color"])
        .args(["--header", &format!("x-api-key: {key}")])
        .output()
        .map_err(|e| format!("schemathesis: {e}"))?;
    std::fs::write(report, &ended.stdout).map_err(|e| format!("{}: {e}", report.display()))?;
    if ended.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stdout);
    Err(format!("{said}\n{}", String::from_utf8_lossy(&ended.stderr)))
}

async fn echo(servers: &[(&str, String)], folder: &Path) -> Running {
    let own = [
        ("ECHO_HTTP_ADDR", "127.0.0.1:0".to_owned()),
        ("ECHO_OPS_ADDR", "127.0.0.1:0".to_owned()),
        ("ECHO_SANDBOX_ADDR", "127.0.0.1:0".to_owned()),
        ("ECHO_SANDBOX_SPEED", "50".to_owned()),
        ("ECHO_RATE_LIMITS", "off".to_owned()),
        ("ECHO_DATA_DIR", folder.display().to_string()),
    ];
    let pairs = own.iter().chain(servers).map(|(name, value)| ((*name).to_owned(), value.clone()));
    let mut settings = Settings::from_pairs(pairs.collect::<Vec<_>>());
    echo_standalone::prepare(&mut settings).expect("settings");
    start(echo_standalone::PROCESS, settings, Clock::system()).await.expect("Echo starts")
}

/// Of a business of its own.
async fn a_key(base: &str) -> String {
    let body = json!({
        "email": "jane@example.com", "password": "YourPassword123!", "first_name": "Jane", "last_name": "Doe",
        "business_name": "Acme Inc", "business_summary": "A SaaS platform", "industry": "Software",
    });
    let answer = client().post(format!("{base}/auth/signup")).json(&body).send().await.expect("an answer");
    let made: Value = answer.json().await.expect("JSON");
    made["default_project"]["api_key"].as_str().expect("a key").to_owned()
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().expect("a client")
}
