//! The same request gets the same document, and a whole conversation goes through.

use contracts::calls::turn_input::Input;
use contracts::calls::{Answered, Silence, Speech};
use serde_json::json;
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::line::Line;
use crate::orchestrator::{Asked, Manner};
use crate::world::World;

on_both_engines![
    the_same_request_gets_the_same_bytes_also_after_the_call_has_ended,
    what_the_bridge_said_itself_it_says_again_when_it_is_asked_again,
    a_sentence_that_got_lost_while_the_orchestrator_is_away_comes_after_a_filler,
    own_words_are_said_in_the_language_and_with_the_voice_of_the_call,
    what_was_heard_arrives_as_speech_keys_or_silence,
    a_call_that_nobody_knows_is_told_so_and_hung_up,
    a_customer_is_put_through_to_a_person_and_told_when_nobody_is_reached,
    whether_a_person_was_reached_is_told_with_the_end,
    a_whole_conversation_goes_through_without_a_complaint_of_the_carrier,
];

async fn the_same_request_gets_the_same_bytes_also_after_the_call_has_ended(engine: Engine) {
    let world = World::new(engine).await;
    let line = Line::running(&world).await;
    let speech = [("SpeechResult", "Yes, please."), ("Confidence", "0.9")];
    let first = line.pick_up().await;
    let next = first.next(&world).unwrap();
    let second = line.post(&next, &[]).await;
    assert!(second.listens());
    let response = second.next(&world).unwrap();
    let third = line.post(&response, &speech).await;

    for ended in [false, true] {
        if ended {
            assert_eq!(line.report("completed", "3").await, 204);
            world.status(&line.wish, "completed").await;
            world.orchestrator.behaves(Manner::Over);
        }
        assert_eq!(line.pick_up().await.body, first.body, "ended: {ended}");
        assert_eq!(line.post(&next, &[]).await.body, second.body, "ended: {ended}");
        assert_eq!(line.post(&response, &speech).await.body, third.body, "ended: {ended}");
    }
    // A new turn of a call that is over.
    let new = format!("{}&turn=2", line.path("voice-response"));
    assert!(line.post(&new, &speech).await.hangs_up());
}

async fn what_the_bridge_said_itself_it_says_again_when_it_is_asked_again(engine: Engine) {
    let world = World::new(engine).await;
    let line = Line::running(&world).await;
    world.orchestrator.behaves(Manner::Fails);
    let speech = [("SpeechResult", "Hello?")];
    let mut requests = vec![line.path("voice-response") + "&turn=1"];
    let mut answers = Vec::new();
    for _ in 0..3 {
        let answer = line.post(requests.last().unwrap(), &speech).await;
        requests.push(answer.next(&world).unwrap());
        answers.push(answer);
    }
    assert!(
        !answers[0].listens() && !answers[1].listens() && answers[2].listens(),
        "two fillers, an apology"
    );
    let asked = world.orchestrator.asked().len();

    world.orchestrator.behaves(Manner::Answers);
    for (request, answer) in requests.iter().zip(&answers) {
        assert_eq!(line.post(request, &speech).await.body, answer.body);
    }
    assert_eq!(world.orchestrator.asked().len(), asked, "nobody is asked about what has been said");
    // What comes after the apology is answered by the orchestrator.
    let answer = line.post(requests.last().unwrap(), &speech).await;
    assert!(answer.spoken().starts_with("Sentence 0 of turn 2"), "{}", answer.body);
}

async fn a_sentence_that_got_lost_while_the_orchestrator_is_away_comes_after_a_filler(engine: Engine) {
    let world = World::new(engine).await;
    let line = Line::running(&world).await;
    let first = line.pick_up().await;
    let more = first.next(&world).unwrap();
    let requests = [line.path("voice"), more, line.path("voice-response") + "&turn=1"];
    for request in requests {
        let speech = [("SpeechResult", "Yes, please.")];
        world.orchestrator.behaves(Manner::Answers);
        let lost = line.post(&request, &speech).await;
        assert!(lost.spoken().starts_with("Sentence "), "{request}: {}", lost.body);
        world.orchestrator.behaves(Manner::Fails);
        let filler = line.post(&request, &speech).await;
        assert!(filler.spoken().starts_with("One moment"), "{request}: {}", filler.body);
        world.orchestrator.behaves(Manner::Answers);
        let again = line.post(&filler.next(&world).unwrap(), &[]).await;
        assert_eq!(again.body, lost.body, "{request}");
    }
    // The caller has said it once.
    let speech = Input::Speech(Speech { text: "Yes, please.".into(), confidence: None });
    let asked = world.orchestrator.asked();
    let inputs = asked.iter().filter_map(|asked| match asked {
        Asked::Start(1, input) => Some(input),
        _ => None,
    });
    assert!(inputs.clone().count() > 1 && inputs.clone().all(|input| *input == speech), "{asked:?}");
}

async fn own_words_are_said_in_the_language_and_with_the_voice_of_the_call(engine: Engine) {
    let world = World::new(engine).await;
    *world.orchestrator.speaks.lock().unwrap() = ("de-DE".to_owned(), "Polly.Vicki".to_owned());
    let line = Line::running(&world).await;
    let german = r#"<Say voice="Polly.Vicki" language="de-DE">"#;
    // Before the first sentence, the orchestrator knows how it will be spoken.
    world.orchestrator.behaves(Manner::Pending);
    let waits = line.pick_up().await;
    assert!(waits.body.contains(&format!("{german}Einen Moment, bitte.")), "{}", waits.body);
    // Then it is away, and the addresses know.
    world.orchestrator.behaves(Manner::Fails);
    let mut request = waits.next(&world).unwrap();
    let mut spoken = Vec::new();
    for _ in 0..2 {
        let answer = line.post(&request, &[]).await;
        assert!(answer.body.contains(german), "{}", answer.body);
        spoken.push((request, answer.body.clone(), answer.spoken()));
        request = answer.next(&world).unwrap();
    }
    assert!(
        spoken[0].2.starts_with("Einen Moment") && spoken[1].2.contains("technisches Problem"),
        "{spoken:?}"
    );
    // Whoever asks again hears it again, also when somebody would have a sentence by now.
    world.orchestrator.behaves(Manner::Answers);
    assert_eq!(line.pick_up().await.body, waits.body);
    for (request, body, _) in spoken {
        assert_eq!(line.post(&request, &[]).await.body, body);
    }
}

