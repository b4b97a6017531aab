//! Agents that are tried without a call.

use serde_json::json;

use crate::fakes::lock;
use crate::support::{ENGINES, Gateway, agent, customer, id};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_brings_what_a_notification_would_bring() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let me = gateway.sign_up("a@acme.example").await;
        let made = gateway.post("/v1/agents", &me.key, &agent("a")).await.expect(201);
        let path = format!("/v1/agents/{}/preview", id(&made));
        let known = id(&gateway.post("/v1/customers", &me.key, &customer("u")).await.expect(201));

        let shown =
            gateway.post(&path, &me.key, &json!({"customer_id": known, "version": 1})).await.expect(200);
        assert_eq!(
            shown,
            json!({
                "prompt": made["system_prompt"], "unresolved_variables": ["what"], "first_message": null,
            })
        );
        let sample = json!({
            "customer": {"first_name": "Ada", "metadata": {"plan": "gold"}, "timezone": "Europe/Berlin"},
            "message": "A message.", "variables": {"n": 7},
        });
        gateway.post(&path, &me.key, &sample).await.expect(200);
        let tried = lock(&gateway.fakes.tried).clone();
        let parts = |index: usize| tried[index].parts.clone().unwrap();
        assert_eq!(parts(0).customer.unwrap().external_id, "u");
        let second = parts(1);
        assert_eq!((second.message.as_str(), second.variables_json.as_str()), ("A message.", r#"{"n":7}"#));
        assert_eq!(second.standing.unwrap().time_zone, "Europe/Berlin");
        let ada = second.customer.unwrap();
        assert_eq!((ada.first_name.as_str(), ada.metadata_json.as_str()), ("Ada", r#"{"plan":"gold"}"#));
        assert_eq!(second.business.unwrap().name, "Acme Inc");
        assert!(lock(&gateway.fakes.placed).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_in_writing_is_sent_whole_and_answered_with_what_comes_next() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let me = gateway.sign_up("a@acme.example").await;
        let made = gateway.post("/v1/agents", &me.key, &agent("a")).await.expect(201);
        let path = format!("/v1/agents/{}/simulate", id(&made));
        let messages = json!([{"role": "agent", "text": "Hi?"}, {"role": "customer", "text": "Yes."}]);
        let next =
            gateway.post(&path, &me.key, &json!({"messages": messages, "extract": true})).await.expect(200);
        assert_eq!(
            next,
            json!({
                "message": "Goodbye.", "ended": true, "ended_reason": "agent-ended-call",
                "call_result": {"confirmed": true}, "evidence": null, "model": "offline",
                "tool_calls": [{"name": "look_up", "arguments": {"order": 7}}],
            })
        );
        let tried = lock(&gateway.fakes.tried)[0].clone();
        let said: Vec<_> = tried.history.iter().map(|u| (u.by_agent, u.text.as_str())).collect();
        assert_eq!((said, tried.extract), (vec![(true, "Hi?"), (false, "Yes.")], true));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_tried_is_said_with_its_place() {
    let gateway = Gateway::start(crate::support::Engine::Sqlite).await;
    let (me, others) = (gateway.sign_up("a@acme.example").await, gateway.sign_up("b@acme.example").await);
    let made = gateway.post("/v1/agents", &me.key, &agent("a")).await.expect(201);
    let (preview, simulate) =
        (format!("/v1/agents/{}/preview", id(&made)), format!("/v1/agents/{}/simulate", id(&made)));
    for path in [&preview, &simulate] {
        gateway.post(path, &others.key, &json!({})).await.assert_error(404, "agent_not_found");
        gateway
            .post(path, &me.key, &json!({"version": 2}))
            .await
            .assert_error(404, "agent_version_not_found");
    }
    gateway
        .post("/v1/agents/nonsense/preview", &me.key, &json!({}))
        .await
        .assert_error(404, "agent_not_found");
    let theirs = id(&gateway.post("/v1/customers", &others.key, &customer("u")).await.expect(201));
    let strangers = json!({"customer_id": theirs});
    gateway.post(&preview, &me.key, &strangers).await.assert_error(404, "customer_not_found");
    for (body, field) in [
        (json!({"customer_id": theirs, "customer": {}}), "customer"),
        (json!({"customer": {"timezone": "Nowhere"}}), "customer/timezone"),
        (json!({"messages": [{"role": "ai", "text": "Hi"}]}), "messages/0/role"),
        (json!({"messages": vec![json!({"role": "agent", "text": "Hi"}); 101]}), "messages"),
        (json!({"variables": {"a": [1]}}), "variables/a"),
        (json!({"extract": "yes"}), "extract"),
    ] {
        let answer = gateway.post(&simulate, &me.key, &body).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
        assert_eq!(answer.body["details"][0]["field"], field, "{}", answer.body);
    }
    assert!(lock(&gateway.fakes.tried).is_empty());
}
