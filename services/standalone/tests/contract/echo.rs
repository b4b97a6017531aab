//! A whole running Echo, started through the same door as the binary, with its own tables, queues and ports. Tests that run at
//! the same time share it; it stops, and clears up behind itself, when nobody holds it any longer.

use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use common::clock::Clock;
use common::config::Settings;
use common::runtime::{Running, start};
use serde_json::Value;
use testkit::api::Carrier;
use testkit::broker;
use testkit::database::{drop_schemas, postgres_url};
use testkit::wait::eventually;
use tokio::sync::{Mutex, oneshot};

/// Tables and bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pair {
    /// `SQLite` and the in-process bus.
    Embedded,
    /// `PostgreSQL` and `RabbitMQ`.
    Distributed,
}

/// Longer than any call takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

static EMBEDDED: Mutex<Weak<Echo>> = Mutex::const_new(Weak::new());
static DISTRIBUTED: Mutex<Weak<Echo>> = Mutex::const_new(Weak::new());

/// The Echo of a pair that others use, too; the first one who asks starts it.
pub(crate) async fn shared(pair: Pair) -> Arc<Echo> {
    let mut slot = match pair {
        Pair::Embedded => EMBEDDED.lock().await,
        Pair::Distributed => DISTRIBUTED.lock().await,
    };
    if let Some(echo) = slot.upgrade() {
        return echo;
    }
    let echo = Arc::new(Echo::start(pair).await);
    *slot = Arc::downgrade(&echo);
    echo
}

/// A running Echo. It runs on threads of its own, because it outlives the test that started it.
pub(crate) struct Echo {
    /// On what it stands.
    pub(crate) pair: Pair,
    /// `http://` and where the API listens.
    pub(crate) base: String,
    /// Its time, which only moves in an Echo that nobody else uses.
    pub(crate) clock: Clock,
    line: String,
    tables: Tables,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Where an Echo keeps what it is told.
pub(crate) struct Tables {
    folder: tempfile::TempDir,
    schemas: String,
    namespace: String,
}

impl Echo {
    /// Starts one.
    pub(crate) async fn start(pair: Pair) -> Self {
        Self::start_with(pair, &[]).await
    }

    /// The same with further settings.
    pub(crate) async fn start_with(pair: Pair, more: &[(&'static str, &str)]) -> Self {
        let id = uuid::Uuid::now_v7().simple().to_string();
        // The random end of the id: two of the same millisecond share its beginning.
        let (_, tag) = id.split_at(16);
        let tables = Tables {
            folder: tempfile::tempdir().expect("a folder"),
            schemas: format!("t{tag}_"),
            namespace: format!("test.{tag}"),
        };
        let (mut settings, clock) = (tables.settings(pair), Clock::system());
        settings.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let (ready, started) = oneshot::channel();
        let (stop, told) = oneshot::channel();
        let its_clock = clock.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.expect("a runtime").block_on(Box::pin(live(settings, its_clock, ready, told)));
        });
        let (api, carrier) = started.await.expect("Echo starts");
        let line = format!("http://{carrier}");
        let (stop, thread) = (Some(stop), Some(thread));
        Self { pair, base: format!("http://{api}"), clock, line, tables, stop, thread }
    }

    /// The line that its calls go over. A test asks for its own: the connections of one end with its test.
    pub(crate) fn carrier(&self) -> Carrier {
        Carrier::at(&self.line)
    }

    /// Everything that the tables keep of API keys, as text.
    pub(crate) fn kept_of_keys(&self) -> String {
        let rows = match self.pair {
            Pair::Embedded => {
                let file = self.tables.folder.path().join("gateway.sqlite");
                let columns = "id || ' ' || name || ' ' || key_prefix || ' ' || quote(key_hash)";
                testkit::database::texts_in_file(&file, &format!("SELECT {columns} AS text FROM api_keys"))
            }
            Pair::Distributed => {
                let query = format!("SELECT k::text AS text FROM {}gateway.api_keys k", self.tables.schemas);
                testkit::database::texts(&postgres_url(), &query)
            }
        };
        rows.expect("the tables").join("\n")
    }

