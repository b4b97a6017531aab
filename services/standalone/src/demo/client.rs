//! The demo's side of the API: what a user would type with curl.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::screen::Screen;

/// Something that does not work, in words for the person at the screen.
pub(super) struct Problem(pub(super) String);

impl<E: std::error::Error> From<E> for Problem {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        Self(text)
    }
}

/// The API and the sandbox carrier's controls.
pub(super) struct Api {
    http: reqwest::Client,
    base: String,
    sandbox: String,
}

/// What the demo made on its first run.
#[derive(Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) email: String,
    pub(super) password: String,
    pub(super) project_id: String,
    pub(super) api_key: String,
    /// The app whose documents the agent knows.
    pub(super) app_id: String,
    pub(super) agent_id: String,
    pub(super) customer_id: String,
    pub(super) signing_secret: String,
    pub(super) webhook_port: u16,
}

/// A page of the business, as it is brought to the app.
const PAGE: &str = "# Your visit\n\nYou can park behind the house, free of charge. The entrance is on Mill Street. \
    Have your insurance card with you, please.";
const PAGE_URL: &str = "https://practice.example/visit";

const PROMPT: &str = "You are a friendly assistant calling {{recipient_first_name}} on behalf of {{business_name}}. \
    Start the call by saying: \"Hi, is this {{recipient_first_name}}? Great — I'm calling from {{business_name}} to confirm \
    your appointment on {{appointment_time}} with {{doctor_name}}. Does that time still work for you?\" If they need to \
    reschedule, collect a preferred time and end the call warmly. Do not discuss anything else.";

impl Api {
    pub(super) fn new(base: &str, sandbox: &str) -> Result<Self, Problem> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).no_proxy().build()?;
        Ok(Self { http, base: base.to_owned(), sandbox: sandbox.to_owned() })
    }

    pub(super) async fn post(
        &self,
        path: &str,
        account: Option<&Account>,
        body: &Value,
    ) -> Result<Value, Problem> {
        let mut request = self.http.post(format!("{}{path}", self.base)).json(body);
        if let Some(account) = account {
            request = request.header("x-api-key", &account.api_key);
        }
        answer(request.send().await?, path).await
    }

    /// One object of the account's project.
    pub(super) async fn project(&self, account: &Account, path: &str, id: &str) -> Result<Value, Problem> {
        let request =
            self.http.get(format!("{}{path}/{id}", self.base)).header("x-api-key", &account.api_key);
        answer(request.send().await?, path).await
    }

    /// What people are to answer.
    pub(super) async fn tickets(&self, account: &Account) -> Result<Vec<Value>, Problem> {
        let path = format!("/api/apps/tickets?appId={}", account.app_id);
        let request = self.http.get(format!("{}{path}", self.base)).header("x-api-key", &account.api_key);
        Ok(serde_json::from_value(answer(request.send().await?, &path).await?)?)
    }

    /// The latest call to this number, as the sandbox carrier sees it.
    pub(super) async fn carrier_call(&self, to: &str) -> Result<Option<Value>, Problem> {
        let calls: Vec<Value> =
            self.http.get(format!("{}/sandbox/v1/calls", self.sandbox)).send().await?.json().await?;
        Ok(calls.into_iter().find(|call| call["to"] == to))
    }
}

async fn answer(response: reqwest::Response, path: &str) -> Result<Value, Problem> {
    let status = response.status();
    let text = response.text().await?;
    if !status.is_success() {
        return Err(Problem(format!("{path} answered {status}: {text}")));
    }
    Ok(serde_json::from_str(&text)?)
}

fn field(value: &Value, path: &[&str]) -> Result<String, Problem> {
    let found = path.iter().try_fold(value, |value, name| value.get(name)).and_then(Value::as_str);
    found.map(str::to_owned).ok_or_else(|| Problem(format!("the answer has no {}", path.join("."))))
}

