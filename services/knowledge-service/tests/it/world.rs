//! A process with the knowledge service and, beside it, somebody who asks.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use common::clock::Clock;
use common::config::{ConfigError, Settings};
use common::db::Database;
use common::platform::Platform;
use common::runtime::{self, Process, Running};
use common::service::{Service, ServiceDef};
use contracts::ServiceName;
use contracts::ids::SourceId;
use contracts::knowledge::{
    AnswersClient, DeleteSourceRequest, IngestRequest, IngestResponse, IngestUrlRequest, KnowledgeClient,
    ListSourcesRequest, ListSourcesResponse, SearchRequest, SearchResponse, TicketsClient,
};
use contracts::rpc::{Caller, Context, RpcError};
use testkit::database::{Engine, drop_schemas, postgres_url};

use crate::neighbours::{self, Neighbour};

thread_local! {
    /// What the neighbour was built with: each test starts its process on its own thread.
    static CALLER: RefCell<Option<Arc<dyn Caller>>> = const { RefCell::new(None) };
}

/// Asks; answers nothing.
const NEIGHBOUR: ServiceDef =
    ServiceDef { name: ServiceName::CallOrchestrator, tables: None, listens: &[], build: build_neighbour };

fn build_neighbour(_: &Settings, platform: &Platform) -> Result<Service, ConfigError> {
    CALLER.set(Some(Arc::clone(&platform.caller)));
    Ok(Service::default())
}

pub(crate) const PROCESS: Process = Process {
    name: "knowledge-test",
    about: "The knowledge service and somebody who asks.",
    services: &[echo_knowledge_service::SERVICE, NEIGHBOUR],
    embedded: true,
};

/// A started process and its place.
pub(crate) struct World {
    pub(crate) running: Running,
    client: KnowledgeClient,
    pub(crate) answers: AnswersClient,
    pub(crate) tickets: TicketsClient,
    pub(crate) clock: Clock,
    /// Who is told of tickets, in a world that has somebody.
    neighbour: Option<Neighbour>,
    place: Place,
}

/// What is started, and where.
#[derive(Clone)]
struct Place {
    process: Process,
    tables: Arc<Tables>,
    /// Settings of this test's own.
    own: Vec<(&'static str, String)>,
}

/// Where the tables are, until nobody needs them any more.
struct Tables {
    folder: tempfile::TempDir,
    engine: Engine,
    prefix: String,
}

impl Place {
    fn settings(&self) -> Settings {
        let mut pairs = vec![
            ("ECHO_OPS_ADDR", "127.0.0.1:0".to_owned()),
            ("ECHO_DATA_DIR", self.tables.folder.path().display().to_string()),
        ];
        if self.tables.engine == Engine::Postgres {
            pairs.push(("ECHO_DATABASE_URL", postgres_url()));
            pairs.push(("ECHO_DATABASE_CONNECTIONS", "2".to_owned()));
            pairs.push(("ECHO_SCHEMA_PREFIX", self.tables.prefix.clone()));
        }
        pairs.extend(self.own.iter().cloned());
        Settings::from_pairs(pairs)
    }
}

impl Drop for Tables {
    fn drop(&mut self) {
        if self.engine == Engine::Postgres {
            drop_schemas(&self.prefix);
        }
    }
}

impl World {
    pub(crate) async fn start(engine: Engine) -> Self {
        Self::start_with(engine, Vec::new()).await
    }

