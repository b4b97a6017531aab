//! A running gateway for one test, and a client that speaks to it.

use std::sync::Arc;

use common::bus::Cause;
use common::clock::Clock;
use common::config::Settings;
use common::runtime::{self, Process, Running};
use common::service::ServiceDef;
use contracts::ServiceName;
use contracts::ids::ProjectId;
use contracts::message::Message;
use diesel::RunQueryDsl as _;
pub(crate) use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
pub(crate) use testkit::database::Engine;

use crate::fakes::{self, BRIDGE, DISPATCHER, Fakes, KNOWLEDGE, ORCHESTRATOR};

/// Both engines, one after the other.
pub(crate) const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

/// A gateway between its stand-ins.
pub(crate) const GATEWAY: Process =
    process(&[echo_gateway::SERVICE, ORCHESTRATOR, DISPATCHER, BRIDGE, KNOWLEDGE]);
/// A gateway whose neighbours are away.
pub(crate) const ALONE: Process = process(&[echo_gateway::SERVICE]);

pub(crate) const fn process(services: &'static [ServiceDef]) -> Process {
    Process { name: "test", about: "", services, embedded: true }
}

/// A running gateway.
pub(crate) struct Gateway {
    pub(crate) url: String,
    pub(crate) fakes: Arc<Fakes>,
    pub(crate) clock: Clock,
    running: Option<Running>,
    process: Process,
    pairs: Vec<(String, String)>,
    home: Arc<Home>,
}

impl Drop for Gateway {
    /// A process that is only dropped keeps its connections until the last test of all has ended.
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(running.stop()));
        }
    }
}

/// Where the tables of a test are; gone with the last gateway on them.
struct Home {
    folder: tempfile::TempDir,
    prefix: String,
    engine: Engine,
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.engine == Engine::Postgres {
            testkit::database::drop_schemas(&self.prefix);
        }
    }
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self { status, headers, body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|v| v.to_str().unwrap())
    }

    /// The body, after a look at the status.
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// Asserts the documented form of an error.
    pub(crate) fn assert_error(&self, status: u16, code: &str) {
        let body = &self.body;
        assert_eq!(self.status, status, "{body}");
        assert_eq!(body["statusCode"], json!(status), "{body}");
        assert_eq!(body["code"], json!(code), "{body}");
        assert!(body["message"].as_str().is_some_and(|m| !m.is_empty()), "{body}");
        let reason = reqwest::StatusCode::from_u16(status).unwrap().canonical_reason().unwrap();
        assert_eq!(body["error"], json!(reason), "{body}");
        assert!(body["details"].is_array(), "{body}");
        assert_eq!(body["request_id"].as_str(), self.header("x-request-id"), "{body}");
        assert!(!body["request_id"].as_str().unwrap().is_empty());
    }

    /// Asserts EchoLink's form of an error. Answers its text.
    pub(crate) fn assert_link_error(&self, status: u16, code: &str) -> &str {
        let body = &self.body;
        assert_eq!(self.status, status, "{body}");
        let names: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(names, ["code", "error", "request_id"], "{body}");
        assert_eq!(body["code"], json!(code), "{body}");
        assert_eq!(body["request_id"].as_str(), self.header("x-request-id"), "{body}");
        body["error"].as_str().filter(|text| !text.is_empty()).unwrap()
    }

    /// Asserts a 400 that names exactly these fields.
    pub(crate) fn assert_fields(&self, fields: &[&str]) {
        self.assert_error(400, "invalid_request");
        let named: Vec<&str> =
            self.body["details"].as_array().unwrap().iter().map(|d| d["field"].as_str().unwrap()).collect();
        assert_eq!(named, fields, "{}", self.body);
    }
}

impl Gateway {
    pub(crate) async fn start(engine: Engine) -> Self {
        Self::start_with(engine, GATEWAY, &[]).await
    }

