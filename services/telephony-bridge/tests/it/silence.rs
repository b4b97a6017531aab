//! Whatever is dead behind the bridge, the carrier hears from it in time, and the caller is not left in silence
//! for ever.

use contracts::calls::turn_input::Input;
use contracts::calls::{Silence, Speech};
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::line::{Answer, Line};
use crate::orchestrator::{Asked, Manner};
use crate::world::{ANSWER_WITHIN, World};

on_both_engines![
    an_orchestrator_that_hangs_costs_two_fillers_and_an_apology_twice_and_then_goodbye,
    an_orchestrator_that_is_not_there_is_covered_in_time,
    an_orchestrator_that_thinks_is_covered_and_then_heard,
    what_was_heard_is_not_lost_when_the_orchestrator_comes_back,
    a_turn_that_was_never_opened_is_opened_with_silence,
];

/// Goes where the documents lead, with the same words each time, at most `steps` times.
async fn follow(line: &Line<'_>, heard: &str, steps: usize) -> Vec<(String, Answer)> {
    let mut went = Vec::new();
    let mut path = Some(line.path("voice"));
    while let Some(request) = path.take().filter(|_| went.len() < steps) {
        let answer = line.post(&request, &[("SpeechResult", heard)]).await;
        assert!(answer.took < line.world.in_time(), "{request} took {:?}", answer.took);
        path = answer.next(line.world);
        went.push((request, answer));
    }
    went
}

async fn an_orchestrator_that_hangs_costs_two_fillers_and_an_apology_twice_and_then_goodbye(engine: Engine) {
    // The carrier's time is compressed: a call that waits for nine answers may not wait for long.
    let world = World::with(engine, &[(ANSWER_WITHIN, "2000")]).await;
    let line = Line::running(&world).await;
    world.orchestrator.behaves(Manner::Hangs);
    let went = follow(&line, "Hello?", 20).await;
    let query = |(request, _): &(String, Answer)| {
        let (path, query) = request.split_once('?').unwrap();
        let counters = query.split_once('&').map_or("", |(_, counters)| counters);
        format!("{} {counters}", path.trim_start_matches("/v1/"))
    };
    assert_eq!(
        went.iter().map(query).collect::<Vec<_>>(),
        [
            "voice ",
            "voice-next turn=0&fill=1",
            "voice-next turn=0&fill=2",
            "voice-response turn=1&sorry=1",
            "voice-next turn=1&fill=1&sorry=1",
            "voice-next turn=1&fill=2&sorry=1",
            "voice-response turn=2&sorry=2",
            "voice-next turn=2&fill=1&sorry=2",
            "voice-next turn=2&fill=2&sorry=2",
        ]
    );
    let listens: Vec<bool> = went.iter().map(|(_, answer)| answer.listens()).collect();
    assert_eq!(listens, [false, false, true, false, false, true, false, false, false]);
    assert!(went.last().unwrap().1.spoken().ends_with("Goodbye."));

    assert_eq!(line.report("completed", "3").await, 204);
    world.status(&line.wish, "completed").await;
    assert!(world.orchestrator.heard.lock().unwrap().progressed[0].gave_up);
}

async fn an_orchestrator_that_is_not_there_is_covered_in_time(engine: Engine) {
    let world = World::mute(engine).await;
    let line = Line::running(&world).await;
    let went = follow(&line, "Hello?", 4).await;
    let listens: Vec<bool> = went.iter().map(|(_, answer)| answer.listens()).collect();
    assert_eq!(listens, [false, false, true, false]);
}

async fn an_orchestrator_that_thinks_is_covered_and_then_heard(engine: Engine) {
    let world = World::new(engine).await;
    let line = Line::running(&world).await;
    world.orchestrator.behaves(Manner::Pending);
    let speech = [("SpeechResult", "Why?")];
    let answer = line.post(&(line.path("voice-response") + "&turn=1"), &speech).await;
    assert!(answer.took < world.in_time(), "{:?}", answer.took);
    world.orchestrator.behaves(Manner::Answers);
    let answer = line.post(&answer.next(&world).unwrap(), &[]).await;
    assert!(answer.spoken().starts_with("Sentence 0 of turn 1"), "{}", answer.body);
    // It has the question already; it is only asked for the sentence.
    assert_eq!(world.orchestrator.asked().last(), Some(&Asked::Next(1, 0)));
}

async fn what_was_heard_is_not_lost_when_the_orchestrator_comes_back(engine: Engine) {
    let world = World::new(engine).await;
    let line = Line::running(&world).await;
    for away_for in [1, 2] {
        let turn = away_for;
        world.orchestrator.behaves(Manner::Fails);
        let mut request = format!("{}&turn={turn}", line.path("voice-response"));
        let mut more = vec![("SpeechResult", "Tomorrow at nine"), ("Confidence", "0.5")];
        for _ in 0..away_for {
            let answer = line.post(&request, &more).await;
            assert!(answer.took < world.in_time(), "{:?}", answer.took);
            assert!(!answer.listens(), "a filler");
            request = answer.next(&world).unwrap();
            more.clear();
        }
        world.orchestrator.asked.lock().unwrap().clear();
        world.orchestrator.behaves(Manner::Answers);
        let answer = line.post(&request, &[]).await;
        assert!(answer.spoken().starts_with(&format!("Sentence 0 of turn {turn}")), "{}", answer.body);
        let speech = Speech { text: "Tomorrow at nine".into(), confidence: Some(0.5) };
        assert_eq!(world.orchestrator.asked(), [Asked::Start(turn, Input::Speech(speech))]);
    }
}

async fn a_turn_that_was_never_opened_is_opened_with_silence(engine: Engine) {
    let world = World::new(engine).await;
    let line = Line::running(&world).await;
    let answer = line.post(&(line.path("voice-next") + "&turn=3&fill=1"), &[]).await;
    assert!(answer.spoken().starts_with("Sentence 0 of turn 3"), "{}", answer.body);
    assert_eq!(world.orchestrator.asked(), [Asked::Next(3, 0), Asked::Start(3, Input::Silence(Silence {}))]);
    // A further sentence of a turn that nobody knows is the end.
    assert!(line.post(&(line.path("voice-next") + "&turn=4&part=1"), &[]).await.hangs_up());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_that_do_not_answer_cost_a_filler_and_what_was_heard_is_asked_for_again() {
    let world = World::new(Engine::Postgres).await;
    let line = Line::running(&world).await;
    let tables = world.hold_tables().await;
    let filler = line.pick_up().await;
    let heard = line.post(&(line.path("voice-response") + "&turn=1"), &[("SpeechResult", "Yes")]).await;
    tables.let_go().await;
    for answer in [&filler, &heard] {
        assert!(answer.took < world.in_time(), "{:?}", answer.took);
    }
    assert!(!filler.listens());
    assert!(heard.listens(), "nowhere to keep it: the caller is asked to say it again");
    assert_eq!(world.orchestrator.asked(), []);

    let answer = line.post(&filler.next(&world).unwrap(), &[]).await;
    assert!(answer.spoken().starts_with("Sentence 0 of turn 0"), "{}", answer.body);
}
