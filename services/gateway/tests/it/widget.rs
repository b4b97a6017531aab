//! The chat for other people's pages, as a browser is given it. How it behaves there, the standalone's test `widget` tries.

use std::io::Write as _;

use crate::support::{Answer, Engine, Gateway};

/// What visitors load at most, compressed as web servers do it.
const LIMIT: usize = 20_000;
const APP: &str = "app_3fTqXw9LmN2rVbKc7Zpd";

async fn open(gateway: &Gateway, path: &str, known: Option<&str>) -> Answer {
    let mut request = reqwest::Client::new().get(format!("{}{path}", gateway.url));
    if let Some(tag) = known {
        request = request.header("if-none-match", tag);
    }
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_page_may_load_the_script_and_asks_again_whether_it_has_changed() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let script = open(&gateway, "/widget.js", None).await;
    assert_eq!(script.status, 200);
    for (name, value) in [
        ("content-type", "text/javascript; charset=utf-8"),
        ("access-control-allow-origin", "*"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "public, max-age=300, must-revalidate"),
    ] {
        assert_eq!(script.header(name), Some(value), "{name}");
    }
    let tag = script.header("etag").unwrap();
    let again = open(&gateway, "/widget.js", Some(tag)).await;
    assert_eq!((again.status, again.header("etag")), (304, Some(tag)));
    assert_eq!(again.body, "");
    assert_eq!(again.header("access-control-allow-origin"), Some("*"));
    assert_eq!(open(&gateway, "/widget.js", Some("\"another\"")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_script_is_small_and_needs_nothing_that_a_strict_page_forbids() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let script = open(&gateway, "/widget.js", None).await.body.as_str().unwrap().to_owned();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(script.as_bytes()).unwrap();
    let size = packed.finish().unwrap().len();
    assert!(size <= LIMIT, "{size} bytes");
    for forbidden in
        ["innerHTML", "outerHTML", "insertAdjacent", "eval(", "new Function", ".style.", "document.write"]
    {
        assert!(!script.contains(forbidden), "{forbidden}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_page_carries_the_chat_of_an_app_and_asks_for_one_otherwise() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let page = open(&gateway, &format!("/demo/widget?app_id={APP}"), None).await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let html = page.expect(200);
    let html = html.as_str().unwrap();
    assert!(
        html.contains(&format!(r#"<script src="../widget.js" data-app-id="{APP}" async></script>"#)),
        "{html}"
    );
    assert_eq!(open(&gateway, "/pages/demo.css", None).await.status, 200);

    for (query, status) in
        [("", 200), ("?app_id=", 200), ("?app_id=app_1", 400), ("?app_id=%22%3E%3Cimg%20src=x%3E", 400)]
    {
        let page = open(&gateway, &format!("/demo/widget{query}"), None).await;
        let html = page.expect(status);
        let html = html.as_str().unwrap();
        assert!(
            html.contains("<form") && !html.contains("<script") && !html.contains("<img"),
            "{query}: {html}"
        );
    }
}
