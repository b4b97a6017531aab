//! A whole running Echo, started through the same door as the binary, with its own tables, queues and ports.

use common::clock::Clock;
use common::config::Settings;
use common::runtime::{Running, start};
use testkit::broker;
use testkit::database::{Engine, drop_schemas, postgres_url};

/// One that runs.
pub(crate) struct Echo {
    running: Running,
    /// `http://` and where the API listens.
    pub(crate) base: String,
    /// What it leaves on the servers: the prefix of its schemas, and the namespace of its queues.
    traces: Option<(String, String)>,
    folder: tempfile::TempDir,
}

impl Echo {
    /// Starts one: on `SQLite` with the in-process bus, or on `PostgreSQL` with `RabbitMQ`.
    pub(crate) async fn start(engine: Engine) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = vec![
            ("ECHO_HTTP_ADDR", "127.0.0.1:0".to_owned()),
            ("ECHO_OPS_ADDR", "127.0.0.1:0".to_owned()),
            ("ECHO_SANDBOX_ADDR", "127.0.0.1:0".to_owned()),
            ("ECHO_RATE_LIMITS", "off".to_owned()),
            ("ECHO_DATA_DIR", folder.path().display().to_string()),
        ];
        let traces = (engine == Engine::Postgres).then(|| {
            let tag = uuid::Uuid::now_v7().simple().to_string().split_off(16);
            (format!("t{tag}_"), format!("test.{tag}"))
        });
        if let Some((schemas, namespace)) = &traces {
            settings.extend([
                ("ECHO_DATABASE_URL", postgres_url()),
                ("ECHO_DATABASE_CONNECTIONS", "3".to_owned()),
                ("ECHO_SCHEMA_PREFIX", schemas.clone()),
                ("ECHO_AMQP_URL", broker::amqp_url()),
                ("ECHO_AMQP_NAMESPACE", namespace.clone()),
            ]);
        }
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value));
        let mut settings = Settings::from_pairs(settings.collect::<Vec<_>>());
        echo_standalone::prepare(&mut settings).expect("settings");
        let running = start(echo_standalone::PROCESS, settings, Clock::system()).await.expect("Echo starts");
        let base = format!("http://{}", running.setting("ECHO_HTTP_ADDR"));
        Self { running, base, traces, folder }
    }

    /// Stops it, and clears away what it left.
    pub(crate) async fn stop(self) {
        self.running.stop().await;
        if let Some((schemas, namespace)) = &self.traces {
            drop_schemas(schemas);
            broker::clear(namespace).await.expect("the broker");
        }
        drop(self.folder);
    }
}
