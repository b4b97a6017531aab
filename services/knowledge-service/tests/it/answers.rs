//! Questions that are answered: what comes in which order, what is kept, and what breaks.

use std::time::Duration;

use contracts::knowledge::{AnswerBegun, Verdict};
use contracts::rpc::RpcError;
use futures_util::StreamExt as _;
use testkit::database::Engine;
use testkit::model_server::{ModelServer, Script};
use testkit::on_both_engines;
use testkit::wait::eventually;
use uuid::Uuid;

use crate::asking::Answered;
use crate::world::World;

on_both_engines!(
    what_the_documents_say_is_answered_with_its_source,
    what_they_do_not_say_is_not_answered_and_no_model_is_asked,
    whoever_asks_for_a_person_is_offered_one,
    words_come_before_the_model_has_ended,
    a_model_that_breaks_off_is_no_end,
    what_a_model_was_told_cuts_its_answer_off,
    a_conversation_goes_on_in_its_own_app_only,
    what_was_drawn_from_a_source_that_is_gone_is_told_to_no_model_again,
    only_the_own_app_judges_an_answer,
    nothing_of_a_deleted_source_stays_in_what_answers_drew_from,
    nothing_of_a_replaced_text_stays_in_what_answers_drew_from,
    what_had_no_good_answer_is_shown_in_groups,
    what_is_kept_long_enough_is_removed_with_what_it_was_drawn_from,
);

const HOURS: &str = "We are open from nine to five on weekdays. On Sundays we are closed.";

async fn scripted(engine: Engine) -> (World, ModelServer) {
    let model = ModelServer::start().await.expect("a model");
    let settings = vec![("OPENAI_BASE_URL", model.url().to_owned())];
    (World::start_with(engine, settings).await, model)
}

fn say(pieces: &[&str]) -> Script {
    Script::Say(pieces.iter().map(|piece| (*piece).to_owned()).collect())
}

fn begun(answered: &Answered) -> &AnswerBegun {
    answered.begun.as_ref().expect("it began")
}

async fn what_the_documents_say_is_answered_with_its_source(engine: Engine) {
    let world = World::start(engine).await;
    let told = world.tell("app", "https://shop.example/hours", HOURS).await.expect("it is taken in");
    let answered = world.answer("app", "Are you closed on Sundays?", "").await;
    assert_eq!(answered.text, "On Sundays we are closed. [1]");
    assert_eq!(answered.end, Ok(false));
    let begun = begun(&answered);
    assert_eq!(begun.verdict(), Verdict::Answerable);
    let sources: Vec<_> =
        begun.sources.iter().map(|s| (s.id.as_str(), s.url.as_str(), s.snippet.as_str())).collect();
    assert_eq!(sources, [(told.source_id.as_str(), "https://shop.example/hours", HOURS)]);
    world.stop().await;
}

async fn what_they_do_not_say_is_not_answered_and_no_model_is_asked(engine: Engine) {
    let (world, model) = scripted(engine).await;
    world.tell("app", "", HOURS).await.expect("it is taken in");
    let answered = world.answer("app", "Was kostet ein Einhorn, und wo gibt es das?", "").await;
    assert!(answered.text.starts_with("Dazu habe ich"), "{}", answered.text);
    assert_eq!((answered.end.clone(), begun(&answered).verdict()), (Ok(true), Verdict::NotCovered));
    assert!(begun(&answered).sources.is_empty() && model.requests().is_empty());
    world.stop().await;
}

async fn whoever_asks_for_a_person_is_offered_one(engine: Engine) {
    let world = World::start(engine).await;
    world.tell("app", "", HOURS).await.expect("it is taken in");
    let answered = world.answer("app", "Can I talk to a person about being open on Sundays?", "").await;
    assert_eq!((answered.end.clone(), begun(&answered).verdict()), (Ok(true), Verdict::NeedsHuman));
    assert!(begun(&answered).sources.is_empty());
    world.stop().await;
}

async fn words_come_before_the_model_has_ended(engine: Engine) {
    let (world, model) = scripted(engine).await;
    world.tell("app", "", HOURS).await.expect("it is taken in");
    // It never ends.
    model.push(Script::Stall(vec!["From ".to_owned(), "nine [1].".to_owned()]));
    let (_, mut parts) = world.open("app", "When are you open?", "").await.expect("a stream");
    let mut text = String::new();
    while text != "From nine [1]." {
        if let Some(contracts::knowledge::answer_part::Part::Text(more)) =
            parts.next().await.expect("more").expect("a part").part
        {
            text.push_str(&more);
        }
    }
    world.stop().await;
}