    /// With further settings.
    pub(crate) async fn start_with(engine: Engine, own: Vec<(&'static str, String)>) -> Self {
        Self::start_as(PROCESS, engine, own).await
    }

    /// With somebody who is told of tickets, and who tells of calls and of deleted apps.
    pub(crate) async fn telling(engine: Engine, own: Vec<(&'static str, String)>) -> Self {
        Self::start_as(neighbours::PROCESS, engine, own).await
    }

    async fn start_as(process: Process, engine: Engine, own: Vec<(&'static str, String)>) -> Self {
        let id = uuid::Uuid::now_v7().simple().to_string();
        // The end of an id is its random part; a prefix has room for 32 characters.
        let prefix = format!("test_{}_", &id[12..]);
        let tables = Tables { folder: tempfile::tempdir().expect("a temporary folder"), engine, prefix };
        Self::start_at(Place { process, tables: Arc::new(tables), own }, Clock::system()).await
    }

    async fn start_at(place: Place, clock: Clock) -> Self {
        let running = runtime::start(place.process, place.settings(), clock.clone()).await;
        let running = running.expect("the process starts");
        let neighbour = neighbours::built();
        let caller = neighbour.as_ref().map(Neighbour::caller).or_else(|| CALLER.take());
        let caller = caller.expect("the neighbour was built");
        let (client, answers) =
            (KnowledgeClient::new(Arc::clone(&caller)), AnswersClient::new(Arc::clone(&caller)));
        Self { running, client, answers, tickets: TicketsClient::new(caller), clock, neighbour, place }
    }

    /// Another replica: a process over the same tables.
    pub(crate) async fn beside(&self) -> Self {
        Self::start_at(self.place.clone(), self.clock.clone()).await
    }

    /// Who is told of tickets.
    pub(crate) fn neighbour(&self) -> &Neighbour {
        self.neighbour.as_ref().expect("a world with a neighbour")
    }

    /// Stops the process and starts one on the same tables in which somebody is told of tickets.
    pub(crate) async fn restart_telling(mut self) -> Self {
        self.running.stop().await;
        self.place.process = neighbours::PROCESS;
        Self::start_at(self.place, self.clock).await
    }

    /// Stops the process and starts another one on the same tables.
    pub(crate) async fn restart(self) -> Self {
        self.restart_with(Vec::new()).await
    }

    /// The same, with these further settings in place of the former ones.
    pub(crate) async fn restart_with(mut self, own: Vec<(&'static str, String)>) -> Self {
        self.running.stop().await;
        self.place.own = own;
        Self::start_at(self.place, self.clock).await
    }

    pub(crate) async fn stop(self) {
        self.running.stop().await;
    }

    pub(crate) async fn ask(
        &self,
        app_id: &str,
        question: &str,
        limit: u32,
    ) -> Result<SearchResponse, RpcError> {
        let request = SearchRequest { app_id: app_id.to_owned(), question: question.to_owned(), limit };
        self.client.search(Context::within(Duration::from_secs(5)), request).await
    }

    /// Gives an app a text under a new id.
    pub(crate) async fn tell(&self, app_id: &str, url: &str, text: &str) -> Result<IngestResponse, RpcError> {
        self.tell_as(app_id, SourceId::new(), (url, text)).await
    }

    pub(crate) async fn tell_as(
        &self,
        app_id: &str,
        id: SourceId,
        (url, text): (&str, &str),
    ) -> Result<IngestResponse, RpcError> {
        let request = IngestRequest {
            app_id: app_id.to_owned(),
            source_id: id.to_string(),
            url: url.to_owned(),
            title: String::new(),
            text: text.to_owned(),
        };
        self.client.ingest(Context::within(Duration::from_secs(5)), request).await
    }

    /// Has an app read an address.
    pub(crate) async fn read(
        &self,
        app_id: &str,
        id: SourceId,
        url: &str,
    ) -> Result<IngestResponse, RpcError> {
        let (app_id, source_id, url) = (app_id.to_owned(), id.to_string(), url.to_owned());
        let request = IngestUrlRequest { app_id, source_id, url };
        self.client.ingest_url(Context::within(Duration::from_secs(30)), request).await
    }

    pub(crate) async fn forget(&self, app_id: &str, source_id: &str) -> Result<(), RpcError> {
        let request = DeleteSourceRequest { app_id: app_id.to_owned(), source_id: source_id.to_owned() };
        self.client.delete_source(Context::within(Duration::from_secs(5)), request).await.map(drop)
    }

    pub(crate) async fn sources(&self, app_id: &str, limit: u32, after_id: &str) -> ListSourcesResponse {
        let request = ListSourcesRequest { app_id: app_id.to_owned(), limit, after_id: after_id.to_owned() };
        self.client.list_sources(Context::within(Duration::from_secs(5)), request).await.expect("a page")
    }

    /// The service's tables, through connections of the test's own.
    pub(crate) fn tables(&self) -> Database {
        let settings = self.place.settings();
        runtime::database(PROCESS, &settings, ServiceName::KnowledgeService, self.clock.clone())
            .expect("a database")
    }
}
