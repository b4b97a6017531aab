//! An account of EchoLink: made with a Twilio account, proved with it again, and never somebody else's.

use std::time::Duration;

use contracts::telephony::put_carrier_request::Carrier;
use serde_json::{Value, json};
use testkit::wait::eventually;

use crate::fakes::{AWAY_TOKEN, WRONG_TOKEN, lock};
use crate::support::{ALONE, Answer, ENGINES, Engine, Gateway, Method};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn sid(prefix: &str, digits: &str) -> String {
    format!("{prefix}{}", digits.repeat(16))
}

/// The document's own request.
fn jane() -> Value {
    json!({
        "first_name": "Jane", "last_name": "Doe", "email": "jane@eatery.example",
        "account_sid": sid("AC", "a1"), "auth_token": TOKEN, "phone_number_sid": sid("PN", "b2"),
    })
}

fn with(mut body: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

async fn connect(gateway: &Gateway, body: &Value) -> Answer {
    gateway.auth("/v1/connect-twilio", body).await
}

/// What the tables hold of accounts.
async fn accounts(gateway: &Gateway) -> (Vec<i64>, i64) {
    let rows = gateway.rows().await;
    let count = |table| rows.iter().find(|(name, _)| *name == table).unwrap().1;
    let counted = ["users", "businesses", "memberships", "projects", "sessions"].map(count).to_vec();
    (counted, gateway.number("SELECT COUNT(*) AS n FROM connections").await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_connects_has_an_account_a_number_and_bots() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let answer = connect(&gateway, &jane()).await.expect(200);
        let token = answer["access_token"].as_str().unwrap().to_owned();
        assert_eq!(
            answer,
            json!({"message": "Connected", "phone_number": "+15005550100", "access_token": token,
                   "token_type": "Bearer", "expires_in": 86400})
        );
        assert_eq!(accounts(&gateway).await, (vec![1; 5], 1));
        let number = gateway.bearing(Method::GET, "/v1/my-number", &token).await.expect(200);
        assert_eq!(number, json!({"phone_number": "+15005550100", "bots_count": 0}));
        let bot = json!({"goal": "Book table", "webhook": "https://api.eatery.com/book"});
        for count in 1..=2 {
            gateway.send(Method::POST, "/v1/bots", &token, &bot).await.expect(201);
            let number = gateway.bearing(Method::GET, "/v1/my-number", &token).await.expect(200);
            assert_eq!(number["bots_count"], json!(count));
        }
        assert_eq!(
            gateway.bearing(Method::GET, "/v1/bots", &token).await.expect(200).as_array().unwrap().len(),
            2
        );
        // Its token is EchoLink's: Echo's operations have another audience.
        gateway.bearing(Method::GET, "/v1/agents", &token).await.assert_error(401, "unauthorized");
        gateway.bearing(Method::GET, "/auth/me", &token).await.assert_error(401, "unauthorized");
        // And it is good for a day.
        gateway.clock.advance(Duration::from_secs(86_300));
        gateway.bearing(Method::GET, "/v1/my-number", &token).await.expect(200);
        gateway.clock.advance(Duration::from_secs(100));
        gateway.bearing(Method::GET, "/v1/my-number", &token).await.assert_link_error(401, "unauthorized");
        let logs = "SELECT COUNT(*) AS n FROM audit WHERE action = 'user.signed_up'";
        assert_eq!(gateway.number(logs).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_missing_field_is_named_and_what_twilio_refuses_leaves_nothing() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        for field in ["first_name", "last_name", "email", "account_sid", "auth_token", "phone_number_sid"] {
            for nothing in [json!(null), json!("")] {
                let answer = connect(&gateway, &with(jane(), &json!({field: nothing}))).await;
                let text = answer.assert_link_error(400, "invalid_request");
                assert!(text.starts_with(field), "{field}: {text}");
            }
        }
        for (changes, field) in [
            (json!({"auth_token": WRONG_TOKEN}), "auth_token"),
            (json!({"auth_token": "two words"}), "auth_token"),
            (json!({"account_sid": TOKEN}), "account_sid"),
            (json!({"phone_number_sid": "PN1"}), "phone_number_sid"),
        ] {
            let answer = connect(&gateway, &with(jane(), &changes)).await;
            let text = answer.assert_link_error(401, "twilio_refused");
            assert!(text.starts_with(field) && !text.contains(TOKEN), "{text}");
        }
        assert_eq!(accounts(&gateway).await, (vec![0; 5], 0));
        assert!(lock(&gateway.fakes.carriers).is_empty());
        // And it can be done right after.
        connect(&gateway, &jane()).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_account_is_proved_by_its_twilio_account_and_another_one_is_refused() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let first = connect(&gateway, &jane()).await.expect(200)["access_token"].clone();
        let changes = json!({"email": "JANE@eatery.example", "auth_token": "another", "phone_number_sid": sid("PN", "c3")});
        let again = connect(&gateway, &with(jane(), &changes)).await.expect(200)["access_token"].clone();
        assert_ne!(first, again);
        assert_eq!(accounts(&gateway).await, (vec![1, 1, 1, 1, 2], 1));
        for token in [&first, &again] {
            gateway.bearing(Method::GET, "/v1/my-number", token.as_str().unwrap()).await.expect(200);
        }
        let kept: Vec<Carrier> =
            lock(&gateway.fakes.carriers).values().filter_map(|put| put.carrier.clone()).collect();
        let [Carrier::Twilio(kept)] = kept.as_slice() else { panic!("{kept:?}") };
        assert_eq!((kept.auth_token.as_str(), kept.phone_number_sid.clone()), ("another", sid("PN", "c3")));

        let other =
            with(jane(), &json!({"account_sid": sid("AC", "d4"), "phone_number_sid": sid("PN", "d4")}));
        connect(&gateway, &other).await.assert_link_error(409, "other_account");
        let wrong = with(jane(), &json!({"auth_token": WRONG_TOKEN}));
        connect(&gateway, &wrong).await.assert_link_error(401, "twilio_refused");
        // The number is Jane's: nobody else has it, with whatever address.
        let joe = with(jane(), &json!({"email": "joe@eatery.example", "phone_number_sid": sid("PN", "c3")}));
        connect(&gateway, &joe).await.assert_link_error(409, "number_in_use");
        assert_eq!(accounts(&gateway).await, (vec![1, 1, 1, 1, 2], 1));
        assert_eq!(lock(&gateway.fakes.carriers).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_with_a_password_gains_a_number_only_with_its_access_token() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let jane_signed_up = gateway.sign_up("jane@eatery.example").await;
        let other = gateway.sign_up("joe@other.example").await;
        connect(&gateway, &jane()).await.assert_link_error(409, "email_taken");
        for token in [other.token.as_str(), "a.b.c"] {
            let answer = gateway.send(Method::POST, "/v1/connect-twilio", token, &jane()).await;
            answer.assert_link_error(409, "email_taken");
        }
        assert!(lock(&gateway.fakes.carriers).is_empty());
        let own = gateway.send(Method::POST, "/v1/connect-twilio", &jane_signed_up.token, &jane()).await;
        let token = own.expect(200)["access_token"].as_str().unwrap().to_owned();
        assert_eq!(lock(&gateway.fakes.carriers).keys().collect::<Vec<_>>(), [&jane_signed_up.project]);
        for token in [&token, &jane_signed_up.token] {
            let number = gateway.bearing(Method::GET, "/v1/my-number", token).await.expect(200);
            assert_eq!(number["phone_number"], "+15005550100");
        }
        // Twilio's token alone still opens nothing.
        connect(&gateway, &jane()).await.assert_link_error(409, "email_taken");
        let number = gateway.get("/v1/my-number", &other.key).await.expect(200);
        assert_eq!(number, json!({"phone_number": null, "bots_count": 0}));
        let another = with(jane(), &json!({"account_sid": sid("AC", "d4")}));
        let answer = gateway.send(Method::POST, "/v1/connect-twilio", &jane_signed_up.token, &another).await;
        answer.assert_link_error(409, "other_account");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_knows_the_end_of_is_taken_back_or_taken_up_again() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        // Twilio's answer is lost: the bridge may have kept the account.
        let lost = with(jane(), &json!({"auth_token": AWAY_TOKEN}));
        let answer = connect(&gateway, &lost).await;
        answer.assert_link_error(503, "unavailable");
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(accounts(&gateway).await, (vec![0; 5], 1));
        assert_eq!(lock(&gateway.fakes.carriers).len(), 1);
        // Nobody comes back.
        gateway.clock.advance(Duration::from_secs(61));
        eventually("the row is gone", Duration::from_secs(30), || async {
            let left = accounts(&gateway).await;
            if left == (vec![0; 5], 0) { Ok(()) } else { Err(left) }
        })
        .await;
        assert!(lock(&gateway.fakes.carriers).is_empty());
        // Or they do, with the project that was noted.
        connect(&gateway, &lost).await.assert_link_error(503, "unavailable");
        let noted: Vec<String> = lock(&gateway.fakes.carriers).keys().cloned().collect();
        connect(&gateway, &jane()).await.expect(200);
        assert_eq!(lock(&gateway.fakes.carriers).keys().cloned().collect::<Vec<_>>(), noted);
        assert_eq!(accounts(&gateway).await, (vec![1; 5], 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_with_one_address_at_once_make_one_account() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let joe = with(jane(), &json!({"account_sid": sid("AC", "d4"), "phone_number_sid": sid("PN", "d4")}));
        let (body, twin) = (jane(), joe.clone());
        let (one, two) = tokio::join!(connect(&gateway, &body), connect(&gateway, &twin));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{} {}", one.body, two.body);
        eventually("what the slower one left is gone", Duration::from_secs(30), || async {
            let left = (accounts(&gateway).await, lock(&gateway.fakes.carriers).len());
            if left == ((vec![1; 5], 1), 1) { Ok(()) } else { Err(left) }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_twice_at_once_has_one_account_and_two_tokens() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let body = jane();
        let (one, two) = tokio::join!(connect(&gateway, &body), connect(&gateway, &body));
        for token in [one.expect(200), two.expect(200)].map(|answer| answer["access_token"].clone()) {
            gateway.bearing(Method::GET, "/v1/my-number", token.as_str().unwrap()).await.expect(200);
        }
        assert_eq!(accounts(&gateway).await, (vec![1, 1, 1, 1, 2], 1));
        assert_eq!(lock(&gateway.fakes.carriers).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tries_are_counted_by_address_and_a_bridge_that_is_away_is_said_to_be() {
    let gateway = Gateway::start_with(Engine::Sqlite, ALONE, &[("ECHO_RATE_LIMIT_AUTH", "2")]).await;
    for _ in 0..2 {
        connect(&gateway, &jane()).await.assert_link_error(503, "unavailable");
    }
    connect(&gateway, &jane()).await.assert_link_error(429, "rate_limited");
}
