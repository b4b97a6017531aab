//! Whole calls to a bot.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::plan;
use super::*;
use crate::{ChatRequest, Heard, NumberedUtterance, Tool, ToolUse, Utterance};

const GREETING: &str = "Hi, welcome to your AI assistant. How can I help you today?";

fn request() -> ChatRequest {
    let tool = Tool { name: ACT.into(), description: String::new(), parameters: Value::Null };
    ChatRequest {
        system: String::new(),
        history: vec![],
        heard: Heard::CallAnswered,
        language: "en-US".into(),
        schema: None,
        opening: Some(GREETING.into()),
        plan: ConversationPlan::Bot {
            goal: "Book table".into(),
            context: "Open 5-10PM. Tables: 2,4,6".into(),
        },
        abilities: Abilities { tools: vec![tool], ..Abilities::default() },
        deadline: Duration::from_secs(1),
    }
}

/// A call that was held: what the bot said, what it had done, and how it ended.
struct Held {
    bot: Vec<String>,
    acts: Vec<Value>,
    end: Option<ChatEvent>,
    history: Vec<Utterance>,
}

/// The caller says these; an empty text is silence. The bot's own system answers with `outcome`.
fn hold(said: &[&str], outcome: &ToolOutcome) -> Held {
    let mut req = request();
    let opening = plan::reply(&req);
    let mut held = Held { bot: vec![opening.text.clone()], acts: vec![], end: None, history: vec![] };
    req.history.push(Utterance { speaker: Speaker::Agent, text: opening.text });
    for text in said {
        let speech = Heard::Speech { text: (*text).into(), confidence: None };
        req.heard = if text.is_empty() { Heard::Silence { times: 1 } } else { speech };
        let mut reply = plan::reply(&req);
        if let Some(ChatEvent::CallTool(call)) = &reply.then {
            held.acts.push(Value::Object(call.arguments.clone()));
            req.abilities.uses.push(ToolUse { call: call.clone(), outcome: outcome.clone(), after: None });
            reply = plan::reply(&req);
        }
        for used in &mut req.abilities.uses {
            used.after = Some(0);
        }
        if !text.is_empty() {
            req.history.push(Utterance { speaker: Speaker::Customer, text: (*text).into() });
        }
        req.history.push(Utterance { speaker: Speaker::Agent, text: reply.text.clone() });
        held.bot.push(reply.text);
        held.end = reply.then;
    }
    held.history = req.history;
    held
}

fn done() -> ToolOutcome {
    ToolOutcome::Answered(json!({"said": "Your table is booked.", "data": {"id": 7}}).to_string())
}

const BYE: Option<ChatEvent> = Some(ChatEvent::EndCall { reason: EndReason::Goodbye });

#[test]
fn a_caller_is_asked_in_turn_for_what_how_many_when_and_the_name() {
    let held = hold(
        &["I want to book a table.", "Four of us.", "Friday at 7 PM", "Ada Lovelace", "No, thanks."],
        &done(),
    );
    assert_eq!(
        held.bot,
        [
            GREETING,
            "Thank you. For how many, please?",
            "Thank you. When should it be?",
            "Thank you. What is your name, please?",
            ANYTHING_ELSE,
            CALLER_LEAVES,
        ]
    );
    let arguments =
        json!({"what": "book a table", "how_many": 4, "when": "Friday at 7 PM", "name": "Ada Lovelace"});
    assert_eq!(held.acts, [json!({"action": "book_table", "arguments": arguments})]);
    assert_eq!(held.end, BYE);
}

#[test]
fn what_is_said_in_one_breath_is_not_asked_for_again() {
    let held = hold(
        &["Hi, can I book a table for four on Friday at seven? My name is Ada.", "That is all, goodbye."],
        &ToolOutcome::Unknown,
    );
    let arguments = json!({"what": "book a table", "how_many": 4, "when": "Friday at seven", "name": "Ada"});
    assert_eq!(held.acts, [json!({"action": "book_table", "arguments": arguments})]);
    assert_eq!(held.bot[1], format!("{FOLLOW_UP} {ANYTHING_ELSE}"));
    assert_eq!(held.end, BYE);
}

