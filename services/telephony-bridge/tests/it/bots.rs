//! Somebody rings a bot.

use std::sync::atomic::Ordering;

use contracts::calls::turn_input::Input;
use contracts::calls::{Answered, BeginBotCallRequest, DialRequested, Silence, Speech};
use contracts::ids::{BotId, ProjectId};
use contracts::rpc::Context;
use contracts::telephony::dial_refused::Reason;
use contracts::telephony::{RemoveCarrierRequest, Sandbox, put_carrier_request::Carrier};
use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;
use twilio::CallSid;
use twilio::signature::{HEADER, sign};
use twilio::twiml::Verb;
use twilio::webhook::decode_form;

use crate::line::{Answer, Line};
use crate::orchestrator::{Asked, Manner};
use crate::other_carrier::OtherCarrier;
use crate::world::{PATIENCE, SILENT, World};

/// Speaks when spoken to.
const CALLER: &str = "+14155550117";
/// The number of the operator's account.
const OURS: &str = "+15005550006";

on_both_engines![
    whoever_rings_a_bot_is_answered_and_heard_turn_by_turn,
    a_request_without_a_turn_means_the_open_one,
    a_repeat_without_a_turn_is_known_by_the_carriers_mark,
    repeats_at_the_same_moment_open_one_turn,
    the_same_call_is_begun_once_and_hears_the_same_also_after_its_end,
    only_the_account_of_the_bots_project_is_believed,
    an_account_that_was_replaced_a_short_while_ago_is_believed,
    a_bot_that_does_not_answer_apologises_and_hangs_up,
    whoever_rings_while_the_orchestrator_is_away_waits_a_few_times,
    a_call_that_is_one_too_many_is_turned_away_and_stays_so,
    a_bot_that_is_disabled_while_its_phone_rings_stays_so_for_this_call,
    a_caller_who_hides_their_number_has_none,
    many_callers_talk_to_one_bot_and_none_of_them_is_rung_meanwhile,
    a_caller_whom_nobody_answers_in_time_hears_words_with_the_bot_in_their_addresses,
    whoever_waited_at_the_door_is_not_asked_to_say_something_again,
    a_request_that_names_no_call_is_answered_and_does_nothing,
    what_is_no_form_is_not_believed,
    bytes_that_are_no_text_are_read_as_far_as_they_are,
];

impl World {
    /// A bot of this project that answers.
    pub(crate) fn bot_of(&self, project: ProjectId) -> BotId {
        let bot = BotId::new();
        self.orchestrator.bots.lock().unwrap().insert(bot, project);
        bot
    }

    pub(crate) fn bot_calls(&self) -> Vec<BeginBotCallRequest> {
        self.orchestrator.bot_calls.lock().unwrap().clone()
    }

    /// A caller's line, as the carrier holds it.
    pub(crate) fn caller(&self) -> Line<'_> {
        let sid = CallSid::random().unwrap().to_string();
        Line { world: self, wish: DialRequested::default(), sid }
    }
}

impl Line<'_> {
    pub(crate) async fn rings_bot(&self, bot: BotId) -> Answer {
        self.rings_bot_from(bot, CALLER).await
    }

    async fn rings_bot_from(&self, bot: BotId, from: &str) -> Answer {
        self.at_the_door(&format!("/v1/voice?bot_id={bot}"), from, "ringing").await
    }

    async fn at_the_door(&self, path: &str, from: &str, status: &str) -> Answer {
        let more = [("From", from), ("To", OURS), ("Direction", "inbound"), ("CallStatus", status)];
        self.post(path, &more).await
    }

    /// As the public document shows it.
    fn heard_by(&self, bot: BotId) -> String {
        format!("/v1/voice-response?bot_id={bot}&CallSid={}", self.sid)
    }
}

fn said(text: &str) -> Input {
    Input::Speech(Speech { text: text.into(), confidence: None })
}

/// What opened the turns, repeats included.
fn opened(world: &World) -> Vec<(u32, Input)> {
    let opened = world.orchestrator.asked().into_iter().filter_map(|asked| match asked {
        Asked::Start(turn, input) => Some((turn, input)),
        Asked::Next(..) => None,
    });
    opened.collect()
}

