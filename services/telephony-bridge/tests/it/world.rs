//! The bridge in a process with the sandbox carrier and a stand-in for the call-orchestrator, on the in-process bus and
//! either engine.

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use common::bus::Cause;
use common::clock::{Clock, to_millis};
use common::config::Settings;
use common::db::{Database, DbError, Id, Time, sql};
use common::runtime::{self, Process, Running};
use common::service::ServiceDef;
use contracts::ServiceName;
use contracts::calls::{DialRequested, StopCallRequested};
use contracts::ids::{AttemptId, CallId, ProjectId};
use contracts::message::Message;
use diesel::RunQueryDsl as _;
use echo_telephony_bridge::check::{Finding, findings};
use serde_json::{Value, json};
use testkit::database::{Engine, drop_schemas, postgres_url};
use testkit::wait::eventually;
use tokio::task::JoinHandle;

use crate::orchestrator::{Heard, MUTE_ORCHESTRATOR, ORCHESTRATOR, Orchestrator};

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// How long the carrier waits for an answer, in milliseconds.
pub(crate) const ANSWER_WITHIN: &str = "ECHO_CARRIER_ANSWER_MS";
/// Rings until nobody wants it any more.
pub(crate) const NOBODY_ANSWERS: &str = "+14155550105";
/// Picks up and never says a word.
pub(crate) const SILENT: &str = "+14155550110";
/// Is engaged.
pub(crate) const BUSY: &str = "+14155550104";

const BRIDGE: ServiceDef = echo_telephony_bridge::SERVICE;
const CARRIER: ServiceDef = echo_sandbox_carrier::SERVICE;
/// Everything.
const WHOLE: Process = process(&[BRIDGE, ORCHESTRATOR, CARRIER]);
/// Another replica beside it: there is one carrier.
const REPLICA: Process = process(&[BRIDGE, ORCHESTRATOR]);
/// Nobody answers the bridge's questions.
const MUTE: Process = process(&[BRIDGE, MUTE_ORCHESTRATOR, CARRIER]);

const fn process(services: &'static [ServiceDef]) -> Process {
    Process { name: "bridge-test", about: "the bridge and its neighbours", services, embedded: true }
}

pub(crate) struct World {
    pub(crate) orchestrator: Arc<Orchestrator>,
    pub(crate) clock: Clock,
    pub(crate) project: ProjectId,
    /// Where the bridge listens, and what it is reached at.
    pub(crate) base: String,
    pub(crate) http: reqwest::Client,
    pub(crate) account: String,
    pub(crate) token: String,
    pub(crate) carrier: String,
    name: String,
    process: Process,
    settings: BTreeMap<&'static str, String>,
    running: Option<Running>,
    /// Removed with the world.
    folder: Option<tempfile::TempDir>,
    schemas: Option<String>,
}

/// An attempt as the table has it.
#[derive(Clone, Debug, PartialEq, diesel::QueryableByName)]
pub(crate) struct Row {
    #[diesel(sql_type = sql::Text)]
    pub(crate) state: String,
    #[diesel(sql_type = sql::Bool)]
    pub(crate) live: bool,
    #[diesel(sql_type = sql::Nullable<sql::Text>)]
    pub(crate) carrier_call_sid: Option<String>,
    #[diesel(sql_type = sql::UtcTime)]
    pub(crate) check_at: Time,
}

/// Tables that do not answer.
pub(crate) struct HeldTables {
    release: mpsc::Sender<()>,
    lock: JoinHandle<Result<(), DbError>>,
}

impl HeldTables {
    pub(crate) async fn let_go(self) {
        self.release.send(()).unwrap();
        self.lock.await.unwrap().unwrap();
    }
}

impl World {
    pub(crate) async fn new(engine: Engine) -> Self {
        Self::with(engine, &[]).await
    }