    pub(crate) async fn start_with(engine: Engine, process: Process, extra: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let prefix = format!("g{}_", &uuid::Uuid::now_v7().simple().to_string()[8..]);
        let mut pairs = vec![
            ("ECHO_HTTP_ADDR".to_owned(), "127.0.0.1:0".to_owned()),
            ("ECHO_OPS_ADDR".to_owned(), "127.0.0.1:0".to_owned()),
            ("ECHO_DATA_DIR".to_owned(), folder.path().display().to_string()),
            ("ECHO_CARRIER".to_owned(), "sandbox".to_owned()),
            (fakes::SETTING.to_owned(), prefix.clone()),
        ];
        if engine == Engine::Postgres {
            pairs.push(("ECHO_DATABASE_URL".to_owned(), testkit::database::postgres_url()));
            pairs.push(("ECHO_SCHEMA_PREFIX".to_owned(), prefix.clone()));
            pairs.push(("ECHO_DATABASE_CONNECTIONS".to_owned(), "4".to_owned()));
        }
        pairs.extend(extra.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        let fakes = Fakes::register(&prefix);
        let home = Arc::new(Home { folder, prefix, engine });
        Self::run(process, pairs, fakes, home).await
    }

    async fn run(process: Process, pairs: Vec<(String, String)>, fakes: Arc<Fakes>, home: Arc<Home>) -> Self {
        let clock = Clock::system();
        let running = runtime::start(process, Settings::from_pairs(pairs.clone()), clock.clone()).await;
        let running = running.unwrap_or_else(|e| panic!("{:?}: {e}", home.engine));
        let url = format!("http://{}", running.setting("ECHO_HTTP_ADDR"));
        Self { url, fakes, clock, running: Some(running), process, pairs, home }
    }

    /// A second process on the same tables.
    pub(crate) async fn replica(&self) -> Self {
        self.on_same_tables(self.process).await
    }

    /// Another process on the same tables.
    pub(crate) async fn on_same_tables(&self, process: Process) -> Self {
        Self::run(process, self.pairs.clone(), Arc::clone(&self.fakes), Arc::clone(&self.home)).await
    }

    pub(crate) async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.home.folder.path()
    }

    pub(crate) fn ops_url(&self) -> String {
        format!("http://{}", self.running.as_ref().unwrap().setting("ECHO_OPS_ADDR"))
    }