async fn whoever_rings_a_bot_is_answered_and_heard_turn_by_turn(engine: Engine) {
    let world = World::new(engine).await;
    let (bot, line) = (world.bot_of(world.project), world.caller());
    let first = line.rings_bot(bot).await;
    assert!(first.spoken().starts_with("Sentence 0 of turn 0"), "{}", first.body);
    let begun = world.bot_calls().pop().unwrap();
    let expected = BeginBotCallRequest {
        project_id: world.project.to_string(),
        bot_id: bot.to_string(),
        carrier_call_sid: line.sid.clone(),
        from_e164: CALLER.to_owned(),
        to_e164: OURS.to_owned(),
        ..begun.clone()
    };
    assert_eq!(begun, expected);

    let next = first.next(&world).unwrap();
    assert!(next.starts_with(&format!("/v1/voice-next?bot_id={bot}&attempt={}", begun.attempt_id)), "{next}");
    let second = line.post(&next, &[]).await;
    assert!(second.listens() && second.spoken().starts_with("Sentence 1 of turn 0"), "{}", second.body);
    let response = second.next(&world).unwrap();
    assert!(response.starts_with(&format!("/v1/voice-response?bot_id={bot}&attempt=")), "{response}");
    let third = line.post(&response, &[("SpeechResult", "A table for four.")]).await;
    assert!(third.spoken().starts_with("Sentence 0 of turn 1"), "{}", third.body);
    assert_eq!(opened(&world), [(0, Input::Answered(Answered {})), (1, said("A table for four."))]);

    // Its end is reported although its address names no attempt.
    let end = [("CallStatus", "completed"), ("CallDuration", "12"), ("SequenceNumber", "0")];
    assert_eq!(line.post("/v1/voice-status", &end).await.status, 204);
    world
        .heard("its end", |heard| {
            let of = |m: &&contracts::telephony::CallProgressed| {
                m.attempt_id == begun.attempt_id && m.status == "completed"
            };
            heard.progressed.iter().find(of).map(drop)
        })
        .await;
    assert_eq!(world.orchestrator.statuses_of(&begun.attempt_id), ["in_progress", "completed"]);
}

async fn a_request_without_a_turn_means_the_open_one(engine: Engine) {
    let world = World::new(engine).await;
    let (bot, line) = (world.bot_of(world.project), world.caller());
    // The call's id is in the address alone, as in the public document.
    let path = format!("/v1/voice?bot_id={bot}&CallSid={}", line.sid);
    let form: Vec<_> = line.form(&[("From", CALLER), ("To", OURS)]).into_iter().skip(1).collect();
    let signed = sign(&world.token, &format!("{}{path}", world.base), &form);
    let first = line.post_signed(&path, &form, Some(&signed)).await;
    assert!(first.spoken().starts_with("Sentence 0 of turn 0"), "{}", first.body);
    line.post(&first.next(&world).unwrap(), &[]).await;

    let heard = line.heard_by(bot);
    let one = line.post(&heard, &[("SpeechResult", "One."), ("Confidence", "0.95")]).await;
    assert!(one.spoken().starts_with("Sentence 0 of turn 1"), "{}", one.body);
    let listens = line.post(&one.next(&world).unwrap(), &[]).await;
    // One turn by the address that it was given, and the next again without.
    let two = line.post(&listens.next(&world).unwrap(), &[("SpeechResult", "Two.")]).await;
    assert!(two.spoken().starts_with("Sentence 0 of turn 2"), "{}", two.body);
    let three = line.post(&heard, &[]).await;
    assert!(three.spoken().starts_with("Sentence 0 of turn 3"), "{}", three.body);
    let again = line.post(&format!("{heard}&turn=2"), &[("SpeechResult", "Two.")]).await;
    assert_eq!(again.body, two.body);
    let opened = opened(&world);
    let one = Input::Speech(Speech { text: "One.".into(), confidence: Some(0.95) });
    assert_eq!(opened[1..4], [(1, one), (2, said("Two.")), (3, Input::Silence(Silence {}))]);

    // Another bot in front of the rest of an address has no part in the call.
    let (ours, other) = (two.next(&world).unwrap(), world.bot_of(world.project));
    let answer = line.post(&ours.replace(&bot.to_string(), &other.to_string()), &[]).await;
    assert!(answer.spoken().contains("nobody here") && answer.next(&world).is_none(), "{}", answer.body);
    // Neither another bot's call nor one that nobody knows.
    for (line, bot) in [(&line, world.bot_of(world.project)), (&world.caller(), bot)] {
        let answer = line.post(&line.heard_by(bot), &[("SpeechResult", "Hello?")]).await;
        assert!(answer.spoken().contains("nobody here") && answer.next(&world).is_none(), "{}", answer.body);
    }
}