async fn what_was_heard_arrives_as_speech_keys_or_silence(engine: Engine) {
    let world = World::new(engine).await;
    let line = Line::running(&world).await;
    let path = |turn: u32| format!("{}&turn={turn}", line.path("voice-response"));
    line.pick_up().await;
    line.post(&path(1), &[("SpeechResult", "Für vier – bitte & danke"), ("Confidence", "0.5")]).await;
    line.post(&path(2), &[("SpeechResult", "Well"), ("Digits", "1")]).await;
    line.post(&path(3), &[("Digits", "12"), ("FinishedOnKey", "")]).await;
    line.post(&path(4), &[("SpeechResult", ""), ("Digits", "")]).await;
    line.post(&path(5), &[]).await;
    let speech = |text: &str, confidence| Input::Speech(Speech { text: text.into(), confidence });
    let inputs = [
        Input::Answered(Answered {}),
        speech("Für vier – bitte & danke", Some(0.5)),
        speech("Well", None),
        Input::Digits("12".into()),
        Input::Silence(Silence {}),
        Input::Silence(Silence {}),
    ];
    let expected: Vec<Asked> =
        inputs.into_iter().enumerate().map(|(n, i)| Asked::Start(u32::try_from(n).unwrap(), i)).collect();
    assert_eq!(world.orchestrator.asked(), expected);
}

async fn a_call_that_nobody_knows_is_told_so_and_hung_up(engine: Engine) {
    let world = World::new(engine).await;
    let line = Line::running(&world).await;
    for query in ["", "?attempt=nonsense", "?attempt=01890000-0000-7000-8000-000000000000", "?bot_id=bot_1"] {
        let answer = line.post(&format!("/v1/voice{query}"), &[]).await;
        assert!(answer.spoken().contains("nobody here to take this call"), "{query}: {}", answer.body);
        assert_eq!(answer.next(&world), None, "{query}");
    }
    assert_eq!(world.orchestrator.asked(), []);
}

async fn a_whole_conversation_goes_through_without_a_complaint_of_the_carrier(engine: Engine) {
    let world = World::new(engine).await;
    world.orchestrator.behaves(Manner::Ends);
    let wish = world.wish("+14155552671");
    world.publish(std::slice::from_ref(&wish)).await;
    let sid = world.accepted(&wish).await;
    world.status(&wish, "completed").await;
    world.all_handled().await;
    let statuses = world.orchestrator.statuses_of(&wish.attempt_id);
    assert_eq!(statuses, ["dialing", "ringing", "in_progress", "completed"]);
    let call = world.carrier_says(&format!("calls/{sid}")).await;
    let lines = call["transcript"].as_array().unwrap();
    let said: Vec<&str> =
        lines.iter().filter(|l| l["by"] == "agent").map(|l| l["text"].as_str().unwrap()).collect();
    let expected: Vec<String> = (0..3)
        .flat_map(|turn| (0..2).map(move |part| format!("Sentence {part} of turn {turn}, <said> & done.")))
        .collect();
    assert_eq!(said, expected);
    assert_eq!(world.carrier_says("faults").await, json!([]));
    let last = world.orchestrator.reports_of(&wish.attempt_id).pop().unwrap();
    assert!(last.duration_seconds.is_some() && !last.gave_up);
}

async fn a_customer_is_put_through_to_a_person_and_told_when_nobody_is_reached(engine: Engine) {
    let world = World::new(engine).await;
    let line = Line::running(&world).await;
    world.orchestrator.behaves(Manner::Transfers);
    let first = line.pick_up().await;
    let dial = line.post(&first.next(&world).unwrap(), &[]).await;
    assert!(dial.body.contains("<Dial action=") && dial.body.contains("+14155550100"), "{}", dial.body);
    let asked = world.orchestrator.asked().len();
    let path = format!("{}&turn=0&part=1", line.path("voice-transferred"));
    for (status, reached) in [("completed", true), ("no-answer", false), ("busy", false), ("failed", false)] {
        let answer = line.post(&path, &[("DialCallStatus", status)]).await;
        assert!(answer.body.ends_with("<Hangup/></Response>"), "{status}: {}", answer.body);
        assert_eq!(answer.body.contains("nobody could be reached"), !reached, "{status}: {}", answer.body);
    }
    assert_eq!(world.orchestrator.asked().len(), asked, "nothing more is said by the agent");
}

async fn whether_a_person_was_reached_is_told_with_the_end(engine: Engine) {
    let world = World::new(engine).await;
    for (status, reached) in [("completed", true), ("no-answer", false)] {
        let line = Line::running(&world).await;
        let path = format!("{}&turn=0&part=1", line.path("voice-transferred"));
        line.post(&path, &[("DialCallStatus", status)]).await;
        assert_eq!(line.report("completed", "3").await, 204);
        world.status(&line.wish, "completed").await;
        let end = world.orchestrator.reports_of(&line.wish.attempt_id).pop().unwrap();
        assert_eq!(end.nobody_reached, !reached, "{status}");
    }
}
