//! The orchestrator in a process with stand-ins for bridge and dispatcher, on the in-process bus and either engine.

mod bridge;
mod gateway;
mod neighbours;
mod requests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use common::clock::Clock;
use common::config::Settings;
use common::db::{Database, DbError, sql};
use common::runtime::{self, Running};
use contracts::ServiceName;
use contracts::calls::{CallSummarised, DialRequested};
use contracts::ids::ProjectId;
use contracts::rpc::Context;
use diesel::RunQueryDsl as _;
use testkit::database::{Engine, drop_schemas, postgres_url};
use testkit::model_server::ModelServer;
use testkit::wait::eventually;

pub(crate) use bridge::{answered, completed, digits, heard, progressed, silence};
pub(crate) use gateway::{JOHN, consent, opens_in};
use neighbours::PROCESS;
pub(crate) use neighbours::{Carrier, Heard};
pub(crate) use requests::{OPENING, by_agent, by_message};

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct World {
    process: String,
    running: Option<Running>,
    settings: BTreeMap<&'static str, String>,
    tables: BTreeMap<ServiceName, Database>,
    pub(crate) heard: Arc<Heard>,
    pub(crate) clock: Clock,
    pub(crate) project: ProjectId,
    /// Removed with the world.
    folder: Option<tempfile::TempDir>,
    schemas: Option<String>,
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = sql::BigInt)]
    n: i64,
}

impl World {
    /// With the offline model.
    pub(crate) async fn new(engine: Engine) -> Self {
        Self::with(engine, &[]).await
    }

    /// With a scripted model.
    pub(crate) async fn scripted(engine: Engine) -> (Self, ModelServer) {
        let model = ModelServer::start().await.unwrap();
        let world = Self::with(engine, &[("OPENAI_BASE_URL", model.url())]).await;
        (world, model)
    }

