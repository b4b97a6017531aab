//! Who answers the calls to a user's own number, at the edge.

use contracts::rpc::RpcError;
use contracts::telephony::AnswerWithBotRequest;
use serde_json::{Value, json};

use crate::fakes::lock;
use crate::support::{ALONE, Account, Answer, ENGINES, Engine, Gateway, Method, id};

/// The document's own request.
fn table() -> Value {
    json!({"goal": "Book table", "webhook": "https://api.eatery.com/book", "context": "Open 5-10PM. Tables: 2,4,6"})
}

async fn make(gateway: &Gateway, account: &Account, body: &Value) -> Value {
    gateway.send(Method::POST, "/v1/bots", &account.token, body).await.expect(201)
}

fn path(bot: &Value) -> String {
    format!("/v1/bots/{}", bot["bot_id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_is_made_with_what_the_document_says_and_shows_its_secret_once() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let mine = gateway.sign_up("a@acme.example").await;
        let made = make(&gateway, &mine, &table()).await;
        let id = made["bot_id"].as_str().unwrap().to_owned();
        assert!(id.starts_with("bot_") && id.len() == 24, "{id}");
        let shown = json!({
            "bot_id": id,
            "goal": "Book table",
            "webhook": "https://api.eatery.com/book",
            "context": "Open 5-10PM. Tables: 2,4,6",
            "voice_url": format!("{}/v1/voice?bot_id={id}", gateway.url),
            "language": "en-US",
            "voice": "man",
            "greeting": "Hi, welcome to your AI assistant. How can I help you today?",
            "transfer_number": null,
            "knowledge_app_id": null,
            "status": "active",
            "created_at": "2026-03-18T17:43:46.714Z",
        });
        let mut with_secret = shown.clone();
        with_secret["webhook_secret"] = json!(format!("whsec_{:064}", 0));
        assert_eq!(made, with_secret);
        let whose = lock(&gateway.fakes.targets).keys().cloned().collect::<Vec<_>>();
        assert_eq!(whose, [(mine.business.clone(), id)]);

        assert_eq!(gateway.bearing(Method::GET, &path(&made), &mine.token).await.expect(200), shown);
        // A key of the business is as good as a token.
        assert_eq!(gateway.get(&path(&made), &mine.key).await.expect(200), shown);
        assert_eq!(gateway.get("/v1/bots", &mine.key).await.expect(200), json!([shown]));
        let removed = gateway.bearing(Method::DELETE, &path(&made), &mine.token).await;
        assert_eq!((removed.status, removed.body), (204, json!("")));
        gateway.get(&path(&made), &mine.key).await.assert_link_error(404, "bot_not_found");
        assert!(lock(&gateway.fakes.targets).is_empty(), "its secret is gone with it");

        let log = gateway.bearing(Method::GET, "/v1/audit", &mine.token).await.expect(200);
        assert!(!log.to_string().contains("whsec_"), "{log}");
        let noted: Vec<&str> = log.as_array().unwrap().iter().filter_map(|e| e["action"].as_str()).collect();
        assert_eq!(noted[..2], ["bot.deleted", "bot.created"], "{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_changes_what_it_names_and_null_brings_back_what_holds_by_default() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let mine = gateway.sign_up("a@acme.example").await;
    let whole = json!({
        "goal": "Book table", "webhook": "https://api.eatery.com/book", "context": "Open", "language": "de-DE",
        "voice": "Polly.Joanna", "greeting": "Hallo.", "transfer_number": "+14155552671",
        "knowledge_app_id": id(&gateway.post("/v1/apps", &mine.key, &json!({"name": "a"})).await.expect(201)),
    });
    let made = make(&gateway, &mine, &whole).await;
    for (field, value) in whole.as_object().unwrap() {
        assert_eq!(&made[field], value);
    }
    let patch = |changes: Value| {
        let (gateway, path, token) = (&gateway, path(&made), mine.token.clone());
        async move { gateway.send(Method::PATCH, &path, &token, &changes).await }
    };
    let mut expected = made.clone();
    expected.as_object_mut().unwrap().remove("webhook_secret");
    assert_eq!(patch(json!({})).await.expect(200), expected);
    expected["goal"] = json!("Cancel table");
    expected["status"] = json!("disabled");
    assert_eq!(patch(json!({"goal": "Cancel table", "status": "disabled"})).await.expect(200), expected);
    for (field, default) in [
        ("context", json!(null)),
        ("language", json!("en-US")),
        ("voice", json!("man")),
        ("greeting", json!("Hi, welcome to your AI assistant. How can I help you today?")),
        ("transfer_number", json!(null)),
        ("knowledge_app_id", json!(null)),
    ] {
        expected[field] = default;
        assert_eq!(patch(json!({field: null})).await.expect(200), expected, "{field}");
    }
    for (wrong, named) in [
        (json!({"goal": null}), "goal"),
        (json!({"webhook": null}), "webhook"),
        (json!({"webhook": "http://api.eatery.com/"}), "webhook"),
        (json!({"status": "asleep"}), "status"),
        (json!({"status": null}), "status"),
        (json!({"greeting": ""}), "greeting"),
    ] {
        let answer = patch(wrong).await;
        let text = answer.assert_link_error(400, "invalid_request");
        assert!(text.starts_with(named), "{text}");
    }
    assert_eq!(gateway.get(&path(&made), &mine.key).await.expect(200), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_told_in_echolinks_form_and_nothing_is_made() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let mine = gateway.sign_up("a@acme.example").await;
    let with = |name: &str, value: Value| {
        let mut body = table();
        body[name] = value;
        body
    };
    for (body, named) in [
        (json!({"webhook": "https://api.eatery.com/book"}), "goal is required"),
        (json!({"goal": "Book table"}), "webhook is required"),
        (json!({}), "goal is required (and 1 more)"),
        (with("goal", json!(" ")), "goal"),
        (with("goal", json!("x".repeat(4001))), "goal"),
        (with("webhook", json!("https://10.0.0.1/book")), "webhook"),
        (with("webhook", json!("https://user:secret@api.eatery.com/book")), "webhook"),
        (with("context", json!(7)), "context"),
        (with("language", json!("english")), "language"),
        (with("voice", json!("")), "voice"),
        (with("transfer_number", json!("4155552671")), "transfer_number"),
        (with("knowledge_app_id", json!("two words")), "knowledge_app_id"),
        (with("knowledge_app_id", json!("app_2Wm7cTrNp5xKd9JvHs4B")), "knowledge_app_id"),
        (with("configure_number", json!("yes")), "configure_number"),
        (json!([]), "The request body must be a JSON object"),
    ] {
        let answer = gateway.post("/v1/bots", &mine.key, &body).await;
        let text = answer.assert_link_error(400, "invalid_request");
        assert!(text.starts_with(named), "{named}: {text}");
    }
    assert!(lock(&gateway.fakes.bots).is_empty() && lock(&gateway.fakes.targets).is_empty());

    let none = Answer::of(gateway.request(Method::GET, "/v1/bots").send().await.unwrap()).await;
    none.assert_link_error(401, "unauthorized");
    assert_eq!(none.header("www-authenticate"), Some("Bearer"));
    gateway.bearing(Method::GET, "/v1/bots", "a.b.c").await.assert_link_error(401, "unauthorized");
    let put = gateway.bearing(Method::PUT, "/v1/bots", &mine.token).await;
    put.assert_link_error(405, "method_not_allowed");
    assert_eq!(put.header("allow"), Some("GET, POST"));
    // Where only Echo's paths are, there are none of these.
    gateway.get("/api/v1/bots", &mine.key).await.assert_error(404, "route_not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bots_of_another_business_are_not_there_and_mine_come_page_by_page() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let (mine, theirs) = (gateway.sign_up("a@acme.example").await, gateway.sign_up("b@acme.example").await);
    let their_bot = make(&gateway, &theirs, &table()).await;
    for path in [path(&their_bot), "/v1/bots/bot_abc123".to_owned(), "/v1/bots/nonsense".to_owned()] {
        for method in [Method::GET, Method::DELETE] {
            let answer = gateway.bearing(method, &path, &mine.token).await;
            assert_eq!(answer.assert_link_error(404, "bot_not_found"), "Bot not found");
        }
        let change = gateway.send(Method::PATCH, &path, &mine.token, &json!({"goal": "Mine"})).await;
        change.assert_link_error(404, "bot_not_found");
    }
    let (first, second) = (make(&gateway, &mine, &table()).await, make(&gateway, &mine, &table()).await);
    let page = gateway.get("/v1/bots?limit=1", &mine.key).await;
    let cursor = page.header("x-next-cursor").unwrap().to_owned();
    assert!(page.header("link").unwrap().contains("/v1/bots?limit=1&cursor="));
    assert_eq!(page.expect(200)[0]["bot_id"], second["bot_id"]);
    let rest = gateway.get(&format!("/v1/bots?limit=1&cursor={cursor}"), &mine.key).await;
    assert_eq!(rest.header("x-next-cursor"), None);
    assert_eq!(rest.expect(200)[0]["bot_id"], first["bot_id"]);
    gateway.get("/v1/bots?limit=0", &mine.key).await.assert_link_error(400, "invalid_request");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_idempotency_makes_one_bot_and_does_not_show_the_secret_again() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let mine = gateway.sign_up("a@acme.example").await;
        let made = gateway.post_once("/v1/bots", &mine.key, "k", &table()).await.expect(201);
        let secret = made["webhook_secret"].as_str().unwrap();
        let again = gateway.post_once("/v1/bots", &mine.key, "k", &table()).await;
        again.assert_link_error(409, "secret_already_shown");
        let other = gateway.post_once("/v1/bots", &mine.key, "k", &json!({"goal": "x"})).await;
        other.assert_link_error(400, "invalid_request");
        assert_eq!(lock(&gateway.fakes.bots).len(), 1);
        let kept = gateway.stored_keys().await;
        assert!(kept.iter().all(|text| !text.contains(secret)));
        let answers = "SELECT COUNT(*) AS n FROM idempotency_keys WHERE answer IS NOT NULL";
        assert_eq!(gateway.number(answers).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bot_answers_the_number_of_its_project_or_is_not_made() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let mine = gateway.sign_up("a@acme.example").await;
        let mut wanted = table();
        wanted["configure_number"] = json!(true);
        for code in ["no_number", "voice_url_not_public", "number_has_trunk", "account_refused"] {
            let message = format!("It cannot be: {code}");
            *lock(&gateway.fakes.cannot_answer) =
                Some(RpcError::Conflict { code: code.into(), message: message.clone() });
            let refused = gateway.post_once("/v1/bots", &mine.key, "k", &wanted).await;
            assert_eq!(refused.assert_link_error(409, code), message);
            assert_eq!(gateway.get("/v1/bots", &mine.key).await.expect(200), json!([]));
        }
        // Nobody knows whether the number leads to it: it stays, and whoever asks again goes on with it.
        *lock(&gateway.fakes.cannot_answer) = Some(RpcError::DeadlineExceeded);
        gateway.post_once("/v1/bots", &mine.key, "k", &wanted).await.assert_link_error(503, "unavailable");
        let made = gateway.post_once("/v1/bots", &mine.key, "k", &wanted).await.expect(201);
        assert_eq!(lock(&gateway.fakes.bots).len(), 1);
        assert_eq!(lock(&gateway.fakes.bots)[0].project_id, mine.project);
        let one = AnswerWithBotRequest {
            project_id: mine.project.clone(),
            bot_id: made["bot_id"].as_str().unwrap().to_owned(),
        };
        assert_eq!(lock(&gateway.fakes.answering).first(), Some(&one));

        // A change is refused as a whole.
        let patch = |changes: Value| {
            let (gateway, path, token) = (&gateway, path(&made), mine.token.clone());
            async move { gateway.send(Method::PATCH, &path, &token, &changes).await }
        };
        let changes = json!({"goal": "Cancel table", "configure_number": true});
        let message = "The project has no number of its own".to_owned();
        *lock(&gateway.fakes.cannot_answer) = Some(RpcError::Conflict { code: "no_number".into(), message });
        patch(changes.clone()).await.assert_link_error(409, "no_number");
        assert_eq!(gateway.get(&path(&made), &mine.key).await.expect(200)["goal"], "Book table");
        assert_eq!(patch(changes).await.expect(200)["goal"], "Cancel table");
        patch(json!({"configure_number": false})).await.expect(200);
        assert_eq!(*lock(&gateway.fakes.answering), [one.clone(), one]);

        // The number is that of the bot's project, which another one's credential does not touch.
        let second = json!({"name": "staging"});
        let second = gateway.send(Method::POST, "/v1/projects", &mine.token, &second).await.expect(201);
        let request = gateway
            .request(Method::PATCH, &path(&made))
            .header("x-api-key", second["api_key"].as_str().unwrap());
        let refused =
            Answer::of(request.json(&json!({"configure_number": true})).send().await.unwrap()).await;
        refused.assert_link_error(409, "bot_of_another_project");
        let theirs = gateway.sign_up("b@acme.example").await;
        let stranger = gateway
            .send(Method::PATCH, &path(&made), &theirs.token, &json!({"configure_number": true}))
            .await;
        stranger.assert_link_error(404, "bot_not_found");
        assert_eq!(lock(&gateway.fakes.answering).len(), 2);
        // A bot from before bots had a project belongs to that of whoever changes it.
        lock(&gateway.fakes.bots)[0].project_id.clear();
        patch(json!({"goal": "Book table", "configure_number": true})).await.expect(200);
        assert_eq!(lock(&gateway.fakes.bots)[0].project_id, mine.project);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_bot_tells_goes_where_its_owner_says_last_and_nowhere_when_it_is_gone() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let mine = gateway.sign_up("a@acme.example").await;
    let made = make(&gateway, &mine, &table()).await;
    let patch = |changes: Value| {
        let (gateway, path, token) = (&gateway, path(&made), mine.token.clone());
        async move { gateway.send(Method::PATCH, &path, &token, &changes).await.expect(200) }
    };
    patch(json!({"goal": "Cancel table", "status": "disabled"})).await;
    assert!(lock(&gateway.fakes.moved).is_empty());
    patch(json!({"webhook": "https://api.eatery.com/other"})).await;
    patch(json!({"status": "active"})).await;
    let moved: Vec<_> =
        lock(&gateway.fakes.moved).iter().map(|m| (m.bot_id.clone(), m.url.clone())).collect();
    let other = (made["bot_id"].as_str().unwrap().to_owned(), "https://api.eatery.com/other".to_owned());
    assert_eq!(moved, [other.clone(), other]);
    // Half removed: the other half is done by whoever asks again.
    gateway.fakes.fail_next(RpcError::Unavailable("told so".into()));
    let removed = gateway.bearing(Method::DELETE, &path(&made), &mine.token).await;
    removed.assert_link_error(503, "unavailable");
    assert_eq!(lock(&gateway.fakes.targets).len(), 1);
    let again = gateway.bearing(Method::DELETE, &path(&made), &mine.token).await;
    again.assert_link_error(404, "bot_not_found");
    assert!(lock(&gateway.fakes.targets).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neighbours_that_are_away_are_said_to_be() {
    let gateway = Gateway::start_with(Engine::Sqlite, ALONE, &[]).await;
    let mine = gateway.sign_up("a@acme.example").await;
    let answer = gateway.get("/v1/bots", &mine.key).await;
    answer.assert_link_error(503, "unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_voice_url_is_the_one_that_the_carrier_reaches() {
    let elsewhere = [("ECHO_VOICE_URL", "https://voice.echo.example/")];
    let gateway = Gateway::start_with(Engine::Sqlite, crate::support::GATEWAY, &elsewhere).await;
    let mine = gateway.sign_up("a@acme.example").await;
    let made = make(&gateway, &mine, &table()).await;
    let expected = format!("https://voice.echo.example/v1/voice?bot_id={}", made["bot_id"].as_str().unwrap());
    assert_eq!(made["voice_url"], json!(expected));
}
