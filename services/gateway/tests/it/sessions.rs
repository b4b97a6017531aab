//! Staying signed in, and no longer being so.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, ENGINES, Engine, Gateway, Method};

async fn refresh(gateway: &Gateway, token: &str) -> Answer {
    gateway.bearing(Method::POST, "/auth/refresh", token).await
}

async fn look(gateway: &Gateway, token: &str) -> Answer {
    gateway.bearing(Method::GET, "/v1/customers", token).await
}

fn token(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_gives_a_new_pair_that_works_like_the_old_one() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        gateway.clock.advance(Duration::from_secs(4000));
        look(&gateway, &account.token).await.assert_error(401, "unauthorized");
        let made = gateway.bearing(Method::POST, "/api/auth/refresh", &account.refresh).await.expect(201);
        assert_eq!(made["user"]["id"], account.user.as_str());
        assert_eq!(made["user"]["first_name"], "Jane");
        assert_eq!(made["business"], json!({"id": account.business, "name": "Acme Inc"}));
        assert!(made.get("default_project").is_none());
        look(&gateway, &token(&made, "access_token")).await.expect(200);
        assert_ne!(token(&made, "refresh_token"), account.refresh);
        refresh(&gateway, &token(&made, "refresh_token")).await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_used_refresh_token_is_good_again_for_ten_seconds_and_then_ends_its_session() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let login = json!({"email": "jane@acme.example", "password": "YourPassword123!"});
        let other = gateway.auth("/auth/login", &login).await.expect(200);
        let first = refresh(&gateway, &account.refresh).await.expect(201);
        gateway.clock.advance(Duration::from_secs(9));
        let again = refresh(&gateway, &account.refresh).await.expect(201);
        for pair in [&first, &again] {
            look(&gateway, &token(pair, "access_token")).await.expect(200);
        }
        gateway.clock.advance(Duration::from_millis(1_500));
        refresh(&gateway, &account.refresh).await.assert_error(401, "refresh_token_reused");
        for pair in [&first, &again] {
            look(&gateway, &token(pair, "access_token")).await.assert_error(401, "unauthorized");
            refresh(&gateway, &token(pair, "refresh_token")).await.assert_error(401, "unauthorized");
        }
        refresh(&gateway, &account.refresh).await.assert_error(401, "unauthorized");
        look(&gateway, &token(&other, "access_token")).await.expect(200);
        refresh(&gateway, &token(&other, "refresh_token")).await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tabs_that_refresh_at_the_same_time_stay_signed_in_both() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let (one, two) =
            tokio::join!(refresh(&gateway, &account.refresh), refresh(&gateway, &account.refresh));
        for body in [one.expect(201), two.expect(201)] {
            look(&gateway, &token(&body, "access_token")).await.expect(200);
            refresh(&gateway, &token(&body, "refresh_token")).await.expect(201);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_refresh_token_that_has_not_run_out_refreshes() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let none = gateway.request(Method::POST, "/auth/refresh").send().await.unwrap();
    Answer::of(none).await.assert_error(401, "unauthorized");
    refresh(&gateway, "nonsense").await.assert_error(401, "unauthorized");
    refresh(&gateway, &account.token).await.assert_error(401, "unauthorized");
    gateway.clock.advance(Duration::from_secs(30 * 86_400));
    refresh(&gateway, &account.refresh).await.assert_error(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logging_out_with_either_token_ends_the_session_on_every_replica_and_no_other_session() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let replica = gateway.replica().await;
        let kept = gateway.sign_up("jane@acme.example").await;
        let login = json!({"email": "jane@acme.example", "password": "YourPassword123!"});
        for with in ["access_token", "refresh_token"] {
            let session = gateway.auth("/auth/login", &login).await.expect(200);
            let access = token(&session, "access_token");
            look(&gateway, &access).await.expect(200);
            look(&replica, &access).await.expect(200);
            let out = gateway.bearing(Method::POST, "/api/auth/logout", &token(&session, with)).await;
            assert_eq!(out.expect(204), "");
            look(&gateway, &access).await.assert_error(401, "unauthorized");
            refresh(&replica, &token(&session, "refresh_token")).await.assert_error(401, "unauthorized");
            replica.clock.advance(Duration::from_secs(5));
            look(&replica, &access).await.assert_error(401, "unauthorized");
            let token = token(&session, "refresh_token");
            gateway.bearing(Method::POST, "/auth/logout", &token).await.expect(204);
        }
        look(&gateway, &kept.token).await.expect(200);
        refresh(&gateway, &kept.refresh).await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logging_out_needs_a_token() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let none = gateway.request(Method::POST, "/auth/logout").send().await.unwrap();
    Answer::of(none).await.assert_error(401, "unauthorized");
    gateway.bearing(Method::POST, "/auth/logout", "nonsense").await.assert_error(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn me_says_who_i_am_where_and_as_what() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let me = gateway.bearing(Method::GET, "/api/auth/me", &account.token).await.expect(200);
        let (user, business) = (&account.user, &account.business);
        assert_eq!(
            me,
            json!({
                "user": {"id": user, "email": "jane@acme.example", "first_name": "Jane", "last_name": "Doe"},
                "business": {"id": business, "name": "Acme Inc"},
                "role": "owner",
                "projects": [{"id": account.project, "name": "default"}],
                "businesses": [{"id": business, "name": "Acme Inc", "role": "owner"}],
            })
        );
        gateway.get("/auth/me", &account.key).await.assert_error(403, "forbidden");
        let none = gateway.request(Method::GET, "/auth/me").send().await.unwrap();
        Answer::of(none).await.assert_error(401, "unauthorized");
        gateway.bearing(Method::GET, "/auth/me", &account.refresh).await.assert_error(401, "unauthorized");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_may_name_the_business_and_must_be_a_member_of_it() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let (mine, theirs) = (gateway.sign_up("a@acme.example").await, gateway.sign_up("b@acme.example").await);
    let login = |business: &str| json!({"email": "a@acme.example", "password": "YourPassword123!", "business_id": business});
    let body = gateway.auth("/auth/login", &login(&mine.business)).await.expect(200);
    assert_eq!(body["business"]["id"], mine.business.as_str());
    gateway.auth("/auth/login", &login(&theirs.business)).await.assert_error(403, "forbidden");
    gateway.auth("/auth/login", &login("nonsense")).await.assert_fields(&["business_id"]);
}
