//! Calls into users' systems while a phone call runs, through the rpcs.

use std::time::{Duration, Instant};

use common::db::{DbError, sql};
use contracts::ids::{AgentId, BusinessId, EventId};
use contracts::rpc::RpcError;
use contracts::webhooks::{
    CallNowOutcome, CallNowRequest, CallNowResponse, RevealTargetRequest, RotateTargetRequest, Target,
    TargetsClient,
};
use diesel::RunQueryDsl as _;
use futures_util::future::join_all;
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::receiver::{Receiver, Reply};
use crate::world::{World, context, name_of_this_machine};

on_both_engines![
    a_tool_is_called_signed_and_its_answer_comes_back,
    an_owner_has_one_secret_however_often_it_is_asked_for_until_it_is_replaced,
    each_way_to_fail_has_its_outcome,
    nothing_is_asked_of_this_machine_or_its_neighbours,
    one_owner_gets_only_so_many_calls_at_a_time,
    a_request_that_cannot_be_made_is_refused_with_what_would_be_right,
];

const BODY: &str = "{\"b\": 1,\n \"a\": \"ü\"}";

/// An agent of a business, and its tool.
struct Agent {
    business: BusinessId,
    id: AgentId,
}

impl Agent {
    fn new() -> Self {
        Self { business: BusinessId::new(), id: AgentId::new() }
    }

    fn request(&self, world: &World, url: &str) -> CallNowRequest {
        CallNowRequest {
            project_id: world.project.to_string(),
            business_id: self.business.to_string(),
            owner_id: self.id.to_string(),
            url: url.to_owned(),
            event_id: EventId::new().to_string(),
            body_json: BODY.to_owned(),
            deadline_ms: 5000,
        }
    }

    async fn call(&self, world: &World, url: &str) -> CallNowResponse {
        client(world).call_now(context(), self.request(world, url)).await.unwrap()
    }

    async fn secret(&self, world: &World) -> Target {
        let (business_id, owner_id) = (self.business.to_string(), self.id.to_string());
        let request = RevealTargetRequest { business_id, owner_id };
        client(world).reveal_target(context(), request).await.unwrap()
    }

    async fn rotated(&self, world: &World) -> Target {
        let (business_id, owner_id) = (self.business.to_string(), self.id.to_string());
        let request = RotateTargetRequest { business_id, owner_id };
        client(world).rotate_target(context(), request).await.unwrap()
    }
}

fn client(world: &World) -> TargetsClient {
    TargetsClient::new(world.caller())
}

async fn a_tool_is_called_signed_and_its_answer_comes_back(engine: Engine) {
    let world = World::new(engine).await;
    let (receiver, agent) = (Receiver::start(), Agent::new());
    receiver.answer_once(Reply::Body(201, "{\"say\": \"ü\"}".as_bytes()));
    let request = agent.request(&world, &receiver.url);
    let answer = client(&world).call_now(context(), request.clone()).await.unwrap();
    assert_eq!(answer.outcome(), CallNowOutcome::Answered);
    let told = (answer.status, answer.body.as_str(), answer.problem.as_str());
    assert_eq!(told, (201, "{\"say\": \"ü\"}", ""));

    let received = receiver.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].body, BODY.as_bytes());
    assert_eq!(received[0].header("content-type"), "application/json");
    assert_eq!(received[0].header("user-agent"), concat!("Echo-Webhooks/", env!("CARGO_PKG_VERSION")));
    assert_eq!(received[0].header("webhook-id"), request.event_id);
    let secret = agent.secret(&world).await.signing_secret;
    received[0].assert_signed_with(&secret);
    assert!(received[0].verifies_with(&secret));

    let fresh = agent.rotated(&world).await;
    agent.call(&world, &receiver.url).await;
    receiver.received()[1].assert_signed_with(&fresh.signing_secret);
}

async fn an_owner_has_one_secret_however_often_it_is_asked_for_until_it_is_replaced(engine: Engine) {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = sql::Text)]
        secret: String,
    }
    let world = World::new(engine).await;
    let agent = Agent::new();
    let asked = join_all((0..8).map(|_| agent.secret(&world))).await;
    assert!(asked.iter().all(|target| *target == asked[0]), "{}", asked.len());
    let digits = asked[0].signing_secret.strip_prefix("whsec_").unwrap();
    assert!(digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
    assert_eq!(asked[0].owner_id, agent.id.to_string());
    // The same id in another business is somebody else.
    let namesake = Agent { business: BusinessId::new(), id: agent.id };
    assert_ne!(namesake.secret(&world).await.signing_secret, asked[0].signing_secret);

    let fresh = agent.rotated(&world).await;
    assert_ne!(fresh.signing_secret, asked[0].signing_secret);
    assert_eq!(agent.secret(&world).await, fresh);
    let untouched = Agent::new();
    let made = untouched.rotated(&world).await;
    assert_eq!(untouched.secret(&world).await, made);

    let text = "SELECT secret FROM targets";
    let tables = world.tables();
    let read = tables.read(move |db| diesel::sql_query(text).load(db).map_err(DbError::from));
    let rows: Vec<Row> = read.await.unwrap();
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| !row.secret.contains("whsec_") && !row.secret.contains(digits)));
}

