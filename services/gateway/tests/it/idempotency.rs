//! `Idempotency-Key`: one effect and one answer.

use std::time::Duration;

use contracts::rpc::RpcError;
use serde_json::{Value, json};

use crate::fakes::lock;
use crate::support::{Account, Answer, ENGINES, Engine, Gateway, agent, customer, id};

async fn order(gateway: &Gateway, account: &Account) -> Value {
    let made = gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
    json!({"customer_id": id(&made), "message": "Hello"})
}

fn replayed(answer: &Answer) -> bool {
    answer.header("idempotent-replayed") == Some("true")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_again_gets_the_first_answer_and_has_no_second_effect() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let hooks = format!("/v1/projects/{}/webhooks", account.project);
        let hook = json!({"url": "https://x.example/hook", "events": ["call.ended"]});
        let order = order(&gateway, &account).await;
        for (n, (path, body)) in [
            ("/v1/agents", agent("a")),
            ("/v1/customers", customer("user_2")),
            ("/v1/notifications", order),
            (hooks.as_str(), hook),
        ]
        .into_iter()
        .enumerate()
        {
            let key = format!("key {n}");
            let first = gateway.post_once(path, &account.key, &key, &body).await;
            assert!(!replayed(&first));
            let first = first.expect(201);
            let rows = gateway.rows().await;
            for path in [path.to_owned(), format!("/api{path}")] {
                let again = gateway.post_once(&path, &account.key, &key, &body).await;
                assert!(replayed(&again), "{path}");
                assert_eq!(again.expect(201), first);
            }
            assert_eq!(gateway.rows().await, rows);
            let mut other = body.clone();
            other["name"] = json!("another");
            let mismatch = gateway.post_once(path, &account.key, &key, &other).await;
            mismatch.assert_error(422, "idempotency_mismatch");
        }
        gateway
            .post_once("/v1/agents", &account.key, "key 1", &agent("a"))
            .await
            .assert_error(422, "idempotency_mismatch");
        assert_eq!(lock(&gateway.fakes.placed).len(), 1);
        assert_eq!(lock(&gateway.fakes.endpoints).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_was_refused_is_free_again() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let mut order = order(&gateway, &account).await;
        let customer = order["customer_id"].take();
        order["customer_id"] = json!(account.project);
        let refused = gateway.post_once("/v1/notifications", &account.key, "k", &order).await;
        refused.assert_error(404, "customer_not_found");
        assert!(gateway.rows().await.contains(&("idempotency_keys", 0)));
        order["customer_id"] = customer;
        gateway.post_once("/v1/notifications", &account.key, "k", &order).await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_503_a_retry_with_the_key_learns_what_became_of_the_same_notification() {
    for engine in ENGINES {
        for error in [RpcError::DeadlineExceeded, RpcError::Unavailable("gone".into()), RpcError::Busy] {
            let gateway = Gateway::start(engine).await;
            let account = gateway.sign_up("jane@acme.example").await;
            let order = order(&gateway, &account).await;
            gateway.fakes.fail_next(error);
            let lost = gateway.post_once("/v1/notifications", &account.key, "k", &order).await;
            lost.assert_error(503, "unavailable");
            assert_eq!(lost.header("retry-after"), Some("1"));
            let retried = gateway.post_once("/v1/notifications", &account.key, "k", &order).await;
            assert!(!replayed(&retried));
            let retried = retried.expect(201);
            let placed: Vec<String> =
                lock(&gateway.fakes.placed).iter().map(|p| p.notification_id.clone()).collect();
            assert_eq!(placed, [id(&retried["notification"])]);
            let again = gateway.post_once("/v1/notifications", &account.key, "k", &order).await;
            assert!(replayed(&again));
            assert_eq!(again.expect(201), retried);
            assert!(gateway.rows().await.contains(&("outbox", 0)));
            assert!(lock(&gateway.fakes.withdrawn).is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_one_runs_another_one_is_sent_away_and_after_its_lease_takes_over_with_the_same_id() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let order = order(&gateway, &account).await;
        let gate = &gateway.fakes.gate;
        gate.forget_permits(usize::MAX);
        let first = gateway.post_once("/v1/notifications", &account.key, "k", &order);
        let meanwhile = async {
            gateway.fakes.arrived.acquire().await.unwrap().forget();
            let second = gateway.post_once("/v1/notifications", &account.key, "k", &order).await;
            second.assert_error(409, "idempotency_in_progress");
            let wait: u64 = second.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=10).contains(&wait));
            gateway.clock.advance(Duration::from_secs(wait + 1));
            let third = gateway.post_once("/v1/notifications", &account.key, "k", &order);
            let release = async {
                gateway.fakes.arrived.acquire().await.unwrap().forget();
                gate.add_permits(2);
            };
            let (third, ()) = tokio::join!(third, release);
            third.expect(201)
        };
        let (first, third) = tokio::join!(first, meanwhile);
        assert_eq!(first.expect(201)["notification"]["id"], third["notification"]["id"]);
        assert_eq!(lock(&gateway.fakes.placed).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_the_same_moment_make_one_thing() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let body = customer("user_1");
        let all = (0..12).map(|_| gateway.post_once("/v1/customers", &account.key, "k", &body));
        let answers = futures_util::future::join_all(all).await;
        let fresh = answers.iter().filter(|a| !replayed(a)).count();
        assert_eq!(fresh, 1);
        let ids: std::collections::BTreeSet<String> =
            answers.into_iter().map(|a| id(&a.expect(201))).collect();
        assert_eq!(ids.len(), 1);
        assert!(gateway.rows().await.contains(&("customers", 1)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_with_a_secret_that_is_shown_once_is_not_kept() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let body = json!({"name": "ci"});
        let made = gateway.post_once("/v1/api-keys", &account.key, "k", &body).await.expect(201);
        let again = gateway.post_once("/v1/api-keys", &account.key, "k", &body).await;
        again.assert_error(409, "secret_already_shown");
        let other = gateway.post_once("/v1/api-keys", &account.key, "k", &json!({"name": "cd"})).await;
        other.assert_error(422, "idempotency_mismatch");
        let key = made["key"].as_str().unwrap();
        gateway.get("/v1/agents", key).await.expect(200);
        assert!(gateway.rows().await.contains(&("api_keys", 2)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kept_answers_are_sealed() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    gateway.post_once("/v1/customers", &account.key, "k", &customer("user_1")).await.expect(201);
    let texts = gateway.stored_keys().await;
    assert!(!texts.is_empty() && texts.iter().all(|t| !t.contains("Smith") && !t.contains("+1415")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_good_for_a_day() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let first = gateway.post_once("/v1/agents", &account.key, "k", &agent("a")).await.expect(201);
        gateway.clock.advance(Duration::from_secs(24 * 3600 - 60));
        let again = gateway.post_once("/v1/agents", &account.key, "k", &agent("a")).await;
        assert!(replayed(&again));
        gateway.clock.advance(Duration::from_secs(120));
        let new = gateway.post_once("/v1/agents", &account.key, "k", &agent("b")).await;
        assert!(!replayed(&new));
        assert_ne!(new.expect(201)["id"], first["id"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_cannot_be_printed_is_refused() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    for bad in ["", &"k".repeat(256), "\u{e4}"] {
        let answer = gateway.post_once("/v1/agents", &account.key, bad, &agent("a")).await;
        answer.assert_fields(&["Idempotency-Key"]);
    }
    assert!(gateway.rows().await.contains(&("agents", 0)));
}
