//! Signing up and logging in.

use serde_json::{Value, json};

use crate::support::{Answer, ENGINES, Engine, Gateway, Method, signup};

async fn login(gateway: &Gateway, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password});
    Answer::of(gateway.request(Method::POST, "/api/auth/login").json(&body).send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_signed_up_can_log_in_and_the_token_works_like_a_key() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("Jane@Acme.example").await;
        let body = login(&gateway, "jane@acme.EXAMPLE", "YourPassword123!").await.expect(200);
        assert_eq!(body["user"]["email"], "Jane@Acme.example");
        assert_eq!(body["business"], json!({"id": account.business, "name": "Acme Inc"}));
        assert!(body.get("default_project").is_none());
        let bearer = |token: &str| format!("Bearer {token}");
        let list = |authorization: String| {
            let request =
                gateway.request(Method::GET, "/v1/customers").header("Authorization", authorization);
            async { Answer::of(request.send().await.unwrap()).await }
        };
        let token = body["access_token"].as_str().unwrap();
        assert_eq!(list(bearer(token)).await.expect(200), json!([]));
        assert_eq!(list(bearer(&account.token)).await.expect(200), json!([]));
        list(bearer(body["refresh_token"].as_str().unwrap())).await.assert_error(401, "unauthorized");
        list(bearer(&format!("{token}x"))).await.assert_error(401, "unauthorized");
        list(format!("Basic {token}")).await.assert_error(401, "unauthorized");
        gateway.clock.advance(std::time::Duration::from_secs(3601));
        list(bearer(token)).await.assert_error(401, "unauthorized");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_and_an_unknown_address_get_the_same_answer() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    gateway.sign_up("jane@acme.example").await;
    let mut answers = Vec::new();
    for (email, password) in [
        ("jane@acme.example", "WrongPassword1!"),
        ("nobody@acme.example", "WrongPassword1!"),
        ("no address", "WrongPassword1!"),
        ("jane@acme.example", "short"),
    ] {
        let answer = login(&gateway, email, password).await;
        answer.assert_error(401, "invalid_credentials");
        let mut body = answer.body;
        body["request_id"] = Value::Null;
        answers.push(body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_can_sign_up_once_in_whatever_case_and_signup_ignores_idempotency_keys() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        gateway.sign_up("jane@acme.example").await;
        let before = gateway.rows().await;
        let again = gateway.request(Method::POST, "/auth/signup").header("Idempotency-Key", "one");
        let again = again.json(&signup("JANE@acme.example")).send().await.unwrap();
        Answer::of(again).await.assert_error(409, "email_taken");
        assert_eq!(gateway.rows().await, before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signup_tells_everything_that_is_wrong_and_stores_nothing() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let post = |body: Value| {
            let request = gateway.request(Method::POST, "/auth/signup").json(&body);
            async { Answer::of(request.send().await.unwrap()).await }
        };
        post(json!({})).await.assert_fields(&[
            "email",
            "password",
            "first_name",
            "last_name",
            "business_name",
            "business_summary",
            "industry",
        ]);
        let with = |field: &str, value: Value| {
            let mut body = signup("jane@acme.example");
            body[field] = value;
            body
        };
        for (field, value) in [
            ("email", json!("jane")),
            ("email", json!(7)),
            ("password", json!("1234567")),
            ("password", json!("x".repeat(129))),
            ("first_name", json!("a\0b")),
            ("last_name", json!("")),
            ("business_name", json!("x".repeat(201))),
            ("business_summary", json!("x".repeat(4001))),
            ("industry", json!(null)),
        ] {
            post(with(field, value)).await.assert_fields(&[field]);
        }
        assert!(gateway.rows().await.iter().all(|(_, n)| *n == 0));
    }
}