    pub(crate) async fn with(engine: Engine, more: &[(&'static str, &str)]) -> Self {
        Self::of(WHOLE, engine, more).await
    }

    pub(crate) async fn mute(engine: Engine) -> Self {
        Self::of(MUTE, engine, &[]).await
    }

    /// Without a sandbox carrier.
    pub(crate) async fn without_sandbox(engine: Engine) -> Self {
        let none = [
            ("ECHO_CARRIER", "twilio"),
            ("ECHO_SANDBOX_ACCOUNT_SID", ""),
            ("ECHO_SANDBOX_AUTH_TOKEN", ""),
            ("ECHO_SANDBOX_URL", "http://127.0.0.1:9"),
        ];
        Self::of(REPLICA, engine, &none).await
    }

    async fn of(process: Process, engine: Engine, more: &[(&'static str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let random = hex::encode(common::crypto::random::<12>().unwrap());
        let account = format!("AC{}", hex::encode(common::crypto::random::<16>().unwrap()));
        let mut settings = BTreeMap::from([
            ("ECHO_HTTP_ADDR", "127.0.0.1:0".to_owned()),
            ("ECHO_OPS_ADDR", "127.0.0.1:0".to_owned()),
            ("ECHO_SANDBOX_ADDR", "127.0.0.1:0".to_owned()),
            ("ECHO_DATA_DIR", folder.path().display().to_string()),
            ("ECHO_CARRIER", "sandbox".to_owned()),
            ("ECHO_SANDBOX_ACCOUNT_SID", account),
            ("ECHO_SANDBOX_AUTH_TOKEN", format!("token-{random}")),
            ("ECHO_SANDBOX_SPEED", "20".to_owned()),
            ("ECHO_DATABASE_CONNECTIONS", "4".to_owned()),
            // Twice as long as in earnest: what is said, is said on a busy machine, too.
            (ANSWER_WITHIN, "4000".to_owned()),
            ("ECHO_TEST_WORLD", random.clone()),
        ]);
        let prefix = format!("t{random}_");
        if engine == Engine::Postgres {
            settings.insert("ECHO_DATABASE_URL", postgres_url());
            settings.insert("ECHO_SCHEMA_PREFIX", prefix.clone());
        }
        settings.extend(more.iter().map(|(k, v)| (*k, (*v).to_owned())));
        let schemas = (engine == Engine::Postgres).then_some(prefix);
        let clock = Clock::system();
        Self::start(process, settings, clock, Some(folder), schemas).await
    }

    async fn start(
        process: Process,
        mut settings: BTreeMap<&'static str, String>,
        clock: Clock,
        folder: Option<tempfile::TempDir>,
        schemas: Option<String>,
    ) -> Self {
        let running =
            runtime::start(process, Settings::from_pairs(settings.clone()), clock.clone()).await.unwrap();
        let carrier = match settings.get("ECHO_SANDBOX_URL") {
            Some(carrier) => carrier.clone(),
            None => format!("http://{}", running.setting("ECHO_SANDBOX_ADDR")),
        };
        settings.insert("ECHO_SANDBOX_URL", carrier.clone());
        let name = settings["ECHO_TEST_WORLD"].clone();
        Self {
            orchestrator: Orchestrator::of(&name),
            clock,
            project: ProjectId::new(),
            base: format!("http://{}", running.setting("ECHO_HTTP_ADDR")),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            account: settings["ECHO_SANDBOX_ACCOUNT_SID"].clone(),
            token: settings["ECHO_SANDBOX_AUTH_TOKEN"].clone(),
            carrier,
            name,
            process,
            settings,
            running: Some(running),
            folder,
            schemas,
        }
    }

    /// Another bridge on the same tables, with the same carrier.
    pub(crate) async fn replica(&self) -> Self {
        Self::start(REPLICA, self.settings.clone(), self.clock.clone(), None, None).await
    }

    /// Stops the bridge and starts it again with `changed` settings. The sandbox carrier is gone with it.
    pub(crate) async fn restart(&mut self, changed: &[(&'static str, &str)]) {
        self.running.take().unwrap().stop().await;
        self.process = REPLICA;
        self.settings.extend(changed.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let settings = Settings::from_pairs(self.settings.clone());
        let running = runtime::start(REPLICA, settings, self.clock.clone()).await.unwrap();
        self.base = format!("http://{}", running.setting("ECHO_HTTP_ADDR"));
        self.running = Some(running);
    }

    /// A wish to ring this number within 30 s.
    pub(crate) fn wish(&self, to: &str) -> DialRequested {
        DialRequested {
            attempt_id: AttemptId::new().to_string(),
            call_id: CallId::new().to_string(),
            project_id: self.project.to_string(),
            to_e164: to.to_owned(),
            dial_before_ms: to_millis(self.clock.now()) + 30_000,
            ring_timeout_seconds: 600,
            time_limit_seconds: 3_600,
            ..DialRequested::default()
        }
    }

    pub(crate) fn stop_of(wish: &DialRequested) -> StopCallRequested {
        StopCallRequested {
            call_id: wish.call_id.clone(),
            project_id: wish.project_id.clone(),
            attempt_id: wish.attempt_id.clone(),
        }
    }

    /// Publishes as the call-orchestrator does.
    pub(crate) async fn publish<M: Message + Clone>(&self, messages: &[M]) {
        let (messages, cause) = (messages.to_vec(), Cause::own(self.project));
        let database = self.orchestrator.platform().database;
        let staged: Result<(), DbError> =
            database.write(move |tx| messages.iter().try_for_each(|message| tx.stage(message, &cause))).await;
        staged.unwrap();
    }

    /// Waits until the orchestrator has heard something.
    pub(crate) async fn heard<T>(&self, what: &str, look: impl Fn(&Heard) -> Option<T>) -> T {
        eventually(what, PATIENCE, || async {
            let heard = self.orchestrator.heard.lock().unwrap();
            look(&heard).ok_or_else(|| {
                format!("{:?} {:?} {:?} {:?}", heard.accepted, heard.refused, heard.failed, heard.progressed)
            })
        })
        .await
    }

    /// Waits until the carrier has taken the call. Answers its id there.
    pub(crate) async fn accepted(&self, wish: &DialRequested) -> String {
        self.heard("the call to be taken", |heard| {
            let of = heard.accepted.iter().find(|m| m.attempt_id == wish.attempt_id);
            of.map(|m| m.carrier_call_sid.clone())
        })
        .await
    }

    /// Rows that the bridge's tables hold, counted by a query without parameters.
    /// Within this the carrier has its answer.
    pub(crate) fn in_time(&self) -> Duration {
        Duration::from_millis(self.settings[ANSWER_WITHIN].parse().unwrap())
    }

    pub(crate) async fn count(&self, text: &str) -> i64 {
        count(&self.tables(), &format!("SELECT COUNT(*) AS n FROM {text}")).await
    }

    /// What the process counts.
    pub(crate) async fn metrics(&self) -> String {
        let ops = self.running.as_ref().unwrap().setting("ECHO_OPS_ADDR");
        self.http.get(format!("http://{ops}/metrics")).send().await.unwrap().text().await.unwrap()
    }

    /// Waits until the intent to dial is committed.
    pub(crate) async fn begun(&self, wish: &DialRequested) {
        eventually("the intent", PATIENCE, || async { self.row(wish).await.map(drop).ok_or(()) }).await;
    }

    /// Waits until the call has this status.
    pub(crate) async fn status(&self, wish: &DialRequested, status: &str) {
        self.heard(status, |heard| {
            heard.progressed.iter().find(|m| m.attempt_id == wish.attempt_id && m.status == status).map(drop)
        })
        .await;
    }

    /// Waits until no message is under way.
    pub(crate) async fn all_handled(&self) {
        let (bridge, orchestrator) = (self.tables(), self.orchestrator.platform().database);
        eventually("all messages to be handled", PATIENCE, || async {
            let mut left = 0;
            for database in [&bridge, &orchestrator, &bridge] {
                left += count(database, "SELECT COUNT(*) AS n FROM outbox").await;
                left += count(database, "SELECT COUNT(*) AS n FROM bus_queue").await;
            }
            if left == 0 { Ok(()) } else { Err(left) }
        })
        .await;
    }

    /// Waits until a message of the bridge has been put off.
    pub(crate) async fn one_put_off(&self) {
        let tables = self.tables();
        eventually("a message to be put off", PATIENCE, || async {
            let text = "SELECT COUNT(*) AS n FROM bus_queue WHERE attempts > 0 AND lease_until IS NULL";
            if count(&tables, text).await > 0 { Ok(()) } else { Err(()) }
        })
        .await;
    }

    /// The bridge's tables.
    pub(crate) fn tables(&self) -> Database {
        let settings = Settings::from_pairs(self.settings.clone());
        runtime::database(self.process, &settings, ServiceName::TelephonyBridge, self.clock.clone()).unwrap()
    }

    /// Keeps the bridge from its tables until they are let go. `PostgreSQL` only.
    pub(crate) async fn hold_tables(&self) -> HeldTables {
        let (release, released) = mpsc::channel::<()>();
        let (held, holds) = tokio::sync::oneshot::channel();
        let tables = self.tables();
        let lock = tokio::spawn(async move {
            tables
                .write(move |tx| {
                    diesel::sql_query("LOCK TABLE dial_attempts IN ACCESS EXCLUSIVE MODE")
                        .execute(tx.conn)?;
                    held.send(()).unwrap();
                    released.recv().unwrap();
                    Ok::<_, DbError>(())
                })
                .await
        });
        holds.await.unwrap();
        HeldTables { release, lock }
    }

    /// Writes an attempt down as a process that died would have left it.
    pub(crate) async fn left_behind(&self, wish: &DialRequested, state: &'static str, sid: Option<&str>) {
        let id = |text: &str| Id(text.parse().unwrap());
        let (attempt, call, project) = (id(&wish.attempt_id), id(&wish.call_id), id(&wish.project_id));
        let (account, to, sid) = (self.account.clone(), wish.to_e164.clone(), sid.map(str::to_owned));
        let now = self.clock.now();
        let text = "INSERT INTO dial_attempts (id, project_id, call_id, account_sid, to_number, from_number, state, live, \
                    carrier_call_sid, stop_requested, gave_up, ring_timeout_seconds, time_limit_seconds, dial_before, \
                    created_at, updated_at, check_at, version) VALUES ($1, $2, $3, $4, $5, '+15005550006', $6, $7, $8, \
                    $9, $9, 600, 3600, $10, $11, $11, $10, 0)";
        let insert = move |tx: &mut common::db::Tx<'_>| {
            diesel::sql_query(text)
                .bind::<sql::Uuid, _>(attempt)
                .bind::<sql::Uuid, _>(project)
                .bind::<sql::Uuid, _>(call)
                .bind::<sql::Text, _>(account)
                .bind::<sql::Text, _>(to)
                .bind::<sql::Text, _>(state)
                .bind::<sql::Bool, _>(state != "over")
                .bind::<sql::Nullable<sql::Text>, _>(sid)
                .bind::<sql::Bool, _>(false)
                .bind::<sql::UtcTime, _>(Time::from(now + chrono::TimeDelta::seconds(30)))
                .bind::<sql::UtcTime, _>(Time::from(now))
                .execute(tx.conn)
                .map_err(DbError::from)
        };
        assert_eq!(self.tables().write(insert).await.unwrap(), 1);
    }

    pub(crate) async fn row(&self, wish: &DialRequested) -> Option<Row> {
        let id = Id(wish.attempt_id.parse().unwrap());
        let tables = self.tables();
        let read = tables.read(move |db| {
            let text = "SELECT state, live, carrier_call_sid, check_at FROM dial_attempts WHERE id = $1";
            let rows: Result<Vec<Row>, _> = diesel::sql_query(text).bind::<sql::Uuid, _>(id).load(db);
            rows.map_err(DbError::from)
        });
        read.await.unwrap().pop()
    }

    /// Waits until the carrier has been asked about an attempt that was due.
    pub(crate) async fn asked_about(&self, wish: &DialRequested) {
        eventually("the carrier to be asked", PATIENCE, || async {
            let row = self.row(wish).await;
            let due = row.as_ref().is_none_or(|row| row.check_at.0 <= self.clock.now());
            if due { Err(row) } else { Ok(()) }
        })
        .await;
    }

    /// What the sandbox carrier knows, below `/sandbox/v1`.
    pub(crate) async fn carrier_says(&self, path: &str) -> Value {
        let url = format!("{}/sandbox/v1/{path}", self.carrier);
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }

    /// How often the carrier was made to dial this number.
    pub(crate) async fn dialled(&self, phone: &str) -> u64 {
        let rings = self.carrier_says(&format!("rings?to={}", phone.replace('+', "%2B"))).await;
        rings["dialled"].as_u64().unwrap()
    }

    /// Somebody rings a number of the sandbox carrier's. Answers the call's id.
    pub(crate) async fn rung(&self, from: &str, to: &str) -> String {
        let url = format!("{}/sandbox/v1/incoming", self.carrier);
        let answer = self.http.post(url).json(&json!({"from": from, "to": to})).send().await.unwrap();
        let body: Value = answer.json().await.unwrap();
        body["call_sid"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
    }

    /// What `check` finds out about the world, with `changed` settings.
    pub(crate) async fn check(&self, changed: &[(&'static str, &str)]) -> Vec<Finding> {
        let mut settings = self.settings.clone();
        settings.insert("ECHO_VOICE_URL", self.base.clone());
        settings.extend(changed.iter().map(|(name, value)| (*name, (*value).to_owned())));
        findings(&Settings::from_pairs(settings)).await
    }

    /// Sets the carrier's switches.
    pub(crate) async fn nasty(&self, switches: &Value) {
        let url = format!("{}/sandbox/v1/nasty", self.carrier);
        assert!(self.http.post(url).json(switches).send().await.unwrap().status().is_success());
    }

    /// Waits until the carrier says that a call has this status.
    pub(crate) async fn at_the_carrier(&self, sid: &str, status: &str) {
        eventually("the carrier's status", PATIENCE, || async {
            let call = self.carrier_says(&format!("calls/{sid}")).await;
            if call["status"] == json!(status) { Ok(()) } else { Err(call["status"].clone()) }
        })
        .await;
    }

    /// Where the carrier is.
    pub(crate) fn rest_url(&self) -> String {
        self.carrier.clone()
    }

    /// The carrier's own API, as a stranger with the account's credentials uses it.
    pub(crate) fn rest(&self) -> twilio::rest::Client {
        let credentials =
            twilio::rest::Credentials::auth_token(self.account.parse().unwrap(), self.token.clone());
        let url = self.carrier.parse().unwrap();
        twilio::rest::Client::new(self.http.clone(), url, credentials, twilio::rest::Timeouts::default())
            .unwrap()
    }
}

async fn count(database: &Database, text: &str) -> i64 {
    let text = text.to_owned();
    #[derive(diesel::QueryableByName)]
    struct Count {
        #[diesel(sql_type = sql::BigInt)]
        n: i64,
    }
    let read = database.read(move |db| diesel::sql_query(text).get_result(db).map_err(DbError::from));
    let counted: Count = read.await.unwrap();
    counted.n
}

impl Drop for World {
    fn drop(&mut self) {
        // In order: connections and ports are given back before the next story wants some.
        self.orchestrator.releases();
        if let Some(running) = self.running.take() {
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(running.stop()));
        }
        if self.folder.take().is_some() {
            Orchestrator::forget(&self.name);
        }
        if let Some(prefix) = &self.schemas {
            drop_schemas(prefix);
        }
    }
}
