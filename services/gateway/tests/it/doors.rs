//! At the door of an app: who comes in, from where, how often, and which page may read the answer.

use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::customers::{delete, patch};
use crate::fakes::lock;
use crate::support::{Account, Answer, ENGINES, Engine, GATEWAY, Gateway, Method, id};

/// An app, and what shows that one may ask it.
pub(crate) struct Door<'a> {
    pub(crate) gateway: &'a Gateway,
    pub(crate) app: String,
    pub(crate) key: String,
}

impl<'a> Door<'a> {
    pub(crate) async fn of(gateway: &'a Gateway, account: &Account, sites: &[&str]) -> Self {
        let app = json!({"name": "Help", "allowed_domains": sites});
        let made = gateway.post("/v1/apps", &account.key, &app).await.expect(201);
        Self { gateway, app: id(&made), key: made["api_key"].as_str().unwrap().to_owned() }
    }

    pub(crate) fn request(&self, method: Method, below: &str) -> RequestBuilder {
        self.gateway.request(method, &format!("/api/{}/{below}", self.app))
    }

    async fn search(&self, key: &str) -> Answer {
        sent(self.request(Method::GET, "search?q=hello").header("x-api-key", key)).await
    }

    async fn ingest(&self, key: &str, body: &Value) -> Answer {
        sent(self.request(Method::POST, "ingest").header("x-api-key", key).json(body)).await
    }

    async fn preflight(&self, origin: &str) -> Answer {
        let request = self.request(Method::OPTIONS, "ingest").header("origin", origin);
        sent(request.header("access-control-request-method", "POST")).await
    }
}

pub(crate) async fn sent(request: RequestBuilder) -> Answer {
    Answer::of(request.send().await.unwrap()).await
}

