//! What the offline model does besides speaking: it calls a tool when everything that the tool requires is known, or when a
//! question is what the tool is for; it offers free times to whom the time does not suit, and settles one.

use serde_json::{Map, Value, json};

use super::lines::{BOOKED, FOLLOW_UP, LOOKED_UP, TAKEN};
use super::reading::{Effect, Offered, Reading, Step};
use super::understand::{choice, date, offer};
use super::words::{Words, as_sentence};
use super::{knowledge, schema};
use crate::{Abilities, BOOK_TIME, FreeTime, Tool, ToolCall, ToolOutcome, ToolUse};

/// Times that are offered at once: more nobody keeps in mind.
const OFFERED: usize = 3;
/// Characters of a tool's answer that are said.
const SAID: usize = 400;

/// The slots of the first tool that wants something, for an agent that collects nothing else.
pub(super) fn slots(abilities: &Abilities) -> Vec<schema::Slot> {
    let wanting = abilities.tools.iter().find(|tool| !required(tool).is_empty());
    wanting.map(|tool| schema::slots(&tool.parameters)).unwrap_or_default()
}

fn required(tool: &Tool) -> Vec<&str> {
    let listed = tool.parameters.get("required").and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The call that is due after the customer's last words.
pub(super) fn wanted(
    abilities: &Abilities,
    reading: &Reading<'_>,
    step: &Step,
    words: &Words<'_>,
) -> Option<ToolCall> {
    if let Some(call) = booking(abilities, reading, step, words) {
        return Some(call);
    }
    let unused =
        |tool: &&Tool| !abilities.uses.iter().any(|used| used.after.is_none() && used.call.name == tool.name);
    let call = |tool: &Tool, arguments| ToolCall { id: id(abilities), name: tool.name.clone(), arguments };
    abilities.tools.iter().filter(unused).find_map(|tool| {
        let names = required(tool);
        if names.is_empty() {
            let about = format!("{}. {}", super::questions::humanised(&tool.name), tool.description);
            let asked = step.asks && knowledge::quote(&about.replace('?', "."), words.source).is_some();
            return asked.then(|| call(tool, Map::new()));
        }
        let Effect::Filled(last) = step.effect else { return None };
        let completes = names.contains(&reading.slots[last].name());
        let known = known(tool, reading);
        let complete = names.iter().all(|name| known.contains_key(*name));
        (completes && complete).then(|| call(tool, known))
    })
}

/// The learned values that a tool takes, by name.
fn known(tool: &Tool, reading: &Reading<'_>) -> Map<String, Value> {
    let taken = tool.parameters.get("properties").and_then(Value::as_object);
    let learned = |name: &String| {
        let slots = reading.slots.iter().zip(&reading.learned);
        slots.into_iter().find_map(|(slot, learned)| learned.as_ref().filter(|_| slot.name() == name))
    };
    taken
        .into_iter()
        .flat_map(Map::keys)
        .filter_map(|n| Some((n.clone(), learned(n)?.value.clone())))
        .collect()
}

fn id(abilities: &Abilities) -> String {
    format!("call_{}", abilities.uses.len())
}

/// The time that the customer has agreed to or asked for.
fn booking(abilities: &Abilities, reading: &Reading<'_>, step: &Step, words: &Words<'_>) -> Option<ToolCall> {
    let rescheduling = abilities.rescheduling.as_ref()?;
    if booked(abilities)
        || abilities.uses.iter().any(|used| used.after.is_none() && used.call.name == BOOK_TIME)
    {
        return None;
    }
    let call = |arguments: Value| {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        Some(ToolCall { id: id(abilities), name: BOOK_TIME.to_owned(), arguments })
    };
    let free = free(abilities);
    let time_of = |spoken: &str| free.iter().find(|free| free.spoken == spoken).map(|free| free.time.clone());
    if let Effect::Offer(Offered::Chose(index)) = step.effect {
        let spoken = reading.offer.get(index)?;
        return call(json!({"time": time_of(spoken)?}));
    }
    let own = date::when(words).filter(|_| moves(reading, step, words)).map(|range| words.text(range))?;
    let spoken: Vec<String> = free.iter().map(|free| free.spoken.clone()).collect();
    match offer::chosen(&Words::of(own), &spoken) {
        Some(index) => call(json!({"time": free.get(index)?.time})),
        None if rescheduling.any_time => call(json!({ "preferred": own })),
        None => None,
    }
}

/// Whether the customer's last words ask for another time.
fn moves(reading: &Reading<'_>, step: &Step, words: &Words<'_>) -> bool {
    match step.effect {
        Effect::Filled(index) => {
            let value = reading.learned[index].as_ref().map(|learned| &learned.value);
            let no = value == Some(&Value::Bool(false)) && confirms(reading, index);
            no || reading.slots[index].takes_other_time() || value.is_some_and(reschedules)
        }
        Effect::Offer(offered) => offered == Offered::Other,
        Effect::Nothing | Effect::Unclear(_) => choice::wants_other_time(words),
        Effect::Declined(_) => false,
    }
}

/// Whether a "no" to this slot is about the time: the form asks for another one then, or it is a confirmation.
fn confirms(reading: &Reading<'_>, index: usize) -> bool {
    let confirmed = super::words::stems("confirmed");
    reading.slots.iter().any(schema::Slot::takes_other_time)
        || reading.slots[index].about.iter().any(|stem| confirmed.contains(stem))
}

fn reschedules(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains("reschedul"))
}