impl Account {
    /// The account of the first run, or a new one.
    pub(super) async fn kept(api: &Api, screen: &Screen, folder: &Path) -> Result<Self, Problem> {
        let file = folder.join("demo.json");
        // What an older demo has kept lacks something: this one begins anew.
        let kept = std::fs::read_to_string(&file).ok();
        if let Some(account) = kept.and_then(|text| serde_json::from_str::<Self>(&text).ok()) {
            screen.step(
                "1–4",
                &format!("account, app, agent, customer and endpoint of the first run ({})", account.email),
            );
            return Ok(account);
        }
        let account = Self::make(api, screen).await?;
        let mut out =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&file)?;
        out.write_all(serde_json::to_string_pretty(&account)?.as_bytes())?;
        Ok(account)
    }

    async fn make(api: &Api, screen: &Screen) -> Result<Self, Problem> {
        let mut account = sign_up(api).await?;
        screen.step("1", &format!("account {} with its first project and API key", account.email));
        // This machine's pages may ask: so the demo page of the chat works.
        let app = json!({"name": "Help", "allowed_domains": ["127.0.0.1", "localhost"]});
        let app = api.post("/v1/apps", Some(&account), &app).await?;
        account.app_id = field(&app, &["id"])?;
        let page = json!({"text": PAGE, "url": PAGE_URL});
        api.post(&format!("/api/{}/ingest", account.app_id), Some(&account), &page).await?;
        screen.step("+", &format!("app \"Help\", which knows the page {PAGE_URL}"));
        let agent = json!({
            "name": "Appointment Reminder",
            "knowledge_app_id": account.app_id,
            "system_prompt": PROMPT,
            "output_schema": {
                "type": "object",
                "required": ["confirmed"],
                "properties": {
                    "confirmed": {"type": "boolean", "description": "Whether the patient confirmed the appointment"},
                    "reschedule_request": {"type": "string", "description": "Preferred reschedule time if they want to change it"},
                },
            },
        });
        account.agent_id = field(&api.post("/api/v1/agents", Some(&account), &agent).await?, &["id"])?;
        screen.step("2", "agent \"Appointment Reminder\", which answers questions from that page");
        let customer = json!({"external_id": "user_12345", "first_name": "John", "last_name": "Smith", "phone": "+14155550119"});
        account.customer_id =
            field(&api.post("/api/v1/customers", Some(&account), &customer).await?, &["id"])?;
        screen.step("3", "customer John Smith, +14155550119 (a person of the sandbox carrier)");
        account.webhook_port = free_port()?;
        let url = format!("http://127.0.0.1:{}/webhooks/echo", account.webhook_port);
        let endpoint = json!({"url": url, "events": ["call.summary"]});
        let path = format!("/api/v1/projects/{}/webhooks", account.project_id);
        account.signing_secret =
            field(&api.post(&path, Some(&account), &endpoint).await?, &["signing_secret"])?;
        screen.step("4", &format!("webhook endpoint {url}"));
        Ok(account)
    }
}

async fn sign_up(api: &Api) -> Result<Account, Problem> {
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random).map_err(|e| Problem(e.to_string()))?;
    let tag = hex::encode(random);
    let (email, password) = (format!("demo-{tag}@example.com"), format!("Demo-{tag}!"));
    let body = json!({
        "email": email, "password": password, "first_name": "Jane", "last_name": "Doe", "business_name": "Acme Inc",
        "business_summary": "A SaaS platform for project management", "industry": "Software",
    });
    let made = api.post("/auth/signup", None, &body).await?;
    Ok(Account {
        email,
        password,
        project_id: field(&made, &["default_project", "id"])?,
        api_key: field(&made, &["default_project", "api_key"])?,
        app_id: String::new(),
        agent_id: String::new(),
        customer_id: String::new(),
        signing_secret: String::new(),
        webhook_port: 0,
    })
}

/// A port for the webhook endpoint, kept for later runs.
fn free_port() -> Result<u16, Problem> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
