//! What is done with a webhook endpoint after it was made, and the log of what was sent to it.

use contracts::webhooks::Attempt;
use serde_json::{Value, json};

use crate::fakes::lock;
use crate::support::{Account, Answer, ENGINES, Gateway, Method, id};

/// An endpoint of an account: its path and itself.
async fn hook(gateway: &Gateway, account: &Account) -> (String, Value) {
    let hooks = format!("/api/v1/projects/{}/webhooks", account.project);
    let wanted = json!({"url": "https://your-server.com/webhooks/echo", "events": ["call.summary"]});
    let made = gateway.post(&hooks, &account.key, &wanted).await.expect(201);
    (format!("{hooks}/{}", id(&made)), made)
}

async fn send(gateway: &Gateway, method: Method, path: &str, key: &str, body: Option<&Value>) -> Answer {
    let request = gateway.request(method, path).header("x-api-key", key);
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_patch_changes_what_is_sent_and_leaves_the_rest() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("a@acme.example").await;
        let (path, made) = hook(&gateway, &account).await;
        let patch = |body: Value| {
            let (gateway, path, key) = (&gateway, &path, &account.key);
            async move { send(gateway, Method::PATCH, path, key, Some(&body)).await }
        };
        let mut expected = made.clone();
        for (field, value) in [
            ("url", json!("https://your-server.com/other")),
            ("events", json!(["call.ended", "call.started"])),
            ("status", json!("disabled")),
        ] {
            expected[field] = value.clone();
            assert_eq!(patch(json!({field: value, "unknown": 1})).await.expect(200), expected);
        }
        assert_eq!(patch(json!({})).await.expect(200), expected);
        assert_eq!(gateway.get(&path, &account.key).await.expect(200), expected);
        let wrong = json!({"url": "ftp://x.com", "status": "deleted", "events": []});
        patch(wrong).await.assert_fields(&["url", "status", "events"]);
        patch(json!({"url": "http://10.0.0.1/"})).await;
        patch(json!([])).await.assert_error(400, "invalid_request");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_endpoint_is_gone() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("a@acme.example").await;
        let (path, _) = hook(&gateway, &account).await;
        let gone = send(&gateway, Method::DELETE, &path, &account.key, None).await;
        assert_eq!(gone.expect(204), json!(""));
        gateway.get(&path, &account.key).await.assert_error(404, "webhook_not_found");
        let again = send(&gateway, Method::DELETE, &path, &account.key, None).await;
        again.assert_error(404, "webhook_not_found");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_answers_the_new_secret_and_nothing_else() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("a@acme.example").await;
        let (path, made) = hook(&gateway, &account).await;
        let rotated =
            gateway.post(&format!("{path}/secret/rotate"), &account.key, &json!({})).await.expect(200);
        let secret = format!("whsec_{}", "f".repeat(64));
        assert_eq!(rotated, json!({"signing_secret": secret}));
        assert_ne!(made["signing_secret"], rotated["signing_secret"]);
        assert_eq!(gateway.get(&path, &account.key).await.expect(200)["signing_secret"], secret);
    }
}

