//! Handing over to a person, and the tickets that come of it.

use contracts::rpc::RpcError;
use serde_json::{Value, json};

use crate::customers::patch;
use crate::doors::{Door, at_an_hours_beginning, sent};
use crate::fakes::lock;
use crate::support::{Answer, ENGINES, Engine, GATEWAY, Gateway, Method};

const PAGE: &str = "https://myapp.com";

/// The documented request.
fn documented(app: &str) -> Value {
    json!({
        "appId": app, "email": "user@example.com", "question": "I need help with billing", "url": "https://myapp.com/pricing",
        "history": [
            {"role": "user", "text": "How much does the pro plan cost?"},
            {"role": "assistant", "text": "The pro plan is $49/month."}
        ]
    })
}

async fn hand_over(door: &Door<'_>, origin: &str, body: &Value) -> Answer {
    sent(door.gateway.request(Method::POST, "/api/handover").header("origin", origin).json(body)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fact_3_5_a_conversation_is_handed_over_on_both_paths_and_in_both_forms() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let door = Door::of(&gateway, &account, &["myapp.com"]).await;
        let answer = hand_over(&door, PAGE, &documented(&door.app)).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE));
        let opened = answer.expect(200);
        let ticket = opened["ticketId"].as_str().unwrap().to_owned();
        assert_eq!(opened, json!({"success": true, "ticketId": ticket}));
        // As the JavaScript client says it, on the path with the app.
        let conversation = "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f34";
        let of_client = json!({
            "appId": door.app, "email": "user@example.com", "question": "And Norway?", "url": "https://myapp.com/",
            "history": [{"id": "1", "text": "Do you ship?", "sender": "user", "timestamp": 1}, {"id": "2", "text": "Yes.", "sender": "ai"}],
            "meta": ["https://myapp.com/shipping"]
        });
        let on_path =
            |body: Value| sent(door.request(Method::POST, "handover").header("origin", PAGE).json(&body));
        on_path(of_client).await.expect(200);
        on_path(json!({"appId": door.app, "conversationId": conversation})).await.expect(200);
        {
            let tickets = lock(&gateway.fakes.tickets);
            let roles =
                |n: usize| -> Vec<&str> { tickets[n].1.transcript.iter().map(|l| &*l.role).collect() };
            assert!(tickets.iter().all(|(app, _)| *app == door.app));
            assert_eq!(
                (&*tickets[0].1.email, &*tickets[0].1.url),
                ("user@example.com", "https://myapp.com/pricing")
            );
            assert_eq!((roles(0), roles(1)), (vec!["user", "assistant"], vec!["user", "assistant"]));
            assert_eq!((&*tickets[2].1.question, &*tickets[2].1.conversation_id), ("", conversation));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tickets_are_listed_read_and_change_their_status() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let door = Door::of(&gateway, &account, &["myapp.com"]).await;
        let opened = hand_over(&door, PAGE, &documented(&door.app)).await.expect(200);
        let ticket = opened["ticketId"].as_str().unwrap().to_owned();
        for question in ["And Norway?", "And Iceland?"] {
            let mut other = documented(&door.app);
            other["question"] = json!(question);
            hand_over(&door, PAGE, &other).await.expect(200);
        }
        let tickets = format!("/api/apps/tickets?appId={}", door.app);
        let listed = gateway.bearing(Method::GET, &tickets, &account.token).await.expect(200);
        let at = "2026-03-18T17:43:46.714Z";
        let first = json!({
            "id": ticket, "status": "open", "email": "user@example.com", "phone": null, "question": "I need help with billing",
            "url": "https://myapp.com/pricing", "conversationId": null, "createdAt": at, "updatedAt": at
        });
        assert_eq!((listed.as_array().unwrap().len(), &listed[2]), (3, &first));
        let page = gateway.bearing(Method::GET, &format!("{tickets}&limit=2"), &account.token).await;
        let cursor = page.header("x-next-cursor").unwrap();
        let rest = gateway.bearing(Method::GET, &format!("{tickets}&cursor={cursor}"), &account.token).await;
        assert_eq!(rest.expect(200), json!([first]));

        let one = format!("/api/apps/tickets/{ticket}?appId={}", door.app);
        let whole = gateway.bearing(Method::GET, &one, &account.token).await.expect(200);
        assert_eq!(
            whole["transcript"][0],
            json!({"role": "user", "text": "How much does the pro plan cost?"})
        );
        let trace =
            json!([{"title": "Prices", "url": null, "score": 0.5, "text": "The pro plan is $49/month."}]);
        assert_eq!(whole["trace"], trace);
        let resolved = json!({"status": "resolved"});
        let changed = gateway.send(Method::PATCH, &one, &account.token, &resolved).await.expect(200);
        assert_eq!((&changed["status"], &changed["id"]), (&json!("resolved"), &json!(ticket)));
        let open = gateway.bearing(Method::GET, &format!("{tickets}&status=open"), &account.token).await;
        assert_eq!(open.expect(200).as_array().unwrap().len(), 2);
        let log = gateway.bearing(Method::GET, "/v1/audit", &account.token).await.expect(200);
        assert_eq!(
            (&log[0]["action"], &log[0]["details"]["status"]),
            (&json!("ticket.updated"), &json!("resolved"))
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_wish_for_a_person_is_told_and_opens_nothing() {
    let extra = [("ECHO_RATE_LIMITS", "off")];
    let gateway = Gateway::start_with(Engine::Sqlite, GATEWAY, &extra).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let door = Door::of(&gateway, &account, &["myapp.com"]).await;
    let wish = |change: Value| {
        let mut body = documented(&door.app);
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    for (change, fields) in [
        (json!({"email": null, "question": null}), vec!["email", "question"]),
        (json!({"email": "nobody"}), vec!["email"]),
        (json!({"email": "a@example.com\r\nBcc: b@example.com"}), vec!["email"]),
        (json!({"question": " "}), vec!["question"]),
        (json!({"question": "é".repeat(4001)}), vec!["question"]),
        (json!({"url": "javascript:alert(1)"}), vec!["url"]),
        (json!({"history": "a"}), vec!["history"]),
        (json!({"history": [{"role": "admin", "text": "a"}]}), vec!["history/0/role"]),
        (json!({"conversationId": "mine"}), vec!["conversationId"]),
        (json!({"appId": null}), vec!["appId"]),
    ] {
        hand_over(&door, PAGE, &wish(change)).await.assert_fields(&fields);
    }
    let other = wish(json!({"appId": "app_2Wm7cTrNp5xKd9JvHs4B"}));
    hand_over(&door, PAGE, &other).await.assert_error(404, "app_not_found");
    hand_over(&door, "https://evil.example", &wish(json!({}))).await.assert_error(403, "origin_not_allowed");
    assert!(lock(&gateway.fakes.tickets).is_empty());
    let full = RpcError::Conflict { code: "ticket_limit_reached".into(), message: "Too many".into() };
    lock(&gateway.fakes.cannot_open).extend([full, RpcError::Busy]);
    hand_over(&door, PAGE, &wish(json!({}))).await.assert_error(409, "ticket_limit_reached");
    hand_over(&door, PAGE, &wish(json!({}))).await.assert_error(503, "unavailable");

    hand_over(&door, PAGE, &wish(json!({}))).await.expect(200);
    let tickets = format!("/api/apps/tickets?appId={}", door.app);
    let ticket = lock(&gateway.fakes.tickets)[0].1.id.clone();
    let one = format!("/api/apps/tickets/{ticket}?appId={}", door.app);
    gateway
        .bearing(Method::GET, &format!("{tickets}&status=new"), &account.token)
        .await
        .assert_fields(&["status"]);
    gateway.bearing(Method::GET, "/api/apps/tickets", &account.token).await.assert_fields(&["appId"]);
    let wrong = gateway.send(Method::PATCH, &one, &account.token, &json!({"status": "done"})).await;
    wrong.assert_fields(&["status"]);
    let nowhere = format!("/api/apps/tickets/1?appId={}", door.app);
    gateway.bearing(Method::GET, &nowhere, &account.token).await.assert_error(404, "ticket_not_found");
    // The app's own key is for programs, and another business' members see nothing.
    gateway.get(&tickets, &door.key).await.assert_error(403, "forbidden");
    let theirs = gateway.sign_up("b@other.example").await;
    for path in [&tickets, &one] {
        gateway.bearing(Method::GET, path, &theirs.token).await.assert_error(404, "app_not_found");
    }
    let their_door = Door::of(&gateway, &theirs, &[]).await;
    let through = format!("/api/apps/tickets/{ticket}?appId={}", their_door.app);
    gateway.bearing(Method::GET, &through, &theirs.token).await.assert_error(404, "ticket_not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_has_five_wishes_a_minute() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let door = Door::of(&gateway, &account, &["myapp.com"]).await;
    at_an_hours_beginning(&gateway);
    for _ in 1..=5 {
        hand_over(&door, PAGE, &documented(&door.app)).await.expect(200);
    }
    let refused = hand_over(&door, PAGE, &documented(&door.app)).await;
    refused.assert_error(429, "rate_limited");
    assert_eq!(refused.header("ratelimit-policy"), Some("\"handover\";q=5;w=60"));
    assert!(refused.header("retry-after").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_slack_is_told_is_handed_on_and_never_shown() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let door = Door::of(&gateway, &account, &[]).await;
        let path = format!("/v1/apps/{}", door.app);
        let url = "https://hooks.slack.example/services/T0/B0/secret";
        let set = patch(&gateway, &path, &account, &json!({"slack_webhook_url": url})).await.expect(200);
        assert!(!set.to_string().contains("secret") && !set.to_string().contains("slack"), "{set}");
        patch(&gateway, &path, &account, &json!({"name": "Support"})).await.expect(200);
        patch(&gateway, &path, &account, &json!({"slack_webhook_url": null})).await.expect(200);
        let told: Vec<_> =
            lock(&gateway.fakes.slack).iter().map(|s| (s.app_id.clone(), s.url.clone())).collect();
        assert_eq!(told, [(door.app.clone(), url.to_owned()), (door.app.clone(), String::new())]);
        assert_eq!(lock(&gateway.fakes.slack)[0].business_id, account.business);
        let log = gateway.bearing(Method::GET, "/v1/audit", &account.token).await.expect(200);
        assert_eq!(
            (&log[0]["action"], &log[0]["details"]),
            (&json!("app.updated"), &json!({"slack_webhook_url": {}}))
        );
        assert!(!log.to_string().contains("secret"));
        // What is wrong beside it changes nothing, and neither does what the dispatcher refuses.
        for (body, field) in [
            (json!({"slack_webhook_url": url, "name": ""}), "name"),
            (json!({"slack_webhook_url": "a", "name": "A"}), "slack_webhook_url"),
            (json!({"slack_webhook_url": "https://127.0.0.1/a", "name": "A"}), "slack_webhook_url"),
        ] {
            patch(&gateway, &path, &account, &body).await.assert_fields(&[field]);
        }
        assert_eq!(gateway.get(&path, &account.key).await.expect(200)["name"], "Support");
        assert_eq!(lock(&gateway.fakes.slack).len(), 2);
        let nowhere = "/v1/apps/app_2Wm7cTrNp5xKd9JvHs4B";
        let nobody = patch(&gateway, nowhere, &account, &json!({"slack_webhook_url": url})).await;
        nobody.assert_error(404, "app_not_found");
    }
}
