//! Fixed windows.

use std::time::Duration;

use crate::support::{Answer, Engine, GATEWAY, Gateway, Method};

/// To the beginning of a minute, so that no window ends in the middle of a test.
fn at_a_minutes_beginning(gateway: &Gateway) {
    let second = gateway.clock.now().timestamp().rem_euclid(60);
    gateway.clock.advance(Duration::from_secs(u64::try_from(60 - second).unwrap()));
}

async fn login(gateway: &Gateway, forwarded: Option<&str>) -> Answer {
    let mut request = gateway.request(Method::POST, "/auth/login").json(&serde_json::json!({}));
    if let Some(forwarded) = forwarded {
        request = request.header("X-Forwarded-For", forwarded);
    }
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sixtieth_request_to_auth_in_a_minute_passes_and_the_sixty_first_does_not() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    at_a_minutes_beginning(&gateway);
    for n in 1..=60 {
        let answer = login(&gateway, Some("203.0.113.7")).await;
        assert_eq!(answer.status, 400, "{n}");
    }
    let refused = login(&gateway, Some("203.0.113.8")).await;
    refused.assert_error(429, "rate_limited");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert_eq!(refused.header("ratelimit-policy"), Some("\"default\";q=60;w=60"));
    assert!(refused.header("ratelimit").unwrap().starts_with("\"default\";r=0;t="));
    let signup = gateway.request(Method::POST, "/api/auth/signup").json(&serde_json::json!({}));
    Answer::of(signup.send().await.unwrap()).await.assert_error(429, "rate_limited");
    gateway.clock.advance(Duration::from_secs(wait));
    assert_eq!(login(&gateway, None).await.status, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_trusted_proxy_every_client_has_its_own_window() {
    let extra = [("ECHO_TRUSTED_PROXIES", "127.0.0.0/8"), ("ECHO_RATE_LIMIT_AUTH", "1")];
    let gateway = Gateway::start_with(Engine::Sqlite, GATEWAY, &extra).await;
    at_a_minutes_beginning(&gateway);
    assert_eq!(login(&gateway, Some("9.9.9.9, 203.0.113.7")).await.status, 400);
    login(&gateway, Some("8.8.8.8, 203.0.113.7")).await.assert_error(429, "rate_limited");
    assert_eq!(login(&gateway, Some("203.0.113.8")).await.status, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_may_send_only_so_many_wrong_keys_and_right_ones_all_the_same() {
    let extra = [("ECHO_TRUSTED_PROXIES", "127.0.0.0/8"), ("ECHO_RATE_LIMIT_AUTH", "3")];
    let gateway = Gateway::start_with(Engine::Sqlite, GATEWAY, &extra).await;
    let account = gateway.sign_up("jane@acme.example").await;
    at_a_minutes_beginning(&gateway);
    let ask = async |key: &str, from: &str| {
        let request = gateway.request(Method::GET, "/v1/agents").header("x-api-key", key);
        Answer::of(request.header("X-Forwarded-For", from).send().await.unwrap()).await
    };
    let unknown = format!("echo_{}", "0".repeat(64));
    for wrong in ["nonsense", &unknown, &unknown] {
        ask(wrong, "203.0.113.7").await.assert_error(401, "unauthorized");
    }
    for wrong in ["nonsense", &unknown] {
        let refused = ask(wrong, "203.0.113.7").await;
        refused.assert_error(429, "rate_limited");
        assert!(refused.header("retry-after").is_some());
    }
    ask(&account.key, "203.0.113.7").await.expect(200);
    ask(&unknown, "203.0.113.8").await.assert_error(401, "unauthorized");
    gateway.clock.advance(Duration::from_secs(60));
    ask(&unknown, "203.0.113.7").await.assert_error(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_has_its_window_and_other_keys_have_theirs() {
    let gateway = Gateway::start_with(Engine::Sqlite, GATEWAY, &[("ECHO_RATE_LIMIT_KEY", "2")]).await;
    let (one, two) = (gateway.sign_up("a@acme.example").await, gateway.sign_up("b@acme.example").await);
    at_a_minutes_beginning(&gateway);
    let first = gateway.get("/v1/agents", &one.key).await;
    assert_eq!(first.header("ratelimit-policy"), Some("\"default\";q=2;w=60"));
    assert!(first.header("ratelimit").unwrap().starts_with("\"default\";r=1;t="));
    assert_eq!(gateway.get("/v1/agents", &one.key).await.status, 200);
    gateway.get("/v1/agents", &one.key).await.assert_error(429, "rate_limited");
    assert_eq!(gateway.get("/v1/agents", &two.key).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_can_be_switched_off() {
    let extra = [("ECHO_RATE_LIMITS", "off"), ("ECHO_RATE_LIMIT_AUTH", "1")];
    let gateway = Gateway::start_with(Engine::Sqlite, GATEWAY, &extra).await;
    for _ in 0..5 {
        let answer = login(&gateway, None).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.header("ratelimit"), None);
    }
}
