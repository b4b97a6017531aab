//! Another time: offered, chosen, booked, and what is told of it.

use contracts::calls::{CallSummarised, PlaceNotificationRequest};
use serde_json::{Value, json};
use testkit::database::Engine;
use testkit::model_server::Script;
use testkit::on_both_engines;

use crate::tools::answer;
use crate::world::{World, by_agent, by_message, heard};

on_both_engines![
    a_free_time_is_offered_chosen_and_settled,
    the_result_of_a_message_says_where_it_was_moved_to,
    a_time_is_booked_by_a_signed_request_in_the_call,
    a_time_that_is_taken_leads_to_those_that_are_free,
    a_booking_whose_end_is_not_known_is_no_booking,
    the_notification_counts_before_its_agent,
    a_model_settles_only_what_is_free,
];

const FRIDAY: &str = "2099-03-20T10:00:00.000Z";
const MONDAY: &str = "2099-03-23T14:00:00.000Z";

fn slots() -> String {
    json!({"slots": [MONDAY, FRIDAY]}).to_string()
}

fn by_url() -> String {
    json!({"url": "https://clinic.example.com/book"}).to_string()
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn by_agent_with(world: &World, reschedule: String) -> PlaceNotificationRequest {
    let mut request = by_agent(world.project);
    request.agent.as_mut().unwrap().reschedule_json = reschedule;
    request
}

async fn a_free_time_is_offered_chosen_and_settled(engine: Engine) {
    let world = World::new(engine).await;
    let mut request = by_agent_with(&world, slots());
    request.policy = Some(contracts::accounts::ProjectPolicy {
        time_zone: "Europe/Berlin".to_owned(),
        ..contracts::accounts::ProjectPolicy::default()
    });
    let (placed, dial) = world.talk(request).await;
    let (offer, _) = world.whole_turn(&dial, 1, heard("No, I need another time.")).await;
    assert!(
        offer.contains("These times are free: Friday, March 20 at 11 AM; Monday, March 23 at 3 PM."),
        "in the project's own time: {offer}"
    );
    let (said, _) = world.whole_turn(&dial, 2, heard("Monday would be fine.")).await;
    assert!(said.contains("I have booked it for you: Monday, March 23 at 3 PM."), "{said}");
    world.complete(&dial, 9).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!(
        value(&summary.analysis_json).as_object().unwrap().len(),
        2,
        "exactly the schema's properties"
    );
    let expected = json!({"outcome": "rescheduled", "rescheduled_to": MONDAY, "reschedule_request": null});
    assert_eq!(value(&summary.reschedule_outcome_json), expected);
    assert_eq!(value(&world.get(&placed.id).await.reschedule_outcome_json), expected);
    assert!(world.sent().is_empty(), "nobody had to be asked");
}

async fn message(world: &World, reschedule: String, lines: &[&str]) -> CallSummarised {
    let mut request = by_message(world.project);
    request.collect_feedback = true;
    request.reschedule_json = reschedule;
    let (placed, dial) = world.talk(request).await;
    for (turn, line) in (1..).zip(lines) {
        world.whole_turn(&dial, turn, heard(line)).await;
    }
    world.complete(&dial, 9).await;
    world.summary(&placed.id).await
}

async fn the_result_of_a_message_says_where_it_was_moved_to(engine: Engine) {
    let world = World::new(engine).await;
    let summary =
        message(&world, slots(), &["I need to reschedule.", "The first one, please.", "No, thanks."]).await;
    assert_eq!(
        value(&summary.analysis_json),
        json!({"outcome": "rescheduled", "rescheduled_to": FRIDAY, "reschedule_request": null, "feedback": null})
    );
    let evidence = &value(&summary.evidence_json)["rescheduled_to"];
    assert_eq!(*evidence, json!({"status": "grounded", "turn": 2, "quote": "The first one, please."}));
}

async fn a_time_is_booked_by_a_signed_request_in_the_call(engine: Engine) {
    let world = World::new(engine).await;
    world.tools_answer([answer(&json!({"accepted": true, "time": FRIDAY}).to_string())]);
    let (placed, dial) = world.talk(by_agent_with(&world, by_url())).await;
    world.whole_turn(&dial, 1, heard("No, could we do Friday at ten instead?")).await;
    let sent = world.sent();
    assert_eq!(
        (&sent[0]["event_name"], &sent[0]["preferred"]),
        (&json!("reschedule.book"), &json!("Friday at ten"))
    );
    assert_eq!(sent[0]["notification_id"], json!(placed.id));
    world.complete(&dial, 9).await;
    let outcome = value(&world.summary(&placed.id).await.reschedule_outcome_json);
    assert_eq!((&outcome["outcome"], &outcome["rescheduled_to"]), (&json!("rescheduled"), &json!(FRIDAY)));
}

async fn a_time_that_is_taken_leads_to_those_that_are_free(engine: Engine) {
    let world = World::new(engine).await;
    let taken = json!({"accepted": false, "slots": [MONDAY]}).to_string();
    world.tools_answer([answer(&taken), answer(&json!({"accepted": true}).to_string())]);
    let (placed, dial) = world.talk(by_agent_with(&world, by_url())).await;
    let (offer, _) = world.whole_turn(&dial, 1, heard("No, could we do Friday at ten instead?")).await;
    assert!(offer.contains("These times are free: Monday, March 23 at 2 PM."), "{offer}");
    world.whole_turn(&dial, 2, heard("Yes, that works.")).await;
    assert_eq!(world.sent()[1]["preferred"], json!(MONDAY));
    world.complete(&dial, 9).await;
    let outcome = value(&world.summary(&placed.id).await.reschedule_outcome_json);
    assert_eq!(outcome["rescheduled_to"], json!(MONDAY));
}

async fn a_booking_whose_end_is_not_known_is_no_booking(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.talk(by_agent_with(&world, by_url())).await;
    let (said, _) = world.whole_turn(&dial, 1, heard("No, could we do Friday at ten instead?")).await;
    assert!(said.contains("somebody will follow up"), "{said}");
    world.complete(&dial, 9).await;
    assert_eq!(
        value(&world.summary(&placed.id).await.reschedule_outcome_json),
        json!({"outcome": "reschedule_requested", "rescheduled_to": null, "reschedule_request": "Friday at ten"})
    );
}

async fn the_notification_counts_before_its_agent(engine: Engine) {
    let world = World::new(engine).await;
    let mut request = by_agent_with(&world, by_url());
    request.reschedule_json = slots();
    let (_, dial) = world.talk(request).await;
    let (offer, _) = world.whole_turn(&dial, 1, heard("No, that does not work.")).await;
    assert!(offer.contains("These times are free: Friday"), "{offer}");
    let mut wrong = by_agent(world.project);
    wrong.reschedule_json = json!({"slots": ["soon"]}).to_string();
    let refused = world.try_place(wrong).await.unwrap_err().to_string();
    assert!(refused.starts_with("invalid: reschedule: must hold slots (RFC 3339 times)"), "{refused}");
}

async fn a_model_settles_only_what_is_free(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let (placed, dial) = world.talk(by_agent_with(&world, slots())).await;
    let book = |time: &str| Script::Call {
        text: vec![],
        name: "book_time".to_owned(),
        arguments: json!({ "time": time }).to_string(),
    };
    let say = |text: &str| Script::Say(vec![text.to_owned()]);
    for script in [book("2099-03-21T10:00:00Z"), say("That is taken."), book(FRIDAY), say("Booked.")] {
        model.push(script);
    }
    world.whole_turn(&dial, 1, heard("Saturday?")).await;
    let told = model.requests()[1].body["messages"].to_string();
    assert!(told.contains(r#"\\\"booked\\\":false"#), "{told}");
    world.whole_turn(&dial, 2, heard("Friday then.")).await;
    world.complete(&dial, 9).await;
    let outcome = value(&world.summary(&placed.id).await.reschedule_outcome_json);
    assert_eq!(outcome["rescheduled_to"], json!(FRIDAY));
}