async fn a_repeat_without_a_turn_is_known_by_the_carriers_mark(engine: Engine) {
    let world = World::new(engine).await;
    let (bot, line) = (world.bot_of(world.project), world.caller());
    line.rings_bot(bot).await;
    let (heard, words) = (line.heard_by(bot), [("SpeechResult", "Yes.")]);
    let same = || line.post_marked(&heard, &words, "first");
    let (first, second) = tokio::join!(same(), same());
    assert!(first.spoken().starts_with("Sentence 0 of turn 1"), "{}", first.body);
    assert_eq!(second.body, first.body);
    let next = line.post_marked(&heard, &words, "second").await;
    assert!(next.spoken().starts_with("Sentence 0 of turn 2"), "{}", next.body);
    assert_eq!(same().await.body, first.body);

    let end = [("CallStatus", "completed"), ("SequenceNumber", "0")];
    assert_eq!(line.post("/v1/voice-status", &end).await.status, 204);
    world.orchestrator.behaves(Manner::Over);
    assert_eq!(same().await.body, first.body, "also after the end");
    assert!(line.post_marked(&heard, &words, "third").await.hangs_up(), "a new turn of a call that is over");
    assert!(line.post(&heard, &words).await.hangs_up());
    assert_eq!(world.count("bot_turns").await, 2);
}

async fn repeats_at_the_same_moment_open_one_turn(engine: Engine) {
    let world = World::new(engine).await;
    let (bot, line) = (world.bot_of(world.project), world.caller());
    line.rings_bot(bot).await;
    let (heard, words) = (line.heard_by(bot), [("SpeechResult", "Yes.")]);
    for turn in 1..=20_i64 {
        let mark = format!("mark {turn}");
        let same = || line.post_marked(&heard, &words, &mark);
        let (first, second, third) = tokio::join!(same(), same(), same());
        assert!(first.spoken().starts_with(&format!("Sentence 0 of turn {turn}")), "{}", first.body);
        assert!(second.body == first.body && third.body == first.body, "{second:?} {third:?}");
        assert_eq!(world.count("bot_turns").await, turn);
    }
}

async fn the_same_call_is_begun_once_and_hears_the_same_also_after_its_end(engine: Engine) {
    let world = World::new(engine).await;
    let (bot, line) = (world.bot_of(world.project), world.caller());
    let (first, second) = tokio::join!(line.rings_bot(bot), line.rings_bot(bot));
    assert_eq!(first.body, second.body);
    let begun = world.bot_calls();
    assert!(begun.iter().all(|b| b.call_id == begun[0].call_id), "{begun:?}");
    assert_eq!(world.count("dial_attempts").await, 1);
    let end = [("CallStatus", "completed"), ("SequenceNumber", "0")];
    assert_eq!(line.post("/v1/voice-status", &end).await.status, 204);
    world.orchestrator.behaves(Manner::Over);
    // Also when there is no such bot any more.
    world.orchestrator.bots.lock().unwrap().clear();
    assert_eq!(line.rings_bot(bot).await.body, first.body);
}

