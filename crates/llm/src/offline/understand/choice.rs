//! One of several options: said by its name, by a word of it, by its meaning ("yes" for `confirmed`), or
//! by its number on the keypad.

use serde_json::Value;

use super::{date, number, yes_no};
use crate::offline::words::{Words, stem, stems};

const AFFIRMATIVE: &[&str] =
    &["confirm", "yes", "accept", "attend", "keep", "agre", "approv", "interest", "ok"];
const NEGATIVE: &[&str] = &["declin", "no", "reject", "refus", "not", "deni", "uninterest", "disagre"];

/// How an option reads when it is spoken.
pub(crate) fn label(option: &Value) -> String {
    match option {
        Value::String(text) => text.replace(['_', '-'], " "),
        other => other.to_string(),
    }
}

/// The option that was chosen; none when it is unclear.
pub(crate) fn chosen<'v>(words: &Words<'_>, options: &'v [Value], question: &str) -> Option<&'v Value> {
    let found = by_key(words, options)
        .or_else(|| by_label(words, options))
        .or_else(|| by_stem(words, options))
        .or_else(|| by_meaning(words, options, question));
    found.filter(|option| !says_unclear(option))
}

/// An option that stands for "nobody knows" is never the customer's choice.
fn says_unclear(option: &Value) -> bool {
    matches!(option.as_str(), Some("no_clear_answer" | "unclear" | "unknown"))
}

/// All options that are named, for a list.
pub(crate) fn named<'v>(words: &Words<'_>, options: &'v [Value]) -> Vec<&'v Value> {
    options
        .iter()
        .filter(|option| place_of(words, &label(option)).is_some() || stem_place(words, option).is_some())
        .collect()
}

/// A number option by its value, else a single key by its place in the list.
fn by_key<'v>(words: &Words<'_>, options: &'v [Value]) -> Option<&'v Value> {
    let said = number::first(words)?.value;
    let same = |option: &&Value| option.as_f64().is_some_and(|value| (value - said).abs() < 1e-9);
    if let Some(found) = options.iter().find(same) {
        return Some(found);
    }
    let key = words
        .list
        .last()
        .filter(|_| words.len() == 1 || words.is_any(&[&format!("pressed {}", words.at(1))]))?;
    let index: usize = key.text.parse().ok()?;
    options.get(index.checked_sub(1)?)
}

/// The longest option that is said word for word and not turned down.
fn by_label<'v>(words: &Words<'_>, options: &'v [Value]) -> Option<&'v Value> {
    options
        .iter()
        .filter(|option| place_of(words, &label(option)).is_some())
        .max_by_key(|option| label(option).len())
}

fn place_of(words: &Words<'_>, label: &str) -> Option<usize> {
    let spoken = Words::of(label);
    if spoken.is_empty() || label.eq_ignore_ascii_case("no") || label.eq_ignore_ascii_case("yes") {
        return None;
    }
    (0..words.len())
        .find(|&at| (0..spoken.len()).all(|offset| words.at(at + offset) == spoken.at(offset)))
        .filter(|&at| !turned_down(words, at))
}

fn by_stem<'v>(words: &Words<'_>, options: &'v [Value]) -> Option<&'v Value> {
    let mut hits = options.iter().filter(|option| stem_place(words, option).is_some());
    // Two options with the same word: only asking again can tell them apart.
    hits.next().filter(|_| hits.next().is_none())
}

fn stem_place(words: &Words<'_>, option: &Value) -> Option<usize> {
    let wanted = stems(&label(option));
    (0..words.len()).find(|&at| wanted.contains(&stem(words.at(at))) && !turned_down(words, at))
}

fn turned_down(words: &Words<'_>, at: usize) -> bool {
    (at.saturating_sub(4)..at)
        .any(|before| matches!(words.at(before), "not" | "dont" | "wont" | "never" | "cant" | "cannot"))
}

fn by_meaning<'v>(words: &Words<'_>, options: &'v [Value], question: &str) -> Option<&'v Value> {
    let reschedule = with_stem(options, &["reschedul"]);
    let cancel = with_stem(options, &["cancel"]);
    let yes = with_stem(options, AFFIRMATIVE);
    let no = with_stem(options, NEGATIVE).or(cancel.filter(|_| reschedule.is_none()));
    let meant = yes_no::meaning(words, question);
    if cancel.is_some()
        && words.has_any(&["call it off", "dont need it", "dont need the", "no longer need", "forget it"])
    {
        return cancel;
    }
    if reschedule.is_some()
        && (wants_other_time(words) || (meant != Some(true) && date::when(words).is_some()))
    {
        return reschedule;
    }
    match meant? {
        true => yes,
        false => no,
    }
}

pub(crate) fn wants_other_time(words: &Words<'_>) -> bool {
    words.has_any(&[
        "another time",
        "another day",
        "another date",
        "another appointment",
        "different time",
        "different day",
        "different date",
        "new time",
        "new appointment",
        "postpone",
        "later date",
        "move it",
        "move the",
        "change it",
        "change the",
        "rebook",
        "other time",
        "instead",
    ])
}

fn with_stem<'v>(options: &'v [Value], wanted: &[&str]) -> Option<&'v Value> {
    options.iter().filter(|option| !says_unclear(option)).find(|option| {
        let label = label(option);
        Words::of(&label).list.first().is_some_and(|first| {
            let root = stem(&first.text);
            wanted.iter().any(|wanted| root == *wanted || (wanted.len() > 4 && root.starts_with(wanted)))
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pick(text: &str, options: Value) -> Value {
        let options = options.as_array().unwrap().clone();
        chosen(&Words::of(text), &options, "Which one?").cloned().unwrap_or(Value::Null)
    }

    #[test]
    fn an_outcome_is_understood_by_its_meaning() {
        let outcomes = || json!(["confirmed", "cancelled", "reschedule_requested", "no_clear_answer"]);
        for (text, expected) in [
            ("I confirm", "confirmed"),
            ("Yes, that's fine", "confirmed"),
            ("please cancel it", "cancelled"),
            ("I don't want to cancel, I confirm", "confirmed"),
            ("I need to reschedule", "reschedule_requested"),
            ("another time please", "reschedule_requested"),
            ("Friday would be better", "reschedule_requested"),
            ("1", "confirmed"),
            ("2", "cancelled"),
            ("3", "reschedule_requested"),
        ] {
            assert_eq!(pick(text, outcomes()), expected, "{text}");
        }
        assert_eq!(pick("no", outcomes()), Value::Null);
        assert_eq!(pick("bananas", outcomes()), Value::Null);
    }

    #[test]
    fn options_are_found_by_name_word_and_number() {
        assert_eq!(pick("The very satisfied one", json!(["satisfied", "very_satisfied"])), "very_satisfied");
        assert_eq!(pick("deliveries I think", json!(["pickup", "delivery"])), Value::Null);
        assert_eq!(pick("by e-mail", json!(["phone", "e-mail"])), "e-mail");
        assert_eq!(pick("I'd say four", json!([1, 2, 3, 4, 5])), 4);
        assert_eq!(pick("no", json!(["accepted", "declined"])), "declined");
        assert_eq!(pick("no", json!(["yes", "no"])), "no");
    }
}
