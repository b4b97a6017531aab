//! From a customer's words to the value of one slot.

use serde_json::{Map, Number, Value};

use super::schema::{Bounds, Kind};
use super::understand::{choice, date, name, number, phrase, repeat, wish, yes_no};
use super::words::Words;

/// What an answer brought.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Value(Value),
    /// The customer has no answer to give.
    Declined,
    Unclear,
}

/// The value that the words give to a slot of this kind; `question` is what was asked.
pub(crate) fn answer(kind: &Kind, words: &Words<'_>, question: &str) -> Answer {
    if words.is_empty() {
        return Answer::Unclear;
    }
    let text = |range| Value::from(words.text(range));
    let value = match kind {
        Kind::YesNo => yes_no::meaning(words, question).map(Value::from),
        Kind::Choice(options) => choice::chosen(words, options, question).cloned(),
        Kind::Number(bounds) => {
            numbers(words, bounds).into_iter().next().or_else(|| none_of_them(words, bounds))
        }
        Kind::Date => date::iso(words).map(Value::from).or_else(|| date::when(words).map(text)),
        Kind::When => date::when(words).map(text),
        // Who asks something instead has not said who they are.
        Kind::Name if repeat::is_question(words) => name::introduced(words).map(text),
        Kind::Name => name::answered(words).map(text),
        Kind::Text => free_text(words),
        Kind::Wish => wish::wish(words).map(Value::from),
        Kind::Count => wish::count(words).map(Value::from),
        Kind::List(items) => list(items, words, question),
        Kind::Record(fields) => record(fields, words, question),
    };
    match value {
        Some(value) => Answer::Value(value),
        None if declines(kind, words) => Answer::Declined,
        None => Answer::Unclear,
    }
}

fn declines(kind: &Kind, words: &Words<'_>) -> bool {
    match kind {
        // A bare "no" is not the end of these questions: it may be an answer to something else.
        Kind::YesNo | Kind::Choice(_) => phrase::does_not_know(words),
        _ => phrase::nothing(words),
    }
}

fn free_text(words: &Words<'_>) -> Option<Value> {
    let own = !phrase::nothing(words) && !repeat::is_question(words);
    own.then(|| Value::from(words.text(phrase::spoken(words))))
}

fn numbers(words: &Words<'_>, bounds: &Bounds) -> Vec<Value> {
    let first = number::first(words);
    let rest = number::all(words);
    let found = first.into_iter().chain(rest.into_iter().skip(1));
    found.filter_map(|number| within(number.value, bounds)).collect()
}

fn within(value: f64, bounds: &Bounds) -> Option<Value> {
    if value < bounds.least || value > bounds.most {
        return None;
    }
    if bounds.whole {
        // Through text: a float that prints without a fraction is exactly that integer.
        return format!("{value}").parse::<i64>().ok().map(Value::from);
    }
    Number::from_f64(value).map(Value::Number)
}

fn none_of_them(words: &Words<'_>, bounds: &Bounds) -> Option<Value> {
    words.has_any(&["none", "nobody", "no one", "not any"]).then(|| within(0.0, bounds)).flatten()
}

fn list(items: &Kind, words: &Words<'_>, question: &str) -> Option<Value> {
    if phrase::nothing(words) {
        return None;
    }
    let found: Vec<Value> = match items {
        Kind::Choice(options) => choice::named(words, options).into_iter().cloned().collect(),
        Kind::Number(bounds) => numbers(words, bounds),
        _ if repeat::is_question(words) => Vec::new(),
        _ => parts(words.source).filter_map(|part| of_part(items, part, question)).collect(),
    };
    (!found.is_empty()).then_some(Value::Array(found))
}

fn of_part(kind: &Kind, part: &str, question: &str) -> Option<Value> {
    let words = Words::of(part);
    if *kind == Kind::Text {
        let core = words.text(phrase::core(&words, 0..words.len()));
        return (!core.is_empty()).then(|| Value::from(core));
    }
    match answer(kind, &words, question) {
        Answer::Value(value) => Some(value),
        Answer::Declined | Answer::Unclear => None,
    }
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';'])
        .flat_map(|part| part.split(" and "))
        .map(|part| part.trim().trim_start_matches("and "))
}

fn record(fields: &[(String, Kind)], words: &Words<'_>, question: &str) -> Option<Value> {
    let value: Map<String, Value> = fields
        .iter()
        .map(|(name, kind)| (name.clone(), of_part(kind, words.source, question).unwrap_or(Value::Null)))
        .collect();
    value.values().any(|field| !field.is_null()).then_some(Value::Object(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(kind: &Kind, text: &str) -> Value {
        match answer(kind, &Words::of(text), "What is it?") {
            Answer::Value(value) => value,
            Answer::Declined => json!("(declined)"),
            Answer::Unclear => json!("(unclear)"),
        }
    }

    fn whole(least: f64, most: f64) -> Kind {
        Kind::Number(Bounds { whole: true, least, most })
    }

    #[test]
    fn each_kind_of_slot_takes_its_kind_of_answer() {
        let text_list = Kind::List(Box::new(Kind::Text));
        let colours = Kind::List(Box::new(Kind::Choice(vec![json!("red"), json!("green"), json!("blue")])));
        let pets = Kind::List(Box::new(Kind::Record(vec![
            ("kind".into(), Kind::Text),
            ("count".into(), whole(0.0, 9.0)),
        ])));
        let table: [(&Kind, &str, Value); 22] = [
            (&whole(1.0, 5.0), "I'd say four", json!(4)),
            (&whole(1.0, 5.0), "nine", json!("(unclear)")),
            (&whole(1.0, 5.0), "two and a half", json!("(unclear)")),
            (&whole(0.0, 5.0), "none", json!(0)),
            (&whole(0.0, 5.0), "not sure", json!("(declined)")),
            (&Kind::Number(Bounds { whole: false, least: 0.0, most: 9.0 }), "two and a half", json!(2.5)),
            (&Kind::Date, "March 20th 2026", json!("2026-03-20")),
            (&Kind::Date, "next Friday, please", json!("next Friday")),
            (&Kind::When, "how about Friday at 3?", json!("Friday at 3")),
            (&Kind::When, "blue", json!("(unclear)")),
            (&Kind::Name, "My name is Ada", json!("Ada")),
            (&Kind::Name, "I'm Ada, why do you ask?", json!("Ada")),
            (&Kind::Name, "Is parking free?", json!("(unclear)")),
            (&Kind::Name, "where is it", json!("(unclear)")),
            (&Kind::Name, "is there parking", json!("(unclear)")),
            (&Kind::Name, "Will Smith", json!("Will Smith")),
            (&Kind::Text, "um, the gate is broken.", json!("the gate is broken")),
            (&Kind::Text, "no, nothing", json!("(declined)")),
            (&Kind::Text, "what do you mean", json!("(unclear)")),
            (&text_list, "peanuts, milk and I think eggs", json!(["peanuts", "milk", "eggs"])),
            (&colours, "red and the blue one", json!(["red", "blue"])),
            (
                &pets,
                "two dogs and one cat",
                json!([{"kind": "two dogs", "count": 2}, {"kind": "one cat", "count": 1}]),
            ),
        ];
        for (kind, text, expected) in table {
            assert_eq!(value(kind, text), expected, "{text}");
        }
    }
}