async fn each_way_to_fail_has_its_outcome(engine: Engine) {
    let world = World::new(engine).await;
    let (receiver, elsewhere, agent) = (Receiver::start(), Receiver::start(), Agent::new());
    let large: &[u8] = &[b'x'; 16 * 1024 + 1];
    for (reply, outcome, status, problem) in [
        (Reply::Status(500), CallNowOutcome::Refused, 500, "answered 500"),
        (Reply::Header(307, "location", elsewhere.url.clone()), CallNowOutcome::Refused, 307, "answered 307"),
        (Reply::Flood, CallNowOutcome::Unreadable, 200, "larger than 16384 bytes"),
        (Reply::Body(200, large.to_vec().leak()), CallNowOutcome::Unreadable, 200, "larger than 16384 bytes"),
        (Reply::Body(200, &[0xff, 0xfe]), CallNowOutcome::Unreadable, 200, "not UTF-8"),
        (Reply::Body(200, &large.to_vec().leak()[1..]), CallNowOutcome::Answered, 200, ""),
    ] {
        receiver.answer_once(reply.clone());
        let answer = agent.call(&world, &receiver.url).await;
        assert_eq!((answer.outcome(), answer.status), (outcome, status), "{answer:?}");
        assert!(answer.problem.contains(problem), "{answer:?}");
        assert_eq!(answer.body.is_empty(), outcome != CallNowOutcome::Answered, "{problem}");
    }
    assert_eq!(receiver.received().len(), 6, "each was sent once");
    assert!(elsewhere.received().is_empty());

    for (reply, status) in [(Reply::Drip, 200), (Reply::Held(200), 0)] {
        receiver.answer_once(reply);
        let request = CallNowRequest { deadline_ms: 300, ..agent.request(&world, &receiver.url) };
        let begun = Instant::now();
        let answer = client(&world).call_now(context(), request).await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        assert_eq!((answer.outcome(), answer.status), (CallNowOutcome::TimedOut, status), "{answer:?}");
        assert!(answer.problem.ends_with("within 300 ms") && answer.duration_ms >= 300, "{answer:?}");
    }
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let answer = agent.call(&world, &format!("http://{nobody}/tool")).await;
    assert_eq!((answer.outcome(), answer.status), (CallNowOutcome::Unreachable, 0), "{answer:?}");
    assert!(answer.problem.contains("onnection refused") && !answer.problem.contains("/tool"), "{answer:?}");
    let seen = world.metric("echo_webhook_dispatcher_call_now_seconds_count{outcome=\"timed_out\"}").await;
    assert!((seen - 2.0).abs() < f64::EPSILON, "{seen}");
}

async fn nothing_is_asked_of_this_machine_or_its_neighbours(engine: Engine) {
    let world = World::with(engine, &[("ECHO_CARRIER", "twilio")]).await;
    let (receiver, agent) = (Receiver::start(), Agent::new());
    let name = name_of_this_machine();
    for url in [receiver.url.as_str(), "https://10.0.0.1/tool", &format!("https://{name}/tool")] {
        let answer = agent.call(&world, url).await;
        assert_eq!((answer.outcome(), answer.status), (CallNowOutcome::Unreachable, 0), "{url}: {answer:?}");
        assert!(answer.problem.contains("in a private, loopback"), "{url}: {answer:?}");
    }
    assert!(receiver.received().is_empty());
    let answer = agent.call(&world, "http://example.com/tool").await;
    assert!(answer.problem.contains("must start with https://"), "{answer:?}");
}

async fn one_owner_gets_only_so_many_calls_at_a_time(engine: Engine) {
    let limits = [("ECHO_CALL_NOW_CONCURRENCY", "2"), ("ECHO_CALL_NOW_OWNER_CONCURRENCY", "1")];
    let world = World::with(engine, &limits).await;
    let (receiver, first, second) = (Receiver::start(), Agent::new(), Agent::new());
    receiver.answer(Reply::Held(200));
    let waiting = {
        let (client, requests) =
            (client(&world), [&first, &second].map(|a| a.request(&world, &receiver.url)));
        tokio::spawn(async move { join_all(requests.map(|r| client.call_now(context(), r))).await })
    };
    receiver.wait_for_held(2).await;
    for agent in [&first, &Agent::new()] {
        let refused = client(&world).call_now(context(), agent.request(&world, &receiver.url)).await;
        assert_eq!(refused, Err(RpcError::Busy));
    }
    receiver.release();
    assert!(waiting.await.unwrap().into_iter().all(|answer| answer.unwrap().status == 200));
    assert_eq!(first.call(&world, &receiver.url).await.status, 200);
    let busy = world.metric("echo_webhook_dispatcher_call_now_busy_total").await;
    assert!((busy - 2.0).abs() < f64::EPSILON, "{busy}");
}

async fn a_request_that_cannot_be_made_is_refused_with_what_would_be_right(engine: Engine) {
    let world = World::new(engine).await;
    let right = Agent::new().request(&world, "https://example.com/tool");
    for (request, field, help) in [
        (CallNowRequest { owner_id: "a b".to_owned(), ..right.clone() }, "owner_id", "agent or a bot"),
        (CallNowRequest { business_id: "x".to_owned(), ..right.clone() }, "business_id", "such as 8cc6199f"),
        (CallNowRequest { event_id: String::new(), ..right.clone() }, "event_id", "such as 8cc6199f"),
        (CallNowRequest { body_json: "[]".to_owned(), ..right.clone() }, "body_json", "JSON object"),
        (CallNowRequest { deadline_ms: 10_001, ..right.clone() }, "deadline_ms", "1 to 10000"),
    ] {
        match client(&world).call_now(context(), request).await.unwrap_err() {
            RpcError::Invalid { field: named, problem } => {
                assert_eq!(named, field, "{problem}");
                assert!(problem.contains(help), "{problem}");
            }
            other => panic!("{other}"),
        }
    }
}
