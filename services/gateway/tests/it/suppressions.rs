//! The opt-out list at the edge.

use serde_json::json;

use crate::fakes::lock;
use crate::support::{Engine, Gateway, Method, id};

async fn delete(gateway: &Gateway, key: &str, id: &str) -> crate::support::Answer {
    let request = gateway.request(Method::DELETE, &format!("/api/v1/suppressions/{id}"));
    crate::support::Answer::of(request.header("x-api-key", key).send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_is_put_on_the_list_found_there_and_taken_off() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let (account, other) =
        (gateway.sign_up("jane@acme.example").await, gateway.sign_up("joe@other.example").await);
    let body = json!({"phone": "+14155552671", "reason": "Asked by mail"});
    let made = gateway.post("/api/v1/suppressions", &account.key, &body).await.expect(201);
    assert_eq!(made["phone"], "+14155552671");
    assert_eq!((&made["reason"], &made["source"]), (&json!("Asked by mail"), &json!("api")));
    assert!(made["created_at"].as_str().unwrap().ends_with('Z'));
    let again =
        gateway.post("/v1/suppressions", &account.key, &json!({"phone": "+14155552671"})).await.expect(201);
    assert_eq!(again, made);
    assert_eq!(lock(&gateway.fakes.suppressed).len(), 1);

    let second =
        gateway.post("/v1/suppressions", &account.key, &json!({"phone": "+4930901820"})).await.expect(201);
    assert_eq!(second["reason"], json!(null));
    let first_page = gateway.get("/v1/suppressions?limit=1", &account.key).await;
    let cursor = first_page.header("x-next-cursor").unwrap().to_owned();
    assert_eq!(first_page.expect(200), json!([second]));
    let rest = gateway.get(&format!("/v1/suppressions?limit=1&cursor={cursor}"), &account.key).await;
    assert_eq!(rest.expect(200), json!([made]));
    let one = gateway.get("/v1/suppressions?phone=%2B4930901820", &account.key).await.expect(200);
    assert_eq!(one, json!([second]));
    assert_eq!(gateway.get("/v1/suppressions", &other.key).await.expect(200), json!([]));

    delete(&gateway, &other.key, &id(&made)).await.assert_error(404, "suppression_not_found");
    assert_eq!(delete(&gateway, &account.key, &id(&made)).await.status, 204);
    delete(&gateway, &account.key, &id(&made)).await.assert_error(404, "suppression_not_found");
    delete(&gateway, &account.key, "nonsense").await.assert_error(404, "suppression_not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_number_is_refused_and_a_key_answers_once() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    for (body, fields) in [
        (json!({}), vec!["phone"]),
        (json!({"phone": "4155552671"}), vec!["phone"]),
        (json!({"phone": "+14155552671", "reason": 7}), vec!["reason"]),
        (json!({"phone": 1, "reason": "x".repeat(201)}), vec!["phone", "reason"]),
    ] {
        gateway.post("/v1/suppressions", &account.key, &body).await.assert_fields(&fields);
    }
    gateway.get("/v1/suppressions?phone=12", &account.key).await.assert_fields(&["phone"]);
    let body = json!({"phone": "+14155552671"});
    let first = gateway.post_once("/v1/suppressions", &account.key, "k", &body).await;
    assert_eq!(first.header("idempotent-replayed"), None);
    let first = first.expect(201);
    let again = gateway.post_once("/v1/suppressions", &account.key, "k", &body).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.expect(201), first);
}