/// To the beginning of an hour, so that no window ends in the middle of a test.
pub(crate) fn at_an_hours_beginning(gateway: &Gateway) {
    let second = gateway.clock.now().timestamp().rem_euclid(3600);
    gateway.clock.advance(Duration::from_secs(u64::try_from(3600 - second).unwrap()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fact_3_3_a_document_is_brought_is_found_is_listed_and_is_deleted() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let door = Door::of(&gateway, &account, &[]).await;
        // The document's own request.
        let intro = json!({"text": "EchoSDK is a headless support platform...", "url": "https://docs.echosdk.com/intro"});
        let brought = door.ingest(&door.key, &intro).await.expect(200);
        let source = brought["sourceId"].as_str().unwrap();
        let whole = json!({"success": true, "chunksProcessed": 1, "chunksFailed": 0, "sourceId": source});
        assert_eq!(brought, whole);
        // Without a text, the page is fetched.
        let page = json!({"url": "https://docs.echosdk.com/faq"});
        assert_eq!(door.ingest(&door.key, &page).await.expect(200)["chunksProcessed"], 1);
        let sources = format!("/api/apps/sources?appId={}", door.app);
        let listed = gateway.bearing(Method::GET, &sources, &account.token).await.expect(200);
        let newest = listed.as_array().or_else(|| listed["sources"].as_array()).unwrap()[0].clone();
        assert_eq!((&newest["title"], &newest["url"]), (&json!("A page"), &page["url"]));
        let id = newest["id"].as_str().unwrap();
        let gone = format!("/api/apps/sources?appId={}&id={id}", door.app);
        gateway.bearing(Method::DELETE, &gone, &account.token).await.expect(200);
        // So do a key of the project, a member, and the key as the SDK for JavaScript sends it.
        let other = json!({"text": "Another."});
        door.ingest(&account.key, &other).await.expect(200);
        let as_member = door.request(Method::POST, "ingest").bearer_auth(&account.token).json(&other);
        sent(as_member).await.expect(200);
        sent(door.request(Method::POST, "ingest").bearer_auth(&door.key).json(&other)).await.expect(200);

        let found = door.search(&door.key).await.expect(200);
        let first = found["results"].as_array().unwrap().last().unwrap().clone();
        let url = &intro["url"];
        let passage =
            json!({"sourceId": source, "title": "", "url": url, "score": 0.5, "text": intro["text"]});
        assert_eq!(first, passage);
        let one = sent(door.request(Method::GET, "search?q=a&limit=1").header("x-api-key", &door.key)).await;
        assert_eq!(one.expect(200)["results"].as_array().unwrap().len(), 1);
        assert_eq!(lock(&gateway.fakes.contexts).last().unwrap().tenant, account.project);

        let sources = format!("/api/apps/sources?appId={}", door.app);
        let page = gateway.bearing(Method::GET, &format!("{sources}&limit=3"), &account.token).await;
        let cursor = page.header("x-next-cursor").unwrap().to_owned();
        assert_eq!(page.body[0]["url"], json!(null));
        let rest = gateway.bearing(Method::GET, &format!("{sources}&cursor={cursor}"), &account.token).await;
        let rest = rest.expect(200);
        assert_eq!((rest.as_array().unwrap().len(), &rest[0]["id"]), (1, &brought["sourceId"]));
        assert!(rest[0]["createdAt"].is_string() && rest[0]["chunks"] == 1, "{rest}");

        let one = format!("{sources}&id={source}");
        for refused in [
            sent(gateway.request(Method::DELETE, &one).header("x-api-key", &door.key)).await,
            sent(gateway.request(Method::DELETE, &one).bearer_auth(&door.key)).await,
            gateway.get(&sources, &door.key).await,
        ] {
            refused.assert_error(403, "forbidden");
        }
        let gone = gateway.bearing(Method::DELETE, &one, &account.token).await;
        assert_eq!(gone.expect(200), json!({"success": true}));
        let again = gateway.bearing(Method::DELETE, &one, &account.token).await;
        again.assert_error(404, "source_not_found");
        assert!(!door.search(&door.key).await.expect(200).to_string().contains(source));
        let log = gateway.bearing(Method::GET, "/v1/audit", &account.token).await.expect(200);
        assert_eq!(log[0]["action"], "source.deleted");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_document_is_told_and_nothing_is_brought() {
    let gateway = Gateway::start_with(Engine::Sqlite, GATEWAY, &[("ECHO_RATE_LIMITS", "off")]).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let door = Door::of(&gateway, &account, &[]).await;
    for (body, field) in [
        (json!({}), "text"),
        (json!({"text": ""}), "text"),
        (json!({"text": " \n"}), "text"),
        (json!({"text": "a\u{0}b"}), "text"),
        (json!({"text": 7}), "text"),
        (json!({"text": "a", "url": "javascript:alert(1)"}), "url"),
        (json!({"text": "a", "url": "docs/intro"}), "url"),
        (json!({"text": "a", "url": format!("https://example.com/{}", "a".repeat(2048))}), "url"),
        (json!({"text": "a", "title": "b".repeat(301)}), "title"),
        (json!({"url": "ftp://example.com/"}), "url"),
        (json!({"url": "http://127.0.0.1/"}), "url"),
        (json!({"text": null, "title": "a"}), "text"),
    ] {
        door.ingest(&door.key, &body).await.assert_fields(&[field]);
    }
    // Two bytes each: 102,402 in all.
    let long = door.ingest(&door.key, &json!({"text": "é".repeat(51_201)})).await;
    long.assert_error(413, "payload_too_large");
    let plain = door.request(Method::POST, "ingest").header("x-api-key", &door.key).body("text");
    sent(plain).await.assert_error(415, "unsupported_media_type");
    let search =
        |query: &str| door.request(Method::GET, &format!("search?{query}")).header("x-api-key", &door.key);
    for (query, field) in [
        ("", "q"),
        ("q=", "q"),
        ("q=a&limit=0", "limit"),
        ("q=a&limit=51", "limit"),
        (&format!("q={}", "a".repeat(501)), "q"),
    ] {
        sent(search(query)).await.assert_fields(&[field]);
    }
    let nameless = gateway.bearing(Method::GET, "/api/apps/sources", &account.token).await;
    nameless.assert_fields(&["appId"]);
    assert!(lock(&gateway.fakes.brought).is_empty());
    door.ingest(&door.key, &json!({"text": "é".repeat(51_200)})).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_of_others_is_not_there_and_without_a_credential_nothing_is_brought() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let (mine, theirs) =
            (gateway.sign_up("a@acme.example").await, gateway.sign_up("b@acme.example").await);
        let (my_door, their_door) =
            (Door::of(&gateway, &mine, &[]).await, Door::of(&gateway, &theirs, &["example.com"]).await);
        let text = json!({"text": "a"});
        for key in [&mine.key, &my_door.key] {
            their_door.ingest(key, &text).await.assert_error(404, "app_not_found");
        }
        let by_token = their_door.request(Method::GET, "search?q=a").bearer_auth(&mine.token);
        sent(by_token).await.assert_error(404, "app_not_found");
        let sources = format!("/api/apps/sources?appId={}", their_door.app);
        gateway.bearing(Method::GET, &sources, &mine.token).await.assert_error(404, "app_not_found");
        for nobody in ["v1", "apps", "query", "app_2Wm7cTrNp5xKd9JvHs4B"] {
            let request = gateway.request(Method::GET, &format!("/api/{nobody}/search?q=a"));
            sent(request.header("x-api-key", &mine.key)).await.assert_error(404, "app_not_found");
        }
        for wrong in ["nonsense", &format!("echo_{}", "0".repeat(32)), &format!("echo_{}", "0".repeat(64))] {
            my_door.ingest(wrong, &text).await.assert_error(401, "unauthorized");
        }
        // An allowed site is no credential where one is needed.
        let from_page = their_door.request(Method::POST, "ingest").header("origin", "https://example.com");
        let from_page = sent(from_page.json(&text)).await;
        from_page.assert_error(401, "unauthorized");
        assert_eq!(from_page.header("access-control-allow-origin"), Some("https://example.com"));
        assert!(lock(&gateway.fakes.brought).is_empty());
        // With its project an app is gone at once.
        let staging = json!({"name": "staging"});
        let staging = gateway.send(Method::POST, "/v1/projects", &mine.token, &staging).await.expect(201);
        let made =
            gateway.post("/v1/apps", staging["api_key"].as_str().unwrap(), &json!({"name": "a"})).await;
        let made = made.expect(201);
        let path = format!("/api/{}/search?q=a", id(&made));
        let key = made["api_key"].as_str().unwrap();
        gateway.get(&path, key).await.expect(200);
        let project = format!("/v1/projects/{}", id(&staging));
        assert_eq!(gateway.bearing(Method::DELETE, &project, &mine.token).await.status, 204);
        gateway.get(&path, key).await.assert_error(404, "app_not_found");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_of_an_app_is_refused_by_every_replica_within_five_seconds() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let replica = gateway.replica().await;
        let account = gateway.sign_up("jane@acme.example").await;
        let door = Door::of(&gateway, &account, &[]).await;
        let path = format!("/api/{}/search?q=a", door.app);
        gateway.get(&path, &door.key).await.expect(200);
        replica.get(&path, &door.key).await.expect(200);
        let keys = format!("/v1/apps/{}/keys", door.app);
        let listed = gateway.get(&keys, &account.key).await.expect(200);
        let one = format!("{keys}/{}", id(&listed[0]));
        assert_eq!(delete(&gateway, &one, &account).await.status, 204);
        gateway.get(&path, &door.key).await.assert_error(401, "unauthorized");
        replica.clock.advance(Duration::from_secs(5));
        replica.get(&path, &door.key).await.assert_error(401, "unauthorized");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_is_told_which_pages_may_ask_and_read_the_answer() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let door = Door::of(&gateway, &account, &["example.com", "*.shop.example"]).await;
    for origin in ["https://example.com", "http://example.com:8080", "https://www.shop.example"] {
        let told = door.preflight(origin).await;
        assert_eq!(told.status, 204, "{}", told.body);
        for (name, value) in [
            ("access-control-allow-origin", origin),
            ("access-control-allow-methods", "POST"),
            ("access-control-allow-headers", "content-type, authorization, x-api-key, x-request-id"),
            ("access-control-max-age", "7200"),
            ("vary", "Origin"),
        ] {
            assert_eq!(told.header(name), Some(value), "{origin}: {name}");
        }
        assert_eq!(told.header("access-control-allow-credentials"), None);
    }
    for origin in ["https://shop.example", "https://evil.example", "null", "https://example.com.evil.example"]
    {
        let told = door.preflight(origin).await;
        told.assert_error(403, "origin_not_allowed");
        assert_eq!(told.header("access-control-allow-origin"), None);
        assert_eq!(told.header("vary"), Some("Origin"));
    }
    // Answers and errors are read by the same pages, and by no other ones.
    for (origin, reads) in [("https://example.com", true), ("https://evil.example", false), ("null", false)] {
        for (query, status) in [("q=a", 200), ("q=", 400)] {
            let request = door.request(Method::GET, &format!("search?{query}")).header("origin", origin);
            let answer = sent(request.header("x-api-key", &door.key)).await;
            assert_eq!(answer.status, status, "{origin}");
            assert_eq!(answer.header("access-control-allow-origin"), reads.then_some(origin), "{origin}");
            let exposed = answer.header("access-control-expose-headers").unwrap_or_default();
            assert_eq!(exposed.contains("x-echo-sources") && exposed.contains("retry-after"), reads);
            assert_eq!(answer.header("vary"), Some("Origin"));
        }
    }
    // What is no question of a browser, and what pages do not ask for, is as everywhere.
    let options = sent(door.request(Method::OPTIONS, "ingest")).await;
    options.assert_error(405, "method_not_allowed");
    let elsewhere = gateway.request(Method::OPTIONS, "/v1/apps").header("origin", "https://example.com");
    let elsewhere = sent(elsewhere.header("access-control-request-method", "GET")).await;
    elsewhere.assert_error(405, "method_not_allowed");
    assert_eq!(elsewhere.header("vary"), None);
    // An app that allows no site any more is asked by no page any more.
    let closed = json!({"allowed_domains": []});
    patch(&gateway, &format!("/v1/apps/{}", door.app), &account, &closed).await.expect(200);
    door.preflight("https://example.com").await.assert_error(403, "origin_not_allowed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fact_3_2_an_address_has_ten_documents_a_minute_and_an_app_so_many_an_hour_over_all_replicas() {
    for engine in ENGINES {
        let extra = [("ECHO_RATE_LIMIT_INGEST_APP", "12")];
        let gateway = Gateway::start_with(engine, GATEWAY, &extra).await;
        let replica = gateway.replica().await;
        let account = gateway.sign_up("jane@acme.example").await;
        let door = Door::of(&gateway, &account, &[]).await;
        let there = Door { gateway: &replica, app: door.app.clone(), key: door.key.clone() };
        at_an_hours_beginning(&gateway);
        at_an_hours_beginning(&replica);
        let text = json!({"text": "a"});
        for n in 1..=10 {
            let answer = door.ingest(&door.key, &text).await;
            let told = format!("\"ingest\";r={};t=", 10 - n);
            assert!(answer.header("ratelimit").unwrap().starts_with(&told), "{answer:?}");
            answer.expect(200);
        }
        let from_page = door.request(Method::POST, "ingest").header("origin", "https://anywhere.example");
        let refused = sent(from_page.json(&text)).await;
        refused.assert_error(429, "rate_limited");
        assert_eq!(refused.header("ratelimit-policy"), Some("\"ingest\";q=10;w=60"));
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait));
        assert_eq!(refused.header("access-control-allow-origin"), Some("https://anywhere.example"));
        // Each replica counts addresses for itself, and all of them count the app together.
        for _ in 11..=12 {
            there.ingest(&door.key, &text).await.expect(200);
        }
        let refused = there.ingest(&door.key, &text).await;
        refused.assert_error(429, "rate_limited");
        let policy = "\"ingest\";q=10;w=60, \"ingest-app\";q=12;w=3600";
        assert_eq!(refused.header("ratelimit-policy"), Some(policy));
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((3000..=3600).contains(&wait), "{wait}");
        // Other apps and other questions have windows of their own.
        let other = Door::of(&gateway, &account, &[]).await;
        there.search(&door.key).await.expect(200);
        Door { gateway: &replica, ..other }.ingest(&account.key, &text).await.expect(200);
        replica.clock.advance(Duration::from_secs(wait));
        there.ingest(&door.key, &text).await.expect(200);
        assert_eq!(lock(&gateway.fakes.brought).len(), 14);
    }
}
