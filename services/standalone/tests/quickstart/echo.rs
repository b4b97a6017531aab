//! A whole Echo for one reader: started through the same door as the binaries, with nobody signed up yet.

use std::collections::HashMap;
use std::time::Duration;

use common::clock::Clock;
use common::config::Settings;
use common::runtime::{Running, start};
use testkit::broker;
use testkit::database::{drop_schemas, postgres_url};

use crate::modules::HERE;
use crate::programs::Programs;

/// What it consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One process, with `SQLite` and the in-process bus.
    Embedded,
    /// One process, with `PostgreSQL` and `RabbitMQ`.
    OnServers,
    /// A process for each service, with `PostgreSQL` and `RabbitMQ`.
    Programs,
}

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// The reader registers the endpoint while the phone rings: fast, but not faster than a reader's shell.
pub(crate) const SPEED: &str = "8";

/// What an Echo leaves on the servers.
struct Traces {
    schemas: String,
    namespace: String,
}

/// What runs.
enum Runs {
    OneProcess(Running, tempfile::TempDir),
    Programs(Programs),
}

/// A running Echo.
pub(crate) struct Echo {
    runs: Runs,
    base: String,
    traces: Option<Traces>,
}

impl Echo {
    pub(crate) async fn start(shape: Shape) -> Self {
        let traces = (shape != Shape::Embedded).then(Traces::to_be);
        let servers = traces.as_ref().map(Traces::settings).into_iter().flatten();
        let (runs, base) = match shape {
            Shape::Embedded | Shape::OnServers => in_one_process(servers).await,
            Shape::Programs => {
                let programs = Programs::start(servers.collect()).await;
                let base = programs.base().to_owned();
                (Runs::Programs(programs), base)
            }
        };
        Self { runs, base, traces }
    }

    /// Where the API is.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Types the commands of the quickstart at a shell, for a reader whose server is at `webhook_url`. Answers what the
    /// commands made, by name.
    pub(crate) async fn type_the_commands(&self, webhook_url: &str) -> HashMap<String, String> {
        let shell = tokio::process::Command::new("bash")
            .arg("steps.sh")
            .current_dir(HERE)
            .env("BASE", &self.base)
            .env("WEBHOOK_URL", webhook_url)
            .kill_on_drop(true)
            .output();
        let shell = tokio::time::timeout(PATIENCE, shell).await.expect("the commands end").expect("bash");
        assert!(shell.status.success(), "{}", String::from_utf8_lossy(&shell.stderr));
        let printed = String::from_utf8(shell.stdout).expect("text");
        let pairs = printed.lines().filter_map(|line| line.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    pub(crate) async fn stop(self) {
        match self.runs {
            Runs::OneProcess(running, folder) => {
                running.stop().await;
                drop(folder);
            }
            Runs::Programs(programs) => programs.stop().await,
        }
        if let Some(traces) = &self.traces {
            drop_schemas(&traces.schemas);
            broker::clear(&traces.namespace).await.expect("the broker");
        }
    }
}

async fn in_one_process(servers: impl Iterator<Item = (String, String)>) -> (Runs, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let own = [
        ("ECHO_HTTP_ADDR".to_owned(), "127.0.0.1:0".to_owned()),
        ("ECHO_OPS_ADDR".to_owned(), "127.0.0.1:0".to_owned()),
        ("ECHO_SANDBOX_ADDR".to_owned(), "127.0.0.1:0".to_owned()),
        ("ECHO_SANDBOX_SPEED".to_owned(), SPEED.to_owned()),
        ("ECHO_DATA_DIR".to_owned(), folder.path().display().to_string()),
    ];
    let mut settings = Settings::from_pairs(own.into_iter().chain(servers));
    echo_standalone::prepare(&mut settings).expect("settings");
    let running = start(echo_standalone::PROCESS, settings, Clock::system()).await.expect("Echo starts");
    let base = format!("http://{}", running.setting("ECHO_HTTP_ADDR"));
    (Runs::OneProcess(running, folder), base)
}

impl Traces {
    /// On the servers of the tests, with names of its own there.
    fn to_be() -> Self {
        // The random end of the id: two tests of the same millisecond share its beginning.
        let tag = uuid::Uuid::now_v7().simple().to_string().split_off(16);
        Self { schemas: format!("t{tag}_"), namespace: format!("test.{tag}") }
    }

    fn settings(&self) -> [(String, String); 5] {
        [
            ("ECHO_DATABASE_URL", postgres_url()),
            ("ECHO_DATABASE_CONNECTIONS", "3".to_owned()),
            ("ECHO_SCHEMA_PREFIX", self.schemas.clone()),
            ("ECHO_AMQP_URL", broker::amqp_url()),
            ("ECHO_AMQP_NAMESPACE", self.namespace.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
    }
}