async fn a_model_that_breaks_off_is_no_end(engine: Engine) {
    let (world, model) = scripted(engine).await;
    world.tell("app", "", HOURS).await.expect("it is taken in");
    model.push(Script::Die(vec!["From nine".to_owned()]));
    let answered = world.answer("app", "When are you open?", "").await;
    assert_eq!(answered.text, "From nine");
    assert!(matches!(answered.end, Err(RpcError::Unavailable(_))), "{:?}", answered.end);
    assert_eq!(world.count("SELECT COUNT(*) AS count FROM answers WHERE NOT finished").await, 1);
    world.stop().await;
}

async fn what_a_model_was_told_cuts_its_answer_off(engine: Engine) {
    let (world, model) = scripted(engine).await;
    world.tell("app", "", HOURS).await.expect("it is taken in");
    model.push(say(&["Fine <img src=x> [2] [1]."]));
    let answered = world.answer("app", "When are you open?", "").await;
    assert_eq!(answered.text, "Fine ‹img src=x>  [1].");
    let told = |at: usize| model.requests()[at].body.to_string();
    let canary = told(0).split("this word: ").nth(1).expect("a canary")[..26].to_owned();
    // Each question has a word of its own: that of another is nobody's secret.
    model.push(say(&[&format!("It is {canary}.")]));
    assert_eq!(world.answer("app", "When are you open?", "").await.end, Ok(false));
    assert!(!told(1).contains(&canary));
    model.push(Script::SayBack { before: "this word: ".to_owned(), chars: 26 });
    let cut = world.answer("app", "When are you open?", "").await;
    assert_eq!(
        (cut.text.as_str(), cut.end),
        ("", Err(RpcError::Internal("the answer was cut off".to_owned())))
    );
    world.stop().await;
}

async fn a_conversation_goes_on_in_its_own_app_only(engine: Engine) {
    let (world, model) = scripted(engine).await;
    for app in ["app", "other"] {
        world.tell(app, "", HOURS).await.expect("it is taken in");
    }
    model.push(say(&["From nine."]));
    let first = world.answer("app", "When are you open?", "").await;
    let id = begun(&first).conversation_id.clone();
    let second = world.answer("app", "And open on Sundays?", &id).await;
    assert_eq!(begun(&second).conversation_id, id);
    let told = model.requests()[1].body.to_string();
    assert!(told.contains("When are you open?") && told.contains("From nine."), "{told}");
    world.answer("other", "Open on Sundays?", &id).await;
    assert!(!model.requests()[2].body.to_string().contains("When are you open?"));
    assert_eq!(world.count("SELECT COUNT(*) AS count FROM conversations").await, 2);
    world.stop().await;
}

async fn what_was_drawn_from_a_source_that_is_gone_is_told_to_no_model_again(engine: Engine) {
    let (world, model) = scripted(engine).await;
    let hours = world.tell("app", "", HOURS).await.expect("it is taken in");
    let parking = "Parking is free on Sundays for all who come.";
    world.tell("app", "", parking).await.expect("it is taken in");
    model.push(say(&["From nine. [1]"]));
    let first = world.answer("app", "When are you open?", "").await;
    let id = begun(&first).conversation_id.clone();
    world.answer("app", "Is parking free on Sundays?", &id).await;
    let told = model.requests()[1].body.to_string();
    assert!(told.contains("From nine.") && !told.contains("From nine. [1]"), "{told}");
    world.forget("app", &hours.source_id).await.expect("it is deleted");
    world.answer("app", "Is parking free on all Sundays?", &id).await;
    let told = model.requests()[2].body.to_string();
    assert!(told.contains(parking) && !told.contains("From nine."), "{told}");
    world.stop().await;
}

