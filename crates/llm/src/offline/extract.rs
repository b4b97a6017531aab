//! Values out of a finished conversation, by the same reading that led it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::questions::{capitalised, humanised};
use super::reading::{self, Learned, Reading};
use super::understand::choice;
use super::{bot, schema};
use crate::extract::with_property_set;
use crate::{Evidence, ExtractRequest, Extracted, Speaker};

/// Reads the schema's values out of the transcript.
pub(crate) fn extract(req: &ExtractRequest) -> Extracted {
    if bot::is_result_of(&req.schema) {
        return bot::extract(req);
    }
    let slots = schema::slots(&req.schema);
    let said = req.transcript.iter().map(|said| (said.turn, said.speaker, said.text.as_str()));
    let (exchanges, _) = reading::exchanges(said);
    let reading = Reading::of(&slots, &exchanges);
    let mut found = Map::new();
    let mut evidence = BTreeMap::new();
    for (slot, learned) in slots.iter().zip(&reading.learned) {
        let value = learned.as_ref().map_or(Value::Null, |learned| learned.value.clone());
        insert(&mut found, &slot.path, value);
        if let (Some(learned), Some(top)) = (learned, slot.path.first()) {
            evidence.entry(top.clone()).or_insert_with(|| evidence_of(learned));
        }
    }
    outcome(&req.schema, &mut found, &mut evidence);
    forget_empty_objects(&mut found);
    let value = with_property_set(&req.schema, &found);
    let summary = summary(req, &reading, &value);
    Extracted { value: Value::Object(value), evidence, summary, used: None }
}

fn evidence_of(learned: &Learned) -> Evidence {
    Evidence { turn: Some(learned.turn), quote: Some(learned.quote.clone()) }
}

fn insert(object: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [name] => {
            object.insert(name.clone(), value);
        }
        [name, rest @ ..] => {
            let inner = object.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

/// A nested object of which nothing was learned was not learned.
fn forget_empty_objects(object: &mut Map<String, Value>) {
    for value in object.values_mut() {
        if let Value::Object(inner) = value {
            forget_empty_objects(inner);
            if inner.values().all(Value::is_null) {
                *value = Value::Null;
            }
        }
    }
}

/// The outcome of a plain message: a preferred time is a wish to reschedule, and no clear answer is an
/// outcome too, though without evidence.
fn outcome(schema: &Value, found: &mut Map<String, Value>, evidence: &mut BTreeMap<String, Evidence>) {
    let allowed = |option: &str| {
        schema["properties"]["outcome"]["enum"]
            .as_array()
            .is_some_and(|options| options.iter().any(|o| o == option))
    };
    if found.get("outcome").is_none_or(|outcome| !outcome.is_null()) {
        return;
    }
    if allowed("reschedule_requested")
        && let Some(proof) = evidence.get("reschedule_request").cloned()
    {
        found.insert("outcome".to_owned(), "reschedule_requested".into());
        evidence.insert("outcome".to_owned(), proof);
    } else if allowed("no_clear_answer") {
        found.insert("outcome".to_owned(), "no_clear_answer".into());
    }
}

fn summary(req: &ExtractRequest, reading: &Reading<'_>, value: &Map<String, Value>) -> String {
    if reading.stopped {
        return "The customer asked not to be called again.".to_owned();
    }
    if !req.transcript.iter().any(|said| said.speaker == Speaker::Customer) {
        return "The customer said nothing.".to_owned();
    }
    let facts: Vec<String> = value
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| format!("{}: {}", humanised(name), plain(value)))
        .collect();
    if facts.is_empty() {
        return "The customer answered, but nothing was learned.".to_owned();
    }
    format!("{}.", capitalised(&facts.join("; ")))
}

fn plain(value: &Value) -> String {
    match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let known = fields.iter().filter(|(_, value)| !value.is_null());
            known
                .map(|(name, value)| format!("{} {}", humanised(name), plain(value)))
                .collect::<Vec<_>>()
                .join(", ")
        }
        other => choice::label(other),
    }
}
