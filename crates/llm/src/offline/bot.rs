//! A caller rings a bot: asked in turn for what, how many, when and the name; then the bot's own system is told, and "anything
//! else?" is asked until there is nothing.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::lines::{
    ANYTHING_ELSE, CALLER_LEAVES, FOLLOW_UP, GO_AHEAD, NEVER_MIND, NOT_UNDERSTOOD, PASS_ON, PASSED_ON, THANKS,
};
use super::plan::{Reply, Talk};
use super::questions::capitalised;
use super::reading::{self, Effect, Pending, Reading, Step};
use super::schema::{Kind, Slot};
use super::understand::{phrase, yes_no};
use super::words::{Words, stems};
use crate::{
    ACT, Abilities, ChatEvent, ConversationPlan, EndReason, ExtractRequest, Extracted, Speaker, ToolCall,
    ToolOutcome,
};

/// What a caller is asked, in this order.
const FORM: [(&str, Kind, &str); 4] = [
    ("what", Kind::Wish, "What can I do for you?"),
    ("how_many", Kind::Count, "For how many, please?"),
    ("when", Kind::When, "When should it be?"),
    ("name", Kind::Name, "What is your name, please?"),
];
/// Words of a goal that name what is done.
const NAMING: usize = 4;

/// The form as slots.
pub(super) fn slots() -> Vec<Slot> {
    let slot = |(name, kind, question): (&str, Kind, &str)| Slot {
        path: vec![name.to_owned()],
        about: stems(&name.replace('_', " ")),
        kind,
        question: question.to_owned(),
        place: Vec::new(),
        condition: None,
    };
    FORM.into_iter().map(slot).collect()
}

/// What a bot says to whoever asks what it is there for.
pub(super) fn purpose(goal: &str) -> String {
    format!("I am here for this: {}.", goal.trim().trim_end_matches(['.', '!']))
}

/// Goes on after the caller's words.
pub(super) fn proceed(talk: &Talk<'_>, reading: &Reading<'_>, step: &Step, words: &Words<'_>) -> Reply {
    let abilities = &talk.req.abilities;
    if let Some(told) = told(abilities) {
        return Reply::say(told);
    }
    if step.pending == Pending::Chance {
        return after_all(talk, step, words);
    }
    let declines = matches!(step.effect, Effect::Declined(index) if reading.slots[index].kind == Kind::Wish);
    if declines || (step.leaves && !matches!(step.effect, Effect::Filled(_))) {
        return Reply::end(CALLER_LEAVES, EndReason::Goodbye);
    }
    if let Some(call) = wanted(talk, reading) {
        return Reply { text: String::new(), then: Some(ChatEvent::CallTool(call)) };
    }
    let knows = step.asks.then(|| talk.told(words.source));
    let lead = match (step.effect, knows) {
        (Effect::Filled(_), knows) => knows.filter(|told| told != PASS_ON).unwrap_or(THANKS.to_owned()),
        (_, Some(knows)) => knows,
        (Effect::Unclear(_), None) => NOT_UNDERSTOOD.to_owned(),
        (Effect::Declined(_), None) => NEVER_MIND.to_owned(),
        (_, None) => THANKS.to_owned(),
    };
    match reading.next() {
        Some(index) => Reply::say(format!("{lead} {}", reading.slots[index].question)),
        None => Reply::say(format!("{PASSED_ON} {ANYTHING_ELSE}")),
    }
}

/// After "anything else?".
fn after_all(talk: &Talk<'_>, step: &Step, words: &Words<'_>) -> Reply {
    let none = phrase::nothing(words) || yes_no::meaning(words, ANYTHING_ELSE) == Some(false);
    if step.leaves || (none && !step.asks) {
        return Reply::end(CALLER_LEAVES, EndReason::Goodbye);
    }
    if !step.asks && reading::only_yes(words) {
        return Reply::say(GO_AHEAD);
    }
    Reply::say(format!("{} {ANYTHING_ELSE}", talk.told(words.source)))
}

