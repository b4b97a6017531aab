//! What bots have told their owners, and what signs it, at the edge.

use contracts::webhooks::{Attempt, Delivery, LoggedDelivery};
use serde_json::{Value, json};

use crate::fakes::lock;
use crate::support::{Account, Answer, ENGINES, Engine, Gateway, Method};

fn id(number: u32) -> String {
    format!("0198c7a2-6f1e-7c3a-9d52-{number:012}")
}

async fn bot(gateway: &Gateway, account: &Account) -> (String, Value) {
    let wanted = json!({"goal": "Book table", "webhook": "https://api.eatery.com/book"});
    let made = gateway.send(Method::POST, "/v1/bots", &account.token, &wanted).await.expect(201);
    (format!("/v1/bots/{}", made["bot_id"].as_str().unwrap()), made)
}

/// A bot has told this, and it was not received.
fn told(gateway: &Gateway, account: &Account, bot: &Value, number: u32, status: &str) {
    let attempt = Attempt {
        id: id(900 + number),
        delivery_id: id(number),
        attempt_number: 1,
        triggered_by: "auto".into(),
        http_status: Some(500),
        response_body: Some("no".into()),
        duration_ms: Some(12),
        error_message: Some("answered 500".into()),
        created_at_ms: 1_773_855_826_714,
        ..Attempt::default()
    };
    let delivery = Delivery {
        id: id(number),
        endpoint_id: id(700),
        project_id: account.project.clone(),
        event_id: id(800 + number),
        event_name: "bot.completed".into(),
        payload_json: "{\"z\": 1, \"a\": {}}".into(),
        status: status.into(),
        attempt_count: 1,
        next_retry_at_ms: Some(1_773_855_900_000).filter(|_| status == "retrying"),
        created_at_ms: 1_773_855_826_714,
        updated_at_ms: 1_773_855_826_714,
    };
    let whose = (account.business.clone(), bot["bot_id"].as_str().unwrap().to_owned());
    let logged = LoggedDelivery { delivery: Some(delivery), attempts: vec![attempt] };
    lock(&gateway.fakes.told).push((whose, logged));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_a_bot_shows_what_was_sent_with_every_attempt_by_pages_and_status() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let mine = gateway.sign_up("a@acme.example").await;
        let (path, made) = bot(&gateway, &mine).await;
        let log = format!("{path}/deliveries");
        assert_eq!(gateway.get(&log, &mine.key).await.expect(200), json!({"data": [], "next_cursor": null}));
        for (number, status) in [(1, "success"), (2, "retrying"), (3, "failed")] {
            told(&gateway, &mine, &made, number, status);
        }
        let first = gateway.get(&format!("{log}?limit=2"), &mine.key).await.expect(200);
        assert_eq!((&first["data"][0]["id"], &first["next_cursor"]), (&json!(id(3)), &json!(id(2))));
        let rest = gateway.get(&format!("{log}?limit=2&cursor={}", id(2)), &mine.key).await.expect(200);
        assert_eq!((&rest["data"][0]["id"], &rest["next_cursor"]), (&json!(id(1)), &Value::Null));
        let shown = json!({
            "id": id(2), "bot_id": made["bot_id"], "event_id": id(802), "event_name": "bot.completed",
            "payload": {"z": 1, "a": {}}, "status": "retrying", "attempt_count": 1,
            "next_retry_at": "2026-03-18T17:45:00.000Z", "created_at": "2026-03-18T17:43:46.714Z",
            "updated_at": "2026-03-18T17:43:46.714Z",
            "attempts": [{
                "id": id(902), "delivery_id": id(2), "attempt_number": 1, "triggered_by": "auto", "http_status": 500,
                "response_body": "no", "duration_ms": 12, "success": false, "error_message": "answered 500",
                "created_at": "2026-03-18T17:43:46.714Z"
            }]
        });
        let retrying = gateway.bearing(Method::GET, &format!("{log}?status=retrying"), &mine.token).await;
        assert_eq!(retrying.expect(200), json!({"data": [shown], "next_cursor": null}));
        for (query, field) in [("?limit=101", "limit"), ("?status=lost", "status"), ("?cursor=x", "cursor")] {
            let answer = gateway.get(&format!("{log}{query}"), &mine.key).await;
            assert!(answer.assert_link_error(400, "invalid_request").starts_with(field));
        }
    }
}

