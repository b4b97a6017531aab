//! A user of EchoLink: an account made with a number of the sandbox's Twilio account, and bots that answer it.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use testkit::wait::eventually;

use crate::client::{Answer, Client, unique};
use crate::echo::{Echo, PATIENCE};
use crate::shape::{elements, text};

/// As many as all tests of a pair want.
const NUMBERS: usize = 400;

/// The sandbox's numbers beside the operator's.
pub(crate) fn numbers() -> Vec<String> {
    (0..NUMBERS).map(|n| format!("+1500556{:04}", 1_000 + n)).collect()
}

/// A number of the sandbox's account, and what connects it.
#[derive(Clone, Debug)]
pub(crate) struct Number {
    /// The account.
    pub(crate) account_sid: String,
    /// Its token.
    pub(crate) auth_token: String,
    /// E.164.
    pub(crate) number: String,
    /// What the carrier calls it.
    pub(crate) sid: String,
}

impl Number {
    /// One that nobody else has.
    pub(crate) async fn free(echo: &Echo) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let account = echo.carrier().get("account").await;
        let own = &numbers()[NEXT.fetch_add(1, Ordering::SeqCst)];
        let found = elements(&account["numbers"]).iter().find(|found| found["number"] == own.as_str());
        Self {
            account_sid: text(&account, "account_sid").to_owned(),
            auth_token: text(&account, "auth_token").to_owned(),
            number: own.clone(),
            sid: text(found.expect("the number"), "number_sid").to_owned(),
        }
    }

    /// What connects it, for somebody new.
    pub(crate) fn connection(&self) -> Value {
        json!({
            "first_name": "Jane", "last_name": "Doe", "email": format!("caller{}@eatery.example", unique()),
            "account_sid": self.account_sid, "auth_token": self.auth_token, "phone_number_sid": self.sid,
        })
    }
}

/// An account of EchoLink.
pub(crate) struct Link {
    /// With its token.
    pub(crate) api: Client,
    /// Its number.
    pub(crate) number: Number,
    /// What it was connected with.
    pub(crate) connection: Value,
    /// What that was answered with.
    pub(crate) connected: Value,
}

impl Link {
    /// Connects a free number.
    pub(crate) async fn new(echo: &Echo) -> Self {
        let number = Number::free(echo).await;
        let (connection, stranger) = (number.connection(), Client::stranger(echo));
        let connected = stranger.post("/v1/connect-twilio", &connection).await.is(200);
        let api = stranger.with_bearer(text(&connected, "access_token"));
        Self { api, number, connection, connected }
    }

    /// The document's bot, with this webhook. Answers the whole of it, its secret too.
    pub(crate) async fn bot(&self, webhook: &str) -> Value {
        self.api.post("/v1/bots", &table(webhook)).await.is(201)
    }

    /// The same, and it answers the number.
    pub(crate) async fn bot_at_the_number(&self, webhook: &str) -> Value {
        let mut wanted = table(webhook);
        wanted["configure_number"] = json!(true);
        self.api.post("/v1/bots", &wanted).await.is(201)
    }

    /// The person with this number rings. Answers the carrier's id of the call.
    pub(crate) async fn is_rung_by(&self, echo: &Echo, person: &str) -> String {
        let wanted = json!({"from": person, "to": self.number.number});
        let (status, rung) = echo.carrier().post("incoming", &wanted).await;
        assert_eq!(status, 201, "{rung}");
        text(&rung, "call_sid").to_owned()
    }

    /// The call with this id, when it is over and read.
    pub(crate) async fn over(&self, call: &str) -> Value {
        let look = || async {
            let answer = self.api.get(&format!("/v1/calls/{call}")).await;
            // The carrier rings before anybody has heard of the call.
            if answer.status != 200 || answer.body["outcome"].is_null() {
                return Err(answer.body);
            }
            Ok(answer.body)
        };
        eventually("the end of the call", PATIENCE, look).await
    }
}

/// The document's request for a bot.
pub(crate) fn table(webhook: &str) -> Value {
    json!({"goal": "Book table", "webhook": webhook, "context": "Open 5-10PM. Tables: 2,4,6"})
}

impl Answer {
    /// The body of one of EchoLink's errors with this status: its text is in `error`, and names `what`.
    #[track_caller]
    pub(crate) fn link_refuses(self, status: u16, what: &str) -> Value {
        let body = self.is(status);
        let message = text(&body, "error").to_lowercase();
        assert!(message.contains(&what.to_lowercase()), "no {what} in {body}");
        assert!(body["code"].is_string() && body["request_id"].is_string(), "{body}");
        body
    }
}
