//! What the JSON log shows of a request that goes over the bus.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use common::bus::{Cause, Outcome, Subscription};
use common::config::Settings;
use common::db::{Database, DbError};
use common::{telemetry, trace};
use contracts::ServiceName::{self, CallOrchestrator, WebhookDispatcher};
use contracts::accounts::CancelNotification;
use contracts::rpc::{Context, RpcError, Server};
use serde_json::Value;
use testkit::wait::eventually;
use tracing_subscriber::util::SubscriberInitExt as _;
use uuid::Uuid;

use crate::requests::to;
use crate::support::{PATIENCE, World};

const PHONE: &str = "+14155552671";
const SECRET: &str = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0";

/// The log of this program, as it leaves it.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    pub(crate) fn started() -> &'static Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        LOG.get_or_init(|| {
            let log = Self::default();
            let writer = log.clone();
            telemetry::subscriber(&Settings::default(), move || writer.clone()).unwrap().init();
            log
        })
    }

    /// The lines in which `text` stands.
    pub(crate) fn lines_with(&self, text: &str) -> Vec<Value> {
        let all = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        all.lines()
            .filter(|line| line.contains(text))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

fn api_key() -> String {
    format!("echo_{}", "0a1b".repeat(16))
}

/// Answers a request by staging a message, and says so in its log.
struct Front(Database);

#[async_trait]
impl Server for Front {
    fn service(&self) -> ServiceName {
        CallOrchestrator
    }

    fn methods(&self) -> &'static [&'static str] {
        &["Test.Place"]
    }

    async fn answer(&self, _: &str, _: Context, request: Bytes) -> Result<Bytes, RpcError> {
        let id = String::from_utf8(request.to_vec()).unwrap();
        trace::of_call("call-7");
        let message = CancelNotification { project_id: "tenant-7".to_owned(), notification_id: id.clone() };
        self.0
            .write(move |tx| {
                tracing::info!(%id, to = PHONE, key = api_key(), "placing");
                tx.stage(&message, &Cause::own("tenant-7"))
            })
            .await
            .map_err(|e: DbError| RpcError::Internal(e.to_string()))?;
        Ok(Bytes::new())
    }
}

/// Hears the message, and says so in its log.
fn back() -> Subscription {
    Subscription::to(&(), |(), _, message: CancelNotification| async move {
        let id = message.notification_id;
        // Work that goes on by itself still belongs to the message.
        let work = async move {
            tracing::info!(id, "hearing from {PHONE} with {}", api_key());
            tracing::warn!(id, signing_secret = "quite-plain", error = SECRET, "refused");
        };
        tokio::spawn(trace::continued(work)).await.unwrap();
        Outcome::Done
    })
}

/// Sends one request through both services. Answers its trace and all lines about it.
async fn send_one(world: &World, id: &str) -> (String, Vec<Value>) {
    let log = Log::started();
    let front = Arc::new(Front(world.database(CallOrchestrator)));
    let hears = world.consumer(WebhookDispatcher, vec![back()]);
    let process = world.start(vec![world.server(front), hears]).await;
    let cause = Cause { request_id: format!("req-{id}"), tenant: String::new(), trace_id: trace::new_id() };
    let context = Context::within(Duration::from_secs(20)).for_tenant("tenant-7");
    let asked = trace::scope(cause.clone(), async {
        process.bus.caller().call(to("Test.Place"), context, Bytes::from(id.to_owned())).await
    });
    assert_eq!(asked.await, Ok(Bytes::new()));
    let lines = eventually("the lines of both services", PATIENCE, || async {
        let lines = log.lines_with(id);
        if lines.len() >= 3 { Ok(lines) } else { Err(lines) }
    });
    let lines = lines.await;
    process.stop().await;
    (cause.trace_id, lines)
}

pub(crate) async fn one_request_has_one_trace_in_the_logs_of_all_who_work_on_it(world: World) {
    let id = Uuid::now_v7().to_string();
    let (trace_id, lines) = send_one(&world, &id).await;
    for line in &lines {
        let span = &line["span"];
        assert_eq!(span["trace_id"], trace_id, "{line}");
        assert_eq!(span["request_id"], format!("req-{id}"), "{line}");
        assert_eq!(span["tenant"], "tenant-7", "{line}");
    }
    assert_eq!(lines[0]["message"], "placing");
    assert_eq!(lines[0]["span"]["call"], "call-7");
    assert_eq!(lines[2]["message"], "refused");
}

pub(crate) async fn what_must_not_be_seen_is_masked_in_the_log(world: World) {
    let id = Uuid::now_v7().to_string();
    let (_, lines) = send_one(&world, &id).await;
    assert_eq!(lines[0]["to"], "+14***71");
    assert_eq!(lines[0]["key"], "***");
    assert_eq!(lines[1]["message"], "hearing from +14***71 with ***");
    assert_eq!(lines[2]["signing_secret"], "***");
    assert_eq!(lines[2]["error"], "***");
}
