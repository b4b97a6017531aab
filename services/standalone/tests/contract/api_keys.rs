//! The keys of a project.

use std::sync::Arc;

use serde_json::json;

use crate::client::{Account, Client};
use crate::echo::Echo;
use crate::promises;
use crate::shape::{elements, fields, has, ids, is_secret, text, times};

promises! {
    making_a_key_answers_201_with_the_key_that_is_shown_only_here;
    a_key_needs_a_name;
    listing_keys_answers_an_array_without_any_key_or_hash;
    revoking_a_key_answers_the_same_object_as_revoked;
    a_key_is_active_until_it_is_revoked_and_then_refused;
    keys_are_those_of_the_project_and_there_may_be_several;
}

async fn making_a_key_answers_201_with_the_key_that_is_shown_only_here(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let made = own.api.post("/api/v1/api-keys", &json!({"name": "production"})).await.is(201);
    has(&made, &["id", "name", "key", "key_prefix", "status", "created_at"]);
    ids(&made, &["id"]);
    times(&made, &["created_at"]);
    assert_eq!(made["name"], "production");
    assert_eq!(made["status"], "active");
    assert!(is_secret(text(&made, "key"), "echo_"), "{made}");
    assert_eq!(text(&made, "key_prefix"), &text(&made, "key")[..16]);
    let listed = own.api.get("/api/v1/api-keys").await.is(200);
    assert!(!listed.to_string().contains(text(&made, "key")), "{listed}");
}

async fn a_key_needs_a_name(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    for body in [json!({}), json!({"name": null}), json!({"name": 5}), json!({"name": ""})] {
        own.api.post("/api/v1/api-keys", &body).await.refuses(400, "name");
    }
}

async fn listing_keys_answers_an_array_without_any_key_or_hash(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    own.api.post("/api/v1/api-keys", &json!({"name": "second"})).await.is(201);
    let listed = own.api.get("/api/v1/api-keys").await.is(200);
    assert_eq!(elements(&listed).len(), 2);
    for key in elements(&listed) {
        has(key, &["id", "name", "key_prefix", "status", "created_at", "updated_at"]);
        times(key, &["created_at", "updated_at"]);
        let secret = |name: &&str| *name == "key" || name.contains("hash");
        assert_eq!(fields(key).into_iter().find(secret), None, "{key}");
    }
}

async fn revoking_a_key_answers_the_same_object_as_revoked(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let made = own.api.post("/api/v1/api-keys", &json!({"name": "old"})).await.is(201);
    let path = format!("/api/v1/api-keys/{}/revoke", text(&made, "id"));
    let revoked = own.api.send(reqwest::Method::PATCH, &path, None).await.is(200);
    has(&revoked, &["id", "name", "key_prefix", "status", "created_at", "updated_at"]);
    assert_eq!(revoked["status"], "revoked");
    for same in ["id", "name", "key_prefix", "created_at"] {
        assert_eq!(revoked[same], made[same], "{same}");
    }
    let listed = own.api.get("/api/v1/api-keys").await.is(200);
    assert!(elements(&listed).contains(&revoked), "{listed}");
}

async fn a_key_is_active_until_it_is_revoked_and_then_refused(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let new = own.api.post("/api/v1/api-keys", &json!({"name": "new"})).await.is(201);
    let rotated = own.api.with_key(text(&new, "key"));
    let listed = rotated.get("/api/v1/api-keys").await.is(200);
    let of = |name: &str| elements(&listed).iter().find(|key| key["name"] == name).expect("the key");
    assert_eq!([&of("new")["status"], &of("default")["status"]], ["active", "active"]);
    let path = format!("/api/v1/api-keys/{}/revoke", text(of("default"), "id"));
    rotated.send(reqwest::Method::PATCH, &path, None).await.is(200);
    own.api.get("/api/v1/agents").await.is(401);
    rotated.get("/api/v1/agents").await.is(200);
}

async fn keys_are_those_of_the_project_and_there_may_be_several(echo: Arc<Echo>) {
    let (own, other) = (Account::new(&echo).await, Account::new(&echo).await);
    let stranger = Client::stranger(&echo);
    for name in ["second", "third"] {
        let made = own.api.post("/api/v1/api-keys", &json!({"name": name})).await.is(201);
        let customer = own.customer().await;
        let path = format!("/api/v1/customers/{}", text(&customer, "id"));
        let found = stranger.with_key(text(&made, "key")).get(&path).await.is(200);
        assert_eq!(found["project_id"], own.project.as_str());
    }
    let theirs = other.api.get("/api/v1/api-keys").await.is(200);
    assert_eq!(elements(&theirs).len(), 1, "{theirs}");
    let path = format!("/api/v1/api-keys/{}/revoke", text(&theirs[0], "id"));
    own.api.send(reqwest::Method::PATCH, &path, None).await.is(404);
}
