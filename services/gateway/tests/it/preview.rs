//! Who would be rung, asked at the edge.

use contracts::calls::RuleVerdict;
use contracts::ids::CustomerId;
use serde_json::{Value, json};

use crate::fakes::lock;
use crate::support::{ENGINES, Engine, Gateway, customer, id};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_told_about_in_the_order_in_which_they_were_named() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let make = |external: &str, phone: &str, more: Value| {
            let mut body = customer(external);
            body["phone"] = json!(phone);
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let berlin = make("user_1", "+14155550001", json!({"timezone": "Europe/Berlin"}));
        let berlin = gateway.post("/v1/customers", &account.key, &berlin).await.expect(201);
        let away = gateway
            .post("/v1/customers", &account.key, &make("user_2", "+14155550002", json!({})))
            .await
            .expect(201);
        let phone =
            format!("/v1/customers/{}/phones/{}", id(&away), away["phones"][0]["id"].as_str().unwrap());
        let patch = gateway.request(reqwest::Method::PATCH, &phone).header("x-api-key", &account.key);
        patch.json(&json!({"status": "unreachable"})).send().await.unwrap().error_for_status().unwrap();
        lock(&gateway.fakes.verdicts).insert(
            "+14155550003".to_owned(),
            RuleVerdict {
                would_ring: false,
                blocked_by: "calling_hours".into(),
                until_ms: Some(1_773_855_826_714),
            },
        );
        let nobody = CustomerId::new().to_string();
        let body = json!({"customers": [
            {"customer_external_id": "user_1"}, {"phone": "+14155550003"}, {"customer_id": nobody},
            {"customer_id": id(&away)}, {"customer_id": id(&berlin)}
        ]});
        let told = gateway.post("/api/v1/notifications/preview", &account.key, &body).await.expect(200);
        assert_eq!((&told["would_ring"], &told["would_not"]), (&json!(2), &json!(3)));
        let rung = json!({
            "customer_id": id(&berlin), "external_id": "user_1", "phone": "+14155550001", "would_ring": true,
            "blocked_by": null, "until": null, "problem": null
        });
        assert_eq!((&told["results"][0], &told["results"][4]), (&rung, &rung));
        assert_eq!(
            told["results"][1],
            json!({
                "customer_id": null, "external_id": null, "phone": "+14155550003", "would_ring": false,
                "blocked_by": "calling_hours", "until": "2026-03-18T17:43:46.714Z", "problem": null
            })
        );
        assert_eq!(told["results"][2]["customer_id"], json!(nobody));
        assert!(told["results"][2]["problem"].as_str().unwrap().contains("no such customer"), "{told}");
        assert!(told["results"][3]["problem"].as_str().unwrap().contains("unreachable"), "{told}");
        let asked = lock(&gateway.fakes.previewed).clone();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].project_id, account.project);
        let zones: Vec<Option<String>> =
            asked[0].customers.iter().map(|c| c.standing.clone().map(|s| s.time_zone)).collect();
        assert_eq!(zones, [Some("Europe/Berlin".to_owned()), None, Some("Europe/Berlin".to_owned())]);
        assert!(lock(&gateway.fakes.placed).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_projects_customer_is_nobody_and_a_thousand_are_the_most() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let (account, other) =
        (gateway.sign_up("jane@acme.example").await, gateway.sign_up("joe@other.example").await);
    let theirs = gateway.post("/v1/customers", &other.key, &customer("user_1")).await.expect(201);
    let body = json!({"customer_ids": [id(&theirs)]});
    let told = gateway.post("/v1/notifications/preview", &account.key, &body).await.expect(200);
    assert_eq!((&told["would_ring"], &told["results"][0]["phone"]), (&json!(0), &json!(null)));
    assert!(lock(&gateway.fakes.previewed).is_empty(), "nobody is left to ask about");
    let many = |n: usize| json!({"customer_ids": vec![id(&theirs); n]});
    gateway.post("/v1/notifications/preview", &account.key, &many(1_000)).await.expect(200);
    for (body, field) in [
        (many(1_001), "customer_ids"),
        (many(0), "customer_ids"),
        (json!({}), "customers"),
        (json!({"customer_ids": [id(&theirs)], "customers": [{"phone": "+14155550003"}]}), "customers"),
        (json!({"customers": [{"phone": "12"}]}), "customers/0/phone"),
        (json!({"customer_ids": ["x"]}), "customer_ids/0"),
    ] {
        gateway.post("/v1/notifications/preview", &account.key, &body).await.assert_fields(&[field]);
    }
}
