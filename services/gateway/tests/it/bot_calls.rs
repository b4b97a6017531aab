//! What was said to bots, at the edge.

use contracts::calls::{BotCall, Call, Recording, Utterance};
use serde_json::{Value, json};

use crate::fakes::lock;
use crate::support::{Account, Answer, ENGINES, Engine, Gateway, Method, customer};

const SID: &str = "CA0123456789abcdef0123456789abcdef";
const RECORDING: &str = "RE0123456789abcdef0123456789abcdef";
const BOT: &str = "bot_4Zk9mUqQh8vYw2XnRt3L";
const OTHER_BOT: &str = "bot_5Zk9mUqQh8vYw2XnRt3L";

fn id(number: u32) -> String {
    format!("0198c7a2-6f1e-7c3a-9d52-{number:012}")
}

/// Somebody rang a bot of the account.
fn rang(gateway: &Gateway, account: &Account, number: u32, change: impl FnOnce(&mut BotCall)) {
    let said = |turn, speaker: &str, text: &str, at_ms| Utterance {
        turn,
        speaker: speaker.into(),
        text: text.into(),
        at_ms,
        ..Utterance::default()
    };
    let mut told = BotCall {
        bot_id: BOT.into(),
        from_e164: "+14155552671".into(),
        to_e164: "+15005550100".into(),
        call: Some(Call {
            id: id(number),
            project_id: account.project.clone(),
            status: "completed".into(),
            carrier_call_sid: SID.into(),
            ended_reason: "customer-ended-call".into(),
            created_at_ms: 1_773_855_826_000,
            answered_at_ms: Some(1_773_855_826_714),
            ended_at_ms: Some(1_773_855_869_214),
            duration_ms: 42_500,
            turns: vec![
                said(0, "agent", "How can I help you today?", 1_773_855_826_714),
                Utterance {
                    confidence: Some(0.5),
                    ..said(1, "customer", "A table for 4", 1_773_855_830_000)
                },
            ],
            cost_micros: Some(14_000),
            currency: "USD".into(),
            tokens_in: Some(1_200),
            recording: Some(Recording { sid: RECORDING.into(), duration_seconds: 43 }),
            ..Call::default()
        }),
        outcome: "completed".into(),
        collected_json: r#"{"people":4}"#.into(),
        evidence_json: r#"{"people":{"status":"grounded","turn":1,"quote":"for 4"}}"#.into(),
    };
    change(&mut told);
    lock(&gateway.fakes.bot_calls).push((account.business.clone(), told));
}

fn shown() -> Value {
    json!({
        "call_id": id(1), "call_sid": SID, "bot_id": BOT, "from": "+14155552671", "to": "+15005550100",
        "status": "completed", "outcome": "completed", "collected": {"people": 4},
        "evidence": {"people": {"status": "grounded", "turn": 1, "quote": "for 4"}},
        "started_at": "2026-03-18T17:43:46.000Z", "answered_at": "2026-03-18T17:43:46.714Z",
        "ended_at": "2026-03-18T17:44:29.214Z", "duration_seconds": 42.5, "ended_reason": "customer-ended-call",
        "cost": 0.014, "currency": "USD", "model_tokens_in": 1200, "model_tokens_out": null,
        "recording": {"sid": RECORDING, "duration_seconds": 43},
    })
}