#[test]
fn a_caller_who_asks_or_wants_something_else_is_answered_and_nothing_is_done_twice() {
    let held = hold(
        &["Are you open on Sunday?", "A table", "2", "Seven", "Ada", "Yes", "A high chair.", ""],
        &done(),
    );
    assert!(held.bot[1].contains("Open 5-10PM"), "{}", held.bot[1]);
    assert!(held.bot[1].ends_with("What can I do for you?"), "{}", held.bot[1]);
    assert_eq!(held.bot[6], GO_AHEAD);
    assert_eq!(held.bot[7], format!("{PASS_ON} {ANYTHING_ELSE}"));
    assert_eq!(held.acts.len(), 1);
    let arguments = json!({"what": "A table", "how_many": 2, "when": "Seven", "name": "Ada"});
    assert_eq!(held.acts[0]["arguments"], arguments, "what was only asked for was not said");
    assert_eq!(held.end, BYE, "silence after everything is an end");
}

#[test]
fn a_question_is_answered_and_is_no_name() {
    let held = hold(
        &[
            "A table for two tomorrow at eight, please.",
            "Is there parking",
            "When do you open?",
            "where is it",
            "Ada Lovelace",
        ],
        &done(),
    );
    for asked in 1..=4 {
        assert!(held.bot[asked].ends_with("What is your name, please?"), "{:?}", held.bot);
    }
    assert!(held.bot[3].contains("Open 5-10PM"), "{:?}", held.bot);
    assert_eq!(held.acts.len(), 1, "{:?}", held.bot);
    assert_eq!(held.acts[0]["arguments"]["name"], "Ada Lovelace");
}

#[test]
fn a_caller_who_leaves_or_wants_nothing_is_let_go() {
    for text in ["Sorry, wrong number.", "Nothing, goodbye.", "Bye."] {
        let held = hold(&[text], &done());
        assert_eq!((held.bot[1].as_str(), held.end), (CALLER_LEAVES, BYE), "{text}");
        assert!(held.acts.is_empty(), "{text}");
    }
}

/// What is read out of a call that was held.
fn read_out(held: &Held) -> Extracted {
    let numbered = |(turn, said): (usize, &Utterance)| NumberedUtterance {
        turn: u32::try_from(turn).unwrap(),
        speaker: said.speaker,
        text: said.text.clone(),
    };
    let schema = json!({"properties": {"collected": {"items": {"properties": {"quote": {}}}}}});
    assert!(is_result_of(&schema));
    extract(&ExtractRequest {
        transcript: held.history.iter().enumerate().map(numbered).collect(),
        schema,
        instructions: String::new(),
        previous_errors: vec![],
        deadline: Duration::from_secs(1),
    })
}

#[test]
fn what_was_said_is_read_out_with_its_place() {
    let held = hold(&["I want to book a table for two.", "tomorrow at eight", "It's Ada.", "no"], &done());
    let found = read_out(&held);
    assert_eq!(found.value["goal_reached"], true);
    let collected = &found.value["collected"];
    assert_eq!(
        collected[0],
        json!({
            "name": "what", "value": "book a table", "turn": 1, "quote": "I want to book a table for two.",
        })
    );
    let values: Vec<&Value> = collected.as_array().unwrap().iter().map(|entry| &entry["value"]).collect();
    assert_eq!(values, [&json!("book a table"), &json!(2), &json!("tomorrow at eight"), &json!("Ada")]);
}

#[test]
fn a_call_in_which_something_stays_unclear_has_not_reached_its_goal() {
    let again = "I would like to book a table, please.";
    let held = hold(&[again; 7], &done());
    let found = read_out(&held);
    assert_eq!(found.value["collected"][0]["value"], "book a table", "{:?}", held.bot);
    assert_eq!(found.value["goal_reached"], false, "{:?}", held.bot);
}
