//! Numbers that bots answer, and accounts of the sandbox that projects connect.

use contracts::ids::{BotId, ProjectId};
use contracts::rpc::{Context, RpcError};
use contracts::telephony::put_carrier_request::Carrier;
use contracts::telephony::{AnswerWithBotRequest, TwilioAccount};
use serde_json::json;
use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;

use crate::carriers::wish_of;
use crate::other_carrier::{NUMBER, OtherCarrier};
use crate::world::{NOBODY_ANSWERS, PATIENCE, World};

/// Wants a table.
const CALLER: &str = "+14155550117";

on_both_engines![
    a_bot_answers_the_number_of_its_project,
    a_number_that_a_bot_cannot_answer_stays_as_it_is,
    the_sandboxs_account_is_connected_like_any_other_and_rings_no_real_phone,
    of_the_sandboxs_account_only_what_is_right_is_taken,
];

impl World {
    pub(crate) async fn answer_with(&self, project: ProjectId, bot: BotId) -> Result<String, RpcError> {
        let request = AnswerWithBotRequest { project_id: project.to_string(), bot_id: bot.to_string() };
        let answered = self.carriers().answer_with_bot(Context::within(PATIENCE), request).await?;
        Ok(answered.phone_number)
    }

    /// One of the sandbox's numbers, as a project connects it.
    async fn of_the_sandbox(&self, which: usize) -> (TwilioAccount, String) {
        let people = self.carrier_says("people").await;
        let number = &people["account"]["numbers"][which];
        let text = |name: &str| number[name].as_str().unwrap().to_owned();
        let account = TwilioAccount {
            account_sid: self.account.clone(),
            auth_token: self.token.clone(),
            phone_number_sid: text("number_sid"),
            ..TwilioAccount::default()
        };
        (account, text("number"))
    }

    async fn begun_by(&self, sid: &str) -> contracts::calls::BeginBotCallRequest {
        eventually("the call to begin", PATIENCE, || async {
            self.bot_calls().into_iter().find(|begun| begun.carrier_call_sid == sid).ok_or(())
        })
        .await
    }
}