    /// A request, yet to be sent.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        reqwest::Client::new().request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, path).header("x-api-key", key).json(body);
        Answer::of(request.send().await.unwrap()).await
    }

    /// With an `Idempotency-Key`.
    pub(crate) async fn post_once(&self, path: &str, key: &str, once: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, path).header("x-api-key", key);
        Answer::of(request.header("Idempotency-Key", once).json(body).send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str, key: &str) -> Answer {
        let request = self.request(Method::GET, path).header("x-api-key", key);
        Answer::of(request.send().await.unwrap()).await
    }

    /// A business of its own with its first project and key.
    pub(crate) async fn sign_up(&self, email: &str) -> Account {
        let request = self.request(Method::POST, "/auth/signup").json(&signup(email));
        let body = Answer::of(request.send().await.unwrap()).await.expect(201);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Account {
            key: text(&body["default_project"]["api_key"]),
            project: text(&body["default_project"]["id"]),
            business: text(&body["business"]["id"]),
            token: text(&body["access_token"]),
            refresh: text(&body["refresh_token"]),
            user: text(&body["user"]["id"]),
        }
    }

    /// A request with a token.
    pub(crate) async fn bearing(&self, method: Method, path: &str, token: &str) -> Answer {
        Answer::of(self.request(method, path).bearer_auth(token).send().await.unwrap()).await
    }

    /// The same with a body.
    pub(crate) async fn send(&self, method: Method, path: &str, token: &str, body: &Value) -> Answer {
        Answer::of(self.request(method, path).bearer_auth(token).json(body).send().await.unwrap()).await
    }

    /// A request under `/auth` that needs no credential.
    pub(crate) async fn auth(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(body).send().await.unwrap()).await
    }

    /// How many rows the tables have that a public request may fill.
    pub(crate) async fn rows(&self) -> Vec<(&'static str, i64)> {
        #[derive(diesel::QueryableByName)]
        struct Count {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            n: i64,
        }
        const TABLES: [&str; 17] = [
            "sessions",
            "refresh_tokens",
            "audit",
            "users",
            "businesses",
            "memberships",
            "projects",
            "api_keys",
            "apps",
            "app_keys",
            "agents",
            "agent_versions",
            "customers",
            "phones",
            "idempotency_keys",
            "placings",
            "outbox",
        ];
        let settings = Settings::from_pairs(self.pairs.clone());
        let database =
            runtime::database(self.process, &settings, ServiceName::Gateway, self.clock.clone()).unwrap();
        let counted = database.read(|db| {
            let count = |table: &'static str| {
                let row: Count =
                    diesel::sql_query(format!("SELECT COUNT(*) AS n FROM {table}")).get_result(db)?;
                Ok::<_, common::db::DbError>((table, row.n))
            };
            TABLES.into_iter().map(count).collect::<Result<Vec<_>, _>>()
        });
        counted.await.unwrap()
    }

    /// A number that is asked for behind the gateway's back.
    pub(crate) async fn number(&self, query: &'static str) -> i64 {
        #[derive(diesel::QueryableByName)]
        struct Number {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            n: i64,
        }
        let settings = Settings::from_pairs(self.pairs.clone());
        let database =
            runtime::database(self.process, &settings, ServiceName::Gateway, self.clock.clone()).unwrap();
        let read = database.read(move |db| {
            let row: Number = diesel::sql_query(query).get_result(db)?;
            Ok::<_, common::db::DbError>(row.n)
        });
        read.await.unwrap()
    }

    /// Changes tables behind the gateway's back, into a state that no route leads to yet.
    pub(crate) async fn execute(&self, statement: &'static str) {
        let settings = Settings::from_pairs(self.pairs.clone());
        let database =
            runtime::database(self.process, &settings, ServiceName::Gateway, self.clock.clone()).unwrap();
        let write = database.write(move |tx| {
            diesel::sql_query(statement).execute(tx.conn).map(drop).map_err(common::db::DbError::from)
        });
        write.await.unwrap();
    }

    /// The orchestrator says this.
    pub(crate) async fn heard<M: Message + Clone>(&self, message: &M) {
        let settings = Settings::from_pairs(self.pairs.clone());
        let theirs = ServiceName::CallOrchestrator;
        let database = runtime::database(self.process, &settings, theirs, self.clock.clone()).unwrap();
        let message = message.clone();
        let write = database.write(move |tx| tx.stage(&message, &Cause::own(ProjectId::new())));
        let staged: Result<(), common::db::DbError> = write.await;
        staged.unwrap();
    }

    /// Every text that is stored anywhere in the gateway's tables of keys.
    pub(crate) async fn stored_keys(&self) -> Vec<String> {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Text)]
            text: String,
        }
        let settings = Settings::from_pairs(self.pairs.clone());
        let database =
            runtime::database(self.process, &settings, ServiceName::Gateway, self.clock.clone()).unwrap();
        let read = database.read(|db| {
            let query = "SELECT key_hash || key_prefix || name AS text FROM api_keys \
                         UNION ALL SELECT key_hash || key_prefix || name AS text FROM app_keys \
                         UNION ALL SELECT COALESCE(answer, '') || fingerprint AS text FROM idempotency_keys";
            let rows: Vec<Row> = diesel::sql_query(query).load(db)?;
            Ok::<_, common::db::DbError>(rows.into_iter().map(|r| r.text).collect())
        });
        read.await.unwrap()
    }
}

/// What a signup answers.
pub(crate) struct Account {
    pub(crate) key: String,
    pub(crate) project: String,
    pub(crate) business: String,
    pub(crate) token: String,
    pub(crate) refresh: String,
    pub(crate) user: String,
}

pub(crate) fn signup(email: &str) -> Value {
    json!({
        "email": email,
        "password": "YourPassword123!",
        "first_name": "Jane",
        "last_name": "Doe",
        "business_name": "Acme Inc",
        "business_summary": "A SaaS platform for project management",
        "industry": "Software"
    })
}

pub(crate) fn customer(external_id: &str) -> Value {
    json!({"external_id": external_id, "first_name": "John", "last_name": "Smith", "phone": "+14155552671"})
}

pub(crate) fn agent(name: &str) -> Value {
    json!({"name": name, "system_prompt": "Say hello to {{recipient_first_name}}."})
}

/// The `id` of a body.
pub(crate) fn id(body: &Value) -> String {
    body["id"].as_str().expect("an id").to_owned()
}