async fn retry(gateway: &Gateway, path: &str, delivery: &str, token: &str) -> Answer {
    gateway.bearing(Method::POST, &format!("{path}/deliveries/{delivery}/retry"), token).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_is_sent_again_by_hand() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let mine = gateway.sign_up("a@acme.example").await;
        let (path, made) = bot(&gateway, &mine).await;
        told(&gateway, &mine, &made, 1, "failed");
        let asked = retry(&gateway, &path, &id(1), &mine.token).await.expect(202);
        assert_eq!(
            (&asked["id"], &asked["status"], asked.get("attempts")),
            (&json!(id(1)), &json!("pending"), None)
        );
        retry(&gateway, &path, &id(1), &mine.token).await.assert_link_error(409, "delivery_in_progress");
        for unknown in [id(2).as_str(), "nonsense"] {
            retry(&gateway, &path, unknown, &mine.token).await.assert_link_error(404, "delivery_not_found");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_shows_the_new_secret_once_and_is_noted_without_it() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let mine = gateway.sign_up("a@acme.example").await;
        let (path, made) = bot(&gateway, &mine).await;
        let rotated =
            gateway.bearing(Method::POST, &format!("{path}/rotate-secret"), &mine.token).await.expect(200);
        let secret = format!("whsec_{}", "f".repeat(64));
        assert_eq!(rotated, json!({"bot_id": made["bot_id"], "webhook_secret": secret}));
        assert_ne!(made["webhook_secret"], rotated["webhook_secret"]);
        assert_eq!(gateway.get(&path, &mine.key).await.expect(200).get("webhook_secret"), None);
        let log = gateway.bearing(Method::GET, "/v1/audit", &mine.token).await.expect(200);
        assert!(!log.to_string().contains("whsec_"), "{log}");
        assert_eq!(log[0]["action"], "bot.secret_rotated");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_business_and_whoever_may_only_look_change_nothing() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let (mine, theirs) =
            (gateway.sign_up("a@acme.example").await, gateway.sign_up("b@acme.example").await);
        let (path, made) = bot(&gateway, &theirs).await;
        told(&gateway, &theirs, &made, 1, "failed");
        let doors = [
            (Method::GET, format!("{path}/deliveries")),
            (Method::POST, format!("{path}/deliveries/{}/retry", id(1))),
            (Method::POST, format!("{path}/rotate-secret")),
        ];
        for (method, path) in &doors {
            gateway.bearing(method.clone(), path, &mine.token).await.assert_link_error(404, "bot_not_found");
            let nobody = Answer::of(gateway.request(method.clone(), path).send().await.unwrap()).await;
            nobody.assert_link_error(401, "unauthorized");
        }
        // A delivery of another bot is none of this one.
        let (own, _) = bot(&gateway, &mine).await;
        retry(&gateway, &own, &id(1), &mine.token).await.assert_link_error(404, "delivery_not_found");
        let keys = gateway.get("/v1/api-keys", &theirs.key).await.expect(200);
        let revoke = format!("/v1/api-keys/{}/revoke", keys[0]["id"].as_str().unwrap());
        gateway.bearing(Method::PATCH, &revoke, &theirs.token).await.expect(200);
        for (method, path) in &doors {
            let request = gateway.request(method.clone(), path).header("x-api-key", &theirs.key);
            Answer::of(request.send().await.unwrap()).await.assert_link_error(401, "unauthorized");
        }
        gateway.execute("UPDATE memberships SET role = 'viewer'").await;
        gateway.clock.advance(std::time::Duration::from_secs(5));
        for (at, (method, path)) in doors.iter().enumerate() {
            let answer = gateway.bearing(method.clone(), path, &theirs.token).await;
            if at == 0 {
                answer.expect(200);
            } else {
                answer.assert_link_error(403, "forbidden");
            }
        }
        assert_eq!(lock(&gateway.fakes.told)[0].1.delivery.clone().unwrap().status, "failed");
        let secret = lock(&gateway.fakes.targets).values().any(|t| t.signing_secret.ends_with("ff"));
        assert!(!secret, "nothing was replaced");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_bot_has_no_log() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let mine = gateway.sign_up("a@acme.example").await;
    let (path, made) = bot(&gateway, &mine).await;
    told(&gateway, &mine, &made, 1, "failed");
    gateway.bearing(Method::DELETE, &path, &mine.token).await.expect(204);
    gateway.get(&format!("{path}/deliveries"), &mine.key).await.assert_link_error(404, "bot_not_found");
    assert!(lock(&gateway.fakes.told).is_empty());
}
