//! What a project calls with: chosen, shown, given up, and nobody else's business.

use contracts::telephony::put_carrier_request::Carrier;
use serde_json::{Value, json};

use crate::fakes::{WRONG_TOKEN, lock};
use crate::support::{ALONE, Account, Answer, ENGINES, Engine, Gateway, Method};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn account() -> Value {
    json!({
        "account_sid": format!("AC{}", "a1".repeat(16)),
        "auth_token": TOKEN,
        "phone_number_sid": format!("PN{}", "b2".repeat(16)),
    })
}

fn path(account: &Account) -> String {
    format!("/api/v1/projects/{}/carrier", account.project)
}

/// With an access token: a carrier is more than a key may change.
async fn send(gateway: &Gateway, method: Method, path: &str, token: &str, body: Option<&Value>) -> Answer {
    let mut request = gateway.request(method, path).bearer_auth(token);
    if let Some(body) = body {
        request = request.json(body);
    }
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_chooses_what_it_calls_with_and_goes_back() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let mine = gateway.sign_up("a@acme.example").await;
        let path = path(&mine);
        let operators = gateway.get(&path, &mine.key).await.expect(200);
        assert_eq!(
            operators,
            json!({"kind": "operator", "account_sid": null, "phone_number_sid": null, "phone_number": null,
                   "calls_per_second": null, "status": "missing", "created_at": null, "updated_at": null})
        );

        let put = send(&gateway, Method::PUT, &path, &mine.token, Some(&account())).await.expect(200);
        let shown = json!({
            "kind": "twilio",
            "account_sid": account()["account_sid"],
            "phone_number_sid": account()["phone_number_sid"],
            "phone_number": "+15005550100",
            "calls_per_second": 1,
            "status": "active",
            "created_at": "2026-03-18T17:43:46.714Z",
            "updated_at": "2026-03-18T17:43:46.714Z",
        });
        assert_eq!(put, shown);
        assert_eq!(gateway.get(&path, &mine.key).await.expect(200), shown);
        let passed_on = lock(&gateway.fakes.carriers)[&mine.project].carrier.clone();
        let Some(Carrier::Twilio(passed_on)) = passed_on else { panic!("{passed_on:?}") };
        assert_eq!((passed_on.auth_token.as_str(), passed_on.configure_number), (TOKEN, false));

        let sandbox = json!({"kind": "sandbox"});
        let put = send(&gateway, Method::PUT, &path, &mine.token, Some(&sandbox)).await.expect(200);
        assert_eq!((&put["kind"], &put["account_sid"]), (&json!("sandbox"), &json!(null)));

        for _ in 0..2 {
            let removed = send(&gateway, Method::DELETE, &path, &mine.token, None).await;
            assert_eq!((removed.status, removed.body), (204, json!("")));
        }
        assert_eq!(gateway.get(&path, &mine.key).await.expect(200), operators);

        let log = send(&gateway, Method::GET, "/v1/audit", &mine.token, None).await.expect(200);
        assert!(!log.to_string().contains(TOKEN), "{log}");
        let noted: Vec<&str> = log.as_array().unwrap().iter().filter_map(|e| e["action"].as_str()).collect();
        assert_eq!(noted[..4], ["carrier.removed", "carrier.removed", "carrier.set", "carrier.set"], "{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_an_account_is_told_by_field_and_no_token_is_repeated() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let mine = gateway.sign_up("a@acme.example").await;
    let put = |body: Value| {
        let (gateway, path, token) = (&gateway, path(&mine), mine.token.clone());
        async move { send(gateway, Method::PUT, &path, &token, Some(&body)).await }
    };
    let with = |name: &str, value: Value| {
        let mut body = account();
        body[name] = value;
        body
    };
    put(json!({})).await.assert_fields(&["account_sid", "auth_token", "phone_number_sid"]);
    put(json!({"kind": "operator"})).await.assert_fields(&["kind"]);
    put(with("kind", json!(7))).await.assert_fields(&["kind"]);
    put(with("calls_per_second", json!(0))).await.assert_fields(&["calls_per_second"]);
    put(with("configure_number", json!("yes"))).await.assert_fields(&["configure_number"]);
    put(with("auth_token", json!("two words"))).await.assert_fields(&["auth_token"]);
    put(json!({"kind": "sandbox", "account_sid": "AC1"})).await.assert_fields(&["account_sid"]);
    let swapped = put(with("account_sid", json!(TOKEN))).await;
    swapped.assert_fields(&["account_sid"]);
    assert!(!swapped.body.to_string().contains(TOKEN), "{}", swapped.body);
    // What the carrier itself says.
    put(with("auth_token", json!(WRONG_TOKEN))).await.assert_fields(&["auth_token"]);
    assert!(lock(&gateway.fakes.carriers).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_carrier_of_another_project_is_nobodys_business() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let (mine, theirs) =
            (gateway.sign_up("a@acme.example").await, gateway.sign_up("b@acme.example").await);
        send(&gateway, Method::PUT, &path(&theirs), &theirs.token, Some(&account())).await.expect(200);
        for (method, body) in
            [(Method::GET, None), (Method::PUT, Some(json!({"kind": "sandbox"}))), (Method::DELETE, None)]
        {
            for path in [path(&theirs), "/v1/projects/nonsense/carrier".to_owned()] {
                let answer = send(&gateway, method.clone(), &path, &mine.token, body.as_ref()).await;
                answer.assert_error(404, "project_not_found");
            }
        }
        gateway.get(&path(&theirs), &mine.key).await.assert_error(404, "project_not_found");
        let same_number = send(&gateway, Method::PUT, &path(&mine), &mine.token, Some(&account())).await;
        same_number.assert_error(409, "number_in_use");
        assert_eq!(lock(&gateway.fakes.carriers).keys().collect::<Vec<_>>(), [&theirs.project]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bridge_that_is_away_is_said_to_be() {
    let gateway = Gateway::start_with(Engine::Sqlite, ALONE, &[]).await;
    let mine = gateway.sign_up("a@acme.example").await;
    let answer = gateway.get(&path(&mine), &mine.key).await;
    answer.assert_error(503, "unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_sees_the_carrier_and_does_not_change_it() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let mine = gateway.sign_up("a@acme.example").await;
    gateway.get(&path(&mine), &mine.key).await.expect(200);
    for (method, body) in [(Method::PUT, Some(json!({"kind": "sandbox"}))), (Method::DELETE, None)] {
        let mut request = gateway.request(method, &path(&mine)).header("x-api-key", &mine.key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::of(request.send().await.unwrap()).await.assert_error(403, "forbidden");
    }
}
