//! How a process starts: what it shows of itself before it is ready, and what it finds out early.

#![expect(clippy::unwrap_used, reason = "a test says that a promise is broken by failing")]

use std::time::Duration;

use actix_web::web;
use common::bus::{Outcome, Subscription};
use common::clock::Clock;
use common::config::{ConfigError, Settings};
use common::db::Durability;
use common::platform::Platform;
use common::runtime::{self, Process, Running, StartError};
use common::service::{Mount, Service, ServiceDef, Tables};
use contracts::ServiceName;
use contracts::accounts::CancelNotification;
use testkit::broker;
use testkit::processes::free_address;
use testkit::proxy::Proxy;
use testkit::wait::eventually;
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(60);

const SERVICE: ServiceDef = ServiceDef {
    name: ServiceName::CallOrchestrator,
    tables: Some(Tables { migrations: &[], durability: Durability::Normal }),
    listens: &[("ECHO_HTTP_ADDR", "127.0.0.1:8080")],
    build,
};

const PROCESS: Process =
    Process { name: "echo-test", about: "A process of a test.", services: &[SERVICE], embedded: true };

fn build(settings: &Settings, _: &Platform) -> Result<Service, ConfigError> {
    let _: u16 = settings.get("ECHO_TEST_NUMBER", 7)?;
    let hears = Subscription::to(&(), |(), _, _: CancelNotification| async { Outcome::Done });
    let mount = Mount::public(|config| {
        config.route("/hello", web::get().to(|| async { "hello" }));
    });
    Ok(Service { mounts: vec![mount], subscriptions: vec![hears], ..Service::default() })
}

/// Settings over a folder of their own.
struct Place {
    folder: tempfile::TempDir,
    pairs: Vec<(String, String)>,
}

impl Place {
    fn new(more: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data").display().to_string();
        let (http, ops) = (free_address().to_string(), free_address().to_string());
        let own = [("ECHO_DATA_DIR", data.as_str()), ("ECHO_HTTP_ADDR", &http), ("ECHO_OPS_ADDR", &ops)];
        let pairs = own.iter().chain(more).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Self { folder, pairs }
    }

    fn settings(&self) -> Settings {
        Settings::from_pairs(self.pairs.clone())
    }

    fn address(&self, name: &str) -> String {
        self.pairs.iter().find(|(k, _)| k == name).unwrap().1.clone()
    }

    async fn start(&self) -> Result<Running, StartError> {
        runtime::start(PROCESS, self.settings(), Clock::system()).await
    }

    async fn get(&self, setting: &str, path: &str) -> Result<u16, reqwest::Error> {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{}{path}", self.address(setting));
        Ok(http.get(url).timeout(PATIENCE).send().await?.status().as_u16())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_cannot_answer_yet_accepts_no_connections_and_says_so_to_its_operators() {
    let url = url::Url::parse(&broker::amqp_url()).unwrap();
    let host = (url.host_str().unwrap().to_owned(), url.port().unwrap_or(5672));
    let target = std::net::ToSocketAddrs::to_socket_addrs(&host).unwrap().next().unwrap();
    let proxy = Proxy::start(target).await.unwrap();
    let mut at_proxy = url.clone();
    at_proxy.set_host(Some("127.0.0.1")).unwrap();
    at_proxy.set_port(Some(proxy.addr().port())).unwrap();
    let namespace = format!("test-{}", Uuid::now_v7().simple());
    let place = Place::new(&[("ECHO_AMQP_URL", at_proxy.as_str()), ("ECHO_AMQP_NAMESPACE", &namespace)]);
    let place = std::sync::Arc::new(place);

    proxy.block();
    let starting = tokio::spawn({
        let place = std::sync::Arc::clone(&place);
        async move { place.start().await }
    });
    let alive = || async { place.get("ECHO_OPS_ADDR", "/healthz").await.map_err(|e| e.to_string()) };
    assert_eq!(eventually("the operations address", PATIENCE, alive).await, 200);
    assert_eq!(place.get("ECHO_OPS_ADDR", "/readyz").await.unwrap(), 503);
    // Its port is taken once the tables are there, and refuses.
    let address = place.address("ECHO_HTTP_ADDR");
    eventually("the port to be taken", PATIENCE, || async {
        std::net::TcpListener::bind(&address).err().ok_or("free")
    })
    .await;
    let refused = place.get("ECHO_HTTP_ADDR", "/hello").await.unwrap_err();
    assert!(refused.is_connect(), "{refused}");

    proxy.unblock();
    let running = starting.await.unwrap().unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(place.get("ECHO_OPS_ADDR", "/readyz").await.unwrap(), 200);
    assert_eq!(place.get("ECHO_HTTP_ADDR", "/hello").await.unwrap(), 200);
    running.stop().await;
    assert!(place.get("ECHO_OPS_ADDR", "/healthz").await.is_err());
    broker::clear(&namespace).await.unwrap();
}

#[tokio::test]
async fn a_port_that_is_used_is_found_before_anything_is_subscribed_and_what_was_started_ends() {
    for setting in ["ECHO_OPS_ADDR", "ECHO_HTTP_ADDR"] {
        let place = Place::new(&[]);
        let taken = std::net::TcpListener::bind(place.address(setting)).unwrap();
        let problem = place.start().await.err().unwrap();
        assert!(matches!(problem, StartError::Listen(_)), "{problem}");
        assert_eq!(problem.code(), 5);
        assert!(problem.to_string().starts_with(setting), "{problem}");
        drop(taken);
        place.start().await.unwrap_or_else(|e| panic!("{e}")).stop().await;
    }
}

#[tokio::test]
async fn a_process_starts_again_at_once_on_the_ports_it_had() {
    let place = Place::new(&[]);
    for _ in 0..3 {
        let running = place.start().await.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(place.get("ECHO_HTTP_ADDR", "/hello").await.unwrap(), 200);
        running.stop().await;
    }
}

#[tokio::test]
async fn settings_are_shown_without_making_anything() {
    let place = Place::new(&[
        ("ECHO_DATABASE_URL", "postgres://echo:hunter2@127.0.0.1:1/echo"),
        ("ECHO_AMQP_URL", "amqp://echo:hunter3@127.0.0.1:1/%2f"),
        ("ECHO_TEST_NUMBER", "8"),
    ]);
    let (shown, problem) = runtime::rehearse(PROCESS, &place.settings().rehearsing());
    assert_eq!(problem, None);
    assert!(shown.contains("ECHO_TEST_NUMBER = \"8\"  # environment"), "{shown}");
    assert!(shown.contains("ECHO_MASTER_KEYS"), "{shown}");
    assert!(!shown.contains("hunter"), "{shown}");
    assert_eq!(std::fs::read_dir(place.folder.path()).unwrap().count(), 0, "nothing is made");
}

#[tokio::test]
async fn a_wrong_setting_is_named_beside_what_is_shown() {
    let place = Place::new(&[("ECHO_TEST_NUMBER", "many")]);
    let (shown, problem) = runtime::rehearse(PROCESS, &place.settings().rehearsing());
    assert_eq!(problem.unwrap().name, "ECHO_TEST_NUMBER");
    assert!(shown.contains("ECHO_OPS_ADDR"), "{shown}");
}
