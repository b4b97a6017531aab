//! Echo as an integrator sees it, and the sandbox carrier as a bystander sees it.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::receiver::Receiver;

/// A client of the public API with an account of its own.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    base: String,
    key: String,
    token: String,
    project: String,
}

impl Api {
    /// Signs up at the API at `base`.
    ///
    /// # Panics
    /// When that fails.
    pub async fn sign_up(base: String) -> Self {
        Self::sign_up_as(base, "you@yourcompany.com").await
    }

    /// The same with this e-mail address.
    ///
    /// # Panics
    /// When that fails.
    pub async fn sign_up_as(base: String, email: &str) -> Self {
        let mut api =
            Self { http: http(), base, key: String::new(), token: String::new(), project: String::new() };
        let body = json!({
            "email": email, "password": "YourPassword123!", "first_name": "Jane", "last_name": "Doe",
            "business_name": "Acme Inc", "business_summary": "A SaaS platform for project management", "industry": "Software",
        });
        let made = api.post("/auth/signup", &body).await;
        let project = &made["default_project"];
        api.key = project["api_key"].as_str().expect("an API key").to_owned();
        api.project = id(project);
        api.token = made["access_token"].as_str().expect("an access token").to_owned();
        api
    }

    /// Its project.
    #[must_use]
    pub fn project(&self) -> &str {
        &self.project
    }

    /// Registers `receiver` for the events of every call.
    pub async fn report_to(&self, receiver: &Receiver) {
        let events = ["call.started", "call.ended", "call.summary"];
        let endpoint = json!({"url": receiver.url(), "events": events});
        let made = self.post(&format!("/api/v1/projects/{}/webhooks", self.project), &endpoint).await;
        receiver.trust(made["signing_secret"].as_str().expect("a secret"));
    }

    /// One request; an error is one without an answer.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        idempotency_key: Option<&str>,
    ) -> Result<(u16, Value), reqwest::Error> {
        let mut request =
            self.http.request(method, format!("{}{path}", self.base)).header("x-api-key", &self.key);
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        // An answer that breaks off is none.
        let text = answer.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    /// Changes something that a key may not: as the owner, with an access token. Answers status and body.
    ///
    /// # Panics
    /// When nobody answers.
    pub async fn put_as_owner(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.http.put(format!("{}{path}", self.base)).bearer_auth(&self.token);
        let answer = request.json(body).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.try_send(method, path, body, None).await.expect("an answer")
    }

    /// Creates something.
    ///
    /// # Panics
    /// When it was not created.
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let (status, made) = self.send(Method::POST, path, Some(body)).await;
        assert_eq!(status, 201, "{path}: {made}");
        made
    }

    /// Reads something.
    ///
    /// # Panics
    /// When it is not there.
    pub async fn get(&self, path: &str) -> Value {
        let (status, found) = self.send(Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {found}");
        found
    }

    /// A customer with this number. Answers the id.
    pub async fn customer(&self, phone: &str) -> String {
        let body = json!({
            "external_id": format!("user_{phone}"), "first_name": "John", "last_name": "Smith", "phone": phone,
        });
        id(&self.post("/api/v1/customers", &body).await)
    }

    /// The quickstart's agent. Answers the id.
    pub async fn agent(&self) -> String {
        self.agent_with(PROMPT).await
    }

    /// The quickstart's agent with another prompt.
    pub async fn agent_with(&self, prompt: &str) -> String {
        let body = json!({
            "name": "Appointment Reminder",
            "system_prompt": prompt,
            "output_schema": {
                "type": "object",
                "required": ["confirmed"],
                "properties": {
                    "confirmed": {"type": "boolean", "description": "Whether the patient confirmed the appointment"},
                    "reschedule_request": {"type": "string", "description": "Preferred reschedule time if they want to change it"},
                },
            },
        });
        id(&self.post("/api/v1/agents", &body).await)
    }

    /// Rings a customer with an agent. Answers the notification's id.
    pub async fn ring(&self, customer: &str, agent: &str) -> String {
        id(&self.post("/api/v1/notifications", &ring(customer, agent)).await["notification"])
    }
}

/// The body that rings a customer with the quickstart's agent.
#[must_use]
pub fn ring(customer: &str, agent: &str) -> Value {
    json!({
        "customer_id": customer,
        "agent_id": agent,
        "variables": {"appointment_time": "Thursday March 20th at 2:00 PM", "doctor_name": "Dr. Patel"},
    })
}

/// The `id` of something.
///
/// # Panics
/// When it has none.
#[must_use]
pub fn id(value: &Value) -> String {
    value["id"].as_str().unwrap_or_else(|| panic!("no id in {value}")).to_owned()
}

/// The controls of the sandbox carrier.
#[derive(Clone)]
pub struct Carrier {
    http: reqwest::Client,
    base: String,
}

impl Carrier {
    /// The carrier at `base`.
    #[must_use]
    pub fn at(base: &str) -> Self {
        Self { http: http(), base: format!("{base}/sandbox/v1") }
    }

    /// What it knows, below `/sandbox/v1/`.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(format!("{}/{path}", self.base)).send().await;
        answer.expect("the carrier").json().await.expect("JSON")
    }

    /// Tells it something, below `/sandbox/v1/`. Answers status and body.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.http.post(format!("{}/{path}", self.base)).json(body).send().await;
        let answer = answer.expect("the carrier");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    /// Sets its switches.
    ///
    /// # Panics
    /// When it refuses them.
    pub async fn nasty(&self, switches: &Value) {
        let answer = self.http.post(format!("{}/nasty", self.base)).json(switches).send().await;
        let status = answer.expect("the carrier").status();
        assert!(status.is_success(), "{status}");
    }

    /// How often it was made to dial this number, and how often the phone rang.
    ///
    /// # Panics
    /// When it does not say.
    pub async fn rings(&self, phone: &str) -> (u64, u64) {
        let found = self.get(&format!("rings?to={}", phone.replace('+', "%2B"))).await;
        let count = |name: &str| found[name].as_u64().expect("a count");
        (count("dialled"), count("rang"))
    }

    /// The latest call to this number.
    pub async fn call_to(&self, phone: &str) -> Option<Value> {
        self.get("calls").await.as_array().and_then(|all| all.iter().find(|c| c["to"] == phone).cloned())
    }

    /// What Echo said in the latest call to this number.
    pub async fn spoken(&self, phone: &str) -> Vec<String> {
        let call = self.call_to(phone).await.unwrap_or_default();
        let lines = call["transcript"].as_array().cloned().unwrap_or_default();
        let ours = lines.iter().filter(|line| line["by"] == "agent");
        ours.map(|line| line["text"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Everything that happens from now on, as server-sent events.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn events(&self) -> reqwest::Response {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        http.get(format!("{}/events", self.base)).send().await.expect("the carrier")
    }
}

fn http() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build();
    client.expect("a client")
}

/// The quickstart's prompt, word for word.
pub const PROMPT: &str = "You are a friendly assistant calling {{recipient_first_name}} on behalf of {{business_name}}. Start the call by saying: \"Hi, is this {{recipient_first_name}}? Great — I'm calling from {{business_name}} to confirm your appointment on {{appointment_time}} with {{doctor_name}}. Does that time still work for you?\" If they need to reschedule, collect a preferred time and end the call warmly. Do not discuss anything else.";
