//! Projects with carriers of their own: one in staging that rings nobody's phone, beside one with its own account; and a
//! customer who rings back.

use std::collections::BTreeMap;

use common::clock::Clock;
use common::config::Settings;
use common::runtime::{Process, Running, start};
use serde_json::{Value, json};
use testkit::api::{Api, Carrier};
use testkit::wait::eventually;

use crate::echo::{Echo, PATIENCE, Pair};
use crate::on_both_pairs;

on_both_pairs! {
    a_staging_project_rings_the_sandbox_beside_one_that_rings_with_its_own_account;
    a_customer_who_rings_back_is_answered_by_the_same_agent;
}

/// Picks up and confirms.
const CONFIRMS: &str = "+14155552671";
/// The number of the account that stands for Twilio's.
const NUMBER: &str = "+15005550199";
const ACCOUNT: &str = "AC00112233445566778899aabbccddeeff";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

const TWILIO: Process = Process {
    name: "twilio",
    about: "a carrier in the place of Twilio",
    services: &[echo_sandbox_carrier::SERVICE],
    embedded: true,
};

/// A second sandbox carrier, in the place of Twilio.
struct Twilio {
    running: Running,
    url: String,
    carrier: Carrier,
    number_sid: String,
    _folder: tempfile::TempDir,
}

impl Twilio {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let settings = BTreeMap::from([
            ("ECHO_OPS_ADDR", "127.0.0.1:0".to_owned()),
            ("ECHO_SANDBOX_ADDR", "127.0.0.1:0".to_owned()),
            ("ECHO_DATA_DIR", folder.path().display().to_string()),
            ("ECHO_SANDBOX_ACCOUNT_SID", ACCOUNT.to_owned()),
            ("ECHO_SANDBOX_AUTH_TOKEN", TOKEN.to_owned()),
            ("ECHO_SANDBOX_NUMBER", NUMBER.to_owned()),
            ("ECHO_SANDBOX_SPEED", "60".to_owned()),
        ]);
        let running =
            start(TWILIO, Settings::from_pairs(settings), Clock::system()).await.expect("a carrier");
        let url = format!("http://{}", running.setting("ECHO_SANDBOX_ADDR"));
        let carrier = Carrier::at(&url);
        let people = carrier.get("people").await;
        let number_sid = people["account"]["number_sid"].as_str().expect("a number").to_owned();
        Self { running, url, carrier, number_sid, _folder: folder }
    }

    /// Echo, whose projects' accounts are here and whose operator has none.
    async fn echo(&self, pair: Pair) -> Echo {
        let settings = [
            ("ECHO_CARRIER", "twilio"),
            ("ECHO_TWILIO_API_URL", self.url.as_str()),
            ("ECHO_EGRESS_ALLOW", "127.0.0.0/8"),
        ];
        Echo::start_with(pair, &settings).await
    }

    fn account(&self) -> Value {
        json!({
            "account_sid": ACCOUNT, "auth_token": TOKEN, "phone_number_sid": self.number_sid,
            "calls_per_second": 100, "configure_number": true,
        })
    }
}

async fn put(api: &Api, carrier: &Value) -> (u16, Value) {
    let path = format!("/api/v1/projects/{}/carrier", api.project());
    api.put_as_owner(&path, carrier).await
}

async fn a_staging_project_rings_the_sandbox_beside_one_that_rings_with_its_own_account(pair: Pair) {
    let twilio = Twilio::start().await;
    let echo = twilio.echo(pair).await;
    let (production, staging) = (echo.api().clone(), echo.another_account("staging@yourcompany.com").await);
    let (customer, agent) = (production.customer(CONFIRMS).await, production.agent().await);
    let (status, refused) = echo.try_ring(&customer, &agent, "too-early").await;
    assert_eq!((status, &refused["code"]), (409, &json!("no_carrier")), "the operator has none");

    let (status, wrong) = put(
        &production,
        &json!({"account_sid": ACCOUNT, "auth_token": "wrong", "phone_number_sid": twilio.number_sid}),
    )
    .await;
    assert_eq!((status, &wrong["details"][0]["field"]), (400, &json!("auth_token")), "{wrong}");
    let (status, own) = put(&production, &twilio.account()).await;
    assert_eq!((status, &own["phone_number"]), (200, &json!(NUMBER)), "{own}");
    assert!(!own.to_string().contains(TOKEN), "{own}");
    let (status, sandbox) = put(&staging, &json!({"kind": "sandbox"})).await;
    assert_eq!((status, &sandbox["kind"]), (200, &json!("sandbox")), "{sandbox}");

    let notification = production.ring(&customer, &agent).await;
    let (customer, agent) = (staging.customer(CONFIRMS).await, staging.agent().await);
    let rehearsed = staging.ring(&customer, &agent).await;
    let (summary, _) = echo.summary_of(&notification).await;
    assert_eq!(summary["data"]["analysis"]["confirmed"], json!(true), "{summary}");
    eventually("the rehearsal's end", PATIENCE, || async {
        let seen = staging.get(&format!("/api/v1/notifications/{rehearsed}")).await;
        if seen["status"] == "completed" { Ok(()) } else { Err(seen) }
    })
    .await;
    assert_eq!((twilio.carrier.rings(CONFIRMS).await.0, echo.dialled(CONFIRMS).await), (1, 1));
    echo.stop().await;
    twilio.running.stop().await;
}

async fn a_customer_who_rings_back_is_answered_by_the_same_agent(pair: Pair) {
    let twilio = Twilio::start().await;
    let echo = twilio.echo(pair).await;
    let (status, own) = put(echo.api(), &twilio.account()).await;
    assert_eq!(status, 200, "{own}");
    let notification = echo.ring(CONFIRMS).await;
    let (summary, before) = echo.summary_of(&notification).await;
    let opening =
        summary["data"]["transcript"].as_str().expect("a transcript").lines().next().expect("a line");
    let opening = opening.trim_start_matches("AI: ").to_owned();

    let (status, answer) = twilio.carrier.post("incoming", &json!({"from": CONFIRMS, "to": NUMBER})).await;
    assert_eq!(status, 201, "{answer}");
    let sid = answer["call_sid"].as_str().expect("a call").to_owned();
    let ended = eventually("both calls to be told", PATIENCE, || async {
        let ended = echo.receiver.of(&notification, "call.ended");
        if ended.len() == 2 { Ok(ended) } else { Err(echo.receiver.names_of(&notification)) }
    })
    .await;
    let call = twilio.carrier.get(&format!("calls/{sid}")).await;
    let said: String = call["transcript"]
        .as_array()
        .expect("lines")
        .iter()
        .filter(|line| line["by"] == "agent")
        .filter_map(|line| line["text"].as_str())
        .collect::<Vec<_>>()
        .join(" ");
    assert!(said.starts_with(opening.split('.').next().expect("a sentence")), "{said} — {opening}");

    let call_ids: Vec<&Value> = ended.iter().map(|event| &event["data"]["call_id"]).collect();
    assert_ne!(call_ids[0], call_ids[1]);
    assert_eq!(echo.receiver.of(&notification, "call.started").len(), 2);
    // What was over stays as it was, with its one summary.
    let after = echo.get(&format!("/api/v1/notifications/{notification}")).await;
    assert_eq!(after, before);
    assert_eq!(echo.receiver.of(&notification, "call.summary").len(), 1);
    assert_eq!(twilio.carrier.rings(CONFIRMS).await.0, 1);
    echo.stop().await;
    twilio.running.stop().await;
}