/// An account of EchoLink: its token, and what it would have been under.
async fn connect(gateway: &Gateway) -> (String, Account) {
    let body = json!({
        "first_name": "Jane", "last_name": "Doe", "email": "jane@eatery.example",
        "account_sid": format!("AC{}", "a1".repeat(16)), "auth_token": "0123456789abcdef0123456789abcdef",
        "phone_number_sid": format!("PN{}", "b2".repeat(16)),
    });
    let account = gateway.sign_up("jane@eatery.example").await;
    let connected = gateway.send(Method::POST, "/v1/connect-twilio", &account.token, &body).await.expect(200);
    (connected["access_token"].as_str().unwrap().to_owned(), account)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_shown_by_its_id_and_by_twilios_with_what_was_said() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let (token, mine) = connect(&gateway).await;
        rang(&gateway, &mine, 1, |_| {});
        let mut whole = shown();
        whole["turns"] = json!([
            {
                "turn": 0, "speaker": "agent", "text": "How can I help you today?", "confidence": null,
                "at": "2026-03-18T17:43:46.714Z", "interrupted": false, "latency_ms": null, "sources": []
            },
            {
                "turn": 1, "speaker": "customer", "text": "A table for 4", "confidence": 0.5,
                "at": "2026-03-18T17:43:50.000Z", "interrupted": false, "latency_ms": null, "sources": []
            },
        ]);
        for name in [&id(1), SID] {
            let path = format!("/v1/calls/{name}");
            for token in [&token, &mine.token] {
                assert_eq!(gateway.bearing(Method::GET, &path, token).await.expect(200), whole);
            }
            assert_eq!(gateway.get(&path, &mine.key).await.expect(200), whole);
        }
        assert_eq!(gateway.bearing(Method::GET, "/v1/calls", &token).await.expect(200), json!([shown()]));
        assert_eq!(gateway.get("/v1/calls", &mine.key).await.expect(200), json!([shown()]));
    }
}

