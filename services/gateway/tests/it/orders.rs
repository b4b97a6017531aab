//! What a notification may say beyond the quickstart: whom it describes, when and how it is dialled, and how it is stopped and
//! read back.

use contracts::ids::AppId;
use contracts::rpc::RpcError;
use serde_json::{Value, json};

use crate::fakes::lock;
use crate::support::{Account, ENGINES, Engine, Gateway, Method, agent, customer, id};

async fn place(gateway: &Gateway, account: &Account, order: &Value) -> Value {
    gateway.post("/v1/notifications", &account.key, order).await.expect(201)["notification"].clone()
}

async fn customers(gateway: &Gateway, account: &Account) -> Vec<Value> {
    gateway.get("/v1/customers", &account.key).await.expect(200).as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_is_named_by_either_id_or_described() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let made = gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
        let by_external = json!({"customer_external_id": "user_1", "message": "Hello"});
        assert_eq!(place(&gateway, &account, &by_external).await["customer_id"], made["id"]);
        let mut new = customer("user_2");
        new["phone"] = json!("+442079460018");
        let described = json!({"customer": new, "message": "Hello"});
        let placed = place(&gateway, &account, &described).await;
        assert_eq!(placed["target_phone_e164"], json!("+442079460018"));
        let stored = customers(&gateway, &account).await;
        assert_eq!((stored.len(), &stored[0]["id"]), (2, &placed["customer_id"]));
        assert_eq!(stored[0]["phones"][0]["is_primary"], json!(true));
        // Whoever is known stays as they are stored; a number that is new is added to theirs, and rung.
        let mut again = customer("user_1");
        again["first_name"] = json!("Somebody");
        again["phone"] = json!("+33612345678");
        let placed = place(&gateway, &account, &json!({"customer": again, "message": "Hello"})).await;
        assert_eq!(placed["customer_id"], made["id"]);
        assert_eq!(placed["target_phone_e164"], json!("+33612345678"));
        let path = format!("/v1/customers/{}", id(&made));
        let known = gateway.get(&path, &account.key).await.expect(200);
        assert_eq!(known["first_name"], json!("John"));
        let phones: Vec<_> =
            known["phones"].as_array().unwrap().iter().map(|p| p["is_primary"].clone()).collect();
        assert_eq!(phones, [json!(true), json!(false)]);
        assert_eq!(lock(&gateway.fakes.placed)[2].customer.clone().unwrap().first_name, "John");
        place(&gateway, &account, &json!({"customer": again, "message": "Hello"})).await;
        assert_eq!(gateway.get(&path, &account.key).await.expect(200), known, "the number is known now");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_one_way_to_say_who_is_rung() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let made = gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
    let send = async |order: Value| gateway.post("/v1/notifications", &account.key, &order).await;
    send(json!({"message": "Hello"})).await.assert_fields(&["customer_id"]);
    let two = json!({"customer_id": id(&made), "customer_external_id": "user_1", "message": "Hello"});
    send(two).await.assert_fields(&["customer_external_id"]);
    let three =
        json!({"customer_id": id(&made), "customer_external_id": "u", "customer": {}, "message": "Hello"});
    send(three).await.assert_fields(&["customer_external_id", "customer"]);
    let half = json!({"customer": {"external_id": "u", "phone": "12"}, "message": "Hello"});
    send(half).await.assert_fields(&["customer/first_name", "customer/last_name", "customer/phone"]);
    let unknown = send(json!({"customer_external_id": "nobody", "message": "Hello"})).await;
    unknown.assert_error(404, "customer_not_found");
    assert!(lock(&gateway.fakes.placed).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_described_twice_at_once_under_two_keys_is_one_customer() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let order = json!({"customer": customer("user_1"), "message": "Hello"});
        let send = |key: &'static str| gateway.post_once("/v1/notifications", &account.key, key, &order);
        let (one, two, three) = tokio::join!(send("a"), send("b"), send("c"));
        for answer in [one, two, three] {
            answer.expect(201);
        }
        assert_eq!(customers(&gateway, &account).await.len(), 1);
        assert_eq!(lock(&gateway.fakes.placed).len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_order_leaves_nobody_behind_who_was_described_in_it() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let order = json!({
            "customer": customer("user_1"), "agent_id": "8cc6199f-9466-46f2-9db7-936f3c2c1c0b"
        });
        gateway.post("/v1/notifications", &account.key, &order).await.assert_error(404, "agent_not_found");
        let keyed = gateway.post_once("/v1/notifications", &account.key, "k", &order).await;
        keyed.assert_error(404, "agent_not_found");
        assert_eq!(customers(&gateway, &account).await, Vec::<Value>::new());
        assert!(gateway.rows().await.contains(&("idempotency_keys", 0)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_and_how_it_is_dialled_travels_to_the_orchestrator_and_is_shown() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
    let soon = gateway.clock.now() + chrono::TimeDelta::days(2);
    let (at, until) = (soon.to_rfc3339(), (soon + chrono::TimeDelta::hours(1)).to_rfc3339());
    let retry = json!({"max_attempts": 3, "delay_seconds": [10, 60], "on": ["busy", "voicemail"]});
    let order = json!({
        "customer_external_id": "user_1", "message": "Hello", "scheduled_at": at, "expires_at": until,
        "retry": retry, "from": "+15005550006", "voicemail": "leave_message",
        "reschedule": {"slots": ["2030-01-01T10:00:00.000Z"]}
    });
    let placed = place(&gateway, &account, &order).await;
    let shown = |ms: i64| {
        chrono::DateTime::from_timestamp_millis(ms)
            .unwrap()
            .to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
    };
    assert_eq!(placed["scheduled_at"], json!(shown(soon.timestamp_millis())));
    for field in ["retry", "from", "voicemail", "reschedule"] {
        assert_eq!(placed[field], order[field], "{field}");
    }
    assert_eq!(placed["evidence"]["confirmed"]["status"], json!("grounded"));
    let told = lock(&gateway.fakes.placed)[0].clone();
    assert_eq!(told.scheduled_at_ms, Some(soon.timestamp_millis()));
    assert_eq!(told.expires_at_ms, Some(soon.timestamp_millis() + 3_600_000));
    assert_eq!(told.reschedule_json, r#"{"slots":["2030-01-01T10:00:00.000Z"]}"#);
    assert!(told.standing.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_that_cannot_be_kept_is_refused_and_the_past_means_now() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
    let send = async |more: Value| {
        let mut order = json!({"customer_external_id": "user_1", "message": "Hello"});
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        gateway.post("/v1/notifications", &account.key, &order).await
    };
    send(json!({"scheduled_at": "2020-01-01T00:00:00Z"})).await.expect(201);
    send(json!({"scheduled_at": "2999-01-01T00:00:00Z"})).await.assert_fields(&["scheduled_at"]);
    send(json!({"expires_at": "2020-01-01T00:00:00Z"})).await.assert_fields(&["expires_at"]);
    let bad = json!({
        "scheduled_at": "tomorrow", "expires_at": 7, "retry": {"max_attempts": 9, "on": ["dial-unknown"]},
        "from": "12", "voicemail": "sing", "reschedule": [], "agent_version": 1
    });
    let expected = [
        "agent_version",
        "scheduled_at",
        "expires_at",
        "retry/max_attempts",
        "retry/on/0",
        "from",
        "voicemail",
        "reschedule",
    ];
    send(bad).await.assert_fields(&expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_projects_retry_setting_counts_where_the_notification_says_nothing() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
        gateway
            .execute(r#"UPDATE projects SET settings = '{"retry": {"max_attempts": 3, "on": ["busy"]}}'"#)
            .await;
        let order = json!({"customer_external_id": "user_1", "message": "Hello"});
        assert_eq!(place(&gateway, &account, &order).await["retry"]["max_attempts"], json!(3));
        let own = json!({"customer_external_id": "user_1", "message": "Hello", "retry": {"max_attempts": 1}});
        assert_eq!(place(&gateway, &account, &own).await["retry"]["max_attempts"], json!(1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_may_be_pinned_to_one_of_its_versions() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
        let made = gateway.post("/v1/agents", &account.key, &agent("Reminder")).await.expect(201);
        gateway
            .execute(
                "INSERT INTO agent_versions (agent_id, version, business_id, name, system_prompt, options, created_at) \
                 SELECT agent_id, 2, business_id, 'New', 'Say something new.', options, created_at FROM agent_versions",
            )
            .await;
        gateway.execute("UPDATE agents SET version = 2").await;
        let order = |version: Value| json!({"customer_external_id": "user_1", "agent_id": id(&made), "agent_version": version});
        assert_eq!(place(&gateway, &account, &order(json!(1))).await["agent_version"], json!(1));
        assert_eq!(place(&gateway, &account, &order(json!(null))).await["agent_version"], json!(2));
        let prompts: Vec<String> = lock(&gateway.fakes.placed)
            .iter()
            .map(|placed| placed.agent.clone().unwrap().system_prompt)
            .collect();
        assert_eq!(prompts, ["Say hello to {{recipient_first_name}}.", "Say something new."]);
        let unknown = gateway.post("/v1/notifications", &account.key, &order(json!(3))).await;
        unknown.assert_error(404, "agent_version_not_found");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notification_is_canceled_unless_it_is_over_or_somebody_elses() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let (account, other) = (gateway.sign_up("a@acme.example").await, gateway.sign_up("b@acme.example").await);
    gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
    let placed =
        place(&gateway, &account, &json!({"customer_external_id": "user_1", "message": "Hello"})).await;
    let path = format!("/api/v1/notifications/{}/cancel", id(&placed));
    let canceled = gateway.post(&path, &account.key, &json!({})).await.expect(200);
    assert_eq!((&canceled["status"], &canceled["id"]), (&json!("canceled"), &placed["id"]));
    gateway.post(&path, &other.key, &json!({})).await.assert_error(404, "notification_not_found");
    gateway.fakes.fail_next(RpcError::Conflict {
        code: "notification_finished".into(),
        message: "The notification is completed".into(),
    });
    gateway.post(&path, &account.key, &json!({})).await.assert_error(409, "notification_finished");
    gateway
        .post("/v1/notifications/x/cancel", &account.key, &json!({}))
        .await
        .assert_error(404, "notification_not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_attempt_is_read_with_its_turns_and_only_by_its_project() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let (account, other) = (gateway.sign_up("a@acme.example").await, gateway.sign_up("b@acme.example").await);
    gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
    let placed =
        place(&gateway, &account, &json!({"customer_external_id": "user_1", "message": "Hello"})).await;
    let path = format!("/v1/notifications/{}/calls", id(&placed));
    let calls = gateway.get(&path, &account.key).await.expect(200);
    let call = &calls[0];
    for (field, value) in [
        ("notification_id", placed["id"].clone()),
        ("attempt", json!(1)),
        ("status", json!("completed")),
        ("to", json!("+14155552671")),
        ("carrier_call_sid", json!("CA1")),
        ("answered_by", json!("human")),
        ("ended_reason", json!("customer-ended-call")),
        ("created_at", json!("2026-03-18T17:43:46.714Z")),
        ("dialed_at", json!("2026-03-18T17:43:46.714Z")),
        ("answered_at", json!("2026-03-18T17:43:47.714Z")),
        ("ended_at", json!("2026-03-18T17:43:49.214Z")),
        ("duration_seconds", json!(1.5)),
        ("cost", json!(0.014)),
        ("currency", json!("USD")),
        ("model_tokens_in", json!(1200)),
        ("model_tokens_out", json!(null)),
        ("recording", json!(null)),
        ("direction", json!("outbound")),
    ] {
        assert_eq!(call[field], value, "{field}");
    }
    let said = json!({
        "turn": 0, "speaker": "agent", "text": "Hello?", "confidence": null, "at": "2026-03-18T17:43:48.714Z",
        "interrupted": true, "latency_ms": 0, "sources": [{"id": "s1", "title": "Delivery", "url": null}]
    });
    assert_eq!(call["turns"][0], said);
    assert_eq!(
        (&call["turns"][1]["speaker"], &call["turns"][1]["confidence"]),
        (&json!("customer"), &json!(0.5))
    );
    let one = format!("/api/v1/calls/{}", id(call));
    assert_eq!(gateway.get(&one, &account.key).await.expect(200), *call);
    gateway.get(&one, &other.key).await.assert_error(404, "call_not_found");
    gateway.get(&path, &other.key).await.assert_error(404, "notification_not_found");
    gateway.get("/v1/calls/nonsense", &account.key).await.assert_error(404, "call_not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_travel_to_the_orchestrator_and_wrong_ones_are_named() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let of = "8cc6199f-9466-46f2-9db7-936f3c2c1c0b";
    let query = format!(
        "status=failed&customer_id={of}&agent_id={of}&created_after=2026-03-18T17:43:46Z&created_before=2026-03-18T19:43:46+01:00"
    );
    gateway.get(&format!("/v1/notifications?{query}"), &account.key).await.expect(200);
    let asked = lock(&gateway.fakes.listed)[0].clone();
    assert_eq!(
        (asked.status.as_str(), asked.customer_id.as_str(), asked.agent_id.as_str()),
        ("failed", of, of)
    );
    assert_eq!(asked.created_after_ms, Some(1_773_855_826_000));
    assert_eq!(asked.created_before_ms, Some(1_773_859_426_000));
    for (query, field) in [
        ("status=asleep", "status"),
        ("customer_id=user_1", "customer_id"),
        ("agent_id=x", "agent_id"),
        ("created_after=yesterday", "created_after"),
        ("created_before=2026-03-18", "created_before"),
    ] {
        gateway.get(&format!("/v1/notifications?{query}"), &account.key).await.assert_fields(&[field]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_at_once_with_new_numbers_of_one_customer_keep_the_rules_of_their_numbers() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let mut described = customer("user_1");
        let made = gateway.post("/v1/customers", &account.key, &described).await.expect(201);
        described["phone"] = json!("+442079460018");
        let order = json!({"customer": described, "message": "Hello"});
        let send = || gateway.post("/v1/notifications", &account.key, &order);
        let (one, two, three) = tokio::join!(send(), send(), send());
        for answer in [one, two, three] {
            answer.expect(201);
        }
        let own = gateway.get(&format!("/v1/customers/{}", id(&made)), &account.key).await.expect(200);
        let values: Vec<&Value> = own["phones"].as_array().unwrap().iter().map(|p| &p["value"]).collect();
        assert_eq!(values, ["+14155552671", "+442079460018"]);
        for n in 2..20 {
            let body = json!({"value": format!("+141555520{n:02}")});
            gateway
                .post(&format!("/v1/customers/{}/phones", id(&made)), &account.key, &body)
                .await
                .expect(201);
        }
        described["phone"] = json!("+442079460019");
        let order = json!({"customer": described, "message": "Hello"});
        let full = gateway.post("/v1/notifications", &account.key, &order).await;
        full.assert_error(409, "phone_limit_reached");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_customers_language_comes_before_the_agents_and_that_before_the_projects() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let mut german = customer("user_1");
    german["language"] = json!("de-DE");
    gateway.post("/v1/customers", &account.key, &german).await.expect(201);
    gateway.post("/v1/customers", &account.key, &customer("user_2")).await.expect(201);
    let mut french = crate::support::agent("A");
    french["language"] = json!("fr-FR");
    let agent = gateway.post("/v1/agents", &account.key, &french).await.expect(201);
    for (who, spoken, otherwise) in [("user_1", "de-DE", "de-DE"), ("user_2", "fr-FR", "en-US")] {
        let order = json!({"customer_external_id": who, "agent_id": agent["id"]});
        gateway.post("/v1/notifications", &account.key, &order).await.expect(201);
        let told = lock(&gateway.fakes.placed).pop().unwrap();
        assert_eq!((told.agent.unwrap().language.as_str(), told.language.as_str()), (spoken, otherwise));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agents_own_app_answers_questions_before_the_projects() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
    let mut own = agent("A");
    let mut apps = Vec::new();
    for name in ["own", "house"] {
        apps.push(id(&gateway.post("/v1/apps", &account.key, &json!({"name": name})).await.expect(201)));
    }
    let (own_app, house_app) = (&apps[0], &apps[1]);
    own["knowledge_app_id"] = json!(own_app);
    let own = gateway.post("/v1/agents", &account.key, &own).await.expect(201);
    let other = gateway.post("/v1/agents", &account.key, &agent("B")).await.expect(201);
    let project =
        gateway.bearing(Method::GET, "/api/v1/projects", &account.token).await.expect(200)[0]["id"].clone();
    let path = format!("/api/v1/projects/{}", project.as_str().unwrap());
    for of_project in [json!(null), json!(house_app)] {
        let body = json!({"settings": {"knowledge_app_id": of_project}});
        gateway.send(Method::PATCH, &path, &account.token, &body).await.expect(200);
        for (agent, expected) in [(&own, own_app.as_str()), (&other, of_project.as_str().unwrap_or_default())]
        {
            let order = json!({"customer_external_id": "user_1", "agent_id": agent["id"]});
            gateway.post("/v1/notifications", &account.key, &order).await.expect(201);
            let told = lock(&gateway.fakes.placed).pop().unwrap();
            assert_eq!(told.agent.unwrap().knowledge_app_id, expected);
        }
    }
    // An app of others, and one that is none, are refused where they are named; one that goes later is none from then on.
    let theirs = gateway.sign_up("joe@other.example").await;
    let their_app = id(&gateway.post("/v1/apps", &theirs.key, &json!({"name": "a"})).await.expect(201));
    for named in [their_app, AppId::new().to_string()] {
        let mut agent = agent("C");
        agent["knowledge_app_id"] = json!(named);
        gateway.post("/v1/agents", &account.key, &agent).await.assert_fields(&["knowledge_app_id"]);
        let one = format!("/v1/agents/{}", id(&own));
        let change = json!({"knowledge_app_id": named});
        let changed = gateway.send(Method::PATCH, &one, &account.token, &change).await;
        changed.assert_fields(&["knowledge_app_id"]);
        let settings = json!({"settings": {"knowledge_app_id": named}});
        let changed = gateway.send(Method::PATCH, &path, &account.token, &settings).await;
        changed.assert_fields(&["settings/knowledge_app_id"]);
        let project = json!({"name": "staging", "settings": {"knowledge_app_id": named}});
        let made = gateway.send(Method::POST, "/v1/projects", &account.token, &project).await;
        made.assert_fields(&["settings/knowledge_app_id"]);
    }
    for app in [own_app, house_app] {
        let gone = gateway.bearing(Method::DELETE, &format!("/v1/apps/{app}"), &account.token).await;
        assert_eq!(gone.status, 204);
    }
    let order = json!({"customer_external_id": "user_1", "agent_id": own["id"]});
    gateway.post("/v1/notifications", &account.key, &order).await.expect(201);
    let told = lock(&gateway.fakes.placed).pop().unwrap();
    assert_eq!(told.agent.unwrap().knowledge_app_id, "");
}