/// The call that is due: once everything is known that can be learned, and once in a conversation.
fn wanted(talk: &Talk<'_>, reading: &Reading<'_>) -> Option<ToolCall> {
    let abilities = &talk.req.abilities;
    let can = abilities.tools.iter().any(|tool| tool.name == ACT);
    let done = abilities.uses.iter().any(|used| used.call.name == ACT);
    let known = learned(reading);
    if !can || done || known.is_empty() || reading.next().is_some() {
        return None;
    }
    let ConversationPlan::Bot { goal, .. } = &talk.req.plan else { return None };
    let mut arguments = Map::new();
    arguments.insert("action".to_owned(), json!(named(goal)));
    arguments.insert("arguments".to_owned(), Value::Object(known));
    Some(ToolCall { id: format!("call_{}", abilities.uses.len()), name: ACT.to_owned(), arguments })
}

/// "Book table" as `book_table`.
fn named(goal: &str) -> String {
    let words = Words::of(goal);
    let ascii = words.list.iter().map(|word| word.text.as_str()).filter(|word| word.is_ascii());
    let name = ascii.take(NAMING).collect::<Vec<_>>().join("_");
    if name.is_empty() { "act".to_owned() } else { name.chars().take(60).collect() }
}

fn learned(reading: &Reading<'_>) -> Map<String, Value> {
    let pairs = reading.slots.iter().zip(&reading.learned);
    pairs.filter_map(|(slot, l)| Some((slot.name().to_owned(), l.as_ref()?.value.clone()))).collect()
}

/// What the bot's own system has made of it in this turn. Its own words were said already.
fn told(abilities: &Abilities) -> Option<String> {
    let used = abilities.uses.iter().rfind(|used| used.after.is_none() && used.call.name == ACT)?;
    let ToolOutcome::Answered(text) = &used.outcome else {
        return Some(format!("{FOLLOW_UP} {ANYTHING_ELSE}"));
    };
    let answer: Value = serde_json::from_str(text).unwrap_or_default();
    let said = answer["said"].as_str().is_some_and(|said| !said.is_empty());
    Some(if said { ANYTHING_ELSE.to_owned() } else { format!("{PASSED_ON} {ANYTHING_ELSE}") })
}

/// Whether a schema is that of a bot's call: a list of what was said, each with its place.
pub(super) fn is_result_of(schema: &Value) -> bool {
    schema.pointer("/properties/collected/items/properties/quote").is_some()
}

/// What a caller said of the form.
pub(super) fn extract(req: &ExtractRequest) -> Extracted {
    let slots = slots();
    let said = req.transcript.iter().map(|said| (said.turn, said.speaker, said.text.as_str()));
    let (exchanges, _) = reading::exchanges(said);
    let reading = Reading::of(&slots, &exchanges);
    let pairs = reading.slots.iter().zip(&reading.learned);
    let entry = |(slot, learned): (&Slot, &Option<reading::Learned>)| {
        let learned = learned.as_ref()?;
        Some(json!({
            "name": slot.name(), "value": learned.value, "turn": learned.turn, "quote": learned.quote,
        }))
    };
    let collected: Vec<Value> = pairs.filter_map(entry).collect();
    // What was asked for in vain is not known: nothing can have been done with it.
    let reached = !collected.is_empty() && reading.knows_all();
    let evidence = BTreeMap::new();
    let summary = summary(req, &collected);
    Extracted {
        value: json!({"goal_reached": reached, "collected": collected}),
        evidence,
        summary,
        used: None,
    }
}

fn summary(req: &ExtractRequest, collected: &[Value]) -> String {
    if !req.transcript.iter().any(|said| said.speaker == Speaker::Customer) {
        return "The caller said nothing.".to_owned();
    }
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fact = |entry: &Value| {
        let name = entry["name"].as_str().unwrap_or_default().replace('_', " ");
        format!("{name}: {}", plain(&entry["value"]))
    };
    let facts: Vec<String> = collected.iter().map(fact).collect();
    if facts.is_empty() {
        "The caller asked for nothing.".to_owned()
    } else {
        format!("{}.", capitalised(&facts.join("; ")))
    }
}

#[cfg(test)]
mod tests;
