//! A secret is replaced: who checks the documented header needs the new one at once, who checks that of Standard Webhooks may
//! take a day. Checked by the documented JavaScript in Express, and by the verifiers that npm and PyPI have.

use reqwest::Method;
use serde_json::{Value, json};

use crate::echo::{Echo, PATIENCE, Shape};
use crate::server::{Answered, Server};
use crate::verifiers::believed;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_a_rotation_breaks_no_public_verifier() {
    rotation(Shape::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_and_rabbitmq_a_rotation_breaks_no_public_verifier() {
    rotation(Shape::OnServers).await;
}

async fn rotation(shape: Shape) {
    let echo = Echo::start(shape).await;
    let mut server = Server::start().await;
    let project = Project::sign_up(echo.base()).await;
    let (hook, old) = project.hook(&server.url()).await;
    let stranger = format!("whsec_{}", "0".repeat(64));

    server.trust(&old).await;
    project.post(&format!("{hook}/test"), &json!({}), 202).await;
    let first = server.answered().await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(believed(&first, &[&old, &stranger]).await, [true, false]);
    let tampered = Answered { body: first.body.replace("works", "wörks"), ..first.clone() };
    assert_ne!(tampered.body, first.body);
    assert_eq!(believed(&tampered, &[&old]).await, [false]);

    let rotated = project.post(&format!("{hook}/secret/rotate"), &json!({}), 200).await;
    let new = rotated["signing_secret"].as_str().expect("a secret").to_owned();
    assert_ne!(new, old);
    project.post(&format!("{hook}/test"), &json!({}), 202).await;
    let second = server.answered().await;
    assert_eq!(second.status, 401, "the documented header is made with the new secret at once");
    assert_eq!(believed(&second, &[&old, &new, &stranger]).await, [true, true, false]);

    server.trust(&new).await;
    project.post(&format!("{hook}/test"), &json!({}), 202).await;
    let third = server.answered().await;
    assert_eq!((third.status, believed(&third, &[&new]).await), (200, vec![true]));
    let log = project.send(Method::GET, &format!("{hook}/deliveries?status=success"), None, 200).await;
    assert_eq!(log["data"].as_array().map(Vec::len), Some(2), "{log}");
    assert_eq!(server.stop().await, "", "a test has no analysis to print");
    echo.stop().await;
}

/// A project of its own.
struct Project<'a> {
    base: &'a str,
    key: String,
    id: String,
    http: reqwest::Client,
}

impl<'a> Project<'a> {
    async fn sign_up(base: &'a str) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
        let mut project = Self { base, key: String::new(), id: String::new(), http };
        let account = json!({
            "email": "you@yourcompany.com", "password": "YourPassword123!", "first_name": "Jane", "last_name": "Doe",
            "business_name": "Acme Inc", "business_summary": "A SaaS platform", "industry": "Software",
        });
        let made = project.post("/auth/signup", &account, 201).await;
        let text = |name: &str| made["default_project"][name].as_str().expect(name).to_owned();
        (project.key, project.id) = (text("api_key"), text("id"));
        project
    }

    /// An endpoint: its path and its secret.
    async fn hook(&self, url: &str) -> (String, String) {
        let hooks = format!("/api/v1/projects/{}/webhooks", self.id);
        let made = self.post(&hooks, &json!({"url": url, "events": ["call.summary"]}), 201).await;
        let text = |name: &str| made[name].as_str().expect(name).to_owned();
        (format!("{hooks}/{}", text("id")), text("signing_secret"))
    }

    async fn post(&self, path: &str, body: &Value, status: u16) -> Value {
        self.send(Method::POST, path, Some(body), status).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>, status: u16) -> Value {
        let request =
            self.http.request(method, format!("{}{path}", self.base)).header("x-api-key", &self.key);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = request.send().await.expect("an answer");
        let seen = answer.status().as_u16();
        let body: Value = answer.json().await.expect("JSON");
        assert_eq!(seen, status, "{path}: {body}");
        body
    }
}