async fn only_the_account_of_the_bots_project_is_believed(engine: Engine) {
    let other = OtherCarrier::start().await;
    let world = World::with(engine, &[("ECHO_TWILIO_API_URL", &other.url)]).await;
    world.connected(ProjectId::new(), other.own()).await;
    let (bot, line) = (world.bot_of(world.project), world.caller());
    for path in [format!("/v1/voice?bot_id={bot}"), line.heard_by(bot)] {
        let (url, form) = (format!("{}{path}", world.base), line.form(&[("From", CALLER), ("To", OURS)]));
        let right = sign(&world.token, &url, &form);
        for wrong in [None, Some("nonsense".to_owned()), Some(sign("another token", &url, &form))] {
            assert_eq!(
                line.post_signed(&path, &form, wrong.as_deref()).await.status,
                403,
                "{path} {wrong:?}"
            );
        }
        let tampered = path.replace(&bot.to_string(), &BotId::new().to_string());
        assert_eq!(line.post_signed(&tampered, &form, Some(&right)).await.status, 403);
        let mut unknown = form.clone();
        unknown[1].1 = format!("AC{}", "0".repeat(32));
        let signed = sign(&world.token, &url, &unknown);
        assert_eq!(line.post_signed(&path, &unknown, Some(&signed)).await.status, 403);
    }
    // Another project's account, rightly signed.
    let mut theirs = line.form(&[("From", CALLER), ("To", OURS)]);
    theirs[1].1.clone_from(&other.account);
    for path in [format!("/v1/voice?bot_id={bot}"), line.heard_by(bot)] {
        let signed = sign(&other.token, &format!("{}{path}", world.base), &theirs);
        assert_eq!(line.post_signed(&path, &theirs, Some(&signed)).await.status, 403, "{path}");
    }
    assert!(world.metrics().await.contains("echo_bridge_refused_total{why=\"other_account\"} 2"));
    assert_eq!((world.bot_calls(), world.count("dial_attempts").await), (vec![], 0));
    assert!(line.rings_bot(bot).await.spoken().starts_with("Sentence 0"), "and the right one is");
}

async fn an_account_that_was_replaced_a_short_while_ago_is_believed(engine: Engine) {
    let other = OtherCarrier::start().await;
    let world = World::with(engine, &[("ECHO_TWILIO_API_URL", &other.url)]).await;
    let own = ProjectId::new();
    world.connected(own, other.own()).await;
    let remove = RemoveCarrierRequest { project_id: own.to_string() };
    world.carriers().remove_carrier(Context::within(PATIENCE), remove).await.unwrap();
    let (bot, line) = (world.bot_of(own), world.caller());
    let path = format!("/v1/voice?bot_id={bot}");
    let mut form = line.form(&[("From", CALLER), ("To", OURS)]);
    form[1].1.clone_from(&other.account);
    let signed = sign(&other.token, &format!("{}{path}", world.base), &form);
    let answer = line.post_signed(&path, &form, Some(&signed)).await;
    assert!(answer.spoken().starts_with("Sentence 0"), "{}", answer.body);

    // The sandbox, where it was chosen before.
    let staging = ProjectId::new();
    world.put(staging, Carrier::Sandbox(Sandbox {})).await.unwrap();
    assert!(world.caller().rings_bot(world.bot_of(staging)).await.spoken().starts_with("Sentence 0"));
    world.connected(staging, other.own()).await;
    assert!(world.caller().rings_bot(world.bot_of(staging)).await.spoken().starts_with("Sentence 0"));
}

async fn a_bot_that_does_not_answer_apologises_and_hangs_up(engine: Engine) {
    let world = World::new(engine).await;
    for id in [BotId::new().to_string(), "bot_abc123".to_owned(), "x%26y".to_owned()] {
        let answer = world.caller().at_the_door(&format!("/v1/voice?bot_id={id}"), CALLER, "ringing").await;
        assert!(answer.spoken().contains("nobody here"), "{id}: {}", answer.body);
        assert_eq!(answer.next(&world), None);
    }
    assert_eq!((world.bot_calls(), world.count("dial_attempts").await), (vec![], 0));
    assert_eq!(world.orchestrator.bots_asked.load(Ordering::SeqCst), 1, "no bot has such an id");
    assert_eq!(world.orchestrator.asked(), []);
}

