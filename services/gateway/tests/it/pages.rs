//! What people open in a browser: the playground, and where mailed links lead. Nothing of it is asked for elsewhere.

use std::sync::LazyLock;

use regex::Regex;
use reqwest::Url;

use crate::support::{Engine, Gateway, Method};

/// What a page has loaded by the browser.
static LOADED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?:src|href|data-action)="([^"]+)""#).unwrap());

/// A page or a file of it: its content type, its policy, its text.
async fn open(gateway: &Gateway, url: &Url) -> (String, String, String) {
    let response = reqwest::get(url.clone()).await.unwrap();
    assert_eq!(response.status(), 200, "{url}");
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    let (kind, policy) = (header("content-type"), header("content-security-policy"));
    assert_eq!(header("x-content-type-options"), "nosniff", "{url}");
    assert!(url.as_str().starts_with(&gateway.url), "{url} is elsewhere");
    (kind, policy, response.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_loads_all_that_it_needs_from_here_and_may_load_nothing_else() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    for path in ["/docs", "/docs/", "/invitation", "/reset-password"] {
        let response = reqwest::get(format!("{}{path}", gateway.url)).await.unwrap();
        let page = response.url().clone();
        let (kind, policy, html) = open(&gateway, &page).await;
        assert!(kind.starts_with("text/html"), "{path}: {kind}");
        assert!(policy.starts_with("default-src 'none';"), "{path}: {policy}");
        assert!(!policy.contains("http:") && !policy.contains("https:"), "{path}: {policy}");
        let loaded: Vec<&str> =
            LOADED.captures_iter(&html).map(|found| found.get(1).unwrap().as_str()).collect();
        assert!(loaded.len() >= 3, "{path}: {loaded:?}");
        for reference in loaded {
            let url = page.join(reference).unwrap();
            if reference.starts_with("auth/") {
                let asked = gateway.request(Method::POST, url.path()).json(&serde_json::json!({}));
                assert_eq!(asked.send().await.unwrap().status(), 400, "{url}");
            } else {
                open(&gateway, &url).await;
            }
        }
    }
    let none = reqwest::get(format!("{}/pages/nonsense", gateway.url)).await.unwrap();
    assert_eq!(none.status(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_playground_reads_the_document_from_beside_it() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let page = Url::parse(&format!("{}/docs/", gateway.url)).unwrap();
    let (_, _, settings) = open(&gateway, &page.join("swagger-initializer.js").unwrap()).await;
    assert!(settings.contains("../openapi.json"), "{settings}");
    assert!(settings.contains(r#""validatorUrl": "none""#), "{settings}");
    let document = reqwest::get(page.join("../openapi.json").unwrap()).await.unwrap();
    let document: serde_json::Value = document.json().await.unwrap();
    assert_eq!(document["openapi"], "3.1.0");
}
