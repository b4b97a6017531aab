//! The quickstart, with its own curl bodies, word for word.

use contracts::calls::PlaceNotificationRequest;
use serde_json::{Value, json};

use crate::fakes::lock;
use crate::support::{Answer, ENGINES, Engine, Gateway, Method, id};

const SIGNUP: &str = r#"{
    "email": "you@yourcompany.com",
    "password": "YourPassword123!",
    "first_name": "Jane",
    "last_name": "Doe",
    "business_name": "Acme Inc",
    "business_summary": "A SaaS platform for project management",
    "industry": "Software"
  }"#;

const AGENT: &str = r#"{
    "name": "Appointment Reminder",
    "system_prompt": "You are a friendly assistant calling {{recipient_first_name}} on behalf of {{business_name}}. Start the call by saying: \"Hi, is this {{recipient_first_name}}? Great — I'm calling from {{business_name}} to confirm your appointment on {{appointment_time}} with {{doctor_name}}. Does that time still work for you?\" If they need to reschedule, collect a preferred time and end the call warmly. Do not discuss anything else.",
    "output_schema": {
      "type": "object",
      "required": ["confirmed"],
      "properties": {
        "confirmed": {
          "type": "boolean",
          "description": "Whether the patient confirmed the appointment"
        },
        "reschedule_request": {
          "type": "string",
          "description": "Preferred reschedule time if they want to change it"
        }
      }
    }
  }"#;

const CUSTOMER: &str = r#"{
    "external_id": "user_12345",
    "first_name": "John",
    "last_name": "Smith",
    "phone": "+14155552671"
  }"#;

const WEBHOOK: &str = r#"{
    "url": "https://your-server.com/webhooks/echo",
    "events": ["call.summary"]
  }"#;

/// As curl sends it.
async fn curl(gateway: &Gateway, path: &str, key: Option<&str>, body: &str) -> Value {
    let mut request = gateway.request(Method::POST, path).header("Content-Type", "application/json");
    if let Some(key) = key {
        request = request.header("x-api-key", key);
    }
    Answer::of(request.body(body.to_owned()).send().await.unwrap()).await.expect(201)
}

fn names(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

fn assert_time(value: &Value) {
    let text = value.as_str().unwrap();
    assert!(text.len() == 24 && text.ends_with('Z') && text.as_bytes()[19] == b'.', "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_quickstart_works_word_for_word() {
    for engine in ENGINES {
        walk_through(engine).await;
    }
}

async fn walk_through(engine: Engine) {
    let gateway = Gateway::start(engine).await;
    let account = signs_up(&gateway).await;
    let key = account["default_project"]["api_key"].as_str().unwrap();
    let project = account["default_project"]["id"].as_str().unwrap();
    let agent = makes_an_agent(&gateway, key, &account).await;
    let customer = adds_a_customer(&gateway, key, project).await;
    sends_a_notification(&gateway, key, project, (&agent, &customer)).await;
    registers_a_webhook(&gateway, key, project).await;
}

async fn signs_up(gateway: &Gateway) -> Value {
    let account = curl(gateway, "/auth/signup", None, SIGNUP).await;
    assert_eq!(names(&account), ["access_token", "business", "default_project", "refresh_token", "user"]);
    assert_eq!(account["user"]["email"], "you@yourcompany.com");
    assert_eq!(account["user"]["first_name"], "Jane");
    assert_eq!(account["user"]["last_name"], "Doe");
    assert_eq!(account["business"]["name"], "Acme Inc");
    assert_eq!(account["default_project"]["name"], "default");
    let key = account["default_project"]["api_key"].as_str().unwrap();
    let digits = key.strip_prefix("echo_").unwrap();
    assert!(digits.len() == 64 && digits.bytes().all(|b| b"0123456789abcdef".contains(&b)));
    account
}

async fn makes_an_agent(gateway: &Gateway, key: &str, account: &Value) -> String {
    let agent = curl(gateway, "/api/v1/agents", Some(key), AGENT).await;
    let sent: Value = serde_json::from_str(AGENT).unwrap();
    assert_eq!(agent["business_id"], account["business"]["id"]);
    assert_eq!(agent["name"], "Appointment Reminder");
    assert_eq!(agent["system_prompt"], sent["system_prompt"]);
    assert_eq!(agent["output_schema"], sent["output_schema"]);
    assert_eq!(agent["status"], "active");
    assert_eq!(agent["version"], 1);
    assert_eq!(agent["required_variables"], json!(["appointment_time", "doctor_name"]));
    assert_eq!(agent["warnings"], json!([]));
    assert_time(&agent["created_at"]);
    assert_time(&agent["updated_at"]);
    let read = gateway.get(&format!("/api/v1/agents/{}", id(&agent)), key).await.expect(200);
    assert_eq!(read, agent);
    id(&agent)
}

async fn adds_a_customer(gateway: &Gateway, key: &str, project: &str) -> String {
    let customer = curl(gateway, "/api/v1/customers", Some(key), CUSTOMER).await;
    assert_eq!(customer["project_id"], project);
    assert_eq!(customer["external_id"], "user_12345");
    assert_eq!(customer["first_name"], "John");
    assert_eq!(customer["last_name"], "Smith");
    assert_eq!(customer["metadata"], json!({}));
    assert_time(&customer["created_at"]);
    let phones = customer["phones"].as_array().unwrap();
    assert_eq!(phones.len(), 1);
    assert_eq!(names(&phones[0]), ["created_at", "customer_id", "id", "is_primary", "status", "value"]);
    assert_eq!(phones[0]["value"], "+14155552671");
    assert_eq!(phones[0]["is_primary"], true);
    assert_eq!(phones[0]["status"], "active");
    assert_eq!(phones[0]["customer_id"], customer["id"]);
    let read = gateway.get(&format!("/v1/customers/{}", id(&customer)), key).await.expect(200);
    assert_eq!(read, customer);
    let found = gateway.get("/v1/customers?external_id=user_12345", key).await.expect(200);
    assert_eq!(found, json!([customer]));
    id(&customer)
}

async fn sends_a_notification(gateway: &Gateway, key: &str, project: &str, (agent, customer): (&str, &str)) {
    let body = format!(
        r#"{{
    "customer_id": "{customer}",
    "agent_id": "{agent}",
    "variables": {{
      "appointment_time": "Thursday March 20th at 2:00 PM",
      "doctor_name": "Dr. Patel"
    }}
  }}"#
    );
    let placed = curl(gateway, "/api/v1/notifications", Some(key), &body).await;
    assert_eq!(names(&placed), ["call", "notification"]);
    let notification = &placed["notification"];
    let (notification_id, at) = (id(notification), "2026-03-18T17:43:46.714Z");
    assert_eq!(
        *notification,
        json!({
            "id": notification_id, "project_id": project, "agent_id": agent, "agent_version": 1,
            "customer_id": customer, "target_phone_e164": "+14155552671", "message": "", "context": null,
            "collect_feedback": false, "max_duration_seconds": 180, "status": "in_progress",
            "call_result": null, "ended_reason": null, "blocked_by": null, "carrier_code": null,
            "evidence": {"confirmed": {"status": "grounded", "turn": 1, "quote": "yes"}},
            "scheduled_at": null, "expires_at": "2026-03-19T17:43:46.714Z", "attempts": 1, "next_attempt_at": null,
            "retry": {"max_attempts": 1, "delay_seconds": [], "on": []}, "from": null, "voicemail": "hang_up",
            "reschedule": null, "metadata": null, "created_at": at, "updated_at": at
        })
    );
    assert_eq!(placed["call"], json!({"callId": format!("call-of-{notification_id}"), "status": "queued"}));
    let read = gateway.get(&format!("/api/v1/notifications/{notification_id}"), key).await.expect(200);
    assert_eq!(read, *notification);
    assert_eq!(gateway.get("/v1/notifications", key).await.expect(200), json!([notification]));
    let told = lock(&gateway.fakes.placed)[0].clone();
    assert_told(&told, agent, customer);
}