async fn whoever_rings_while_the_orchestrator_is_away_waits_a_few_times(engine: Engine) {
    let world = World::new(engine).await;
    let (bot, line) = (world.bot_of(world.project), world.caller());
    for manner in [Manner::Fails, Manner::Hangs] {
        world.orchestrator.behaves(manner);
        let mut path = format!("/v1/voice?bot_id={bot}");
        for fill in 1..=3 {
            let answer = line.at_the_door(&path, CALLER, "in-progress").await;
            assert!(answer.spoken().contains("One moment"), "{}", answer.body);
            assert!(answer.took < world.in_time(), "{:?}", answer.took);
            path = answer.next(&world).unwrap();
            assert_eq!(path, format!("/v1/voice?bot_id={bot}&fill={fill}"));
        }
        let last = line.at_the_door(&path, CALLER, "in-progress").await;
        assert!(last.spoken().contains("I have to end this call"), "{}", last.body);
        assert!(last.took < world.in_time() && last.next(&world).is_none(), "{last:?}");
    }
    world.orchestrator.releases();
    world.orchestrator.behaves(Manner::Answers);
    let answer = line.at_the_door(&format!("/v1/voice?bot_id={bot}&fill=1"), CALLER, "in-progress").await;
    assert!(answer.spoken().starts_with("Sentence 0 of turn 0"), "{}", answer.body);
}

async fn a_call_that_is_one_too_many_is_turned_away_and_stays_so(engine: Engine) {
    let world = World::new(engine).await;
    let bot = world.bot_of(world.project);
    for limit in ["caller_limit", "bot_limit"] {
        *world.orchestrator.limit.lock().unwrap() = Some(limit);
        let (rings, runs) = (world.caller(), world.caller());
        let path = format!("/v1/voice?bot_id={bot}");
        let refused = rings.rings_bot(bot).await;
        assert!(matches!(refused.document().verbs.as_slice(), [Verb::Reject(_)]), "{}", refused.body);
        let spoken = runs.at_the_door(&path, CALLER, "in-progress").await;
        assert!(
            spoken.spoken().contains("too many calls") && spoken.next(&world).is_none(),
            "{}",
            spoken.body
        );
        eventually("both to be over", PATIENCE, || async {
            let live = world.count("dial_attempts WHERE live").await;
            if live == 0 { Ok(()) } else { Err(live) }
        })
        .await;
        // The same call does not begin when the limit is gone.
        *world.orchestrator.limit.lock().unwrap() = None;
        assert_eq!(rings.rings_bot(bot).await.body, refused.body);
        assert_eq!(runs.at_the_door(&path, CALLER, "in-progress").await.body, spoken.body);
    }
    assert_eq!(world.orchestrator.asked(), []);
    assert!(world.metrics().await.contains("echo_bridge_inbound_total{result=\"too_many\"} 4"));
}

async fn a_bot_that_is_disabled_while_its_phone_rings_stays_so_for_this_call(engine: Engine) {
    let world = World::new(engine).await;
    let (bot, line) = (world.bot_of(world.project), world.caller());
    *world.orchestrator.limit.lock().unwrap() = Some("gone");
    let answer = line.rings_bot(bot).await;
    assert!(answer.spoken().contains("nobody here") && answer.next(&world).is_none(), "{}", answer.body);
    eventually("it to be over", PATIENCE, || async {
        let live = world.count("dial_attempts WHERE live").await;
        if live == 0 { Ok(()) } else { Err(live) }
    })
    .await;
    *world.orchestrator.limit.lock().unwrap() = None;
    assert_eq!(line.rings_bot(bot).await.body, answer.body);
    assert_eq!(world.orchestrator.asked(), []);
    assert!(world.caller().rings_bot(bot).await.spoken().starts_with("Sentence 0"), "another call");
}

async fn a_caller_who_hides_their_number_has_none(engine: Engine) {
    let world = World::new(engine).await;
    let bot = world.bot_of(world.project);
    for hidden in ["anonymous", "+266696687", "", "Restricted", "sip:me@example.com"] {
        let answer = world.caller().rings_bot_from(bot, hidden).await;
        assert!(answer.spoken().starts_with("Sentence 0"), "{hidden}: {}", answer.body);
        assert_eq!(world.bot_calls().pop().unwrap().from_e164, "", "{hidden}");
    }
    assert_eq!(world.count("dial_attempts WHERE live AND from_number = ''").await, 5);
}

