//! Errors: one body for all of them, and what each status means.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::{Account, Client, new_customer, new_phone};
use crate::echo::Echo;
use crate::promises;
use crate::shape::{has, text};

promises! {
    every_error_says_status_code_message_and_reason_phrase;
    a_customer_who_is_not_there_is_404_customer_not_found;
    a_body_that_fails_validation_is_400;
    a_key_that_is_missing_or_invalid_is_401;
    a_credential_that_is_too_weak_is_403;
    a_customer_agent_or_notification_of_somebody_else_is_404;
    an_external_id_that_is_used_in_the_project_is_409;
}

const NOBODY: &str = "8cc6199f-9466-46f2-9db7-936f3c2c1c0b";

fn is_error(body: &Value, status: u16, reason: &str) {
    has(body, &["statusCode", "message", "error"]);
    assert_eq!(body["statusCode"], status, "{body}");
    assert_eq!(body["error"], reason, "{body}");
    assert!(!text(body, "message").is_empty(), "{body}");
}

async fn every_error_says_status_code_message_and_reason_phrase(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let customer = new_customer(&new_phone());
    own.api.post("/api/v1/customers", &customer).await.is(201);
    let nobody = Client::stranger(&echo);
    for (answer, status, reason) in [
        (own.api.post("/api/v1/customers", &json!({})).await, 400, "Bad Request"),
        (nobody.get("/api/v1/customers").await, 401, "Unauthorized"),
        (own.api.get(&format!("/api/v1/agents/{NOBODY}")).await, 404, "Not Found"),
        (own.api.get("/api/v1/nothing").await, 404, "Not Found"),
        (own.api.delete("/api/v1/customers").await, 405, "Method Not Allowed"),
        (own.api.post("/api/v1/customers", &customer).await, 409, "Conflict"),
    ] {
        is_error(&answer.is(status), status, reason);
    }
}

async fn a_customer_who_is_not_there_is_404_customer_not_found(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let answer = own.api.get(&format!("/api/v1/customers/{NOBODY}")).await.is(404);
    is_error(&answer, 404, "Not Found");
    assert_eq!(answer["message"], "Customer not found");
}

async fn a_body_that_fails_validation_is_400(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let hooks = own.webhooks();
    for path in ["/api/v1/customers", "/api/v1/agents", "/api/v1/notifications", "/api/v1/api-keys", &hooks] {
        for body in [json!({}), json!([]), json!("text"), json!(null)] {
            is_error(&own.api.post(path, &body).await.is(400), 400, "Bad Request");
        }
    }
    is_error(&own.api.post("/auth/signup", &json!({"email": 1})).await.is(400), 400, "Bad Request");
}

async fn a_key_that_is_missing_or_invalid_is_401(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let nobody = Client::stranger(&echo);
    let short = &own.key()[..68];
    for client in [nobody.clone(), nobody.with_key(""), nobody.with_key("sk_live_1"), nobody.with_key(short)]
    {
        is_error(&client.get("/api/v1/customers").await.is(401), 401, "Unauthorized");
    }
}

async fn a_credential_that_is_too_weak_is_403(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    // A key is good, but it is nobody's account.
    is_error(&own.api.get("/auth/me").await.is(403), 403, "Forbidden");
}

async fn a_customer_agent_or_notification_of_somebody_else_is_404(echo: Arc<Echo>) {
    let (own, other) = (Account::new(&echo).await, Account::new(&echo).await);
    let placed = own.ring().await;
    let notification = &placed["notification"];
    for (path, id, message) in [
        ("customers", "customer_id", "Customer not found"),
        ("agents", "agent_id", "Agent not found"),
        ("notifications", "id", "Notification not found"),
    ] {
        let path = format!("/api/v1/{path}/{}", text(notification, id));
        own.api.get(&path).await.is(200);
        let refused = other.api.get(&path).await.is(404);
        is_error(&refused, 404, "Not Found");
        assert_eq!(refused["message"], message);
    }
}

async fn an_external_id_that_is_used_in_the_project_is_409(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let customer = own.customer().await;
    let mut again = new_customer(&new_phone());
    again["external_id"] = customer["external_id"].clone();
    is_error(&own.api.post("/api/v1/customers", &again).await.is(409), 409, "Conflict");
}