/// `count` test deliveries; the fifth failed after one attempt.
async fn log(gateway: &Gateway, account: &Account, path: &str, count: usize) -> Vec<Value> {
    let mut sent = Vec::new();
    for _ in 0..count {
        sent.push(send(gateway, Method::POST, &format!("{path}/test"), &account.key, None).await.expect(202));
    }
    if let Some(logged) = lock(&gateway.fakes.deliveries).get_mut(4) {
        let delivery = logged.delivery.as_mut().unwrap();
        (delivery.status, delivery.next_retry_at_ms) = ("retrying".into(), Some(1_773_855_900_000));
        logged.attempts = vec![Attempt {
            id: "01890a5d-ac96-774b-bcce-b302099a8057".into(),
            delivery_id: delivery.id.clone(),
            attempt_number: 1,
            triggered_by: "auto".into(),
            http_status: Some(500),
            response_body: Some("no".into()),
            duration_ms: Some(12),
            error_message: Some("answered 500".into()),
            created_at_ms: 1_773_855_826_714,
            ..Attempt::default()
        }];
    }
    sent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_answers_the_delivery_that_it_has_made() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("a@acme.example").await;
        let (path, made) = hook(&gateway, &account).await;
        let sent = log(&gateway, &account, &path, 1).await.remove(0);
        assert_eq!(sent["webhook_endpoint_id"], made["id"]);
        assert_eq!((&sent["event_name"], &sent["status"]), (&json!("webhook.test"), &json!("pending")));
        assert_eq!((&sent["next_retry_at"], &sent["attempt_count"]), (&Value::Null, &json!(0)));
        assert_eq!(sent["created_at"], "2026-03-18T17:43:46.714Z");
        let names: Vec<&str> = sent.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names.len(), 11, "{names:?}");
        let text =
            gateway.request(Method::GET, &format!("{path}/deliveries")).header("x-api-key", &account.key);
        let text = text.send().await.unwrap().text().await.unwrap();
        assert!(text.contains(r#""payload":{"z": 1, "a": {}}"#), "as it was sent: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_has_pages_of_fifty_unless_asked_otherwise_and_filters() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("a@acme.example").await;
        let (path, _) = hook(&gateway, &account).await;
        log(&gateway, &account, &path, 52).await;
        let read = |query: String| {
            let (gateway, path, key) = (&gateway, &path, &account.key);
            async move { gateway.get(&format!("{path}/deliveries{query}"), key).await }
        };
        let first = read(String::new()).await.expect(200);
        assert_eq!(first["data"].as_array().unwrap().len(), 50);
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = read(format!("?cursor={cursor}")).await.expect(200);
        assert_eq!((second["data"].as_array().unwrap().len(), &second["next_cursor"]), (2, &Value::Null));
        assert_eq!(read("?limit=3".to_owned()).await.expect(200)["data"].as_array().unwrap().len(), 3);
        let retrying = read("?status=retrying&event_name=webhook.test".to_owned()).await.expect(200);
        assert_eq!(retrying["data"].as_array().unwrap().len(), 1);
        assert_eq!(retrying["data"][0]["next_retry_at"], "2026-03-18T17:45:00.000Z");
        assert_eq!(read("?event_name=call.ended".to_owned()).await.expect(200)["data"], json!([]));
        for (query, field) in [
            ("?limit=0", "limit"),
            ("?limit=101", "limit"),
            ("?limit=x", "limit"),
            ("?status=lost", "status"),
            ("?event_name=call", "event_name"),
            ("?cursor=x", "cursor"),
        ] {
            read(query.to_owned()).await.assert_fields(&[field]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_shows_its_attempts_and_is_tried_again_on_request() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("a@acme.example").await;
        let (path, _) = hook(&gateway, &account).await;
        let sent = log(&gateway, &account, &path, 5).await;
        let one = format!("{path}/deliveries/{}", id(&sent[4]));
        let shown = gateway.get(&one, &account.key).await.expect(200);
        let attempt = json!({
            "id": "01890a5d-ac96-774b-bcce-b302099a8057", "delivery_id": sent[4]["id"], "attempt_number": 1,
            "triggered_by": "auto", "http_status": 500, "response_body": "no", "duration_ms": 12, "success": false,
            "error_message": "answered 500", "created_at": "2026-03-18T17:43:46.714Z"
        });
        assert_eq!((&shown["id"], &shown["attempts"]), (&sent[4]["id"], &json!([attempt])));
        let asked =
            send(&gateway, Method::POST, &format!("{one}/retry"), &account.key, None).await.expect(202);
        assert_eq!((&asked["id"], &asked["status"]), (&sent[4]["id"], &json!("pending")));
        assert_eq!(asked.get("attempts"), None);
        let again = send(&gateway, Method::POST, &format!("{one}/retry"), &account.key, None).await;
        again.assert_error(409, "delivery_in_progress");
        for unknown in ["nonsense", "01890a5d-ac96-774b-bcce-b302099a0000"] {
            let unknown = format!("{path}/deliveries/{unknown}");
            gateway.get(&unknown, &account.key).await.assert_error(404, "delivery_not_found");
            let retried = send(&gateway, Method::POST, &format!("{unknown}/retry"), &account.key, None).await;
            retried.assert_error(404, "delivery_not_found");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_business_sees_and_does_nothing() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let (mine, theirs) =
            (gateway.sign_up("a@acme.example").await, gateway.sign_up("b@acme.example").await);
        let (path, made) = hook(&gateway, &theirs).await;
        let sent = id(&log(&gateway, &theirs, &path, 1).await[0]);
        let in_mine = format!("/api/v1/projects/{}/webhooks/{}", mine.project, id(&made));
        for (base, code) in [(&path, "project_not_found"), (&in_mine, "webhook_not_found")] {
            for (method, below) in [
                (Method::PATCH, ""),
                (Method::DELETE, ""),
                (Method::POST, "/secret/rotate"),
                (Method::POST, "/test"),
                (Method::GET, "/deliveries"),
            ] {
                let answer =
                    send(&gateway, method, &format!("{base}{below}"), &mine.key, Some(&json!({}))).await;
                answer.assert_error(404, code);
            }
        }
        for (base, code) in [(&path, "project_not_found"), (&in_mine, "delivery_not_found")] {
            let one = format!("{base}/deliveries/{sent}");
            gateway.get(&one, &mine.key).await.assert_error(404, code);
            send(&gateway, Method::POST, &format!("{one}/retry"), &mine.key, None)
                .await
                .assert_error(404, code);
        }
        assert_eq!(gateway.get(&path, &theirs.key).await.expect(200), made);
        assert_eq!(lock(&gateway.fakes.deliveries).len(), 1);
    }
}
