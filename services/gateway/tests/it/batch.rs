//! Many notifications in one request: each row stands for itself, and whoever asks again places nothing twice.

use std::collections::BTreeSet;
use std::time::Duration;

use contracts::rpc::RpcError;
use serde_json::{Value, json};
use testkit::wait::eventually;

use crate::fakes::lock;
use crate::support::{ENGINES, Engine, Gateway, customer, id};

const BATCH: &str = "/api/v1/notifications/batch";

fn row(external_id: &str) -> Value {
    json!({"customer_external_id": external_id, "message": "Hello"})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_row_of_a_batch_stands_for_itself() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let made = gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
        let rows = json!({"notifications": [
            row("user_1"),
            row("nobody"),
            {"customer": customer("user_2"), "message": "Hello"},
            {"customer": customer("user_2"), "message": "Again"},
            {"customer_id": id(&made)},
            7,
        ]});
        for keyed in [false, true] {
            let answer = match keyed {
                false => gateway.post(BATCH, &account.key, &rows).await,
                true => gateway.post_once(BATCH, &account.key, "k", &rows).await,
            };
            let results = answer.expect(200)["results"].as_array().unwrap().clone();
            let statuses: Vec<_> = results.iter().map(|r| r["status"].as_u64().unwrap()).collect();
            assert_eq!(statuses, [201, 404, 201, 201, 400, 400], "{results:?}");
            assert!(results.iter().enumerate().all(|(n, r)| r["index"] == json!(n)));
            assert_eq!(results[0]["notification"]["customer_id"], made["id"]);
            assert_eq!(results[0]["call"]["status"], json!("queued"));
            assert_eq!(results[1]["error"]["code"], json!("customer_not_found"));
            assert_eq!(results[2]["notification"]["customer_id"], results[3]["notification"]["customer_id"]);
            assert_eq!(results[4]["error"]["details"][0]["field"], json!("message"));
            assert_eq!(results[5]["error"]["statusCode"], json!(400));
        }
        assert!(gateway.rows().await.contains(&("customers", 2)));
        assert!(gateway.rows().await.contains(&("placings", 0)));
        assert!(lock(&gateway.fakes.withdrawn).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_rows_are_placed_once_however_often_they_are_asked_for() {
    let gateway = Gateway::start(Engine::Postgres).await;
    let account = gateway.sign_up("jane@acme.example").await;
    gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
    let rows: Vec<Value> = (0..1000).map(|_| row("user_1")).collect();
    // The first attempt loses sight of one row: its answer is not kept, and the next attempt goes on with it.
    gateway.fakes.fail_next(RpcError::DeadlineExceeded);
    let first = gateway.post_once(BATCH, &account.key, "k", &json!(rows)).await.expect(200);
    let lost = first["results"].as_array().unwrap().iter().filter(|r| r["status"] == json!(503)).count();
    assert_eq!(lost, 1);
    let second = gateway.post_once(BATCH, &account.key, "k", &json!(rows)).await;
    assert_eq!(second.header("idempotent-replayed"), None);
    let second = second.expect(200);
    assert!(second["results"].as_array().unwrap().iter().all(|r| r["status"] == json!(201)));
    let third = gateway.post_once(BATCH, &account.key, "k", &json!(rows)).await;
    assert_eq!(third.header("idempotent-replayed"), Some("true"));
    assert_eq!(third.expect(200), second);
    let placed = lock(&gateway.fakes.placed).clone();
    let ids: BTreeSet<_> = placed.iter().map(|p| p.notification_id.clone()).collect();
    assert_eq!((placed.len(), ids.len()), (1000, 1000));
    let in_order: Vec<_> =
        second["results"].as_array().unwrap().iter().map(|r| id(&r["notification"])).collect();
    assert!(in_order.is_sorted(), "the ids follow the rows");
    let other = gateway.post_once(BATCH, &account.key, "k", &json!([row("user_1")])).await;
    other.assert_error(422, "idempotency_mismatch");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_key_only_the_row_that_nobody_knows_about_is_withdrawn() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
        gateway.fakes.fail_next(RpcError::DeadlineExceeded);
        let rows = json!([row("user_1"), row("nobody"), row("user_1"), row("user_1")]);
        let results = gateway.post(BATCH, &account.key, &rows).await.expect(200)["results"].clone();
        let mut statuses: Vec<_> =
            results.as_array().unwrap().iter().map(|r| r["status"].as_u64().unwrap()).collect();
        assert_eq!(statuses[1], 404, "{results}");
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 201, 404, 503]);
        let withdrawn = eventually("the withdrawal", Duration::from_secs(60), || async {
            let withdrawn = lock(&gateway.fakes.withdrawn).clone();
            if withdrawn.is_empty() { Err("nothing yet") } else { Ok(withdrawn) }
        })
        .await;
        assert_eq!(withdrawn.len(), 1);
        let placed: BTreeSet<String> = results
            .as_array()
            .unwrap()
            .iter()
            .filter(|r| r["status"] == json!(201))
            .map(|r| id(&r["notification"]))
            .collect();
        assert!(!placed.contains(&withdrawn[0].notification_id));
        assert!(gateway.rows().await.contains(&("placings", 0)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_has_one_to_a_thousand_rows_and_four_mebibytes() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    for body in [json!([]), json!({}), json!({"notifications": 7}), json!(vec![row("u"); 1001])] {
        gateway.post(BATCH, &account.key, &body).await.assert_fields(&["notifications"]);
    }
    let large = |bytes: usize| json!([{"customer_external_id": "u", "message": "m", "x": "x".repeat(bytes)}]);
    gateway.post(BATCH, &account.key, &large(3 * 1024 * 1024)).await.expect(200);
    gateway.post(BATCH, &account.key, &large(4 * 1024 * 1024)).await.assert_error(413, "payload_too_large");
}