async fn many_callers_talk_to_one_bot_and_none_of_them_is_rung_meanwhile(engine: Engine) {
    let world = World::new(engine).await;
    let bot = world.bot_of(world.project);
    let (one, two) = (world.caller(), world.caller());
    let (a, b) = tokio::join!(one.rings_bot_from(bot, SILENT), two.rings_bot_from(bot, CALLER));
    assert!(a.spoken().starts_with("Sentence 0") && b.spoken().starts_with("Sentence 0"), "{a:?} {b:?}");
    let wish = world.wish(SILENT);
    world.publish(std::slice::from_ref(&wish)).await;
    let reason = world
        .heard("the refusal", |heard| {
            heard.refused.iter().find(|m| m.attempt_id == wish.attempt_id).map(|m| m.reason())
        })
        .await;
    assert_eq!(reason, Reason::LineBusy);
}

async fn a_caller_whom_nobody_answers_in_time_hears_words_with_the_bot_in_their_addresses(engine: Engine) {
    let world = World::new(engine).await;
    let (bot, line) = (world.bot_of(world.project), world.caller());
    line.rings_bot(bot).await;
    world.orchestrator.behaves(Manner::Fails);
    let filler = line.post(&line.heard_by(bot), &[("SpeechResult", "Hello?")]).await;
    assert!(filler.spoken().contains("One moment"), "{}", filler.body);
    let path = filler.next(&world).unwrap();
    assert!(
        path.starts_with(&format!("/v1/voice-next?bot_id={bot}&attempt=")) && path.contains("&turn=1"),
        "{path}"
    );
    // What was heard is not lost.
    world.orchestrator.behaves(Manner::Answers);
    assert!(line.post(&path, &[]).await.spoken().starts_with("Sentence 0 of turn 1"));
    assert_eq!(opened(&world).pop().unwrap(), (1, said("Hello?")));
}

async fn whoever_waited_at_the_door_is_not_asked_to_say_something_again(engine: Engine) {
    let world = World::new(engine).await;
    let (bot, line) = (world.bot_of(world.project), world.caller());
    world.orchestrator.takes_no_calls.store(true, Ordering::SeqCst);
    let path = format!("/v1/voice?bot_id={bot}&fill=2");
    let answer = line.at_the_door(&path, CALLER, "in-progress").await;
    assert!(answer.spoken().contains("One moment"), "{}", answer.body);
    world.orchestrator.takes_no_calls.store(false, Ordering::SeqCst);
    let greeted = line.post(&answer.next(&world).unwrap(), &[]).await;
    assert!(greeted.spoken().starts_with("Sentence 0 of turn 0"), "{}", greeted.body);
}

async fn a_request_that_names_no_call_is_answered_and_does_nothing(engine: Engine) {
    let world = World::new(engine).await;
    let (bot, line) = (world.bot_of(world.project), Line::running(&world).await);
    let bots = ["voice", "voice-response"].map(|path| format!("/v1/{path}?bot_id={bot}"));
    let known = ["voice", "voice-response", "voice-next"].map(|path| line.path(path));
    for path in bots.iter().chain(&known) {
        let speech = [("From", CALLER), ("To", OURS), ("SpeechResult", "Yes.")];
        let form: Vec<_> = line.form(&speech).into_iter().skip(1).collect();
        let signed = sign(&world.token, &format!("{}{path}", world.base), &form);
        let answer = line.post_signed(path, &form, Some(&signed)).await;
        assert!(answer.spoken().contains("nobody here"), "{path}: {}", answer.body);
        assert_eq!(answer.next(&world), None, "{path}");
    }
    assert_eq!((world.orchestrator.asked(), world.bot_calls()), (vec![], vec![]));
    assert_eq!(world.count("dial_attempts").await, 1, "the one that runs");
    assert!(!world.metrics().await.contains("echo_bridge_second_calls_total{"), "no second call");
}

impl Line<'_> {
    /// These very bytes, signed as the form that they make.
    async fn post_bytes(&self, path: &str, kind: &str, body: Vec<u8>) -> Answer {
        let url = format!("{}{path}", self.world.base);
        let signed = sign(&self.world.token, &url, &decode_form(&body));
        let request = self.world.http.post(url).header(HEADER, signed).header("Content-Type", kind);
        Self::sent(request.body(body)).await
    }
}

