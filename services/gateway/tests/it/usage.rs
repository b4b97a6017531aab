//! What was used, at the edge.

use contracts::calls::UsageDay;
use serde_json::json;

use crate::fakes::lock;
use crate::support::{Answer, Engine, Gateway, Method};

fn day(project: &str, day: &str, calls: u64) -> UsageDay {
    UsageDay {
        project_id: project.to_owned(),
        day: day.to_owned(),
        calls,
        answered: calls / 2,
        talk_ms: calls * 30_000,
        tokens_in: None,
        tokens_out: None,
        cost_micros: (calls == 7).then_some(1_234_567),
        currency: if calls == 7 { "USD".to_owned() } else { String::new() },
    }
}

async fn with_token(gateway: &Gateway, path: &str, token: &str, project: Option<&str>) -> Answer {
    let mut request = gateway.request(Method::GET, path).header("authorization", format!("Bearer {token}"));
    if let Some(project) = project {
        request = request.header("x-echo-project", project);
    }
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_sees_its_project_and_a_member_all_of_the_business() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let (account, other) =
        (gateway.sign_up("jane@acme.example").await, gateway.sign_up("joe@other.example").await);
    let today = gateway.clock.now().date_naive().to_string();
    let long_ago = "2020-02-29";
    *lock(&gateway.fakes.used) = vec![
        day(&account.project, long_ago, 4),
        day(&account.project, &today, 7),
        day(&other.project, &today, 2),
    ];
    let shown = json!([{
        "project_id": account.project, "day": today, "calls": 7, "answered": 3, "minutes": 3.5,
        "model_tokens_in": null, "model_tokens_out": null, "cost": 1.2346, "currency": "USD"
    }]);
    assert_eq!(gateway.get("/api/v1/usage", &account.key).await.expect(200), shown);
    assert_eq!(with_token(&gateway, "/v1/usage", &account.token, None).await.expect(200), shown);
    let named = with_token(&gateway, "/v1/usage", &account.token, Some(&account.project)).await;
    assert_eq!(named.expect(200), shown);
    let theirs = with_token(&gateway, "/v1/usage", &account.token, Some(&other.project)).await;
    theirs.assert_error(404, "project_not_found");
    let year = gateway.get("/v1/usage?from=2020-01-01&to=2020-12-31", &account.key).await.expect(200);
    assert_eq!((year.as_array().unwrap().len(), &year[0]["calls"]), (1, &json!(4)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_that_are_none_or_too_many_are_refused() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    for (query, field) in [
        ("from=yesterday", "from"),
        ("to=2026-02-30", "to"),
        ("from=2024-01-01&to=2025-01-01", "to"),
        ("from=2024-01-02&to=2024-01-01", "to"),
    ] {
        gateway.get(&format!("/v1/usage?{query}"), &account.key).await.assert_fields(&[field]);
    }
    assert_eq!(gateway.get("/v1/usage", &account.key).await.expect(200), json!([]));
}
