//! What belongs to others is not there.

use serde_json::json;

use crate::fakes::lock;
use crate::support::{Answer, ENGINES, Gateway, Method, agent, customer, id};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_things_of_another_business_are_not_found() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let (mine, theirs) =
            (gateway.sign_up("a@acme.example").await, gateway.sign_up("b@acme.example").await);
        let their_agent = id(&gateway.post("/v1/agents", &theirs.key, &agent("a")).await.expect(201));
        let their_customer =
            id(&gateway.post("/v1/customers", &theirs.key, &customer("u")).await.expect(201));
        let hook = json!({"url": "https://x.example/hook", "events": ["call.ended"]});
        let their_hooks = format!("/v1/projects/{}/webhooks", theirs.project);
        let their_hook = id(&gateway.post(&their_hooks, &theirs.key, &hook).await.expect(201));
        let order = json!({"customer_id": their_customer, "message": "Hello"});
        let placed = gateway.post("/v1/notifications", &theirs.key, &order).await.expect(201);
        let their_notification = id(&placed["notification"]);

        let my_hooks = format!("/v1/projects/{}/webhooks", mine.project);
        for (path, code) in [
            (format!("/v1/agents/{their_agent}"), "agent_not_found"),
            (format!("/v1/customers/{their_customer}"), "customer_not_found"),
            (format!("/v1/notifications/{their_notification}"), "notification_not_found"),
            (their_hooks.clone(), "project_not_found"),
            (format!("{their_hooks}/{their_hook}"), "project_not_found"),
            (format!("{my_hooks}/{their_hook}"), "webhook_not_found"),
            ("/v1/projects/nonsense/webhooks".to_owned(), "project_not_found"),
        ] {
            gateway.get(&path, &mine.key).await.assert_error(404, code);
        }
        for path in ["/v1/agents", "/v1/customers", "/v1/notifications", &my_hooks] {
            assert_eq!(gateway.get(path, &mine.key).await.expect(200), json!([]), "{path}");
        }
        gateway.post(&their_hooks, &mine.key, &hook).await.assert_error(404, "project_not_found");
        gateway.post("/v1/notifications", &mine.key, &order).await.assert_error(404, "customer_not_found");
        let my_customer = id(&gateway.post("/v1/customers", &mine.key, &customer("u")).await.expect(201));
        let mixed = json!({"customer_id": my_customer, "agent_id": their_agent});
        gateway.post("/v1/notifications", &mine.key, &mixed).await.assert_error(404, "agent_not_found");
        assert_eq!(lock(&gateway.fakes.placed).len(), 1);
        assert_eq!(lock(&gateway.fakes.endpoints).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_chooses_among_the_projects_of_its_own_business() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let (mine, theirs) =
            (gateway.sign_up("a@acme.example").await, gateway.sign_up("b@acme.example").await);
        let made = gateway.post("/v1/customers", &mine.key, &customer("u")).await.expect(201);
        let list = |project: Option<&str>| {
            let mut request = gateway
                .request(Method::GET, "/v1/customers")
                .header("Authorization", format!("bearer {}", mine.token));
            if let Some(project) = project {
                request = request.header("x-echo-project", project);
            }
            async { Answer::of(request.send().await.unwrap()).await }
        };
        assert_eq!(list(None).await.expect(200), json!([made]));
        assert_eq!(list(Some(&mine.project)).await.expect(200), json!([made]));
        list(Some(&theirs.project)).await.assert_error(404, "project_not_found");
        list(Some("nonsense")).await.assert_error(404, "project_not_found");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_of_idempotency_means_different_things_to_different_projects() {
    let gateway = Gateway::start(crate::support::Engine::Sqlite).await;
    let (mine, theirs) = (gateway.sign_up("a@acme.example").await, gateway.sign_up("b@acme.example").await);
    let one = gateway.post_once("/v1/customers", &mine.key, "k", &customer("u")).await.expect(201);
    let two = gateway.post_once("/v1/customers", &theirs.key, "k", &customer("v")).await.expect(201);
    assert_ne!(one["id"], two["id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_looks_and_changes_nothing_and_a_removed_member_sees_nothing() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let send = |method: Method, path: String| {
            // What was changed behind its back, it believes within five seconds.
            gateway.clock.advance(std::time::Duration::from_secs(5));
            let request = gateway.request(method, &path).bearer_auth(&account.token);
            async { Answer::of(request.json(&agent("a")).send().await.unwrap()).await }
        };
        send(Method::POST, "/v1/agents".into()).await.expect(201);
        gateway.execute("UPDATE memberships SET role = 'viewer'").await;
        send(Method::GET, "/v1/agents".into()).await.expect(200);
        let hooks = format!("/v1/projects/{}/webhooks", account.project);
        for (method, path) in [
            (Method::POST, "/v1/agents"),
            (Method::POST, "/v1/customers"),
            (Method::POST, "/v1/notifications"),
            (Method::POST, "/v1/api-keys"),
            (Method::GET, "/v1/api-keys"),
            (Method::POST, &hooks),
            (Method::GET, &hooks),
        ] {
            send(method, path.to_owned()).await.assert_error(403, "forbidden");
        }
        gateway.execute("UPDATE users SET token_generation = 2").await;
        send(Method::GET, "/v1/agents".into()).await.assert_error(401, "unauthorized");
        gateway.execute("UPDATE users SET token_generation = 1").await;
        send(Method::GET, "/v1/agents".into()).await.expect(200);
        gateway.execute("DELETE FROM memberships").await;
        send(Method::GET, "/v1/agents".into()).await.assert_error(401, "unauthorized");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_reaches_every_project_of_the_business_by_its_path_and_a_key_only_its_own() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let eve = gateway.sign_up("eve@other.example").await;
        let second = json!({"name": "staging"});
        let second = gateway.send(Method::POST, "/v1/projects", &account.token, &second).await.expect(201);
        let hooks = format!("/v1/projects/{}/webhooks", crate::support::id(&second));
        let hook = json!({"url": "https://hooks.example/in", "events": ["call.summary"]});
        let made = gateway.send(Method::POST, &hooks, &account.token, &hook).await.expect(201);
        assert_eq!(made["project_id"], second["id"]);
        gateway.post(&hooks, &account.key, &hook).await.assert_error(404, "project_not_found");
        let theirs = gateway.send(Method::POST, &hooks, &eve.token, &hook).await;
        theirs.assert_error(404, "project_not_found");
        let own = gateway.get(&hooks, second["api_key"].as_str().unwrap()).await.expect(200);
        assert_eq!(own, json!([made]));
    }
}
