//! Asking for calls: both paths, and what happens when nobody knows whether one was placed.

use std::time::Duration;

use contracts::accounts::CancelNotification;
use contracts::rpc::RpcError;
use serde_json::json;
use testkit::wait::eventually;

use crate::fakes::lock;
use crate::support::{ENGINES, Engine, Gateway, agent, customer, id};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plain_message_needs_no_agent() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let mut rung = customer("user_1");
    rung["metadata"] = json!({"room": 7});
    let rung = gateway.post("/v1/customers", &account.key, &rung).await.expect(201);
    let body = json!({
        "customer_id": id(&rung), "agent_id": null,
        "message": "Your appointment tomorrow at 10 AM has been confirmed.",
        "context": "Patient has been a client for 3 years.",
        "variables": {"a": "b", "n": 1.5, "t": true},
        "collect_feedback": true, "max_duration_seconds": 600, "metadata": {"order": [1]}
    });
    let placed = gateway.post("/v1/notifications", &account.key, &body).await.expect(201);
    let notification = &placed["notification"];
    for field in ["message", "context", "collect_feedback", "max_duration_seconds", "metadata"] {
        assert_eq!(notification[field], body[field], "{field}");
    }
    assert_eq!((&notification["agent_id"], &notification["agent_version"]), (&json!(null), &json!(null)));
    let told = lock(&gateway.fakes.placed)[0].clone();
    assert_eq!(told.agent, None);
    assert_eq!(told.customer.unwrap().metadata_json, r#"{"room":7}"#);
    assert_eq!(told.variables_json, r#"{"a":"b","n":1.5,"t":true}"#);
    assert!(gateway.rows().await.contains(&("placings", 0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agents_own_options_travel_with_it() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let rung = gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
    let mut spec = agent("Reminder");
    for (field, value) in [
        ("language", json!("de-DE")),
        ("voice", json!("Polly.Vicki")),
        ("first_message", json!("Guten Tag!")),
        ("max_duration_seconds", json!(900)),
    ] {
        spec[field] = value;
    }
    let made = gateway.post("/v1/agents", &account.key, &spec).await.expect(201);
    assert!(made.get("output_schema").is_none());
    let body = json!({"customer_id": id(&rung), "agent_id": id(&made)});
    gateway.post("/v1/notifications", &account.key, &body).await.expect(201);
    let told = lock(&gateway.fakes.placed)[0].agent.clone().unwrap();
    assert_eq!((told.language.as_str(), told.voice.as_str()), ("de-DE", "Polly.Vicki"));
    assert_eq!((told.first_message.as_str(), told.max_duration_seconds), ("Guten Tag!", 900));
    assert_eq!(told.output_schema_json, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_key_a_notification_nobody_knows_about_is_withdrawn() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let rung = gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
        let body = json!({"customer_id": id(&rung), "message": "Hello"});
        gateway.fakes.fail_next(RpcError::DeadlineExceeded);
        let lost = gateway.post("/v1/notifications", &account.key, &body).await;
        lost.assert_error(503, "unavailable");
        let placed = lock(&gateway.fakes.placed)[0].notification_id.clone();
        let withdrawn = eventually("the withdrawal", Duration::from_secs(10), || async {
            lock(&gateway.fakes.withdrawn).first().cloned().ok_or("nothing yet")
        })
        .await;
        assert_eq!((withdrawn.notification_id, withdrawn.project_id), (placed, account.project.clone()));
        assert!(gateway.rows().await.contains(&("placings", 0)));
    }
}

/// Waits until this many withdrawals have arrived.
async fn withdrawn(gateway: &Gateway, count: usize) -> Vec<CancelNotification> {
    eventually("the withdrawal", Duration::from_secs(60), || async {
        let withdrawn = lock(&gateway.fakes.withdrawn).clone();
        if withdrawn.len() == count { Ok(withdrawn) } else { Err(withdrawn) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notification_whose_gateway_died_while_it_was_placed_is_withdrawn_by_another() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        // What a gateway leaves behind that dies before it has an answer; and one that still works on it.
        gateway
            .execute(
                "INSERT INTO placings (id, project_id, request_id, withdraw_at) SELECT \
                 '0198c0de-0000-7000-8000-000000000001', id, 'lost', '2020-01-01T00:00:00.000000Z' FROM projects",
            )
            .await;
        gateway
            .execute(
                "INSERT INTO placings (id, project_id, request_id, withdraw_at) SELECT \
                 '0198c0de-0000-7000-8000-000000000002', id, 'works', '2999-01-01T00:00:00.000000Z' FROM projects",
            )
            .await;
        let lost = withdrawn(&gateway, 1).await.remove(0);
        assert_eq!(lost.notification_id, "0198c0de-0000-7000-8000-000000000001");
        assert_eq!(lost.project_id, account.project);
        assert!(gateway.rows().await.contains(&("placings", 1)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_withdrawn_while_it_was_placed_is_not_answered_as_placed() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let rung = gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
        let body = json!({"customer_id": id(&rung), "message": "Hello"});
        gateway.fakes.gate.forget_permits(usize::MAX);
        let asked = gateway.post("/v1/notifications", &account.key, &body);
        let meanwhile = async {
            gateway.fakes.arrived.acquire().await.unwrap().forget();
            assert!(gateway.rows().await.contains(&("placings", 1)));
            gateway.clock.advance(Duration::from_secs(11));
            let withdrawn = withdrawn(&gateway, 1).await;
            gateway.fakes.gate.add_permits(1);
            withdrawn
        };
        let (asked, withdrawn) = tokio::join!(asked, meanwhile);
        asked.assert_error(503, "unavailable");
        let placed = eventually("the placing", Duration::from_secs(60), || async {
            lock(&gateway.fakes.placed).first().cloned().ok_or("nothing yet")
        })
        .await;
        assert_eq!(withdrawn[0].notification_id, placed.notification_id);
        assert_eq!(lock(&gateway.fakes.withdrawn).len(), 1);
        assert!(gateway.rows().await.contains(&("placings", 0)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_orchestrator_refuses_is_the_callers_to_mend_and_nothing_is_withdrawn() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let rung = gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
    let body = json!({"customer_id": id(&rung), "message": "Hello"});
    gateway
        .fakes
        .fail_next(RpcError::Conflict { code: "no_carrier".into(), message: "Connect one first".into() });
    gateway.post("/v1/notifications", &account.key, &body).await.assert_error(409, "no_carrier");
    gateway.fakes.fail_next(RpcError::Invalid { field: "variables".into(), problem: "is too much".into() });
    gateway.post("/v1/notifications", &account.key, &body).await.assert_fields(&["variables"]);
    assert!(gateway.rows().await.contains(&("outbox", 0)));
    gateway.fakes.fail_next(RpcError::Internal("secret detail".into()));
    let broken = gateway.post("/v1/notifications", &account.key, &body).await;
    broken.assert_error(500, "internal_error");
    assert!(!broken.body.to_string().contains("secret detail"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_goes_away_changes_nothing_about_what_was_asked() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let rung = gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
    let body = json!({"customer_id": id(&rung), "message": "Hello"});
    gateway.fakes.gate.forget_permits(usize::MAX);
    {
        let mut asked = Box::pin(gateway.post_once("/v1/notifications", &account.key, "k", &body));
        tokio::select! {
            _ = &mut asked => panic!("the gate is closed"),
            arrived = gateway.fakes.arrived.acquire() => arrived.unwrap().forget(),
        }
    }
    gateway.fakes.gate.add_permits(1);
    let answer = eventually("the kept answer", Duration::from_secs(10), || async {
        let answer = gateway.post_once("/v1/notifications", &account.key, "k", &body).await;
        if answer.status == 201 { Ok(answer) } else { Err(answer.body) }
    })
    .await;
    assert_eq!(answer.header("idempotent-replayed"), Some("true"));
    assert_eq!(lock(&gateway.fakes.placed).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_a_call_was_not_placed_can_be_read() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let rung = gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
    let body = json!({"customer_id": id(&rung), "message": "Hello"});
    let placed = gateway.post("/v1/notifications", &account.key, &body).await.expect(201);
    let place = format!("/api/v1/notifications/{}", id(&placed["notification"]));
    let told = async |rule: &str, code: u32| {
        *lock(&gateway.fakes.why_not) = (rule.to_owned(), code);
        let read = gateway.get(&place, &account.key).await.expect(200);
        let listed = gateway.get("/v1/notifications", &account.key).await.expect(200);
        assert_eq!(listed, json!([read]));
        (read["blocked_by"].clone(), read["carrier_code"].clone())
    };
    assert_eq!(told("", 0).await, (json!(null), json!(null)));
    assert_eq!(told("suppressed", 0).await, (json!("suppressed"), json!(null)));
    assert_eq!(told("", 21_211).await, (json!(null), json!(21_211)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_agent_makes_no_calls_but_is_still_listed() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let rung = gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
        let made = gateway.post("/v1/agents", &account.key, &agent("Reminder")).await.expect(201);
        gateway.execute("UPDATE agents SET status = 'disabled'").await;
        let body = json!({"customer_id": id(&rung), "agent_id": id(&made)});
        let refused = gateway.post_once("/v1/notifications", &account.key, "k", &body).await;
        refused.assert_error(409, "agent_disabled");
        assert!(lock(&gateway.fakes.placed).is_empty());
        assert!(gateway.rows().await.contains(&("idempotency_keys", 0)));
        let listed = gateway.get("/v1/agents?status=disabled", &account.key).await.expect(200);
        assert_eq!(listed[0]["id"], made["id"]);
        assert_eq!(gateway.get("/v1/agents?status=active", &account.key).await.expect(200), json!([]));
    }
}