/// The orchestrator is told everything at once and has nobody to ask.
fn assert_told(told: &PlaceNotificationRequest, agent: &str, customer: &str) {
    let business = told.business.as_ref().unwrap();
    assert_eq!(business.name, "Acme Inc");
    assert_eq!(business.summary, "A SaaS platform for project management");
    assert_eq!(business.industry, "Software");
    let rung = told.customer.as_ref().unwrap();
    assert_eq!((rung.id.as_str(), rung.external_id.as_str()), (customer, "user_12345"));
    assert_eq!((rung.first_name.as_str(), rung.last_name.as_str()), ("John", "Smith"));
    assert_eq!((rung.phone_e164.as_str(), rung.metadata_json.as_str()), ("+14155552671", "{}"));
    let persona = told.agent.as_ref().unwrap();
    assert_eq!((persona.id.as_str(), persona.version, persona.max_duration_seconds), (agent, 1, 600));
    assert!(persona.system_prompt.contains("{{appointment_time}}"));
    assert!(persona.output_schema_json.contains("reschedule_request"));
    let variables: Value = serde_json::from_str(&told.variables_json).unwrap();
    assert_eq!(variables["doctor_name"], "Dr. Patel");
    assert_eq!((told.language.as_str(), told.voice.as_str()), ("en-US", "man"));
}

async fn registers_a_webhook(gateway: &Gateway, key: &str, project: &str) {
    let path = format!("/api/v1/projects/{project}/webhooks");
    let endpoint = curl(gateway, &path, Some(key), WEBHOOK).await;
    assert_eq!(
        names(&endpoint),
        [
            "consecutive_failures",
            "created_at",
            "events",
            "id",
            "project_id",
            "signing_secret",
            "status",
            "updated_at",
            "url"
        ]
    );
    assert_eq!(endpoint["project_id"], project);
    assert_eq!(endpoint["url"], "https://your-server.com/webhooks/echo");
    assert_eq!(endpoint["events"], json!(["call.summary"]));
    assert!(endpoint["signing_secret"].as_str().unwrap().starts_with("whsec_"));
    let path = format!("/v1/projects/{project}/webhooks");
    assert_eq!(gateway.get(&path, key).await.expect(200), json!([endpoint]));
    assert_eq!(gateway.get(&format!("{path}/{}", id(&endpoint)), key).await.expect(200), endpoint);
}
