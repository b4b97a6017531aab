//! An integrator's program: plain HTTP and JSON, an account, and what one makes again and again.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::wait::eventually;

use crate::echo::{Echo, PATIENCE};
use crate::inbox::Inbox;
use crate::shape::text;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body; `null` when there is none.
    pub(crate) body: Value,
}

impl Answer {
    /// The body, if the status is this one.
    pub(crate) fn is(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    /// The body of an error with this status. Its message names `what`.
    pub(crate) fn refuses(self, status: u16, what: &str) -> Value {
        let body = self.is(status);
        let message = text(&body, "message").to_lowercase();
        assert!(message.contains(&what.to_lowercase()), "no {what} in {body}");
        body
    }
}

/// Sends requests with one credential, or with none.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    credential: Option<(&'static str, String)>,
}

impl Client {
    /// Somebody without a credential.
    pub(crate) fn stranger(echo: &Echo) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build();
        Self { http: http.expect("a client"), base: echo.base.clone(), credential: None }
    }

    /// The same with an API key.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self { credential: Some(("x-api-key", key.to_owned())), ..self.clone() }
    }

    /// The same with a token.
    pub(crate) fn with_bearer(&self, token: &str) -> Self {
        self.with_authorization(&format!("Bearer {token}"))
    }

    /// The same with these words in the header of credentials.
    pub(crate) fn with_authorization(&self, words: &str) -> Self {
        Self { credential: Some(("authorization", words.to_owned())), ..self.clone() }
    }

    /// One request.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some((name, value)) = &self.credential {
            request = request.header(*name, value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = answer.text().await.expect("the whole answer");
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect("JSON") };
        Answer { status, headers, body }
    }

    /// `GET`.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// `POST`.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    /// `POST` without a body.
    pub(crate) async fn act(&self, path: &str) -> Answer {
        self.send(Method::POST, path, None).await
    }

    /// `PATCH`.
    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// `DELETE`.
    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }
}

/// A number that no other test of this run has: of an address, of a phone.
pub(crate) fn unique() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::SeqCst)
}

/// The number of somebody who picks up and agrees; nobody else's.
pub(crate) fn new_phone() -> String {
    format!("+1415{}", 2_000_000 + unique())
}

/// What the quickstart signs up with, and an address of its own.
pub(crate) fn new_signup() -> Value {
    json!({
        "email": format!("integrator{}@example.com", unique()), "password": "YourPassword123!",
        "first_name": "Jane", "last_name": "Doe", "business_name": "Acme Inc",
        "business_summary": "A SaaS platform for project management", "industry": "Software",
    })
}

/// A business with its first project, and a client with that project's key.
pub(crate) struct Account {
    /// With the key of the first project.
    pub(crate) api: Client,
    /// What the signup answered.
    pub(crate) signup: Value,
    /// The first project's id.
    pub(crate) project: String,
}

impl Account {
    /// Signs up.
    pub(crate) async fn new(echo: &Echo) -> Self {
        let signup = Client::stranger(echo).post("/auth/signup", &new_signup()).await.is(201);
        Self::of(echo, signup)
    }

    /// The one that a signup answered.
    pub(crate) fn of(echo: &Echo, signup: Value) -> Self {
        let stranger = Client::stranger(echo);
        let project = text(&signup["default_project"], "id").to_owned();
        Self { api: stranger.with_key(text(&signup["default_project"], "api_key")), signup, project }
    }

    /// The first project's key.
    pub(crate) fn key(&self) -> &str {
        text(&self.signup["default_project"], "api_key")
    }

    /// Whoever signed up, with their access token.
    pub(crate) fn person(&self, echo: &Echo) -> Client {
        Client::stranger(echo).with_bearer(text(&self.signup, "access_token"))
    }

    /// Where the first project's webhook endpoints are.
    pub(crate) fn webhooks(&self) -> String {
        format!("/api/v1/projects/{}/webhooks", self.project)
    }

    /// A new customer who picks up and agrees.
    pub(crate) async fn customer(&self) -> Value {
        self.customer_at(&new_phone()).await
    }

    /// A new customer with this number.
    pub(crate) async fn customer_at(&self, phone: &str) -> Value {
        self.api.post("/api/v1/customers", &new_customer(phone)).await.is(201)
    }

    /// The quickstart's agent.
    pub(crate) async fn agent(&self) -> Value {
        self.api.post("/api/v1/agents", &new_agent()).await.is(201)
    }

    /// An agent that opens with this line and learns nothing.
    pub(crate) async fn agent_who_says(&self, line: &str) -> Value {
        let body =
            json!({"name": "Opener", "system_prompt": format!("Start the call by saying: \"{line}\"")});
        self.api.post("/api/v1/agents", &body).await.is(201)
    }

    /// Asks for a call. Answers what that answers.
    pub(crate) async fn place(&self, body: &Value) -> Value {
        self.api.post("/api/v1/notifications", body).await.is(201)
    }

    /// The quickstart's agent rings a new customer who agrees. Answers what that answers.
    pub(crate) async fn ring(&self) -> Value {
        self.ring_at(&new_phone()).await
    }

    /// The quickstart's agent rings this number. Answers what that answers.
    pub(crate) async fn ring_at(&self, phone: &str) -> Value {
        let (customer, agent) = (self.customer_at(phone).await, self.agent().await);
        self.place(&appointment(&customer, &agent)).await
    }

    /// A new endpoint for these events, and how Echo answered its registration.
    pub(crate) async fn listen(&self, events: &[&str]) -> (Inbox, Value) {
        let inbox = Inbox::start();
        let endpoint = json!({"url": inbox.url, "events": events});
        let endpoint = self.api.post(&self.webhooks(), &endpoint).await.is(201);
        (inbox, endpoint)
    }

    /// The notification of an answer, when it has ended.
    pub(crate) async fn ended(&self, placed: &Value) -> Value {
        let path = format!("/api/v1/notifications/{}", text(&placed["notification"], "id"));
        let look = || async {
            let found = self.api.get(&path).await.is(200);
            let over = ["completed", "failed", "canceled"].iter().any(|status| found["status"] == *status);
            if over { Ok(found) } else { Err(found) }
        };
        eventually("the end of the call", PATIENCE, look).await
    }
}

/// What makes a customer.
pub(crate) fn new_customer(phone: &str) -> Value {
    json!({"external_id": format!("user_{}", unique()), "first_name": "John", "last_name": "Smith", "phone": phone})
}

/// What makes the quickstart's agent.
pub(crate) fn new_agent() -> Value {
    json!({
        "name": "Appointment Reminder",
        "system_prompt": testkit::api::PROMPT,
        "output_schema": {
            "type": "object",
            "required": ["confirmed"],
            "properties": {
                "confirmed": {"type": "boolean", "description": "Whether the patient confirmed the appointment"},
                "reschedule_request": {
                    "type": "string", "description": "Preferred reschedule time if they want to change it",
                },
            },
        },
    })
}

/// What makes the quickstart's agent ring a customer.
pub(crate) fn appointment(customer: &Value, agent: &Value) -> Value {
    testkit::api::ring(text(customer, "id"), text(agent, "id"))
}
