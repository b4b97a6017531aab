//! Bodies that cannot be read: each is answered in the documented form and leaves nothing behind.

use std::time::Duration;

use reqwest::Body;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::fakes::lock;
use crate::support::{Account, Answer, ENGINES, Engine, GATEWAY, Gateway, Method, customer};

async fn send(gateway: &Gateway, path: &str, account: &Account, kind: &str, body: impl Into<Body>) -> Answer {
    let request = gateway.request(Method::POST, path).header("x-api-key", &account.key);
    Answer::of(request.header("Content-Type", kind).body(body).send().await.unwrap()).await
}

fn paths(account: &Account) -> [String; 5] {
    [
        "/api/v1/agents".to_owned(),
        "/api/v1/customers".to_owned(),
        "/api/v1/notifications".to_owned(),
        "/api/v1/api-keys".to_owned(),
        format!("/api/v1/projects/{}/webhooks", account.project),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_no_json_object_is_refused_everywhere() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let before = gateway.rows().await;
        let bodies: [&[u8]; 12] = [
            b"",
            b"{",
            b"nonsense",
            b"{\"name\": \"x\",}",
            b"{'name': 'x'}",
            b"[]",
            b"\"text\"",
            b"null",
            b"7",
            b"{\"name\": \"\xff\xfe\"}",
            b"{\"name\": \"\\ud800\"}",
            b"{\"max_duration_seconds\": 1e999}",
        ];
        let deep = "[".repeat(5000);
        for path in paths(&account) {
            for body in bodies.iter().copied().chain([deep.as_bytes()]) {
                let answer = send(&gateway, &path, &account, "application/json", body.to_vec()).await;
                answer.assert_fields(&[""]);
            }
        }
        assert_eq!(gateway.rows().await, before);
        assert!(lock(&gateway.fakes.placed).is_empty() && lock(&gateway.fakes.endpoints).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_too_large_is_refused_whether_announced_or_not() {
    let gateway = Gateway::start(crate::support::Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let before = gateway.rows().await;
    let huge = json!({"name": "x", "system_prompt": "x".repeat(2 * 1024 * 1024)}).to_string();
    for path in paths(&account) {
        send(&gateway, &path, &account, "application/json", huge.clone())
            .await
            .assert_error(413, "payload_too_large");
    }
    let pieces: Vec<Result<Vec<u8>, std::io::Error>> = (0..32).map(|_| Ok(vec![b' '; 64 * 1024])).collect();
    let stream = Body::wrap_stream(futures_util::stream::iter(pieces));
    send(&gateway, "/v1/agents", &account, "application/json", stream)
        .await
        .assert_error(413, "payload_too_large");
    let mut fits = customer("user_1");
    fits["ignored"] = json!("x".repeat(1_000_000));
    gateway.post("/v1/customers", &account.key, &fits).await.expect(201);
    let after = gateway.rows().await;
    assert_eq!(after.iter().map(|(_, n)| n).sum::<i64>(), before.iter().map(|(_, n)| n).sum::<i64>() + 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_json_in_utf8_is_taken() {
    let gateway = Gateway::start(crate::support::Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let body = json!({"name": "ci"}).to_string();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin1",
        "application/jsonx",
        "",
    ] {
        send(&gateway, "/v1/api-keys", &account, kind, body.clone())
            .await
            .assert_error(415, "unsupported_media_type");
    }
    let zipped = gateway.request(Method::POST, "/v1/api-keys").header("x-api-key", &account.key);
    let zipped = zipped.header("Content-Type", "application/json").header("Content-Encoding", "gzip");
    Answer::of(zipped.body(body.clone()).send().await.unwrap())
        .await
        .assert_error(415, "unsupported_media_type");
    for kind in ["application/json; charset=utf-8", "APPLICATION/JSON", "application/json;charset=\"UTF-8\""]
    {
        send(&gateway, "/v1/api-keys", &account, kind, body.clone()).await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_rubbish_without_a_key_is_told_about_the_key() {
    let gateway = Gateway::start(crate::support::Engine::Sqlite).await;
    for body in [b"{".to_vec(), vec![b'x'; 2 * 1024 * 1024]] {
        let request = gateway.request(Method::POST, "/v1/agents").header("Content-Type", "application/json");
        Answer::of(request.body(body).send().await.unwrap()).await.assert_error(401, "unauthorized");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_dribbles_in_is_cut_off() {
    let gateway = Gateway::start_with(Engine::Sqlite, GATEWAY, &[("ECHO_BODY_DEADLINE_MS", "500")]).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let host = gateway.url.strip_prefix("http://").unwrap();
    let (mut from, mut to) = TcpStream::connect(host).await.unwrap().into_split();
    let head = format!(
        "POST /v1/agents HTTP/1.1\r\nHost: {host}\r\nx-api-key: {}\r\nContent-Type: application/json\r\n\
         Content-Length: 1000000\r\n\r\n",
        account.key
    );
    to.write_all(head.as_bytes()).await.unwrap();
    let dribble = tokio::spawn(async move {
        let mut clock = tokio::time::interval(Duration::from_millis(20));
        while to.write_all(b" ").await.is_ok() {
            clock.tick().await;
        }
    });
    // To the end: the connection is closed, although much more was announced.
    let mut answer = Vec::new();
    let read = async { while from.read_buf(&mut answer).await.is_ok_and(|read| read > 0) {} };
    tokio::time::timeout(Duration::from_secs(60), read).await.expect("an end of the connection");
    let answer = String::from_utf8(answer).unwrap();
    dribble.abort();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 408 "), "{head}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["statusCode"], &body["code"]), (&json!(408), &json!("request_timeout")));
    assert_eq!((&body["error"], &body["details"]), (&json!("Request Timeout"), &json!([])));
    assert!(head.contains(body["request_id"].as_str().unwrap()), "{answer}");
    gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
}
