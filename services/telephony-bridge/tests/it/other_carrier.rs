//! A second sandbox carrier, in the place of Twilio: where the projects' own accounts are.

use std::collections::BTreeMap;

use common::clock::Clock;
use common::config::Settings;
use common::runtime::{self, Process, Running};
use contracts::telephony::TwilioAccount;
use serde_json::{Value, json};
use testkit::wait::eventually;
use twilio::rest::{Client, Credentials, Timeouts};

use crate::world::PATIENCE;

const PROCESS: Process = Process {
    name: "other-carrier",
    about: "another carrier",
    services: &[echo_sandbox_carrier::SERVICE],
    embedded: true,
};

/// The number that its account owns.
pub(crate) const NUMBER: &str = "+15005550199";

pub(crate) struct OtherCarrier {
    pub(crate) url: String,
    pub(crate) account: String,
    pub(crate) token: String,
    pub(crate) number_sid: String,
    http: reqwest::Client,
    running: Option<Running>,
    _folder: tempfile::TempDir,
}

impl OtherCarrier {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let random = || hex::encode(common::crypto::random::<16>().unwrap());
        let (account, token) = (format!("AC{}", random()), format!("token-{}", random()));
        let settings = BTreeMap::from([
            ("ECHO_OPS_ADDR", "127.0.0.1:0".to_owned()),
            ("ECHO_SANDBOX_ADDR", "127.0.0.1:0".to_owned()),
            ("ECHO_DATA_DIR", folder.path().display().to_string()),
            ("ECHO_SANDBOX_ACCOUNT_SID", account.clone()),
            ("ECHO_SANDBOX_AUTH_TOKEN", token.clone()),
            ("ECHO_SANDBOX_NUMBER", NUMBER.to_owned()),
            ("ECHO_SANDBOX_SPEED", "20".to_owned()),
        ]);
        let running = runtime::start(PROCESS, Settings::from_pairs(settings), Clock::system()).await.unwrap();
        let url = format!("http://{}", running.setting("ECHO_SANDBOX_ADDR"));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut this = Self {
            url,
            account,
            token,
            number_sid: String::new(),
            http,
            running: Some(running),
            _folder: folder,
        };
        let people = this.says("people").await;
        this.number_sid = people["account"]["number_sid"].as_str().unwrap().to_owned();
        this
    }

    /// The account as a project connects it.
    pub(crate) fn own(&self) -> TwilioAccount {
        TwilioAccount {
            account_sid: self.account.clone(),
            auth_token: self.token.clone(),
            phone_number_sid: self.number_sid.clone(),
            calls_per_second: 0,
            configure_number: false,
        }
    }

    /// What it knows, below `/sandbox/v1`.
    pub(crate) async fn says(&self, path: &str) -> Value {
        let url = format!("{}/sandbox/v1/{path}", self.url);
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }

    /// How often it was made to dial this number.
    pub(crate) async fn dialled(&self, phone: &str) -> u64 {
        self.says(&format!("rings?to={}", phone.replace('+', "%2B"))).await["dialled"].as_u64().unwrap()
    }

    /// Waits until it says that a call has this status.
    pub(crate) async fn has(&self, sid: &str, status: &str) {
        eventually("the other carrier's status", PATIENCE, || async {
            let call = self.says(&format!("calls/{sid}")).await;
            if call["status"] == json!(status) { Ok(()) } else { Err(call["status"].clone()) }
        })
        .await;
    }

    /// Its API, as the account uses it.
    pub(crate) fn rest(&self) -> Client {
        let credentials = Credentials::auth_token(self.account.parse().unwrap(), self.token.clone());
        Client::new(self.http.clone(), self.url.parse().unwrap(), credentials, Timeouts::default()).unwrap()
    }

    /// Somebody rings its number. Answers the call's id.
    pub(crate) async fn rung_by(&self, from: &str) -> String {
        let url = format!("{}/sandbox/v1/incoming", self.url);
        let answer = self.http.post(url).json(&json!({"from": from, "to": NUMBER})).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        let body: Value = answer.json().await.unwrap();
        body["call_sid"].as_str().unwrap().to_owned()
    }
}

impl Drop for OtherCarrier {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(running.stop()));
        }
    }
}
