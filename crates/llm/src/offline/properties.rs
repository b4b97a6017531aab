//! What holds for every customer, whatever they say.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::conversations::{QUICKSTART, agent, hold, quickstart_schema, read_out};
use super::{events, plan};
use crate::{ChatEvent, ChatRequest, Heard};

fn schemas() -> impl Strategy<Value = Value> {
    let survey = json!({"type": "object", "properties": {
        "a": {"type": "boolean"}, "b": {"type": "integer"}, "c": {"enum": ["x", "y", 3]}, "d": {"type": "string", "format": "date"},
        "e": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "number"}, "w": {"type": "string"}}}},
        "f": {"type": "object", "properties": {"name": {"type": "string"}, "time": {"type": "string"}}},
    }});
    prop_oneof![
        Just(quickstart_schema()),
        Just(survey),
        Just(json!({"type": "object"})),
        Just(json!({"properties": {"x": true, "y": 5}}))
    ]
}

/// Arbitrary text, and text made of words that the rules know, which gets further into them.
fn lines() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "yes", "no", "not", "but", "Friday", "at", "three", "hundred", "point", "and", "a", "half", "March",
        "twenty", "first", "what", "who", "is", "this", "?", ",", ".", "my", "name", "cancel", "instead",
        "the", "2026", "3:30", "1/2/2026", "don't", "I", "want", "to", "of", "minus", "please", "sorry",
        "again", "May", "works", "bye", "ß", "…", "’", "million", "thousand",
    ]);
    prop_oneof![
        ".{0,60}",
        "\\PC{0,40}",
        prop::collection::vec(words, 0..14).prop_map(|words| words.join(" ")),
        Just("...".to_owned()),
        "#[0-9*]{1,4}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_conversation_ends_within_thirty_turns_and_gives_the_properties_of_its_schema(
        lines in prop::collection::vec(lines(), 30), schema in schemas(),
    ) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let held = hold(agent(QUICKSTART, Some(schema.clone())), &lines);
        prop_assert!(held.end.is_some(), "still talking: {:?}", held.agent);
        prop_assert!(held.agent.len() <= 31);
        prop_assert!(held.agent.iter().all(|text| !text.trim().is_empty()));
        let read = read_out(&held, &schema);
        let names = |value: &Value| value.as_object().map(|o| o.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
        prop_assert_eq!(names(&read.value), names(&schema["properties"]));
        for (name, evidence) in &read.evidence {
            prop_assert!(!read.value[name].is_null());
            let turn = usize::try_from(evidence.turn.unwrap()).unwrap();
            prop_assert!(held.request.history[turn - 1].text.contains(evidence.quote.as_ref().unwrap()));
        }
    }

    #[test]
    fn no_prompt_and_no_schema_breaks_the_first_word(system in "(?s).{0,200}", key in "\\PC{0,12}", description in "(?s).{0,60}") {
        let schema = json!({"properties": {key: {"description": description}}});
        let request = agent(&system, Some(schema));
        let reply = plan::reply(&request);
        prop_assert!(!reply.text.trim().is_empty());
        let spoken = ChatRequest { heard: Heard::Speech { text: system.clone(), confidence: None }, ..request.clone() };
        prop_assert_eq!(plan::reply(&spoken), plan::reply(&spoken));
    }

    #[test]
    fn the_pieces_of_a_reply_join_to_the_reply(text in "[A-Za-z.?! ]{1,80}") {
        let reply = plan::Reply { text: text.clone(), then: None };
        let joined: String = events(reply).into_iter().map(|event| match event {
            ChatEvent::Text(piece) => piece,
            other => panic!("{other:?}"),
        }).collect();
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        prop_assert_eq!(words(&joined), words(&text));
    }
}
