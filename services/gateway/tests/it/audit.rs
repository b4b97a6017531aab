//! Who did what.

use serde_json::{Value, json};

use crate::support::{Account, Answer, ENGINES, Engine, Gateway, Method, id};

async fn log(gateway: &Gateway, account: &Account, query: &str) -> Value {
    gateway.bearing(Method::GET, &format!("/api/v1/audit{query}"), &account.token).await.expect(200)
}

fn actions(log: &Value) -> Vec<&str> {
    log.as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect()
}

async fn login(gateway: &Gateway, email: &str, password: &str) -> Answer {
    let request = gateway
        .request(Method::POST, "/auth/login")
        .header("x-request-id", format!("of-{}", password.trim_end_matches('!')));
    Answer::of(request.json(&json!({"email": email, "password": password})).send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_reads_who_did_what_when_and_from_where() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        login(&gateway, "jane@acme.example", "WrongPassword1!").await.expect(401);
        login(&gateway, "jane@acme.example", "YourPassword123!").await.expect(200);
        let key = gateway.post("/v1/api-keys", &account.key, &json!({"name": "ci"})).await.expect(201);
        let revoke = format!("/v1/api-keys/{}/revoke", id(&key));
        gateway.bearing(Method::PATCH, &revoke, &account.token).await.expect(200);
        gateway.bearing(Method::PATCH, &revoke, &account.token).await.expect(200);

        let all = log(&gateway, &account, "").await;
        let expected =
            ["api_key.revoked", "api_key.created", "user.signed_in", "user.sign_in_failed", "user.signed_up"];
        assert_eq!(actions(&all), expected);
        let user = json!({"type": "user", "id": account.user, "email": "jane@acme.example"});
        assert_eq!(all[0]["actor"], user);
        assert_eq!(all[0]["target"], json!({"type": "api_key", "id": key["id"]}));
        assert_eq!(all[0]["project_id"], account.project.as_str());
        assert_eq!(all[0]["address"], "127.0.0.1");
        assert!(all[0]["created_at"].as_str().unwrap().ends_with('Z'));
        assert_eq!((&all[1]["actor"]["type"], &all[1]["actor"]["email"]), (&json!("api_key"), &Value::Null));
        assert_eq!(all[1]["details"], json!({"name": "ci"}));
        assert_eq!((&all[2]["actor"], &all[2]["request_id"]), (&user, &json!("of-YourPassword123")));
        assert_eq!(all[3]["actor"], json!({"type": "anonymous", "id": null, "email": null}));
        assert_eq!(all[3]["target"], json!({"type": "user", "id": account.user}));
        assert_eq!(all[3]["request_id"], "of-WrongPassword1");
        assert!(!all.to_string().contains(key["key"].as_str().unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_filtered_and_paged_and_says_what_cannot_be_asked_for() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let key = gateway.post("/v1/api-keys", &account.key, &json!({"name": "ci"})).await.expect(201);
        gateway.bearing(Method::POST, "/auth/logout", &account.refresh).await.expect(204);
        let body = login(&gateway, "jane@acme.example", "YourPassword123!").await.expect(200);
        let account = Account { token: body["access_token"].as_str().unwrap().to_owned(), ..account };
        assert_eq!(actions(&log(&gateway, &account, "?action=api_key.created").await), ["api_key.created"]);
        let own = log(&gateway, &account, &format!("?subject={}", account.user)).await;
        assert_eq!(actions(&own), ["user.signed_in", "user.signed_out", "user.signed_up"]);
        let of_key = log(&gateway, &account, &format!("?target={}", id(&key))).await;
        assert_eq!(actions(&of_key), ["api_key.created"]);
        let page = gateway.bearing(Method::GET, "/v1/audit?limit=3", &account.token).await;
        let cursor = page.header("x-next-cursor").unwrap().to_owned();
        assert_eq!(actions(&page.body), ["user.signed_in", "user.signed_out", "api_key.created"]);
        let rest = log(&gateway, &account, &format!("?limit=3&cursor={cursor}")).await;
        assert_eq!(actions(&rest), ["user.signed_up"]);
        for (query, field) in [("action=x", "action"), ("subject=x", "subject"), ("target=x", "target")] {
            let refused = gateway.bearing(Method::GET, &format!("/v1/audit?{query}"), &account.token).await;
            refused.assert_fields(&[field]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_owners_read_the_log_and_only_of_their_own_business() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let (mine, theirs) =
            (gateway.sign_up("a@acme.example").await, gateway.sign_up("b@acme.example").await);
        login(&gateway, "nobody@acme.example", "WrongPassword1!").await.expect(401);
        assert_eq!(actions(&log(&gateway, &mine, "").await), ["user.signed_up"]);
        let other = log(&gateway, &mine, &format!("?subject={}", theirs.user)).await;
        assert_eq!(other, json!([]));
        gateway.get("/v1/audit", &mine.key).await.assert_error(403, "forbidden");
        for role in ["admin", "developer", "viewer"] {
            gateway
                .execute(match role {
                    "admin" => "UPDATE memberships SET role = 'admin'",
                    "developer" => "UPDATE memberships SET role = 'developer'",
                    _ => "UPDATE memberships SET role = 'viewer'",
                })
                .await;
            gateway.clock.advance(std::time::Duration::from_secs(5));
            let refused = gateway.bearing(Method::GET, "/v1/audit", &mine.token).await;
            refused.assert_error(403, "forbidden");
        }
        let none = gateway.request(Method::GET, "/v1/audit").send().await.unwrap();
        Answer::of(none).await.assert_error(401, "unauthorized");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_sign_in_costs_the_same_whether_or_not_there_is_such_an_address() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    gateway.sign_up("jane@acme.example").await;
    let written = async |email: &str| {
        let before = gateway.rows().await;
        login(&gateway, email, "WrongPassword1!").await.expect(401);
        let after = gateway.rows().await;
        after.into_iter().zip(before).map(|((name, n), (_, m))| (name, n - m)).collect::<Vec<_>>()
    };
    assert_eq!(written("jane@acme.example").await, written("nobody@acme.example").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_about_customers_webhooks_and_the_opt_out_list_is_kept_without_what_stands_there() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let (key, token) = (&account.key, &account.token);
    let made = gateway.post("/v1/customers", key, &crate::support::customer("u1")).await.expect(201);
    let path = format!("/v1/customers/{}", id(&made));
    let change = json!({"email": "john@home.example", "language": "de", "first_name": "John"});
    gateway.send(Method::PATCH, &path, token, &change).await.expect(200);
    gateway.send(Method::PATCH, &path, token, &change).await.expect(200);
    let row = gateway.post("/v1/suppressions", key, &json!({"phone": "+14155552671"})).await.expect(201);
    gateway.bearing(Method::DELETE, &format!("/v1/suppressions/{}", id(&row)), token).await.expect(204);
    let hooks = format!("/v1/projects/{}/webhooks", account.project);
    let hook = json!({"url": "https://hooks.example/in", "events": ["call.summary"]});
    let made = gateway.post(&hooks, key, &hook).await.expect(201);
    let hook = format!("{hooks}/{}", id(&made));
    gateway.send(Method::PATCH, &hook, token, &json!({"status": "disabled"})).await.expect(200);
    gateway.bearing(Method::POST, &format!("{hook}/secret/rotate"), token).await.expect(200);
    gateway.bearing(Method::DELETE, &hook, token).await.expect(204);
    let all = log(&gateway, &account, "").await;
    let expected = [
        "webhook.deleted",
        "webhook.secret_rotated",
        "webhook.updated",
        "webhook.created",
        "suppression.deleted",
        "suppression.created",
        "customer.updated",
        "user.signed_up",
    ];
    assert_eq!(actions(&all), expected);
    assert_eq!(all[6]["details"], json!({"fields": ["language", "email"]}));
    assert_eq!(all[2]["details"]["status"], "disabled");
    for secret in ["john@home.example", "+14155552671", made["signing_secret"].as_str().unwrap()] {
        assert!(!all.to_string().contains(secret), "{secret}");
    }
}
