//! Paths, methods, request ids, numbers: what is the same for every request.

use serde_json::{Value, json};

use crate::fakes::lock;
use crate::support::{Answer, Engine, Gateway, Method, customer, id};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_paths_and_wrong_methods_are_answered_in_the_documented_form() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    for path in [
        "/",
        "/nonsense",
        "/api/v1",
        "/api/v1/nonsense",
        "/v1/agents/",
        "/v1/agents/a/b",
        "/auth",
        "/v2/agents",
    ] {
        gateway.get(path, "").await.assert_error(404, "route_not_found");
    }
    for (method, path, allowed) in [
        (Method::GET, "/auth/signup", "POST"),
        (Method::PUT, "/v1/agents", "GET, POST"),
        (Method::DELETE, "/api/v1/customers", "GET, POST"),
        (Method::POST, "/v1/api-keys/x/revoke", "PATCH"),
        (Method::POST, "/v1/notifications/x", "GET"),
    ] {
        let answer = Answer::of(gateway.request(method, path).send().await.unwrap()).await;
        answer.assert_error(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some(allowed));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_path_works_with_and_without_api_in_front() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let webhooks = format!("projects/{}/webhooks", account.project);
    for path in ["agents", "customers", "notifications", "api-keys", &webhooks] {
        let (long, short) = (format!("/api/v1/{path}"), format!("/v1/{path}"));
        assert_eq!(
            gateway.get(&long, &account.key).await.expect(200),
            gateway.get(&short, &account.key).await.expect(200)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_keeps_its_id_and_its_trace_everywhere_it_goes() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let made = gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
    let sent = gateway.request(Method::POST, "/v1/notifications").header("x-api-key", &account.key);
    let sent = sent.header("x-request-id", "order:7_a.b-c");
    let sent = sent.header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let sent = sent.json(&json!({"customer_id": id(&made), "message": "Hello"})).send().await.unwrap();
    assert_eq!(Answer::of(sent).await.header("x-request-id"), Some("order:7_a.b-c"));
    let context = lock(&gateway.fakes.contexts)[0].clone();
    assert_eq!(context.request_id, "order:7_a.b-c");
    assert_eq!(context.tenant, account.project);
    assert_eq!(context.trace_id, "0af7651916cd43dd8448eb211c80319c");
    for bad in ["with space", &"x".repeat(129)] {
        let answer =
            gateway.request(Method::GET, "/nonsense").header("x-request-id", bad).send().await.unwrap();
        let answer = Answer::of(answer).await;
        answer.assert_error(404, "route_not_found");
        assert_ne!(answer.header("x-request-id"), Some(bad));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neighbours_that_are_away_are_a_503_that_says_when_to_come_back() {
    let gateway = Gateway::start_with(Engine::Sqlite, crate::support::ALONE, &[]).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let made = gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
    let hook = json!({"url": "https://x.example/hook", "events": ["call.ended"]});
    let path = format!("/v1/projects/{}/webhooks", account.project);
    let order = json!({"customer_id": id(&made), "message": "Hello"});
    for answer in [
        gateway.get("/v1/notifications", &account.key).await,
        gateway.get(&format!("/v1/notifications/{}", id(&made)), &account.key).await,
        gateway.post("/v1/notifications", &account.key, &order).await,
        gateway.get(&path, &account.key).await,
        gateway.post(&path, &account.key, &hook).await,
    ] {
        answer.assert_error(503, "unavailable");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_counted_by_route_and_status() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    gateway
        .get(&format!("/api/v1/agents/{}", account.project), &account.key)
        .await
        .assert_error(404, "agent_not_found");
    gateway.get("/v1/agents/nonsense", &account.key).await.assert_error(404, "agent_not_found");
    let metrics = reqwest::get(format!("{}/metrics", gateway.ops_url())).await.unwrap().text().await.unwrap();
    let counted = "echo_gateway_requests_total{method=\"GET\",route=\"/v1/agents/{id}\",status=\"404\"} 2";
    assert!(metrics.contains(counted), "{metrics}");
    assert!(metrics.contains("echo_gateway_request_seconds_count{method=\"POST\",route=\"/auth/signup\"} 1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_there_after_a_restart() {
    let mut gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let made: Value = gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
    gateway.stop().await;
    assert!(gateway.folder().join("gateway.sqlite").exists());
    let again = gateway.replica().await;
    let read = again.get(&format!("/v1/customers/{}", id(&made)), &account.key).await.expect(200);
    assert_eq!(read, made);
}
