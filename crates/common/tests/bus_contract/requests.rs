//! Promises about requests and their answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use common::bus::{Bus, RPC_IN_FLIGHT};
use contracts::ServiceName::{self, CallOrchestrator, KnowledgeService};
use contracts::rpc::{Call, Context, RpcError, Server};
use testkit::wait::eventually;
use tokio::sync::Semaphore;

use crate::support::{PATIENCE, World};

/// A service with one method for each way in which a request may go.
#[derive(Clone)]
pub(crate) struct Answers {
    /// Requests that wait for `open`, now and earlier.
    pub(crate) held: Arc<AtomicUsize>,
    pub(crate) open: Arc<Semaphore>,
}

impl Answers {
    pub(crate) fn new() -> Self {
        Self { held: Arc::default(), open: Arc::new(Semaphore::new(0)) }
    }

    /// Waits until so many requests have been held.
    pub(crate) async fn hold(&self, count: usize) {
        eventually("requests to be held", PATIENCE, || async {
            let held = self.held.load(Ordering::SeqCst);
            if held >= count { Ok(()) } else { Err(held) }
        })
        .await;
    }
}

fn errors() -> Vec<RpcError> {
    vec![
        RpcError::NotFound("call 7".into()),
        RpcError::Invalid { field: "to".into(), problem: "not E.164; give +4930…".into() },
        RpcError::Conflict { code: "already_ended".into(), message: "it has ended".into() },
        RpcError::Internal("broke".into()),
    ]
}

#[async_trait]
impl Server for Answers {
    fn service(&self) -> ServiceName {
        CallOrchestrator
    }

    fn methods(&self) -> &'static [&'static str] {
        &["Test.Echo", "Test.Fail", "Test.Hold", "Test.Panic"]
    }

    async fn answer(&self, method: &str, context: Context, request: Bytes) -> Result<Bytes, RpcError> {
        match method {
            "Test.Echo" => {
                let Context { request_id, tenant, trace_id, deadline } = context;
                assert!(trace_id == "0af7" || trace_id.len() == 32, "{trace_id:?}");
                assert!(deadline > Duration::ZERO && deadline <= PATIENCE, "{deadline:?}");
                Ok(format!("{request_id} {tenant} {}", String::from_utf8_lossy(&request)).into())
            }
            "Test.Fail" => Err(errors()[usize::from(request[0])].clone()),
            "Test.Hold" => {
                self.held.fetch_add(1, Ordering::SeqCst);
                let _open = self.open.acquire().await;
                Ok(request)
            }
            "Test.Panic" => panic!("a bug in a method"),
            other => Err(RpcError::unknown_method(other)),
        }
    }
}

pub(crate) const fn to(method: &'static str) -> Call {
    Call { service: CallOrchestrator, method, idempotent: false }
}

async fn ask(bus: &dyn Bus, method: &'static str, request: &'static [u8]) -> Result<Bytes, RpcError> {
    bus.caller().call(to(method), Context::within(PATIENCE), Bytes::from_static(request)).await
}

pub(crate) async fn an_answer_and_its_context_cross_the_bus(world: World) {
    let process = world.start(vec![world.server(Arc::new(Answers::new()))]).await;
    let context = Context::within(Duration::from_secs(5)).caused_by("req_ö").for_tenant("tenant-7");
    let answer = process.bus.caller().call(to("Test.Echo"), context, Bytes::from_static(b"hello")).await;
    assert_eq!(answer, Ok(Bytes::from("req_ö tenant-7 hello")));
    process.stop().await;
}

pub(crate) async fn every_error_comes_back_as_it_was_given(world: World) {
    let process = world.start(vec![world.server(Arc::new(Answers::new()))]).await;
    for (which, error) in [b"\0", b"\x01", b"\x02", b"\x03"].into_iter().zip(errors()) {
        assert_eq!(ask(&*process.bus, "Test.Fail", which).await, Err(error));
    }
    process.stop().await;
}

pub(crate) async fn an_answer_that_does_not_come_in_time_is_reported(world: World) {
    let answers = Answers::new();
    let process = world.start(vec![world.server(Arc::new(answers.clone()))]).await;
    let context = Context::within(Duration::from_millis(200));
    let answer = process.bus.caller().call(to("Test.Hold"), context, Bytes::new()).await;
    assert_eq!(answer, Err(RpcError::DeadlineExceeded));
    answers.open.add_permits(1);
    process.stop().await;
}

pub(crate) async fn a_service_that_does_not_run_is_unavailable(world: World) {
    let process = world.start(vec![world.server(Arc::new(Answers::new()))]).await;
    let call = Call { service: KnowledgeService, method: "Knowledge.Search", idempotent: true };
    let answer = process.bus.caller().call(call, Context::within(PATIENCE), Bytes::new()).await;
    assert!(matches!(answer, Err(RpcError::Unavailable(_))), "{answer:?}");
    process.stop().await;
}

pub(crate) async fn a_method_that_panics_fails_that_request_only(world: World) {
    let process = world.start(vec![world.server(Arc::new(Answers::new()))]).await;
    let answer = ask(&*process.bus, "Test.Panic", b"").await;
    assert!(matches!(answer, Err(RpcError::Internal(_))), "{answer:?}");
    assert_eq!(ask(&*process.bus, "Test.Echo", b"still there").await, Ok(Bytes::from("  still there")));
    process.stop().await;
}

pub(crate) async fn a_full_service_says_that_it_is_busy(world: World) {
    let answers = Answers::new();
    let process = world.start(vec![world.server(Arc::new(answers.clone()))]).await;
    let asked: Vec<_> = (0..RPC_IN_FLIGHT)
        .map(|_| {
            let caller = process.bus.caller();
            tokio::spawn(async move {
                caller.call(to("Test.Hold"), Context::within(PATIENCE), Bytes::new()).await
            })
        })
        .collect();
    answers.hold(RPC_IN_FLIGHT).await;
    assert_eq!(ask(&*process.bus, "Test.Echo", b"").await, Err(RpcError::Busy));
    answers.open.add_permits(1);
    for asked in asked {
        assert_eq!(asked.await.unwrap(), Ok(Bytes::new()));
    }
    let answer = ask(&*process.bus, "Test.Echo", b"room again").await;
    assert_eq!(answer, Ok(Bytes::from("  room again")));
    process.stop().await;
}

pub(crate) async fn what_is_being_answered_at_a_stop_is_answered(world: World) {
    let answers = Answers::new();
    let process = world.start(vec![world.server(Arc::new(answers.clone()))]).await;
    let caller = process.bus.caller();
    let asked = tokio::spawn(async move {
        caller.call(to("Test.Hold"), Context::within(PATIENCE), Bytes::from_static(b"late")).await
    });
    answers.hold(1).await;
    let stop = tokio::spawn(process.stop());
    answers.open.add_permits(1);
    assert_eq!(asked.await.unwrap(), Ok(Bytes::from_static(b"late")));
    stop.await.unwrap();
}
