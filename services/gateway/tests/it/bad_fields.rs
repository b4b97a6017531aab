//! Fields that are wrong: each is answered with its name and leaves nothing behind.

use serde_json::{Value, json};

use crate::fakes::lock;
use crate::support::{Account, ENGINES, Gateway, agent, customer, id};

/// `base` with one field replaced.
fn with(base: &Value, field: &str, value: Value) -> Value {
    let mut body = base.clone();
    body[field] = value;
    body
}

fn nested_schema(levels: usize) -> Value {
    (1..levels)
        .fold(json!({"type": "object"}), |inner, _| json!({"type": "object", "properties": {"a": inner}}))
}

async fn refused(
    gateway: &Gateway,
    path: &str,
    account: &Account,
    base: &Value,
    rows: Vec<(&str, Value, &str)>,
) {
    let before = gateway.rows().await;
    for (field, value, named) in rows {
        let body = with(base, field, value);
        // A key beside it: a refused request must not even leave that.
        let answer = gateway.post_once(path, &account.key, "the-key", &body).await;
        answer.assert_fields(&[named]);
    }
    assert_eq!(gateway.rows().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_with_wrong_fields_are_refused() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let schema = |schema: Value| ("output_schema", schema);
        let bad_property = |property: Value| schema(json!({"type": "object", "properties": {"a": property}}));
        let rows = vec![
            ("name", json!(7), "name"),
            ("name", json!(""), "name"),
            ("name", json!("x".repeat(201)), "name"),
            ("name", json!("a\0"), "name"),
            ("system_prompt", json!(""), "system_prompt"),
            ("system_prompt", json!(" \n "), "system_prompt"),
            ("system_prompt", json!("x".repeat(32_001)), "system_prompt"),
            ("system_prompt", json!("a\0b"), "system_prompt"),
            ("system_prompt", json!(["x"]), "system_prompt"),
            ("output_schema", json!("object"), "output_schema"),
            ("output_schema", json!({"type": "array"}), "output_schema/type"),
            (
                "output_schema",
                nested_schema(9),
                "output_schema/properties/a/properties/a/properties/a/properties/a/properties/a/properties/a/properties/a/properties/a",
            ),
            ("output_schema", json!({"type": "object", "description": "x".repeat(33_000)}), "output_schema"),
            ("output_schema", json!({"type": "object", "description": "\0"}), "output_schema/description"),
            (
                bad_property(json!({"type": "text"})).0,
                bad_property(json!({"type": "text"})).1,
                "output_schema/properties/a/type",
            ),
            (
                "output_schema",
                bad_property(json!({"pattern": r"(a+)\1"})).1,
                "output_schema/properties/a/pattern",
            ),
            (
                "output_schema",
                bad_property(json!({"pattern": "x".repeat(257)})).1,
                "output_schema/properties/a/pattern",
            ),
            ("output_schema", bad_property(json!({"$ref": "#"})).1, "output_schema/properties/a/$ref"),
            ("language", json!("english please"), "language"),
            ("voice", json!(1), "voice"),
            ("max_duration_seconds", json!(29), "max_duration_seconds"),
            ("max_duration_seconds", json!(3601), "max_duration_seconds"),
        ];
        refused(&gateway, "/v1/agents", &account, &agent("Reminder"), rows).await;
        let largest = with(&agent("Reminder"), "system_prompt", json!("é".repeat(32_000)));
        gateway.post("/v1/agents", &account.key, &largest).await.expect(201);
        let deepest = with(&agent("Reminder"), "output_schema", nested_schema(8));
        gateway.post("/v1/agents", &account.key, &deepest).await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_with_wrong_tools_numbers_and_times_are_refused() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let rows = vec![
            ("voicemail_message", json!(""), "voicemail_message"),
            ("transfer_number", json!("4155552671"), "transfer_number"),
            ("knowledge_app_id", json!("a/b"), "knowledge_app_id"),
            ("tools", json!({}), "tools"),
            (
                "tools",
                json!([{"name": "a b", "description": "x", "parameters": {"type": "object"}, "url": "https://x.example"}]),
                "tools/0/name",
            ),
            (
                "tools",
                json!([{"name": "a", "description": "x", "parameters": {"type": "text"}, "url": "https://x.example"}]),
                "tools/0/parameters/type",
            ),
            ("reschedule", json!({}), "reschedule"),
            ("reschedule", json!({"slots": ["noon"]}), "reschedule/slots/0"),
            ("reschedule", json!({"url": "ftp://x"}), "reschedule/url"),
        ];
        refused(&gateway, "/v1/agents", &account, &agent("Reminder"), rows).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customers_with_wrong_fields_are_refused() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let rows = vec![
            ("external_id", json!(12345), "external_id"),
            ("external_id", json!(""), "external_id"),
            ("external_id", json!("a\0b"), "external_id"),
            ("first_name", json!("x".repeat(201)), "first_name"),
            ("last_name", json!(null), "last_name"),
            ("phone", json!("4155552671"), "phone"),
            ("phone", json!("+1 415 555 2671"), "phone"),
            ("phone", json!("+1415555"), "phone"),
            ("phone", json!("+999123456789"), "phone"),
            ("phone", json!("call me"), "phone"),
            ("phone", json!(14155552671_u64), "phone"),
            ("phone", json!(""), "phone"),
            ("metadata", json!([]), "metadata"),
            ("metadata", json!({"a": "x".repeat(17_000)}), "metadata"),
            ("metadata", json!({"a": {"b": ["\0"]}}), "metadata/a/b/0"),
            ("timezone", json!("Berlin"), "timezone"),
            ("timezone", json!(1), "timezone"),
            ("language", json!("english please"), "language"),
            ("email", json!("nobody"), "email"),
            ("consent", json!(true), "consent"),
            ("consent", json!({"at": "2026-03-18T17:43:46Z"}), "consent/given"),
            ("consent", json!({"given": true, "at": "yesterday"}), "consent/at"),
            ("consent", json!({"given": true, "source": "\0"}), "consent/source"),
        ];
        refused(&gateway, "/v1/customers", &account, &customer("user_1"), rows).await;
        gateway.post("/v1/customers", &account.key, &json!({})).await.assert_fields(&[
            "external_id",
            "first_name",
            "last_name",
            "phone",
        ]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_external_id_is_a_conflict_in_its_own_project_only() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let (mine, theirs) =
            (gateway.sign_up("a@acme.example").await, gateway.sign_up("b@acme.example").await);
        gateway.post("/v1/customers", &mine.key, &customer("user_1")).await.expect(201);
        let before = gateway.rows().await;
        let again = gateway.post_once("/v1/customers", &mine.key, "k", &customer("user_1")).await;
        again.assert_error(409, "external_id_taken");
        assert_eq!(gateway.rows().await, before);
        gateway.post("/v1/customers", &theirs.key, &customer("user_1")).await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notifications_with_wrong_fields_never_reach_the_orchestrator() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let made = gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
        let base =
            json!({"customer_id": id(&made), "message": "Your appointment tomorrow has been confirmed."});
        let many: serde_json::Map<_, _> = (0..65).map(|n| (format!("v{n}"), json!(n))).collect();
        let rows = vec![
            ("customer_id", json!(null), "customer_id"),
            ("customer_id", json!("user_1"), "customer_id"),
            ("customer_id", json!(7), "customer_id"),
            ("agent_id", json!("the usual one"), "agent_id"),
            ("message", json!(null), "message"),
            ("message", json!(""), "message"),
            ("message", json!("  "), "message"),
            ("message", json!("x".repeat(4001)), "message"),
            ("message", json!("a\0b"), "message"),
            ("message", json!({}), "message"),
            ("context", json!("x".repeat(4001)), "context"),
            ("context", json!(1), "context"),
            ("variables", json!([]), "variables"),
            ("variables", Value::Object(many), "variables"),
            ("variables", json!({"a": {}}), "variables/a"),
            ("variables", json!({"a": null}), "variables/a"),
            ("variables", json!({"a": "x".repeat(2001)}), "variables/a"),
            ("variables", json!({"a": "\0"}), "variables/a"),
            ("collect_feedback", json!("yes"), "collect_feedback"),
            ("max_duration_seconds", json!(29), "max_duration_seconds"),
            ("max_duration_seconds", json!(601), "max_duration_seconds"),
            ("max_duration_seconds", json!(60.5), "max_duration_seconds"),
            ("max_duration_seconds", json!("60"), "max_duration_seconds"),
            ("max_duration_seconds", json!(-60), "max_duration_seconds"),
            ("scheduled_at", json!("2030-01-01"), "scheduled_at"),
            ("retry", json!({"max_attempts": 6}), "retry/max_attempts"),
            ("metadata", json!("x"), "metadata"),
        ];
        refused(&gateway, "/v1/notifications", &account, &base, rows).await;
        assert!(lock(&gateway.fakes.placed).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_with_wrong_fields_never_reach_the_dispatcher() {
    let gateway = Gateway::start(crate::support::Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let base = json!({"url": "https://your-server.com/hook", "events": ["call.summary"]});
    let path = format!("/v1/projects/{}/webhooks", account.project);
    let rows = vec![
        ("url", json!(null), "url"),
        ("url", json!("your-server.com"), "url"),
        ("url", json!("ftp://your-server.com"), "url"),
        ("url", json!(format!("https://your-server.com/{}", "x".repeat(2048))), "url"),
        ("url", json!("https://user:secret@your-server.com/"), "url"),
        ("url", json!("https://your-server.com/\0"), "url"),
        ("events", json!(null), "events"),
        ("events", json!([]), "events"),
        ("events", json!("call.summary"), "events"),
        ("events", json!(["call.summary", "call.begun"]), "events/1"),
    ];
    refused(&gateway, &path, &account, &base, rows).await;
    let refused_by_dispatcher = with(&base, "url", json!("http://your-server.com/hook"));
    gateway.post_once(&path, &account.key, "k", &refused_by_dispatcher).await.assert_fields(&["url"]);
    assert!(lock(&gateway.fakes.endpoints).is_empty());
    assert!(gateway.rows().await.contains(&("idempotency_keys", 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_fields_are_ignored() {
    let gateway = Gateway::start(crate::support::Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let body = with(&customer("user_1"), "project_id", json!("not mine to choose"));
    let made = gateway.post("/v1/customers", &account.key, &body).await.expect(201);
    assert_eq!(made["project_id"], json!(account.project));
}
