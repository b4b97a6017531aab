//! Changing a password, and getting a new one by mail.

use std::time::Duration;

use contracts::rpc::RpcError;
use serde_json::{Value, json};
use testkit::wait::eventually;

use crate::fakes::lock;
use crate::support::{Answer, ENGINES, Engine, Gateway, Method};

const OLD: &str = "YourPassword123!";
const NEW: &str = "AnotherPassword456!";

async fn login(gateway: &Gateway, password: &str) -> Answer {
    gateway.auth("/auth/login", &json!({"email": "jane@acme.example", "password": password})).await
}

async fn look(gateway: &Gateway, token: &str) -> Answer {
    gateway.bearing(Method::GET, "/v1/customers", token).await
}

async fn forgot(gateway: &Gateway, email: &str) -> Value {
    gateway.auth("/auth/password/forgot", &json!({"email": email})).await.expect(200)
}

async fn reset(gateway: &Gateway, token: &str) -> Answer {
    gateway.auth("/api/auth/password/reset", &json!({"token": token, "password": NEW})).await
}

/// What stands behind the link of the next mail.
async fn mailed(gateway: &Gateway) -> String {
    let mail = gateway.fakes.next_mail().await;
    assert_eq!(mail.to, "jane@acme.example");
    let (_, rest) = mail.text.split_once("#token=").unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_password_ends_every_other_session_on_every_replica_and_not_this_one() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let replica = gateway.replica().await;
        let this = gateway.sign_up("jane@acme.example").await;
        let other = login(&gateway, OLD).await.expect(200);
        let other_token = other["access_token"].as_str().unwrap();
        look(&replica, other_token).await.expect(200);
        let change = |current: &str| {
            let body = json!({"current_password": current, "new_password": NEW});
            let (gateway, token) = (&gateway, this.token.clone());
            async move { gateway.send(Method::POST, "/auth/password", &token, &body).await }
        };
        change("WrongPassword1!").await.assert_error(403, "wrong_password");
        change("short").await.assert_error(403, "wrong_password");
        assert_eq!(change(OLD).await.expect(200)["id"], this.user.as_str());
        look(&gateway, other_token).await.assert_error(401, "unauthorized");
        replica.clock.advance(Duration::from_secs(5));
        look(&replica, other_token).await.assert_error(401, "unauthorized");
        let refresh = other["refresh_token"].as_str().unwrap();
        gateway.bearing(Method::POST, "/auth/refresh", refresh).await.assert_error(401, "unauthorized");
        look(&gateway, &this.token).await.expect(200);
        look(&replica, &this.token).await.expect(200);
        gateway.bearing(Method::POST, "/auth/refresh", &this.refresh).await.expect(201);
        login(&gateway, OLD).await.assert_error(401, "invalid_credentials");
        login(&gateway, NEW).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_member_with_a_token_changes_a_password_and_only_to_one() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let body = json!({"current_password": OLD, "new_password": "short"});
    gateway.post("/auth/password", &account.key, &body).await.assert_error(403, "forbidden");
    gateway.auth("/auth/password", &body).await.assert_error(401, "unauthorized");
    let short = gateway.send(Method::POST, "/auth/password", &account.token, &body).await;
    short.assert_fields(&["new_password"]);
    login(&gateway, OLD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mailed_link_sets_a_password_once_and_ends_all_sessions() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        forgot(&gateway, "JANE@acme.example").await;
        let token = mailed(&gateway).await;
        look(&gateway, &account.token).await.expect(200);
        reset(&gateway, &token).await.expect(200);
        look(&gateway, &account.token).await.assert_error(401, "unauthorized");
        login(&gateway, OLD).await.assert_error(401, "invalid_credentials");
        login(&gateway, NEW).await.expect(200);
        reset(&gateway, &token).await.assert_error(410, "password_reset_used");
        let stored = gateway.number("SELECT COUNT(*) AS n FROM password_resets WHERE used_at IS NULL").await;
        assert_eq!(stored, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_is_good_for_an_hour_and_for_nobody_once_the_password_has_changed() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        forgot(&gateway, "jane@acme.example").await;
        let first = mailed(&gateway).await;
        let change = json!({"current_password": OLD, "new_password": "SomethingElse1!"});
        gateway.send(Method::POST, "/auth/password", &account.token, &change).await.expect(200);
        reset(&gateway, &first).await.assert_error(410, "password_reset_used");
        forgot(&gateway, "jane@acme.example").await;
        let second = mailed(&gateway).await;
        gateway.clock.advance(Duration::from_secs(3600));
        reset(&gateway, &second).await.assert_error(410, "password_reset_expired");
        reset(&gateway, "nonsense").await.assert_error(404, "password_reset_not_found");
        login(&gateway, "SomethingElse1!").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_address_gets_the_same_answer_and_no_mail_and_a_known_one_at_most_three_an_hour() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        gateway.sign_up("jane@acme.example").await;
        let mut answers = vec![forgot(&gateway, "nobody@acme.example").await];
        for _ in 0..4 {
            answers.push(forgot(&gateway, "jane@acme.example").await);
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:?}");
        gateway.clock.advance(Duration::from_secs(3601));
        answers.push(forgot(&gateway, "jane@acme.example").await);
        let mut tokens = Vec::new();
        for _ in 0..4 {
            tokens.push(mailed(&gateway).await);
        }
        assert!(lock(&gateway.fakes.mails).is_empty());
        let asked = gateway.number("SELECT COUNT(*) AS n FROM password_resets").await;
        assert_eq!(asked, 6, "somebody unknown costs the same");
        // Three of the first hour have run out, whoever of the four they belong to; one is good.
        let mut statuses = Vec::new();
        for token in &tokens {
            statuses.push(reset(&gateway, token).await.status);
        }
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_of_which_nobody_knows_whether_it_was_passed_on_is_passed_on_again_as_the_same_one() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        gateway.sign_up("jane@acme.example").await;
        lock(&gateway.fakes.mail_failures).extend([RpcError::Busy, RpcError::Busy]);
        forgot(&gateway, "jane@acme.example").await;
        let open = gateway.number("SELECT COUNT(*) AS n FROM mails WHERE content LIKE '%jane%'").await;
        assert_eq!(open, 0, "what waits is sealed");
        let mut same = Vec::new();
        for _ in 0..3 {
            same.push(gateway.fakes.next_mail().await);
            gateway.clock.advance(Duration::from_secs(16));
        }
        assert!(same.windows(2).all(|two| two[0] == two[1]), "the same id makes one mail of them");
        let waiting = "SELECT COUNT(*) AS n FROM mails";
        eventually("no mail to wait", Duration::from_secs(10), || async {
            match gateway.number(waiting).await {
                0 => Ok(()),
                more => Err(more),
            }
        })
        .await;
    }
}
