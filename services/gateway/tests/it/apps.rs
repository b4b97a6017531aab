//! Apps, and their keys.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::wait::eventually;

use crate::customers::{delete, patch};
use crate::fakes::lock;
use crate::support::{Account, ENGINES, Engine, Gateway, Method, id};

/// An app with everything that it can set.
fn everything() -> Value {
    json!({
        "name": "Help centre", "allowed_domains": ["Example.com", "*.example.com"], "require_origin": true,
        "notify_emails": ["help@acme.example"],
    })
}

async fn make(gateway: &Gateway, account: &Account, body: &Value) -> Value {
    gateway.post("/v1/apps", &account.key, body).await.expect(201)
}

fn path(app: &Value) -> String {
    format!("/v1/apps/{}", id(app))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fact_3_7_an_app_is_made_with_its_key_and_is_told_to_those_who_need_to_know() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let made = make(&gateway, &account, &everything()).await;
        assert!(id(&made).starts_with("app_") && id(&made).len() == 24, "{made}");
        let key = made["api_key"].as_str().unwrap();
        let rest = key.strip_prefix("echo_").unwrap();
        assert!(rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_alphanumeric()), "{key}");
        let mut shown = made.clone();
        shown.as_object_mut().unwrap().remove("api_key");
        assert_eq!(shown["allowed_domains"], json!(["example.com", "*.example.com"]));
        assert_eq!(shown["createdAt"], shown["created_at"]);
        assert_eq!(gateway.get(&path(&made), &account.key).await.expect(200), shown);
        // A member's token is as good as the key of the project.
        let listed = gateway.bearing(Method::GET, "/v1/apps", &account.token).await.expect(200);
        assert_eq!(listed, json!([shown]));
        let keys = gateway.get(&format!("{}/keys", path(&made)), &account.key).await.expect(200);
        assert_eq!((&keys[0]["name"], &keys[0]["key_prefix"]), (&json!("default"), &json!(&key[..16])));

        let changes = json!({"name": "Support", "allowed_domains": null, "unknown": 1});
        let changed = patch(&gateway, &path(&made), &account, &changes).await.expect(200);
        assert_eq!((&changed["name"], &changed["allowed_domains"]), (&json!("Support"), &json!([])));
        assert_eq!(changed["require_origin"], json!(true));
        assert_eq!(patch(&gateway, &path(&made), &account, &changes).await.expect(200), changed);
        let removed = delete(&gateway, &path(&made), &account).await;
        assert_eq!((removed.status, removed.body), (204, json!("")));
        for answer in [
            gateway.get(&path(&made), &account.key).await,
            patch(&gateway, &path(&made), &account, &changes).await,
            delete(&gateway, &path(&made), &account).await,
            gateway.get(&format!("{}/keys", path(&made)), &account.key).await,
        ] {
            answer.assert_error(404, "app_not_found");
        }
        let told = eventually("three messages", Duration::from_secs(10), || async {
            let gone = lock(&gateway.fakes.apps_deleted).len();
            let told = lock(&gateway.fakes.apps_changed).clone();
            if told.len() == 2 && gone == 1 { Ok(told) } else { Err(told) }
        });
        let mut told = told.await;
        told.sort_by_key(|change| change.version);
        let shown: Vec<_> = told.iter().map(|t| (t.version, &*t.name, &*t.app_id)).collect();
        let app = id(&made);
        assert_eq!(shown, [(1, "Help centre", &*app), (2, "Support", &*app)]);
        assert_eq!((&told[0].business_id, &told[0].project_id), (&account.business, &account.project));
        assert_eq!(told[0].notify_emails, ["help@acme.example"]);
        assert_eq!(lock(&gateway.fakes.apps_deleted)[0].app_id, app);
        assert_eq!(gateway.number("SELECT COUNT(*) AS n FROM app_keys").await, 0);
        let log = gateway.bearing(Method::GET, "/v1/audit", &account.token).await.expect(200);
        let noted: Vec<&str> = log.as_array().unwrap().iter().filter_map(|e| e["action"].as_str()).collect();
        assert_eq!(noted[..3], ["app.deleted", "app.updated", "app.created"], "{log}");
        assert!(!log.to_string().contains(key), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_is_wrong_with_an_app_is_told_at_once_and_nothing_is_made() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let rows = gateway.rows().await;
    let many: Vec<String> = (0..51).map(|n| format!("a{n}.example.com")).collect();
    for (body, fields) in [
        (json!({}), &["name"][..]),
        (
            json!({"name": " ", "allowed_domains": ["https://example.com", 7], "require_origin": "yes", "notify_emails": "a"}),
            &["name", "allowed_domains/0", "allowed_domains/1", "require_origin", "notify_emails"],
        ),
        (json!({"name": "a", "allowed_domains": many}), &["allowed_domains"]),
        (json!({"name": "a", "allowed_domains": ["*.com"]}), &["allowed_domains/0"]),
        (json!({"name": "a", "notify_emails": ["nobody"]}), &["notify_emails/0"]),
    ] {
        gateway.post("/v1/apps", &account.key, &body).await.assert_fields(fields);
    }
    assert_eq!(gateway.rows().await, rows);
    let made = make(&gateway, &account, &json!({"name": "a"})).await;
    patch(&gateway, &path(&made), &account, &json!({"name": null})).await.assert_fields(&["name"]);
    gateway.get("/v1/apps", made["api_key"].as_str().unwrap()).await.assert_error(401, "unauthorized");
    gateway.get("/v1/apps/query", &account.key).await.assert_error(404, "app_not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_an_app_is_shown_once_and_gone_when_it_is_revoked() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let app = make(&gateway, &account, &json!({"name": "a"})).await;
        let keys = format!("{}/keys", path(&app));
        let made = gateway.post_once(&keys, &account.key, "k", &json!({"name": "job"})).await.expect(201);
        let secret = made["api_key"].as_str().unwrap().to_owned();
        let again = gateway.post_once(&keys, &account.key, "k", &json!({"name": "job"})).await;
        again.assert_error(409, "secret_already_shown");
        let listed = gateway.get(&keys, &account.key).await.expect(200);
        let names: Vec<&Value> = listed.as_array().unwrap().iter().map(|key| &key["name"]).collect();
        assert_eq!(names, ["job", "default"]);
        assert!(!listed.to_string().contains(&secret));
        assert!(gateway.stored_keys().await.iter().all(|text| !text.contains(&secret)));
        let one = format!("{keys}/{}", id(&made));
        assert_eq!(delete(&gateway, &one, &account).await.status, 204);
        delete(&gateway, &one, &account).await.assert_error(404, "app_key_not_found");
        assert_eq!(gateway.get(&keys, &account.key).await.expect(200).as_array().unwrap().len(), 1);
        for _ in 1..50 {
            gateway.post(&keys, &account.key, &json!({"name": "job"})).await.expect(201);
        }
        let one_more = gateway.post(&keys, &account.key, &json!({"name": "job"})).await;
        one_more.assert_error(409, "app_key_limit_reached");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_apps_of_others_are_not_there_and_those_of_a_project_go_with_it() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let (mine, theirs) =
            (gateway.sign_up("a@acme.example").await, gateway.sign_up("b@acme.example").await);
        let their_app = make(&gateway, &theirs, &json!({"name": "theirs"})).await;
        gateway.get(&path(&their_app), &mine.key).await.assert_error(404, "app_not_found");
        delete(&gateway, &path(&their_app), &mine).await.assert_error(404, "app_not_found");
        let keys = format!("{}/keys", path(&their_app));
        gateway.post(&keys, &mine.key, &json!({"name": "a"})).await.assert_error(404, "app_not_found");
        assert_eq!(gateway.get("/v1/apps", &mine.key).await.expect(200), json!([]));

        let staging = json!({"name": "staging"});
        let staging = gateway.send(Method::POST, "/v1/projects", &mine.token, &staging).await.expect(201);
        let key = staging["api_key"].as_str().unwrap();
        let app = gateway.post("/v1/apps", key, &json!({"name": "a"})).await.expect(201);
        gateway.get(&path(&app), &mine.key).await.assert_error(404, "app_not_found");
        let project = format!("/v1/projects/{}", id(&staging));
        assert_eq!(gateway.bearing(Method::DELETE, &project, &mine.token).await.status, 204);
        let told = eventually("the app's end", Duration::from_secs(10), || async {
            let told = lock(&gateway.fakes.apps_deleted).clone();
            if told.is_empty() { Err(told) } else { Ok(told) }
        });
        assert_eq!(told.await[0].app_id, id(&app));
        assert_eq!(gateway.number("SELECT COUNT(*) AS n FROM apps").await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_business_has_a_hundred_apps() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        for _ in 0..100 {
            make(&gateway, &account, &json!({"name": "a"})).await;
        }
        let one_more = gateway.post("/v1/apps", &account.key, &json!({"name": "a"})).await;
        one_more.assert_error(409, "app_limit_reached");
        let listed = gateway.get("/v1/apps?limit=1", &account.key).await;
        assert!(listed.header("x-next-cursor").is_some());
        delete(&gateway, &path(&listed.body[0]), &account).await;
        make(&gateway, &account, &json!({"name": "a"})).await;
    }
}