    pub(crate) async fn with(engine: Engine, more: &[(&'static str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let random = hex::encode(common::crypto::random::<12>().unwrap());
        let mut settings = BTreeMap::from([
            ("ECHO_OPS_ADDR", "127.0.0.1:0".to_owned()),
            ("ECHO_DATA_DIR", folder.path().display().to_string()),
            ("ECHO_DATABASE_CONNECTIONS", "3".to_owned()),
            // Longer than a search takes on a busy machine.
            ("ECHO_SEARCH_DEADLINE_MS", "10000".to_owned()),
            ("ECHO_TEST_WORLD", random.clone()),
        ]);
        let prefix = format!("t{random}_");
        if engine == Engine::Postgres {
            settings.insert("ECHO_DATABASE_URL", postgres_url());
            settings.insert("ECHO_SCHEMA_PREFIX", prefix.clone());
        }
        settings.extend(more.iter().map(|(k, v)| (*k, (*v).to_owned())));
        let schemas = (engine == Engine::Postgres).then_some(prefix);
        Self::run(random, settings, Clock::system(), Some(folder), schemas).await
    }

    /// Another process over the same tables.
    pub(crate) async fn second(&self) -> Self {
        let process = format!("{}-second", self.process);
        Self::run(process, self.settings.clone(), self.clock.clone(), None, None).await
    }

    async fn run(
        process: String,
        settings: BTreeMap<&'static str, String>,
        clock: Clock,
        folder: Option<tempfile::TempDir>,
        schemas: Option<String>,
    ) -> Self {
        let own = [("ECHO_TEST_PROCESS", process.clone())];
        let all = || Settings::from_pairs(settings.clone().into_iter().chain(own.clone()));
        let running = runtime::start(PROCESS, all(), clock.clone()).await.unwrap();
        let services = [
            ServiceName::CallOrchestrator,
            ServiceName::TelephonyBridge,
            ServiceName::WebhookDispatcher,
            ServiceName::KnowledgeService,
        ];
        let open = |service| runtime::database(PROCESS, &all(), service, clock.clone()).unwrap();
        let tables = services.into_iter().map(|service| (service, open(service))).collect();
        let heard = neighbours::heard(&settings["ECHO_TEST_WORLD"]);
        let project = ProjectId::new();
        Self { process, running: Some(running), settings, tables, heard, clock, project, folder, schemas }
    }

    pub(crate) async fn stop(&mut self) {
        self.running.take().unwrap().stop().await;
    }

    /// The orchestrator's tables.
    pub(crate) fn tables(&self) -> &Database {
        &self.tables[&ServiceName::CallOrchestrator]
    }

    /// Rows that the orchestrator's tables hold, counted by a query without parameters.
    pub(crate) async fn count(&self, text: &str) -> i64 {
        self.count_in(ServiceName::CallOrchestrator, text).await
    }

    async fn count_in(&self, service: ServiceName, text: &str) -> i64 {
        let text = format!("SELECT count(*) AS n FROM {text}");
        let read = self.tables[&service]
            .read(move |db| diesel::sql_query(text).get_result::<Count>(db).map_err(DbError::from));
        read.await.unwrap().n
    }

    /// Changes the orchestrator's rows behind its back.
    pub(crate) async fn meddle(&self, text: String) {
        let write =
            self.tables().write(move |tx| diesel::sql_query(text).execute(tx.conn).map_err(DbError::from));
        write.await.unwrap();
    }

    /// What the metrics say about failures of the model.
    pub(crate) async fn failures(&self) -> String {
        self.metric("echo_orchestrator_model_failures").await
    }

    /// The lines of a metric.
    pub(crate) async fn metric(&self, name: &str) -> String {
        let ops = self.running.as_ref().unwrap().setting("ECHO_OPS_ADDR");
        let text = reqwest::get(format!("http://{ops}/metrics")).await.unwrap().text().await.unwrap();
        text.lines().filter(|l| l.starts_with(name)).collect::<Vec<_>>().join("\n")
    }

    /// Waits until everything that was published has been heard, with all that came of it. Nothing may be dead.
    pub(crate) async fn quiet(&self) {
        use ServiceName::{CallOrchestrator, KnowledgeService, TelephonyBridge, WebhookDispatcher};
        // In the order in which things flow: what is not in an earlier place any more is in a later one.
        let places = [
            (TelephonyBridge, "outbox"),
            (CallOrchestrator, "bus_queue"),
            (CallOrchestrator, "notifications WHERE summary_due"),
            (CallOrchestrator, "outbox"),
            (TelephonyBridge, "bus_queue"),
            (WebhookDispatcher, "bus_queue"),
            (KnowledgeService, "bus_queue"),
        ];
        let look = || async {
            let dead = self.count("bus_queue WHERE dead_reason IS NOT NULL").await;
            assert_eq!(dead, 0, "dead letters: {:?}", self.dead_letters().await);
            for (service, table) in places {
                let left = self.count_in(service, table).await;
                if left > 0 {
                    return Err(format!("{left} in {table} of {service}"));
                }
            }
            Ok(())
        };
        eventually("quiet", PATIENCE, look).await;
    }

    /// Lets time pass when nothing is on its way: what is on its way for longer than its lease comes twice.
    pub(crate) async fn pass(&self, time: Duration) {
        self.quiet().await;
        self.clock.advance(time);
    }

    async fn dead_letters(&self) -> Vec<String> {
        #[derive(diesel::QueryableByName)]
        struct Dead {
            #[diesel(sql_type = sql::Text)]
            dead_reason: String,
        }
        let text = "SELECT dead_reason FROM bus_queue WHERE dead_reason IS NOT NULL";
        let read =
            self.tables().read(move |db| diesel::sql_query(text).load::<Dead>(db).map_err(DbError::from));
        read.await.unwrap().into_iter().map(|d| d.dead_reason).collect()
    }

    /// Waits for the `n`-th wish to dial for a notification's call.
    pub(crate) async fn dial(&self, call_id: &str, n: usize) -> DialRequested {
        let look = || async {
            let dials = self.dials_of(call_id);
            dials.get(n - 1).cloned().ok_or(dials.len())
        };
        eventually("a wish to dial", PATIENCE, look).await
    }

    pub(crate) fn dials_of(&self, call_id: &str) -> Vec<DialRequested> {
        self.heard.dials.lock().unwrap().iter().filter(|d| d.call_id == call_id).cloned().collect()
    }

    /// Waits for the summary of a notification, and for quiet; then there must be one.
    pub(crate) async fn summary(&self, notification: &str) -> CallSummarised {
        let look = || async {
            let found = self.summaries_of(notification);
            if found.is_empty() { Err(self.get(notification).await) } else { Ok(()) }
        };
        eventually("the summary", PATIENCE, look).await;
        self.quiet().await;
        let mut found = self.summaries_of(notification);
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    pub(crate) fn summaries_of(&self, notification: &str) -> Vec<CallSummarised> {
        let summaries = self.heard.summaries.lock().unwrap();
        summaries.iter().filter(|s| s.notification_id == notification).cloned().collect()
    }

    /// How often the world heard that this call started, and that it ended.
    pub(crate) fn started_and_ended(&self, call_id: &str) -> (usize, usize) {
        let started = self.heard.started.lock().unwrap().iter().filter(|e| e.call_id == call_id).count();
        let ended = self.heard.ended.lock().unwrap().iter().filter(|e| e.call_id == call_id).count();
        (started, ended)
    }
}

impl Drop for World {
    /// In order, also where a story has failed: a process that is only dropped keeps its connections.
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(running.stop()));
        }
        neighbours::forget(&self.process);
        self.tables.clear();
        drop(self.folder.take());
        if let Some(prefix) = &self.schemas {
            drop_schemas(prefix);
        }
    }
}

pub(crate) fn context() -> Context {
    Context::within(Duration::from_secs(40))
}