async fn only_the_own_app_judges_an_answer(engine: Engine) {
    let world = World::start(engine).await;
    let answered = world.answer("app", "When are you open?", "").await;
    let not_found = Err(RpcError::NotFound("answer".to_owned()));
    assert_eq!(world.judge("other", &answered.id, false).await, not_found);
    assert_eq!(world.judge("app", &Uuid::now_v7().to_string(), true).await, not_found);
    assert_eq!(world.judge("app", "mine", true).await, not_found);
    for helpful in [true, false, true] {
        assert_eq!(world.judge("app", &answered.id, helpful).await, Ok(()));
    }
    let insights = world.insights("app", 5).await;
    assert_eq!((insights.questions, insights.helpful, insights.unhelpful), (1, 1, 0));
    assert_eq!(world.insights("other", 5).await.questions, 0);
    world.stop().await;
}

async fn nothing_of_a_deleted_source_stays_in_what_answers_drew_from(engine: Engine) {
    let world = World::start(engine).await;
    let told = world.tell("app", "", HOURS).await.expect("it is taken in");
    world
        .tell("app", "", "Parking is free for all who come when we are open.")
        .await
        .expect("it is taken in");
    world.answer("app", "Is parking free on Sundays?", "").await;
    let full = "SELECT COUNT(*) AS count FROM answer_passages WHERE text <> ''";
    assert_eq!(world.count(full).await, 2);
    world.forget("app", &told.source_id).await.expect("it is deleted");
    assert_eq!(world.count(full).await, 1);
    assert_eq!(world.count("SELECT COUNT(*) AS count FROM answer_passages").await, 2);
    world.stop().await;
}

async fn nothing_of_a_replaced_text_stays_in_what_answers_drew_from(engine: Engine) {
    let world = World::start(engine).await;
    let url = "https://shop.example/hours";
    world.tell("app", url, HOURS).await.expect("it is taken in");
    world.tell("other", url, HOURS).await.expect("it is taken in");
    for app in ["app", "other"] {
        world.answer(app, "Are you closed on Sundays?", "").await;
    }
    let full = "SELECT COUNT(*) AS count FROM answer_passages WHERE text <> ''";
    assert_eq!(world.count(full).await, 2);
    world.tell("app", url, "We are always open, on Sundays too.").await.expect("it is replaced");
    assert_eq!(world.count(full).await, 1);
    world.answer("app", "Are you open on Sundays?", "").await;
    assert_eq!(world.count(full).await, 2);
    world.stop().await;
}

async fn what_had_no_good_answer_is_shown_in_groups(engine: Engine) {
    let world = World::start(engine).await;
    world.tell("app", "", HOURS).await.expect("it is taken in");
    for question in ["Do you ship to Iceland?", "Shipping to Iceland?", "Is there parking?"] {
        world.answer("app", question, "").await;
    }
    let bad = world.answer("app", "When are you open?", "").await;
    world.judge("app", &bad.id, false).await.expect("it is kept");
    let insights = world.insights("app", 2).await;
    assert_eq!((insights.questions, insights.unanswered, insights.unhelpful), (4, 3, 1));
    let groups: Vec<_> =
        insights.groups.iter().map(|g| (g.question.as_str(), g.count, g.not_covered, g.unhelpful)).collect();
    assert_eq!(groups, [("Shipping to Iceland?", 2, 2, 0), ("When are you open?", 1, 0, 1)]);
    assert_eq!(insights.conversations.len(), 2);
    assert_eq!(insights.conversations[0].first_question, "When are you open?");
    world.stop().await;
}

async fn what_is_kept_long_enough_is_removed_with_what_it_was_drawn_from(engine: Engine) {
    let world = World::start(engine).await;
    world.tell("app", "", HOURS).await.expect("it is taken in");
    let old = world.answer("app", "When are you open?", "").await;
    world.answer("app", "Are you open on Sundays?", "").await;
    for table in ["answers SET asked_at", "conversations SET last_at"] {
        let id = if table.starts_with('a') { old.id.clone() } else { begun(&old).conversation_id.clone() };
        world.change(format!("UPDATE {table} = '2020-01-01T00:00:00.000000Z' WHERE id = '{id}'")).await;
    }
    // A round is done at every start.
    let world = world.restart().await;
    for table in ["answers", "conversations", "answer_passages"] {
        let query = format!("SELECT COUNT(*) AS count FROM {table}");
        eventually(table, Duration::from_secs(20), || async {
            match world.count(&query).await {
                1 => Ok(()),
                more => Err(more),
            }
        })
        .await;
    }
    world.stop().await;
}
