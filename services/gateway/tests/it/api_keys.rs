//! Keys of a project.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, ENGINES, Engine, Gateway, Method, id};

async fn revoke(gateway: &Gateway, key: &str, id: &str) -> Answer {
    let path = format!("/api/v1/api-keys/{id}/revoke");
    Answer::of(gateway.request(Method::PATCH, &path).header("x-api-key", key).send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_shown_once_listed_by_its_prefix_and_refused_once_revoked() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let made = gateway.post("/api/v1/api-keys", &account.key, &json!({"name": "ci"})).await.expect(201);
        let key = made["key"].as_str().unwrap();
        assert_eq!(made["key_prefix"].as_str().unwrap(), &key[..16]);
        assert_eq!((&made["name"], &made["status"]), (&json!("ci"), &json!("active")));
        let listed = gateway.get("/v1/api-keys", key).await.expect(200);
        assert_eq!(listed[0]["id"], made["id"]);
        assert_eq!(listed[1]["name"], "default");
        assert!(!listed.to_string().contains(key));
        assert!(listed[0].get("key_hash").is_none() && listed[0]["updated_at"].is_string());
        let revoked = revoke(&gateway, &account.key, &id(&made)).await.expect(200);
        assert_eq!(revoked["status"], "revoked");
        assert!(revoked.get("key").is_none());
        gateway.get("/v1/api-keys", key).await.assert_error(401, "unauthorized");
        assert_eq!(revoke(&gateway, &account.key, &id(&made)).await.expect(200), revoked);
        assert!(gateway.stored_keys().await.iter().all(|text| !text.contains(key)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_is_refused_by_every_replica_within_five_seconds() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let replica = gateway.replica().await;
        let account = gateway.sign_up("jane@acme.example").await;
        let made = gateway.post("/v1/api-keys", &account.key, &json!({"name": "ci"})).await.expect(201);
        let key = made["key"].as_str().unwrap();
        replica.get("/v1/customers", key).await.expect(200);
        revoke(&gateway, &account.key, &id(&made)).await.expect(200);
        gateway.get("/v1/customers", key).await.assert_error(401, "unauthorized");
        replica.clock.advance(Duration::from_secs(5));
        replica.get("/v1/customers", key).await.assert_error(401, "unauthorized");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_has_fifty_active_keys_and_a_revoked_one_makes_room() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let make = async || gateway.post("/v1/api-keys", &account.key, &json!({"name": "ci"})).await;
        for _ in 1..50 {
            make().await.expect(201);
        }
        let rows = gateway.rows().await;
        make().await.assert_error(409, "api_key_limit_reached");
        assert_eq!(gateway.rows().await, rows);
        let listed = gateway.get("/v1/api-keys", &account.key).await.expect(200);
        revoke(&gateway, &account.key, &id(&listed[0])).await.expect(200);
        make().await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_may_revoke_itself() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let listed = gateway.get("/v1/api-keys", &account.key).await.expect(200);
    revoke(&gateway, &account.key, &id(&listed[0])).await.expect(200);
    gateway.get("/v1/api-keys", &account.key).await.assert_error(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_good_key_nothing_is_seen() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    gateway.sign_up("jane@acme.example").await;
    let none = gateway.request(Method::GET, "/v1/agents").send().await.unwrap();
    Answer::of(none).await.assert_error(401, "unauthorized");
    for key in ["", "echo_", "nonsense", &format!("echo_{}", "0".repeat(64))] {
        gateway.get("/v1/agents", key).await.assert_error(401, "unauthorized");
    }
    let binary = gateway.request(Method::GET, "/v1/agents").header("x-api-key", b"\xff\xfe".as_slice());
    Answer::of(binary.send().await.unwrap()).await.assert_error(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_business_key_cannot_be_revoked() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let (mine, theirs) = (gateway.sign_up("a@acme.example").await, gateway.sign_up("b@acme.example").await);
    let listed: Value = gateway.get("/v1/api-keys", &theirs.key).await.expect(200);
    revoke(&gateway, &mine.key, &id(&listed[0])).await.assert_error(404, "api_key_not_found");
    revoke(&gateway, &mine.key, "nonsense").await.assert_error(404, "api_key_not_found");
    gateway.get("/v1/agents", &theirs.key).await.expect(200);
}
