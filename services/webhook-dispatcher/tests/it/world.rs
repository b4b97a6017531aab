//! The dispatcher in a process with a stand-in for the call-orchestrator, on the in-process bus and either engine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::bus::Cause;
use common::clock::Clock;
use common::config::{ConfigError, Settings};
use common::db::{Database, DbError, Durability, Id, Time, sql};
use common::platform::Platform;
use common::runtime::{self, Process, Running};
use common::service::{Service, ServiceDef, Tables};
use contracts::ServiceName;
use contracts::calls::CallEnded;
use contracts::ids::{CallId, EndpointId, EventId, NotificationId, ProjectId};
use contracts::message::Message;
use contracts::rpc::{Caller, Context, RpcError};
use contracts::webhooks::{
    CreateEndpointRequest, DeliveriesClient, Endpoint, EndpointsClient, GetDeliveryRequest,
    GetEndpointRequest, ListDeliveriesRequest, LoggedDelivery, RetryDeliveryRequest, UpdateEndpointRequest,
};
use diesel::RunQueryDsl as _;
use testkit::database::{Engine, drop_schemas, postgres_url};
use testkit::wait::eventually;
use tokio::runtime::Handle;

/// Platforms of the stand-ins, by the world they are of: a service is built by a function that captures nothing.
static PLATFORMS: Mutex<BTreeMap<String, Platform>> = Mutex::new(BTreeMap::new());

const ORCHESTRATOR: ServiceDef = ServiceDef {
    name: ServiceName::CallOrchestrator,
    tables: Some(Tables { migrations: &[], durability: Durability::Normal }),
    listens: &[],
    build: stand_in,
};

const PROCESS: Process = Process {
    name: "webhook-test",
    about: "the dispatcher and a stand-in for the call-orchestrator",
    services: &[echo_webhook_dispatcher::SERVICE, ORCHESTRATOR],
    embedded: true,
};

fn stand_in(settings: &Settings, platform: &Platform) -> Result<Service, ConfigError> {
    let world = settings.get("ECHO_TEST_WORLD", String::new())?;
    PLATFORMS.lock().unwrap().insert(world, platform.clone());
    Ok(Service::default())
}

/// A delivery as the table has it.
#[derive(Clone, Debug, PartialEq, diesel::QueryableByName)]
pub(crate) struct Delivery {
    #[diesel(sql_type = sql::Uuid)]
    pub(crate) endpoint_id: Id,
    #[diesel(sql_type = sql::Text)]
    pub(crate) event_name: String,
    #[diesel(sql_type = sql::Text)]
    pub(crate) payload: String,
    #[diesel(sql_type = sql::Text)]
    pub(crate) status: String,
    #[diesel(sql_type = sql::Integer)]
    pub(crate) attempt_count: i32,
    #[diesel(sql_type = sql::Nullable<sql::UtcTime>)]
    pub(crate) next_retry_at: Option<Time>,
    #[diesel(sql_type = sql::Text)]
    pub(crate) lane: String,
    /// Set while an attempt is in flight.
    #[diesel(sql_type = sql::Nullable<sql::UtcTime>)]
    pub(crate) lease_until: Option<Time>,
}

/// An attempt as the table has it.
#[derive(Clone, Debug, PartialEq, diesel::QueryableByName)]
pub(crate) struct Attempt {
    #[diesel(sql_type = sql::Integer)]
    pub(crate) attempt_number: i32,
    #[diesel(sql_type = sql::Text)]
    pub(crate) triggered_by: String,
    #[diesel(sql_type = sql::Text)]
    pub(crate) state: String,
    #[diesel(sql_type = sql::UtcTime)]
    pub(crate) started_at: Time,
    #[diesel(sql_type = sql::Nullable<sql::Integer>)]
    pub(crate) http_status: Option<i32>,
    #[diesel(sql_type = sql::Nullable<sql::Text>)]
    pub(crate) response_body: Option<String>,
    #[diesel(sql_type = sql::Nullable<sql::BigInt>)]
    pub(crate) duration_ms: Option<i64>,
    #[diesel(sql_type = sql::Bool)]
    pub(crate) success: bool,
    #[diesel(sql_type = sql::Nullable<sql::Text>)]
    pub(crate) error_message: Option<String>,
}