/// Somebody is talking to another bot of the account: nothing else is known of it yet.
fn is_talking(gateway: &Gateway, account: &Account, number: u32) {
    rang(gateway, account, number, |told| {
        *told = BotCall {
            bot_id: OTHER_BOT.into(),
            to_e164: told.to_e164.clone(),
            call: Some(Call {
                id: id(number),
                status: "in_progress".into(),
                created_at_ms: 1_773_855_826_000,
                ..Call::default()
            }),
            ..BotCall::default()
        };
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_known_yet_is_null() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let (token, mine) = connect(&gateway).await;
    is_talking(&gateway, &mine, 1);
    let call = gateway.bearing(Method::GET, &format!("/v1/calls/{}", id(1)), &token).await.expect(200);
    for unknown in [
        "call_sid",
        "from",
        "outcome",
        "collected",
        "evidence",
        "answered_at",
        "ended_at",
        "ended_reason",
        "cost",
        "currency",
        "model_tokens_in",
    ] {
        assert!(call.get(unknown).is_some_and(Value::is_null), "{unknown}: {call}");
    }
    assert_eq!((&call["bot_id"], &call["turns"]), (&json!(OTHER_BOT), &json!([])));
}

/// The ids of the calls of a page.
fn ids(answer: Answer) -> Vec<String> {
    let calls = answer.expect(200);
    calls.as_array().unwrap().iter().map(|call| call["call_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_come_page_by_page_and_by_bot_and_status() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let (token, mine) = connect(&gateway).await;
    rang(&gateway, &mine, 1, |_| {});
    is_talking(&gateway, &mine, 2);
    rang(&gateway, &mine, 3, |_| {});
    let read = |query: &str| {
        let (gateway, token, path) = (&gateway, token.clone(), format!("/v1/calls{query}"));
        async move { gateway.bearing(Method::GET, &path, &token).await }
    };
    assert_eq!(ids(read("").await), [id(3), id(2), id(1)]);
    let page = read("?limit=2").await;
    let cursor = page.header("x-next-cursor").unwrap().to_owned();
    assert!(page.header("link").unwrap().contains("/v1/calls?limit=2&cursor="));
    assert_eq!(ids(page), [id(3), id(2)]);
    let rest = read(&format!("?limit=2&cursor={cursor}")).await;
    assert_eq!(rest.header("x-next-cursor"), None);
    assert_eq!(ids(rest), [id(1)]);
    assert_eq!(ids(read(&format!("?bot_id={BOT}")).await), [id(3), id(1)]);
    assert_eq!(ids(read("?status=in_progress").await), [id(2)]);
    assert_eq!(ids(read(&format!("?bot_id={OTHER_BOT}&status=completed")).await), Vec::<String>::new());
    for (query, field) in [
        ("?bot_id=bot_1", "bot_id"),
        ("?status=lost", "status"),
        ("?limit=0", "limit"),
        ("?cursor=x", "cursor"),
    ] {
        let answer = read(query).await;
        assert!(answer.assert_link_error(400, "invalid_request").starts_with(field));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_credential_decides_what_is_seen_and_the_form_of_errors() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let (token, mine) = connect(&gateway).await;
        let theirs = gateway.sign_up("b@acme.example").await;
        rang(&gateway, &theirs, 1, |_| {});
        // A call of Echo, for a notification of the project.
        let made = gateway.post("/v1/customers", &mine.key, &customer("u")).await.expect(201);
        let order = json!({"customer_id": made["id"], "message": "Hello"});
        let placed = gateway.post("/v1/notifications", &mine.key, &order).await.expect(201);
        let notification = placed["notification"]["id"].as_str().unwrap();
        let of_echo = format!("0198c0de-0000-7000-8000-{}", &notification[24..]);
        for base in ["/v1", "/api/v1"] {
            let found = gateway.get(&format!("{base}/calls/{of_echo}"), &mine.key).await.expect(200);
            assert_eq!((&found["id"], &found["notification_id"]), (&json!(of_echo), &json!(notification)));
        }
        // EchoLink's token sees calls to bots only.
        let link = |path: String| {
            let (gateway, token) = (&gateway, token.clone());
            async move { gateway.bearing(Method::GET, &path, &token).await }
        };
        for name in [&of_echo, &id(1), SID, "nonsense"] {
            let told = link(format!("/v1/calls/{name}")).await;
            assert_eq!(told.assert_link_error(404, "call_not_found"), "Call not found");
        }
        for name in [&id(1), SID] {
            gateway.get(&format!("/v1/calls/{name}"), &theirs.key).await.expect(200);
        }
        for (name, key) in
            [(&*of_echo, &theirs.key), (&id(1), &mine.key), (SID, &mine.key), ("nonsense", &mine.key)]
        {
            gateway.get(&format!("/v1/calls/{name}"), key).await.assert_error(404, "call_not_found");
        }
        assert_eq!(link("/v1/calls".to_owned()).await.expect(200), json!([]));
        assert_eq!(gateway.get("/v1/calls", &mine.key).await.expect(200), json!([]));
        link(format!("/api/v1/calls/{of_echo}")).await.assert_error(401, "unauthorized");
        gateway.get("/api/v1/calls", &mine.key).await.assert_error(404, "route_not_found");

        gateway.get("/v1/calls?limit=0", &mine.key).await.assert_error(400, "invalid_request");
        let none =
            async |path: &str| Answer::of(gateway.request(Method::GET, path).send().await.unwrap()).await;
        none("/v1/calls").await.assert_link_error(401, "unauthorized");
        none(&format!("/v1/calls/{of_echo}")).await.assert_error(401, "unauthorized");
        gateway
            .bearing(Method::DELETE, "/v1/calls", &token)
            .await
            .assert_link_error(405, "method_not_allowed");

        let keys = gateway.get("/v1/api-keys", &mine.key).await.expect(200);
        let revoke = format!("/v1/api-keys/{}/revoke", keys[0]["id"].as_str().unwrap());
        gateway.bearing(Method::PATCH, &revoke, &mine.token).await.expect(200);
        for path in ["/v1/calls".to_owned(), format!("/v1/calls/{of_echo}")] {
            gateway.get(&path, &mine.key).await.assert_error(401, "unauthorized");
        }
        // A token that has run out is EchoLink's all the same.
        gateway.clock.advance(std::time::Duration::from_secs(86_401));
        for path in ["/v1/calls".to_owned(), format!("/v1/calls/{SID}")] {
            link(path).await.assert_link_error(401, "unauthorized");
        }
    }
}