fn booked(abilities: &Abilities) -> bool {
    bookings(abilities).any(|(_, answer)| answer["booked"] == true)
}

/// What was answered to wishes for another time.
fn bookings(abilities: &Abilities) -> impl Iterator<Item = (&ToolUse, Value)> {
    abilities.uses.iter().filter(|used| used.call.name == BOOK_TIME).map(|used| {
        let answer = match &used.outcome {
            ToolOutcome::Answered(text) => serde_json::from_str(text).unwrap_or_default(),
            ToolOutcome::Failed(_) | ToolOutcome::Unknown => Value::Null,
        };
        (used, answer)
    })
}

/// What can be offered now: what the last answer named, else what was free from the start.
fn free(abilities: &Abilities) -> Vec<FreeTime> {
    let named = bookings(abilities).filter_map(|(_, answer)| answer["free"].as_array().cloned()).last();
    let text = |value: &Value, name: &str| value[name].as_str().map(str::to_owned);
    let read = |value: &Value| Some(FreeTime { time: text(value, "time")?, spoken: text(value, "spoken")? });
    match (named, &abilities.rescheduling) {
        (Some(named), _) => named.iter().filter_map(read).collect(),
        (None, Some(rescheduling)) => rescheduling.free.clone(),
        (None, None) => Vec::new(),
    }
}

/// The sentence that offers free times, where the customer's last words ask for one and none was offered yet.
pub(super) fn offer(
    abilities: &Abilities,
    reading: &Reading<'_>,
    step: &Step,
    words: &Words<'_>,
) -> Option<String> {
    let due = abilities.rescheduling.is_some() && reading.offer.is_empty() && !booked(abilities);
    (due && moves(reading, step, words)).then(|| offering(abilities)).flatten()
}

/// The sentence that offers what is free.
pub(super) fn offering(abilities: &Abilities) -> Option<String> {
    let free = free(abilities);
    let spoken: Vec<&str> = free.iter().take(OFFERED).map(|free| free.spoken.as_str()).collect();
    (!spoken.is_empty()).then(|| offer::sentence(&spoken))
}

/// What was done in this turn, as it is told to the customer; the second is a question, when the answer leads to one.
pub(super) fn told(abilities: &Abilities) -> Option<(String, Option<String>)> {
    let used = abilities.uses.iter().rfind(|used| used.after.is_none())?;
    if used.call.name != BOOK_TIME {
        return Some((
            match &used.outcome {
                ToolOutcome::Answered(text) => format!("{LOOKED_UP} {}", as_sentence(&said(text))),
                ToolOutcome::Failed(_) | ToolOutcome::Unknown => FOLLOW_UP.to_owned(),
            },
            None,
        ));
    }
    let answer = bookings(abilities).last().map(|(_, answer)| answer).unwrap_or_default();
    if answer["booked"] == true {
        let time = answer["spoken"].as_str().unwrap_or("the time that you wished for");
        return Some((format!("{BOOKED} {}", as_sentence(time)), None));
    }
    match (answer.is_null(), offering(abilities)) {
        (false, Some(offer)) => Some((TAKEN.to_owned(), Some(offer))),
        _ => Some((FOLLOW_UP.to_owned(), None)),
    }
}

/// A tool's answer in words: the text in it that is made to be said, else its values.
fn said(text: &str) -> String {
    let read = serde_json::from_str::<Value>(text);
    let spoken = match read {
        Ok(Value::Object(fields)) => {
            let made_for_it = ["say", "message", "answer", "result", "text"];
            let found = made_for_it.iter().find_map(|name| fields.get(*name).and_then(Value::as_str));
            let listed = || {
                let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let pairs = fields.iter().filter(|(_, value)| !value.is_object() && !value.is_array());
                let pairs =
                    pairs.map(|(name, v)| format!("{}: {}", super::questions::humanised(name), plain(v)));
                pairs.collect::<Vec<_>>().join(", ")
            };
            found.map_or_else(listed, str::to_owned)
        }
        Ok(Value::String(text)) => text,
        _ => text.to_owned(),
    };
    // A question in it would be taken for one of ours.
    let one_line = spoken.split_whitespace().collect::<Vec<_>>().join(" ").replace('?', ".");
    one_line.chars().take(SAID).collect()
}

#[cfg(test)]
mod tests;