pub(crate) struct World {
    name: String,
    running: Option<Running>,
    settings: BTreeMap<&'static str, String>,
    pub(crate) clock: Clock,
    pub(crate) project: ProjectId,
    /// Removed with the world.
    folder: Option<tempfile::TempDir>,
    schemas: Option<String>,
}

impl World {
    pub(crate) async fn new(engine: Engine) -> Self {
        Self::with(engine, &[]).await
    }

    pub(crate) async fn with(engine: Engine, more: &[(&'static str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let random = hex::encode(common::crypto::random::<12>().unwrap());
        let mut settings = BTreeMap::from([
            ("ECHO_OPS_ADDR", "127.0.0.1:0".to_owned()),
            ("ECHO_DATA_DIR", folder.path().display().to_string()),
            ("ECHO_CARRIER", "sandbox".to_owned()),
            ("ECHO_DATABASE_CONNECTIONS", "3".to_owned()),
        ]);
        let prefix = format!("t{random}_");
        if engine == Engine::Postgres {
            settings.insert("ECHO_DATABASE_URL", postgres_url());
            settings.insert("ECHO_SCHEMA_PREFIX", prefix.clone());
        }
        settings.extend(more.iter().map(|(k, v)| (*k, (*v).to_owned())));
        let schemas = (engine == Engine::Postgres).then_some(prefix);
        let mut world = Self {
            name: random,
            running: None,
            settings,
            clock: Clock::system(),
            project: ProjectId::new(),
            folder: Some(folder),
            schemas,
        };
        world.start(&[]).await;
        world
    }

    /// Another process over the same tables.
    pub(crate) async fn second(&self) -> Self {
        let mut second = Self {
            name: format!("{}-2", self.name),
            running: None,
            settings: self.settings.clone(),
            clock: self.clock.clone(),
            project: self.project,
            folder: None,
            schemas: None,
        };
        second.start(&[]).await;
        second
    }

    /// Starts with these settings changed.
    pub(crate) async fn start(&mut self, changed: &[(&'static str, &str)]) {
        self.settings.extend(changed.iter().map(|(k, v)| (*k, (*v).to_owned())));
        let running = runtime::start(PROCESS, self.settings(), self.clock.clone()).await.unwrap();
        self.running = Some(running);
    }

    pub(crate) async fn stop(&mut self) {
        self.running.take().unwrap().stop().await;
    }

    /// Takes the process out, to be stopped elsewhere, with the address of its operations endpoint.
    pub(crate) fn take(&mut self) -> (Running, String) {
        let running = self.running.take().unwrap();
        let ops = running.setting("ECHO_OPS_ADDR");
        (running, ops)
    }

    /// A counter of the process.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let ops = self.running.as_ref().unwrap().setting("ECHO_OPS_ADDR");
        let text = reqwest::get(format!("http://{ops}/metrics")).await.unwrap().text().await.unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        value.unwrap_or_default()
    }

    fn settings(&self) -> Settings {
        let own = [("ECHO_TEST_WORLD", self.name.clone())];
        Settings::from_pairs(self.settings.clone().into_iter().chain(own))
    }

    fn orchestrator(&self) -> Platform {
        PLATFORMS.lock().unwrap()[&self.name].clone()
    }

    pub(crate) fn client(&self) -> EndpointsClient {
        EndpointsClient::new(self.caller())
    }

    pub(crate) fn log(&self) -> DeliveriesClient {
        DeliveriesClient::new(self.caller())
    }

    /// The latest delivery to an endpoint, with its attempts, as the log shows it.
    pub(crate) async fn latest(&self, endpoint: &Endpoint) -> LoggedDelivery {
        let (project_id, endpoint_id) = (endpoint.project_id.clone(), endpoint.id.clone());
        let request = ListDeliveriesRequest { project_id, endpoint_id, limit: 1, ..Default::default() };
        let page = self.log().list_deliveries(context(), request).await.unwrap();
        self.logged(endpoint, &page.deliveries[0].id).await.unwrap()
    }

    pub(crate) async fn logged(&self, endpoint: &Endpoint, id: &str) -> Result<LoggedDelivery, RpcError> {
        let request = GetDeliveryRequest {
            project_id: endpoint.project_id.clone(),
            endpoint_id: endpoint.id.clone(),
            delivery_id: id.to_owned(),
        };
        self.log().get_delivery(context(), request).await
    }

    /// Asks for one more attempt.
    pub(crate) async fn retry(
        &self,
        endpoint: &Endpoint,
        id: &str,
    ) -> Result<contracts::webhooks::Delivery, RpcError> {
        let request = RetryDeliveryRequest {
            project_id: endpoint.project_id.clone(),
            endpoint_id: endpoint.id.clone(),
            delivery_id: id.to_owned(),
        };
        self.log().retry_delivery(context(), request).await
    }

    /// Switches an endpoint on or off.
    pub(crate) async fn switch(&self, endpoint: &Endpoint, status: &str) -> Result<Endpoint, RpcError> {
        let request = UpdateEndpointRequest {
            project_id: endpoint.project_id.clone(),
            endpoint_id: endpoint.id.clone(),
            status: status.to_owned(),
            ..Default::default()
        };
        self.client().update_endpoint(context(), request).await
    }

    /// Does something to the dispatcher's tables that only time or bad luck would.
    pub(crate) async fn execute(&self, text: &str) {
        let text = text.to_owned();
        let write = |tx: &mut common::db::Tx<'_>| {
            diesel::sql_query(text).execute(tx.conn).map(drop).map_err(DbError::from)
        };
        self.tables().write(write).await.unwrap();
    }

    /// For clients of other rpc services.
    pub(crate) fn caller(&self) -> Arc<dyn Caller> {
        self.orchestrator().caller
    }

    pub(crate) async fn create(&self, url: &str, events: &[&str]) -> Result<Endpoint, RpcError> {
        let request = CreateEndpointRequest {
            endpoint_id: EndpointId::new().to_string(),
            project_id: self.project.to_string(),
            url: url.to_owned(),
            events: events.iter().map(|&event| event.to_owned()).collect(),
        };
        self.client().create_endpoint(context(), request).await
    }

    /// An endpoint that hears of ended calls.
    pub(crate) async fn endpoint(&self, url: &str) -> Endpoint {
        self.create(url, &["call.ended"]).await.unwrap()
    }

    pub(crate) async fn endpoint_now(&self, id: &str) -> Endpoint {
        let request = GetEndpointRequest { project_id: self.project.to_string(), endpoint_id: id.to_owned() };
        self.client().get_endpoint(context(), request).await.unwrap()
    }

    /// Publishes as the call-orchestrator does.
    pub(crate) async fn publish<M: Message + Clone>(&self, messages: &[M]) {
        let messages = messages.to_vec();
        let cause = Cause::own(self.project);
        let database = self.orchestrator().database;
        let staged: Result<(), DbError> =
            database.write(move |tx| messages.iter().try_for_each(|message| tx.stage(message, &cause))).await;
        staged.unwrap();
    }

    /// Waits until everything that was published has been heard.
    pub(crate) async fn all_heard(&self) {
        #[derive(Debug, diesel::QueryableByName)]
        struct Left {
            #[diesel(sql_type = sql::Text)]
            routing_key: String,
        }
        let (from, to) = (self.orchestrator().database, self.tables());
        let look = || async {
            let mut left = Vec::new();
            // In this order: a message is in both for a moment.
            for (database, query) in [
                (&from, "SELECT routing_key FROM outbox"),
                (&to, "SELECT routing_key FROM bus_queue WHERE dead_reason IS NULL"),
            ] {
                let rows =
                    database.read(move |db| diesel::sql_query(query).load::<Left>(db).map_err(DbError::from));
                left.extend(rows.await.unwrap().into_iter().map(|row| row.routing_key));
            }
            if left.is_empty() { Ok(()) } else { Err(left) }
        };
        eventually("everything heard", Duration::from_secs(20), look).await;
    }

    /// A call of this project that has ended.
    pub(crate) fn ended(&self) -> CallEnded {
        CallEnded {
            event_id: EventId::new().to_string(),
            project_id: self.project.to_string(),
            notification_id: NotificationId::new().to_string(),
            call_id: CallId::new().to_string(),
            attempt: 1,
            status: "completed".to_owned(),
            ended_reason: "customer-ended-call".to_owned(),
            ..CallEnded::default()
        }
    }

    /// Publishes one such call.
    pub(crate) async fn end_a_call(&self) -> CallEnded {
        let message = self.ended();
        self.publish(std::slice::from_ref(&message)).await;
        message
    }

    /// The dispatcher's tables.
    pub(crate) fn tables(&self) -> Database {
        let clock = self.clock.clone();
        runtime::database(PROCESS, &self.settings(), ServiceName::WebhookDispatcher, clock).unwrap()
    }

    pub(crate) async fn deliveries(&self) -> Vec<Delivery> {
        let text = "SELECT * FROM deliveries ORDER BY id";
        let tables = self.tables();
        let rows = tables.read(move |db| diesel::sql_query(text).load(db).map_err(DbError::from));
        rows.await.unwrap()
    }

    pub(crate) async fn attempts(&self) -> Vec<Attempt> {
        let text = "SELECT * FROM attempts ORDER BY started_at, attempt_number";
        let tables = self.tables();
        let rows = tables.read(move |db| diesel::sql_query(text).load(db).map_err(DbError::from));
        rows.await.unwrap()
    }

    /// Waits until the deliveries are as wanted.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&[Delivery]) -> bool) -> Vec<Delivery> {
        let tables = self.tables();
        let look = || async {
            let text = "SELECT * FROM deliveries ORDER BY id";
            let read = tables.read(move |db| diesel::sql_query(text).load(db).map_err(DbError::from));
            let rows: Vec<Delivery> = read.await.unwrap();
            if wanted(&rows) { Ok(rows) } else { Err(rows) }
        };
        eventually(what, Duration::from_secs(20), look).await
    }

    /// Waits until the only delivery has this status after so many attempts, none of them in flight.
    pub(crate) async fn until_one_is(&self, status: &str, attempts: i32) -> Delivery {
        let what = format!("one delivery {status} after {attempts} attempts");
        let wanted = |rows: &[Delivery]| {
            let [row] = rows else { return false };
            row.status == status && row.attempt_count == attempts && row.lease_until.is_none()
        };
        self.until(&what, wanted).await.remove(0)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // What is not stopped keeps its connections until the last test of all has ended.
        if let Some(running) = self.running.take().filter(|_| !std::thread::panicking()) {
            tokio::task::block_in_place(|| Handle::current().block_on(running.stop()));
        }
        PLATFORMS.lock().unwrap().remove(&self.name);
        drop(self.folder.take());
        if let Some(prefix) = &self.schemas {
            drop_schemas(prefix);
        }
    }
}

/// A name, other than `localhost`, behind which this machine or its network stands. Every machine knows itself by one.
pub(crate) fn name_of_this_machine() -> String {
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap();
    let own =
        hosts.lines().filter(|line| ["127.", "10.", "172.", "192.168."].iter().any(|n| line.starts_with(n)));
    let name = own.flat_map(|line| line.split_whitespace().skip(1)).find(|name| *name != "localhost");
    name.expect("/etc/hosts names this machine, for example `127.0.1.1 my-machine`").to_owned()
}

pub(crate) fn context() -> Context {
    Context::within(Duration::from_secs(10))
}