fn conflict(refused: Result<String, RpcError>) -> String {
    match refused {
        Err(RpcError::Conflict { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

async fn a_bot_answers_the_number_of_its_project(engine: Engine) {
    let other = OtherCarrier::start().await;
    let world = World::with(engine, &[("ECHO_TWILIO_API_URL", &other.url)]).await;
    world.connected(world.project, other.own()).await;
    let bot = world.bot_of(world.project);
    for _ in 0..2 {
        assert_eq!(world.answer_with(world.project, bot).await.unwrap(), NUMBER);
    }
    let number = other.rest().fetch_number(&other.number_sid.parse().unwrap()).await.unwrap();
    let (voice, status) = (number.voice_url.unwrap(), number.status_callback.unwrap());
    assert!(voice.starts_with(&format!("{}/v1/voice?bot_id={bot}#", world.base)), "{voice}");
    assert!(status.starts_with(&format!("{}/v1/voice-status#", world.base)), "{status}");
    assert_eq!(number.voice_method, Some(twilio::HttpMethod::Post));

    // A whole conversation, with the sandbox in the place of Twilio.
    let sid = other.rung_by(CALLER).await;
    let begun = world.begun_by(&sid).await;
    assert_eq!((begun.from_e164.as_str(), begun.to_e164.as_str()), (CALLER, NUMBER));
    eventually("words", PATIENCE, || async {
        let asked = world.orchestrator.asked();
        if asked.len() > 2 { Ok(()) } else { Err(asked) }
    })
    .await;
    let end = twilio::rest::UpdateCall::Complete;
    other.rest().update_call(&sid.parse().unwrap(), &end).await.unwrap();
    world
        .heard("its end", |heard| {
            let ended = |m: &&contracts::telephony::CallProgressed| {
                m.attempt_id == begun.attempt_id && m.status == "completed"
            };
            heard.progressed.iter().find(ended).map(drop)
        })
        .await;
    assert_eq!(other.says("faults").await, json!([]));
}

async fn a_number_that_a_bot_cannot_answer_stays_as_it_is(engine: Engine) {
    let other = OtherCarrier::start().await;
    let world = World::with(engine, &[("ECHO_TWILIO_API_URL", &other.url)]).await;
    let bot = world.bot_of(world.project);
    assert_eq!(conflict(world.answer_with(world.project, bot).await), "no_number");
    world.connected(world.project, other.own()).await;
    let request = AnswerWithBotRequest { project_id: world.project.to_string(), bot_id: "bot_1".to_owned() };
    let bad = world.carriers().answer_with_bot(Context::within(PATIENCE), request).await.unwrap_err();
    assert!(matches!(&bad, RpcError::Invalid { field, .. } if field == "bot_id"), "{bad}");
    let sid = other.number_sid.parse().unwrap();
    let trunk = twilio::rest::UpdateNumber { trunk_sid: Some("TK1".to_owned()), ..Default::default() };
    other.rest().update_number(&sid, &trunk).await.unwrap();
    assert_eq!(conflict(world.answer_with(world.project, bot).await), "number_has_trunk");
    assert_eq!(other.rest().fetch_number(&sid).await.unwrap().voice_url, None);
    drop(other);
    let away = world.answer_with(world.project, bot).await.unwrap_err();
    assert!(matches!(away, RpcError::Unavailable(_)), "{away}");
}

async fn the_sandboxs_account_is_connected_like_any_other_and_rings_no_real_phone(engine: Engine) {
    // On this machine, with Twilio's own API for everybody else.
    let world = World::with(engine, &[("ECHO_CARRIER", "twilio")]).await;
    let (one, two) = (ProjectId::new(), ProjectId::new());
    let (own, number) = world.of_the_sandbox(1).await;
    let shown = world.connected(one, own.clone()).await;
    assert_eq!((shown.kind.as_str(), shown.phone_number.as_str()), ("twilio", number.as_str()));
    // Another project has another number, and not the same.
    let taken = world.put(two, Carrier::Twilio(own)).await.unwrap_err();
    assert!(matches!(&taken, RpcError::Conflict { code, .. } if code == "number_in_use"), "{taken}");
    let (own, second) = world.of_the_sandbox(2).await;
    world.connected(two, own).await;

    let wish = wish_of(&world, one, NOBODY_ANSWERS);
    world.publish(std::slice::from_ref(&wish)).await;
    let sid = world.accepted(&wish).await;
    assert_eq!(world.carrier_says(&format!("calls/{sid}")).await["from"], json!(number));
    world.status(&wish, "ringing").await;

    let (bot, other) = (world.bot_of(one), world.bot_of(two));
    assert_eq!(world.answer_with(one, bot).await.unwrap(), number);
    assert_eq!(world.answer_with(two, other).await.unwrap(), second);
    for (to, bot, project) in [(number, bot, one), (second, other, two)] {
        let sid = world.rung(CALLER, &to).await;
        let begun = world.begun_by(&sid).await;
        assert_eq!((begun.bot_id, begun.project_id), (bot.to_string(), project.to_string()));
    }
}

async fn of_the_sandboxs_account_only_what_is_right_is_taken(engine: Engine) {
    let world = World::with(engine, &[("ECHO_CARRIER", "twilio")]).await;
    let (own, _) = world.of_the_sandbox(1).await;
    let none = "0".repeat(32);
    for (field, wrong) in [
        ("auth_token", TwilioAccount { auth_token: "another".to_owned(), ..own.clone() }),
        ("phone_number_sid", TwilioAccount { phone_number_sid: format!("PN{none}"), ..own.clone() }),
    ] {
        let refused = world.put(world.project, Carrier::Twilio(wrong)).await.unwrap_err();
        assert!(matches!(&refused, RpcError::Invalid { field: blamed, .. } if blamed == field), "{refused}");
    }
    // Any other account is Twilio's, which cannot reach this machine.
    for account_sid in [format!("AC{none}"), "AC1".to_owned()] {
        let theirs = TwilioAccount { account_sid, ..own.clone() };
        let refused = world.put(world.project, Carrier::Twilio(theirs)).await.unwrap_err();
        let code = |refused: &RpcError| match refused {
            RpcError::Conflict { code, .. } => code.clone(),
            other => panic!("{other}"),
        };
        assert_eq!(code(&refused), "voice_url_not_public");
    }
}