    /// What Echo says to this number before it listens for the first time.
    pub(crate) async fn opening(&self, phone: &str) -> String {
        let carrier = self.carrier();
        let look = || async {
            let call = carrier.call_to(phone).await.unwrap_or_default();
            let lines = call["transcript"].as_array().cloned().unwrap_or_default();
            let ours = |line: &&Value| line["by"] == "agent";
            let before = lines.iter().take_while(|line| !ours(line)).count();
            let turn: Vec<_> = lines.iter().skip(before).take_while(ours).collect();
            // It is over when something follows, be it the end of the call.
            if turn.is_empty() || before + turn.len() == lines.len() && call["end_time"].is_null() {
                return Err(call);
            }
            let texts: Vec<_> = turn.iter().filter_map(|line| line["text"].as_str()).collect();
            Ok(texts.join(" "))
        };
        eventually("the opening", PATIENCE, look).await
    }

    /// Waits until the carrier was made to dial this number.
    pub(crate) async fn dials(&self, phone: &str) {
        let carrier = self.carrier();
        let look = || async {
            match carrier.rings(phone).await {
                (0, _) => Err("it was not dialled"),
                _ => Ok(()),
            }
        };
        eventually("the call", PATIENCE, look).await;
    }

    /// What the carrier found fault with.
    pub(crate) async fn faults(&self) -> Value {
        self.carrier().get("faults").await
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl Tables {
    fn settings(&self, pair: Pair) -> Vec<(&'static str, String)> {
        let mut settings = vec![
            ("ECHO_HTTP_ADDR", "127.0.0.1:0".to_owned()),
            ("ECHO_OPS_ADDR", "127.0.0.1:0".to_owned()),
            ("ECHO_SANDBOX_ADDR", "127.0.0.1:0".to_owned()),
            ("ECHO_SANDBOX_SPEED", "50".to_owned()),
            ("ECHO_SANDBOX_MORE_NUMBERS", crate::link::numbers().join(",")),
            ("ECHO_RATE_LIMITS", "off".to_owned()),
            ("ECHO_DATA_DIR", self.folder.path().display().to_string()),
        ];
        if pair == Pair::Distributed {
            settings.extend([
                ("ECHO_DATABASE_URL", postgres_url()),
                ("ECHO_DATABASE_CONNECTIONS", "3".to_owned()),
                ("ECHO_SCHEMA_PREFIX", self.schemas.clone()),
                ("ECHO_AMQP_URL", broker::amqp_url()),
                ("ECHO_AMQP_NAMESPACE", self.namespace.clone()),
            ]);
        }
        settings
    }
}

/// From the start to the end: says where the API and the carrier listen, and stops when the other end of `told` is dropped.
async fn live(
    settings: Vec<(&'static str, String)>,
    clock: Clock,
    ready: oneshot::Sender<(String, String)>,
    told: oneshot::Receiver<()>,
) {
    let find = |wanted| settings.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.clone());
    let traces = find("ECHO_SCHEMA_PREFIX").zip(find("ECHO_AMQP_NAMESPACE"));
    let running = run(settings, clock).await;
    let places = (running.setting("ECHO_HTTP_ADDR"), running.setting("ECHO_SANDBOX_ADDR"));
    ready.send(places).expect("somebody waits for it");
    let _ = told.await;
    running.stop().await;
    if let Some((schemas, namespace)) = traces {
        drop_schemas(&schemas);
        broker::clear(&namespace).await.expect("the broker");
    }
}

async fn run(settings: Vec<(&'static str, String)>, clock: Clock) -> Running {
    let pairs = settings.into_iter().map(|(name, value)| (name.to_owned(), value));
    let mut settings = Settings::from_pairs(pairs.collect::<Vec<_>>());
    echo_standalone::prepare(&mut settings).expect("settings");
    start(echo_standalone::PROCESS, settings, clock).await.expect("Echo starts")
}
