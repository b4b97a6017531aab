//! A whole Echo for one reader: started through the same door as the binary, with nobody signed up yet.

use std::collections::HashMap;
use std::time::Duration;

use common::clock::Clock;
use common::config::Settings;
use common::runtime::{Running, start};
use testkit::broker;
use testkit::database::{drop_schemas, postgres_url};

use crate::modules::HERE;

/// Tables and bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pair {
    /// `SQLite` and the in-process bus.
    Embedded,
    /// `PostgreSQL` and `RabbitMQ`.
    Distributed,
}

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What a distributed Echo leaves on the servers.
struct Traces {
    schemas: String,
    namespace: String,
}

/// A running Echo.
pub(crate) struct Echo {
    running: Running,
    base: String,
    traces: Option<Traces>,
    folder: tempfile::TempDir,
}

impl Echo {
    pub(crate) async fn start(pair: Pair) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut settings = Settings::from_pairs([
            ("ECHO_HTTP_ADDR".to_owned(), "127.0.0.1:0".to_owned()),
            ("ECHO_OPS_ADDR".to_owned(), "127.0.0.1:0".to_owned()),
            ("ECHO_SANDBOX_ADDR".to_owned(), "127.0.0.1:0".to_owned()),
            // The reader registers the endpoint while the phone rings: fast, but not faster than a reader's shell.
            ("ECHO_SANDBOX_SPEED".to_owned(), "8".to_owned()),
            ("ECHO_DATA_DIR".to_owned(), folder.path().display().to_string()),
        ]);
        let traces = (pair == Pair::Distributed).then(|| distribute(&mut settings));
        echo_standalone::prepare(&mut settings).expect("settings");
        let running = start(echo_standalone::PROCESS, settings, Clock::system()).await.expect("Echo starts");
        let base = format!("http://{}", running.setting("ECHO_HTTP_ADDR"));
        Self { running, base, traces, folder }
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
        self.running.stop().await;
        if let Some(traces) = &self.traces {
            drop_schemas(&traces.schemas);
            broker::clear(&traces.namespace).await.expect("the broker");
        }
        drop(self.folder);
    }
}

/// Puts it on the servers of the tests, with names of its own there.
fn distribute(settings: &mut Settings) -> Traces {
    // The random end of the id: two tests of the same millisecond share its beginning.
    let tag = uuid::Uuid::now_v7().simple().to_string().split_off(16);
    let traces = Traces { schemas: format!("t{tag}_"), namespace: format!("test.{tag}") };
    settings.set("ECHO_DATABASE_URL", postgres_url());
    settings.set("ECHO_DATABASE_CONNECTIONS", "3");
    settings.set("ECHO_SCHEMA_PREFIX", traces.schemas.clone());
    settings.set("ECHO_AMQP_URL", broker::amqp_url());
    settings.set("ECHO_AMQP_NAMESPACE", traces.namespace.clone());
    traces
}
