//! The knowledge service and somebody who asks it over the bus: what the benches have in common.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use common::clock::Clock;
use common::config::{ConfigError, Settings};
use common::db::{Database, Db, DbError};
use common::platform::Platform;
use common::runtime::{self, Process, Running};
use common::service::{Service, ServiceDef};
use contracts::ServiceName;
use contracts::ids::SourceId;
use contracts::knowledge::{IngestRequest, IngestResponse, KnowledgeClient};
use contracts::rpc::{Caller, Context};
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};

/// Longer than anything takes that is measured.
pub(crate) const DEADLINE: Duration = Duration::from_secs(600);

thread_local! {
    static CALLER: RefCell<Option<Arc<dyn Caller>>> = const { RefCell::new(None) };
}

const ASKER: ServiceDef =
    ServiceDef { name: ServiceName::CallOrchestrator, tables: None, listens: &[], build: asker };

const PROCESS: Process = Process {
    name: "knowledge-bench",
    about: "The knowledge service and somebody who asks.",
    services: &[echo_knowledge_service::SERVICE, ASKER],
    embedded: true,
};

fn asker(_: &Settings, platform: &Platform) -> Result<Service, ConfigError> {
    CALLER.set(Some(Arc::clone(&platform.caller)));
    Ok(Service::default())
}

/// Starts both.
pub(crate) async fn start(settings: Settings) -> (Running, KnowledgeClient) {
    let running = runtime::start(PROCESS, settings, Clock::system()).await.expect("the process starts");
    (running, KnowledgeClient::new(CALLER.take().expect("the asker was built")))
}

/// The service's tables.
pub(crate) fn tables(settings: &Settings) -> Database {
    let tables = runtime::database(PROCESS, settings, ServiceName::KnowledgeService, Clock::system());
    tables.expect("a database")
}

/// Brings a text.
pub(crate) async fn take_in(client: &KnowledgeClient, app: &str, text: String) -> IngestResponse {
    let request = IngestRequest {
        app_id: app.to_owned(),
        source_id: SourceId::new().to_string(),
        url: String::new(),
        title: "-".to_owned(),
        text,
    };
    client.ingest(Context::within(DEADLINE), request).await.expect("it is taken in")
}

/// Waits until this `SELECT … AS number` finds nothing.
pub(crate) async fn until_none(tables: &Database, select: &'static str) {
    loop {
        let left = tables.read(move |db: &mut Db| {
            let found: Number = sql_query(select).get_result(db)?;
            Ok::<_, DbError>(found.number)
        });
        if left.await.expect("the tables answer") == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    number: i64,
}
