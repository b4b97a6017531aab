//! The program itself: what it shows, and that its exit codes tell the truth.

use std::path::Path;
use std::process::{Command, Output};

use testkit::broker;
use testkit::database::{drop_schemas, postgres_url};
use testkit::processes::{Process, Program, free_address};
use uuid::Uuid;

const PROGRAM: &str = env!("CARGO_BIN_EXE_echo-gateway");
const KEYS: &str = "k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/// Settings with which it starts, and what it leaves on the servers.
struct Place {
    settings: Vec<(String, String)>,
    schemas: String,
    namespace: String,
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let id = Uuid::now_v7().simple().to_string();
        let (schemas, namespace) = (format!("t{}_", &id[..24]), format!("test-{id}"));
        let settings = [
            ("ECHO_HTTP_ADDR", free_address().to_string()),
            ("ECHO_OPS_ADDR", free_address().to_string()),
            ("ECHO_DATABASE_URL", postgres_url()),
            ("ECHO_SCHEMA_PREFIX", schemas.clone()),
            ("ECHO_AMQP_URL", broker::amqp_url()),
            ("ECHO_AMQP_NAMESPACE", namespace.clone()),
            ("ECHO_MASTER_KEYS", KEYS.to_owned()),
            ("ECHO_JWT_KEYS", KEYS.to_owned()),
        ];
        let settings = settings.map(|(k, v)| (k.to_owned(), v)).into();
        Self { settings, schemas, namespace, folder: tempfile::tempdir().unwrap() }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.retain(|(k, _)| k != name);
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    fn address(&self, name: &str) -> std::net::SocketAddr {
        self.settings.iter().find(|(k, _)| k == name).unwrap().1.parse().unwrap()
    }

    /// Runs it to its end.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env_clear().envs(self.settings.clone()).current_dir(self.folder.path());
        command.output().unwrap()
    }

    async fn clear(&self) {
        drop_schemas(&self.schemas);
        broker::clear(&self.namespace).await.unwrap();
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_settings_are_shown_without_a_database_a_broker_or_a_free_port() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = Place::new()
        .with("ECHO_DATABASE_URL", "postgres://echo:hunter2@127.0.0.1:1/echo")
        .with("ECHO_AMQP_URL", "amqp://echo:hunter3@127.0.0.1:1/%2f")
        .with("ECHO_OPS_ADDR", &taken.local_addr().unwrap().to_string());
    let shown = place.run(&["--print-config"]);
    let text = String::from_utf8(shown.stdout.clone()).unwrap();
    assert_eq!(shown.status.code(), Some(0), "{}", said(&shown));
    assert!(text.contains("ECHO_RATE_LIMITS = \"on\"  # default"), "{text}");
    assert!(!text.contains("hunter") && !text.contains(KEYS), "{text}");
}

#[test]
fn a_wrong_setting_is_exit_code_2() {
    let place = Place::new().with("ECHO_OPS_ADDR", "here");
    let ended = place.run(&[]);
    assert_eq!(ended.status.code(), Some(2), "{}", said(&ended));
    assert!(said(&ended).contains("ECHO_OPS_ADDR: `here`"), "{}", said(&ended));
    assert_eq!(place.run(&["--print-config"]).status.code(), Some(2));
}

#[test]
fn a_database_that_is_away_is_exit_code_3() {
    let place = Place::new().with("ECHO_DATABASE_URL", "postgres://postgres@127.0.0.1:1/postgres");
    let ended = place.run(&[]);
    assert_eq!(ended.status.code(), Some(3), "{}", said(&ended));
    assert!(said(&ended).contains("tables of gateway"), "{}", said(&ended));
}

#[test]
fn an_address_that_is_taken_is_exit_code_5() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = Place::new().with("ECHO_OPS_ADDR", &taken.local_addr().unwrap().to_string());
    let ended = place.run(&[]);
    assert_eq!(ended.status.code(), Some(5), "{}", said(&ended));
    assert!(said(&ended).contains("ECHO_OPS_ADDR: cannot listen"), "{}", said(&ended));
}

#[test]
fn dead_letters_can_be_asked_for_on_the_command_line() {
    let place = Place::new();
    let help = String::from_utf8(place.run(&["dead-letters", "--help"]).stdout).unwrap();
    for word in ["list", "replay", "drop", "14 days", "--service"] {
        assert!(help.contains(word), "{help}");
    }
    let none = place.run(&["dead-letters", "list"]);
    assert_eq!((none.status.code(), none.stdout.len()), (Some(0), 0), "{}", said(&none));
    let dropped = place.run(&["dead-letters", "drop", "--all"]);
    assert_eq!(String::from_utf8_lossy(&dropped.stdout), "{\"dropped\":0,\"service\":\"gateway\"}\n");
    let unsaid = place.run(&["dead-letters", "drop"]);
    assert_eq!(unsaid.status.code(), Some(2), "nothing is dropped that was not named");
    let stranger = place.run(&["dead-letters", "list", "--service", "nobody"]);
    assert_eq!(stranger.status.code(), Some(1));
    assert!(said(&stranger).contains("it has gateway"), "{}", said(&stranger));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ordered_stop_is_exit_code_0_and_health_is_told_by_the_code_too() {
    let place = Place::new();
    let log: &Path = place.folder.path();
    let mut running = Process::start(Program {
        name: "gateway".to_owned(),
        command: vec![PROGRAM.to_owned()],
        environment: place.settings.clone(),
        log: log.join("log"),
    });
    running.ready(place.address("ECHO_OPS_ADDR")).await;
    assert_eq!(place.run(&["--check-health"]).status.code(), Some(0));
    assert_eq!(running.stop("TERM").await.code(), Some(0), "{}", running.log_end());
    assert_eq!(place.run(&["--check-health"]).status.code(), Some(1));
    place.clear().await;
}
