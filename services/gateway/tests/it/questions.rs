//! Questions to an app: the answer as it is said, the answer as a whole, what was thought of it, and what was asked lately.

use std::time::Duration;

use serde_json::{Value, json};

use crate::doors::{Door, at_an_hours_beginning, sent};
use crate::fakes::{BREAKS, SILENT, SLOW, UNKNOWN, lock};
use crate::support::{Answer, ENGINES, Engine, GATEWAY, Gateway, Method};

impl Door<'_> {
    /// Asks as a page on `origin`.
    fn asks(&self, origin: &str, body: &Value) -> reqwest::RequestBuilder {
        self.request(Method::POST, "query").header("origin", origin).json(body)
    }

    /// Asks as a program without a key.
    async fn ask(&self, body: &Value) -> Answer {
        sent(self.request(Method::POST, "query").json(body)).await
    }
}

const PAGE: &str = "https://example.com";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fact_3_4_a_question_is_answered_in_words_with_its_sources_in_a_header() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let door = Door::of(&gateway, &account, &["example.com"]).await;
        // The document's own request, as curl sends it.
        let question = json!({"question": "How do I install the SDK?"});
        let answer = door.ask(&question).await;
        assert_eq!(answer.body, json!("One two How do I install the SDK?"), "{answer:?}");
        for (name, value) in [
            ("content-type", "text/plain; charset=utf-8"),
            ("transfer-encoding", "chunked"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-echo-verdict", "partial"),
            ("x-echo-conversation", "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f34"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
        let sources: Value = serde_json::from_str(answer.header("x-echo-sources").unwrap()).unwrap();
        let first = json!({
            "id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890", "title": "Über uns", "url": "https://docs.example.com/about", "score": 0.75
        });
        assert_eq!((&sources[0], &sources[1]["url"]), (&first, &json!(null)));
        {
            let asked = lock(&gateway.fakes.asked);
            assert_eq!(asked[0].app_id, door.app);
            assert_eq!(answer.header("x-echo-answer"), Some(&*asked[0].answer_id));
            assert_eq!(lock(&gateway.fakes.contexts).last().unwrap().tenant, account.project);
        }
        // A page on an allowed site reads it, headers and all.
        let read = sent(door.asks(PAGE, &question)).await;
        assert_eq!(read.header("access-control-allow-origin"), Some(PAGE));
        for exposed in ["x-echo-sources", "x-echo-conversation", "x-echo-answer", "x-echo-verdict"] {
            assert!(read.header("access-control-expose-headers").unwrap().contains(exposed));
        }
        read.expect(200);
        // So does one that names the app in the body; the path decides where both do.
        let named = json!({"question": "How?", "appId": door.app});
        let elsewhere = gateway.request(Method::POST, "/api/query").header("origin", PAGE).json(&named);
        let elsewhere = sent(elsewhere).await;
        assert_eq!(elsewhere.header("access-control-allow-origin"), Some(PAGE));
        assert_eq!(elsewhere.expect(200), "One two How?");
        let other = json!({"question": "How?", "appId": "app_2Wm7cTrNp5xKd9JvHs4B"});
        door.ask(&other).await.expect(200);
        // What is not known is said, and nothing stands behind it.
        let unknown = door.ask(&json!({"question": UNKNOWN})).await;
        assert_eq!(unknown.header("x-echo-verdict"), Some("not_covered"));
        assert_eq!(unknown.header("x-echo-sources"), Some("[]"));
        // Every credential of the app may ask, wherever from; one of others is none.
        let evil = "https://evil.example";
        for key in [&door.key, &account.key] {
            sent(door.asks(evil, &question).header("x-api-key", key)).await.expect(200);
        }
        for token in [&door.key, &account.token] {
            sent(door.asks(evil, &question).bearer_auth(token)).await.expect(200);
        }
        let theirs = gateway.sign_up("b@other.example").await;
        sent(door.asks(PAGE, &question).bearer_auth(&theirs.token)).await.assert_error(404, "app_not_found");
        sent(door.asks(PAGE, &question).bearer_auth("nonsense")).await.assert_error(401, "unauthorized");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_go_out_as_they_are_said_and_what_breaks_off_has_no_end() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let door = Door::of(&gateway, &account, &["example.com"]).await;
    let mut slow = door.asks(PAGE, &json!({"question": SLOW})).send().await.unwrap();
    // The rest is not said yet, and this is here.
    assert_eq!(slow.chunk().await.unwrap().unwrap(), "One");
    gateway.fakes.spoken.add_permits(1);
    assert_eq!(slow.text().await.unwrap(), format!(" two {SLOW}"));

    let mut broken = door.asks(PAGE, &json!({"question": BREAKS})).send().await.unwrap();
    assert_eq!(broken.status(), 200);
    assert_eq!(broken.chunk().await.unwrap().unwrap(), "One");
    broken.chunk().await.unwrap_err();
    let whole = door.ask(&json!({"message": BREAKS})).await;
    whole.assert_error(503, "unavailable");
    // Where nobody says a word, nothing has begun.
    let silent = sent(door.asks(PAGE, &json!({"question": SILENT}))).await;
    silent.assert_error(503, "unavailable");
    assert_eq!(silent.header("access-control-allow-origin"), Some(PAGE));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fact_3_4_a_message_of_the_javascript_client_is_answered_in_json() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let door = Door::of(&gateway, &account, &["example.com"]).await;
    let conversation = "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f35";
    let message = json!({
        "appId": door.app, "message": "é".repeat(5000),
        "context": {"conversationId": conversation, "userName": "Jane", "userEmail": "jane@example.com", "metadata": {"plan": 1}}
    });
    let answer = sent(door.asks(PAGE, &message)).await.expect(200);
    let id = lock(&gateway.fakes.asked)[0].answer_id.clone();
    let timestamp = answer["message"]["timestamp"].as_i64().unwrap();
    assert!((gateway.clock.now().timestamp_millis() - timestamp).abs() < 60_000, "{timestamp}");
    let text = format!("One two {}", "é".repeat(5000));
    let said = json!({"id": id, "text": text, "sender": "ai", "timestamp": timestamp, "metadata": {"verdict": "partial"}});
    let sources = json!([
        {"title": "Über uns", "url": "https://docs.example.com/about", "snippet": "We are …"},
        {"title": "Über uns", "snippet": "We are …"}
    ]);
    assert_eq!(answer, json!({"message": said, "conversationId": conversation, "sources": sources}));
    // A text can go on with a conversation, too.
    door.ask(&json!({"question": "And?", "conversationId": conversation})).await.expect(200);
    let asked = lock(&gateway.fakes.asked).last().unwrap().conversation_id.clone();
    assert_eq!(asked, conversation);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_question_is_told_and_nobody_is_asked() {
    let extra = [("ECHO_RATE_LIMITS", "off")];
    let gateway = Gateway::start_with(Engine::Sqlite, GATEWAY, &extra).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let door = Door::of(&gateway, &account, &["example.com"]).await;
    for (body, field) in [
        (json!({}), "question"),
        (json!({"question": ""}), "question"),
        (json!({"question": " \n"}), "question"),
        (json!({"question": "a\u{0}b"}), "question"),
        (json!({"question": 7}), "question"),
        (json!({"question": "é".repeat(501)}), "question"),
        (json!({"message": "é".repeat(5001)}), "message"),
        (json!({"question": "a", "message": "a"}), "message"),
        (json!({"question": "a", "appId": {}}), "appId"),
        (json!({"question": "a", "conversationId": "mine"}), "conversationId"),
        (json!({"message": "a", "context": {"conversationId": "mine"}}), "context/conversationId"),
        (json!({"message": "a", "context": "mine"}), "context"),
    ] {
        door.ask(&body).await.assert_fields(&[field]);
    }
    door.ask(&json!([])).await.assert_error(400, "invalid_request");
    let nameless = gateway.request(Method::POST, "/api/query").json(&json!({"question": "a"}));
    sent(nameless).await.assert_fields(&["appId"]);
    let unknown = json!({"question": "a", "appId": "app_2Wm7cTrNp5xKd9JvHs4B"});
    let unknown = gateway.request(Method::POST, "/api/query").json(&unknown);
    sent(unknown).await.assert_error(404, "app_not_found");
    let plain = door.request(Method::POST, "query").body("question=a");
    sent(plain).await.assert_error(415, "unsupported_media_type");

    // A site that the app does not allow, in the header that browsers send and in the one that says where they were.
    let question = json!({"question": "a"});
    for origin in ["https://evil.example", "null", "https://example.com.evil.example"] {
        let refused = sent(door.asks(origin, &question)).await;
        refused.assert_error(403, "origin_not_allowed");
        assert_eq!(refused.header("access-control-allow-origin"), None, "{origin}");
    }
    let refer = |site: &str| door.request(Method::POST, "query").header("referer", site).json(&question);
    sent(refer("https://evil.example/page")).await.assert_error(403, "origin_not_allowed");
    assert!(lock(&gateway.fakes.asked).is_empty());
    sent(refer("https://example.com/page")).await.expect(200);
    // Who says nothing is asked to, where the app wants it.
    let strict = json!({"require_origin": true});
    crate::customers::patch(&gateway, &format!("/v1/apps/{}", door.app), &account, &strict).await.expect(200);
    door.ask(&question).await.assert_error(403, "origin_not_allowed");
    sent(door.request(Method::POST, "query").header("x-api-key", &door.key).json(&question))
        .await
        .expect(200);
    door.ask(&json!({"question": "é".repeat(500)})).await.assert_error(403, "origin_not_allowed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fact_3_2_an_address_has_sixty_questions_a_minute_and_an_app_so_many_an_hour() {
    for engine in ENGINES {
        let gateway = Gateway::start_with(engine, GATEWAY, &[("ECHO_RATE_LIMIT_QUERY_APP", "61")]).await;
        let replica = gateway.replica().await;
        let account = gateway.sign_up("jane@acme.example").await;
        let door = Door::of(&gateway, &account, &["example.com"]).await;
        let there = Door { gateway: &replica, app: door.app.clone(), key: door.key.clone() };
        at_an_hours_beginning(&gateway);
        at_an_hours_beginning(&replica);
        let question = json!({"question": "a"});
        for _ in 1..=60 {
            door.ask(&question).await.expect(200);
        }
        let refused = sent(door.asks(PAGE, &question)).await;
        refused.assert_error(429, "rate_limited");
        assert_eq!(refused.header("ratelimit-policy"), Some("\"query\";q=60;w=60"));
        assert!(refused.header("retry-after").is_some());
        there.ask(&question).await.expect(200);
        there.ask(&question).await.assert_error(429, "rate_limited");
        replica.clock.advance(Duration::from_secs(3600));
        there.ask(&question).await.expect(200);
        assert_eq!(lock(&gateway.fakes.asked).len(), 62);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fact_3_7_whoever_asked_may_say_whether_it_helped() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let door = Door::of(&gateway, &account, &["example.com"]).await;
    let answer = door.ask(&json!({"question": "How?"})).await;
    let id = answer.header("x-echo-answer").unwrap();
    let says = |origin: &str, body: Value| {
        sent(door.request(Method::POST, "feedback").header("origin", origin).json(&body))
    };
    // With the fields of the JavaScript client.
    let kept = says(PAGE, json!({"appId": door.app, "messageId": id, "helpful": false})).await;
    assert_eq!((kept.status, kept.header("access-control-allow-origin")), (204, Some(PAGE)));
    {
        let judged = lock(&gateway.fakes.judged);
        assert_eq!((&*judged[0].app_id, &*judged[0].answer_id, judged[0].helpful), (&*door.app, id, false));
    }
    let unknown = json!({"messageId": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "helpful": true});
    says(PAGE, unknown).await.assert_error(404, "message_not_found");
    says(PAGE, json!({"messageId": "1", "helpful": "yes"})).await.assert_fields(&["messageId", "helpful"]);
    says(PAGE, json!({"messageId": "1", "helpful": true})).await.assert_fields(&["messageId"]);
    says(PAGE, json!({"messageId": id})).await.assert_fields(&["helpful"]);
    says("https://evil.example", json!({"messageId": id, "helpful": true}))
        .await
        .assert_error(403, "origin_not_allowed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_see_what_was_asked_and_what_had_no_answer() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let door = Door::of(&gateway, &account, &[]).await;
    door.ask(&json!({"question": "One?"})).await.expect(200);
    let path = format!("/api/apps/insights?appId={}", door.app);
    let seen = gateway.bearing(Method::GET, &path, &account.token).await.expect(200);
    let at = "2026-03-18T17:43:46.714Z";
    let expected = json!({
        "questions": 1, "unanswered": 1, "helpful": 2, "unhelpful": 3,
        "unansweredQuestions": [{
            "question": UNKNOWN, "count": 4, "lastAskedAt": at, "notCovered": 3, "unhelpful": 1, "tickets": 2
        }],
        "conversations": [{
            "id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f34", "firstQuestion": "One?", "questions": 5, "unanswered": 1,
            "startedAt": at, "lastAskedAt": at
        }]
    });
    assert_eq!(seen, expected);
    gateway.bearing(Method::GET, &format!("{path}&days=7&limit=5"), &account.token).await.expect(200);
    {
        let looked = lock(&gateway.fakes.looked_back);
        let ago = |n: usize| gateway.clock.now().timestamp_millis() - looked[n].since_ms;
        let days = |days: i64| days * 24 * 60 * 60 * 1000;
        assert!((ago(0) - days(30)).abs() < 60_000 && (ago(1) - days(7)).abs() < 60_000);
        assert_eq!((looked[0].limit, looked[1].limit), (20, 5));
    }
    for (query, field) in [("days=0", "days"), ("days=91", "days"), ("limit=101", "limit")] {
        let wrong = gateway.bearing(Method::GET, &format!("{path}&{query}"), &account.token).await;
        wrong.assert_fields(&[field]);
    }
    gateway.get(&path, &door.key).await.assert_error(403, "forbidden");
    let nobody = sent(gateway.request(Method::GET, &path)).await;
    nobody.assert_error(401, "unauthorized");
}