async fn what_is_no_form_is_not_believed(engine: Engine) {
    let world = World::new(engine).await;
    let (bot, line) = (world.bot_of(world.project), world.caller());
    let json = format!("{{\"CallSid\":\"{}\",\"AccountSid\":\"{}\"}}", line.sid, world.account);
    for path in ["voice", "voice-response"].map(|path| format!("/v1/{path}?bot_id={bot}")) {
        for kind in
            ["application/json", "application/x-www-form-urlencoded", "multipart/form-data", "nonsense"]
        {
            let answer = line.post_bytes(&path, kind, json.clone().into_bytes()).await;
            assert_eq!(answer.status, 403, "{path} {kind}");
        }
    }
    assert_eq!((world.bot_calls(), world.count("dial_attempts").await), (vec![], 0));
    // The signature says what a form is, not its label.
    let form = format!("CallSid={}&AccountSid={}&From=%2B14155550117", line.sid, world.account);
    let answer = line.post_bytes(&format!("/v1/voice?bot_id={bot}"), "text/plain", form.into_bytes()).await;
    assert!(answer.spoken().starts_with("Sentence 0 of turn 0"), "{}", answer.body);
}

async fn bytes_that_are_no_text_are_read_as_far_as_they_are(engine: Engine) {
    let world = World::new(engine).await;
    let (bot, line) = (world.bot_of(world.project), world.caller());
    let kind = "application/x-www-form-urlencoded";
    let form = |call: &str| format!("AccountSid={}&CallSid={call}&SpeechResult=", world.account).into_bytes();
    // A call whose id cannot be read is none.
    for path in ["voice", "voice-response"].map(|path| format!("/v1/{path}?bot_id={bot}")) {
        let answer = line.post_bytes(&path, kind, form("%FF%FE")).await;
        assert!(answer.spoken().contains("nobody here") && answer.next(&world).is_none(), "{}", answer.body);
    }
    assert_eq!((world.bot_calls(), world.count("dial_attempts").await), (vec![], 0));
    line.rings_bot(bot).await;
    for (turn, odd) in [(1, &b"Yes\xff."[..]), (2, &b"Yes%FF."[..])] {
        let body = [&form(&line.sid), odd].concat();
        let answer = line.post_bytes(&format!("/v1/voice-response?bot_id={bot}"), kind, body).await;
        assert!(answer.spoken().starts_with(&format!("Sentence 0 of turn {turn}")), "{}", answer.body);
        assert_eq!(opened(&world).pop().unwrap(), (turn, said("Yes\u{fffd}.")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_that_do_not_answer_cost_a_filler_and_what_was_heard_is_asked_for_again() {
    let world = World::new(Engine::Postgres).await;
    let (bot, line) = (world.bot_of(world.project), world.caller());
    let tables = world.hold_tables().await;
    let (rings, heard) = tokio::join!(line.rings_bot(bot), async {
        let first = line.post(&line.heard_by(bot), &[("SpeechResult", "Yes")]).await;
        let second = line.post(&first.next(&world).unwrap(), &[("SpeechResult", "Yes!")]).await;
        let third = line.post(&second.next(&world).unwrap(), &[("SpeechResult", "YES")]).await;
        [first, second, third]
    });
    tables.let_go().await;
    assert!(rings.spoken().contains("One moment") && rings.took < world.in_time(), "{rings:?}");
    assert_eq!(rings.next(&world).unwrap(), format!("/v1/voice?bot_id={bot}&fill=1"));
    for answer in &heard {
        assert!(answer.took < world.in_time(), "{:?}", answer.took);
    }
    let path = format!("/v1/voice-response?bot_id={bot}&CallSid={}&sorry=1", line.sid);
    assert!(heard[0].listens() && heard[1].listens(), "{heard:?}");
    assert_eq!(heard[0].next(&world).unwrap(), path);
    assert_eq!(heard[2].next(&world), None, "not for ever");
    assert_eq!(world.orchestrator.asked(), []);
}
