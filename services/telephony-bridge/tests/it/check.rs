//! `check`: what a person is told about the set-up.

use std::collections::BTreeMap;

use echo_telephony_bridge::check::{Finding, Verdict};
use testkit::database::Engine;
use testkit::on_both_engines;
use twilio::rest::UpdateNumber;

use crate::world::World;

on_both_engines![
    all_is_well_with_a_number_whose_calls_come_here,
    what_is_wrong_with_account_and_number_is_said,
    where_incoming_calls_go_is_said,
    an_echo_that_is_not_there_or_believes_anybody_or_nobody_is_found_out,
    an_address_that_the_internet_cannot_reach_is_found_out,
];

/// By what they are about.
fn verdicts(findings: &[Finding]) -> BTreeMap<&str, Verdict> {
    findings.iter().map(|finding| (finding.what, finding.verdict)).collect()
}

fn of<'a>(findings: &'a [Finding], what: &str) -> &'a Finding {
    findings.iter().find(|finding| finding.what == what).unwrap_or_else(|| panic!("{what}: {findings:?}"))
}

impl World {
    /// Changes the number of the sandbox's account.
    async fn set_number(&self, change: UpdateNumber) {
        let people = self.carrier_says("people").await;
        let sid = people["account"]["number_sid"].as_str().unwrap().parse().unwrap();
        self.rest().update_number(&sid, &change).await.unwrap();
    }

    async fn calls_come_here(&self) {
        let voice = Some(format!("{}/v1/voice", self.base));
        let status = Some(format!("{}/v1/voice-status", self.base));
        self.set_number(UpdateNumber {
            voice_url: voice,
            status_callback: status,
            ..UpdateNumber::default()
        })
        .await;
    }
}

async fn all_is_well_with_a_number_whose_calls_come_here(engine: Engine) {
    let world = World::new(engine).await;
    world.calls_come_here().await;
    let found = world.check(&[]).await;
    let all =
        ["account", "clock", "incoming calls", "number", "public address", "reaching Echo", "signatures"];
    assert_eq!(verdicts(&found), all.map(|what| (what, Verdict::Ok)).into(), "{found:?}");
    assert!(found.iter().all(|finding| finding.to_do.is_empty() && !finding.seen.contains(&world.token)));
    // It has left nothing behind, and rung nobody.
    assert_eq!(world.count("dial_attempts").await, 0);
    assert_eq!(world.orchestrator.asked(), []);
}

async fn what_is_wrong_with_account_and_number_is_said(engine: Engine) {
    let world = World::new(engine).await;
    let found = world.check(&[("ECHO_SANDBOX_AUTH_TOKEN", "another")]).await;
    let account = of(&found, "account");
    assert!(account.verdict == Verdict::Wrong && account.to_do.contains("primary token"), "{account:?}");
    assert!(of(&found, "signatures").verdict == Verdict::Wrong, "{found:?}");
    let found = world.check(&[("ECHO_SANDBOX_NUMBER", "+15005550077")]).await;
    let number = of(&found, "number");
    assert!(number.verdict == Verdict::Wrong && number.seen.contains("+15005550077"), "{number:?}");
    let found = world.check(&[("ECHO_SANDBOX_URL", "http://127.0.0.1:9")]).await;
    assert!(of(&found, "account").seen.contains("gives no useful answer"), "{found:?}");
    for (name, value) in [("ECHO_CARRIER", "pigeon"), ("ECHO_SANDBOX_ACCOUNT_SID", "AC1")] {
        let found = world.check(&[(name, value)]).await;
        assert!(found.len() == 1 && found[0].seen.contains(name), "{found:?}");
    }
    let found = world.check(&[("ECHO_CARRIER", "twilio")]).await;
    assert!(of(&found, "account").to_do.contains("ECHO_TWILIO_ACCOUNT_SID"), "{found:?}");
}

async fn where_incoming_calls_go_is_said(engine: Engine) {
    let world = World::new(engine).await;
    let incoming = async |world: &World| of(&world.check(&[]).await, "incoming calls").clone();
    let nowhere = incoming(&world).await;
    assert_eq!(nowhere.verdict, Verdict::Wrong);
    let ours = format!("voice URL to {}/v1/voice and", world.base);
    assert!(nowhere.to_do.contains(&ours), "{nowhere:?}");
    let to = |url: &str| UpdateNumber { voice_url: Some(url.to_owned()), ..UpdateNumber::default() };
    world.set_number(to("https://elsewhere.example/voice")).await;
    let elsewhere = incoming(&world).await;
    assert!(
        elsewhere.verdict == Verdict::Wrong && elsewhere.seen.contains("elsewhere.example"),
        "{elsewhere:?}"
    );
    world.set_number(to(&format!("{}/v1/voice?bot_id=bot_1#rc=2", world.base))).await;
    assert_eq!(incoming(&world).await.verdict, Verdict::Note, "nobody reports the end of the call");
    world.calls_come_here().await;
    assert_eq!(incoming(&world).await.verdict, Verdict::Ok);
    world.set_number(UpdateNumber { trunk_sid: Some("TK1".to_owned()), ..UpdateNumber::default() }).await;
    let trunk = incoming(&world).await;
    assert!(trunk.verdict == Verdict::Wrong && trunk.seen.contains("TK1"), "{trunk:?}");
}

async fn an_echo_that_is_not_there_or_believes_anybody_or_nobody_is_found_out(engine: Engine) {
    let world = World::with(engine, &[("ECHO_TWILIO_SIGNATURES", "off")]).await;
    let found = world.check(&[]).await;
    assert!(of(&found, "reaching Echo").to_do.contains("ECHO_TWILIO_SIGNATURES"), "{found:?}");
    let found = world.check(&[("ECHO_VOICE_URL", "http://127.0.0.1:9")]).await;
    assert!(of(&found, "reaching Echo").seen.contains("nobody answers"), "{found:?}");
    // Somebody else: the carrier itself.
    let carrier = world.rest_url();
    let found = world.check(&[("ECHO_VOICE_URL", &carrier)]).await;
    assert!(of(&found, "reaching Echo").seen.contains("is not Echo"), "{found:?}");
    // The same Echo, which knows itself by another name.
    let world = World::new(engine).await;
    let other_name = world.base.replace("127.0.0.1", "localhost");
    let found = world.check(&[("ECHO_VOICE_URL", &other_name)]).await;
    let signatures = of(&found, "signatures");
    assert!(
        signatures.verdict == Verdict::Wrong && signatures.to_do.contains("ECHO_VOICE_URL"),
        "{signatures:?}"
    );
}

async fn an_address_that_the_internet_cannot_reach_is_found_out(engine: Engine) {
    let world = World::new(engine).await;
    let none = format!("AC{}", "0".repeat(32));
    let twilio = [
        ("ECHO_CARRIER", "twilio"),
        ("ECHO_TWILIO_ACCOUNT_SID", none.as_str()),
        ("ECHO_TWILIO_AUTH_TOKEN", "token"),
        ("ECHO_TWILIO_FROM", "+15005550006"),
    ];
    // With Twilio's own API such an address does not even start.
    let found = world.check(&twilio).await;
    assert!(found.len() == 1 && found[0].seen.contains("ECHO_VOICE_URL"), "{found:?}");
}
