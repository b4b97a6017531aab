//! A model that gives no answer: an apology, then a goodbye, and a summary all the same.

use contracts::calls::Then;
use testkit::database::Engine;
use testkit::model_server::{ModelServer, Script};
use testkit::on_both_engines;

use crate::world::{OPENING, World, by_agent, heard};

on_both_engines![
    a_model_that_streams_garbage_is_apologised_for_twice_at_most,
    a_model_that_answers_with_server_errors_is_apologised_for,
    a_model_that_dies_in_the_middle_is_apologised_for_after_what_it_said,
    a_model_that_stalls_is_apologised_for,
    a_model_that_hangs_is_apologised_for,
    a_model_that_says_nothing_is_apologised_for,
    a_model_that_ends_the_call_without_a_word_says_goodbye,
    a_model_that_recovers_goes_on,
    a_model_that_never_stops_talking_is_cut,
];

const SORRY: &str = "I am sorry, I have a technical problem. Could you say that again, please?";
const GOODBYE: &str =
    "I am sorry, something is not working on our side, so I have to end this call. Goodbye.";

async fn fails_twice(engine: Engine, script: Script, before: &str) {
    let (world, model) = World::scripted(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    push(&model, &script, 6);
    let sorry = world.whole_turn(&dial, 1, heard("Yes.")).await;
    assert_eq!(sorry, (format!("{before}{SORRY}"), i32::from(Then::Listen)));
    let goodbye = world.whole_turn(&dial, 2, heard("I said yes.")).await;
    assert_eq!(goodbye, (format!("{before}{GOODBYE}"), i32::from(Then::HangUp)));
    world.complete(&dial, 9).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!((summary.status.as_str(), summary.ended_reason.as_str()), ("failed", "error"));
    assert!(summary.transcript.starts_with(&format!("AI: {OPENING}\nCustomer: Yes.\nAI: {before}{SORRY}")));
}

fn push(model: &ModelServer, script: &Script, times: usize) {
    for _ in 0..times {
        model.push(script.clone());
    }
}

async fn a_model_that_streams_garbage_is_apologised_for_twice_at_most(engine: Engine) {
    fails_twice(engine, Script::GarbageSse, "").await;
}

async fn a_model_that_answers_with_server_errors_is_apologised_for(engine: Engine) {
    let script = Script::Status { code: 500, body: "no".to_owned(), retry_after: None };
    fails_twice(engine, script, "").await;
}

async fn a_model_that_dies_in_the_middle_is_apologised_for_after_what_it_said(engine: Engine) {
    // The sentence that was not finished is not spoken.
    fails_twice(engine, Script::Die(vec!["That is fine. And th".to_owned()]), "That is fine. ").await;
}

async fn one_apology(engine: Engine, script: Script, before: &str) {
    let (world, model) = World::scripted(engine).await;
    let (_, dial) = world.talk(by_agent(world.project)).await;
    model.push(script);
    let sorry = world.whole_turn(&dial, 1, heard("Yes.")).await;
    assert_eq!(sorry, (format!("{before}{SORRY}"), i32::from(Then::Listen)));
}

async fn a_model_that_stalls_is_apologised_for(engine: Engine) {
    one_apology(engine, Script::Stall(vec!["One moment. I".to_owned()]), "One moment. ").await;
}

async fn a_model_that_hangs_is_apologised_for(engine: Engine) {
    one_apology(engine, Script::Hang, "").await;
}

async fn a_model_that_says_nothing_is_apologised_for(engine: Engine) {
    one_apology(engine, Script::Say(vec!["** ".to_owned()]), "").await;
}

async fn a_model_that_ends_the_call_without_a_word_says_goodbye(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    model.push(Script::Call { text: vec![], name: "end_call".to_owned(), arguments: "{}".to_owned() });
    let said = world.whole_turn(&dial, 1, heard("Bye.")).await;
    assert_eq!(said, ("Goodbye.".to_owned(), i32::from(Then::HangUp)));
    world.complete(&dial, 9).await;
    assert_eq!(world.summary(&placed.id).await.ended_reason, "agent-ended-call");
}

async fn a_model_that_recovers_goes_on(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let (_, dial) = world.talk(by_agent(world.project)).await;
    for script in [Script::GarbageSse, Script::Say(vec!["Good.".to_owned()]), Script::GarbageSse] {
        model.push(script);
    }
    assert_eq!(world.whole_turn(&dial, 1, heard("Yes.")).await.0, SORRY);
    assert_eq!(world.whole_turn(&dial, 2, heard("Yes.")).await.0, "Good.");
    assert_eq!(world.whole_turn(&dial, 3, heard("Yes.")).await.0, SORRY, "not in a row");
}

async fn a_model_that_never_stops_talking_is_cut(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let (_, dial) = world.talk(by_agent(world.project)).await;
    model.push(Script::Say(vec!["Bla bla bla. ".to_owned(); 1000]));
    let (said, then) = world.whole_turn(&dial, 1, heard("Yes.")).await;
    assert_eq!(then, i32::from(Then::Listen));
    assert!((1_900..2_200).contains(&said.len()), "{}", said.len());
}
