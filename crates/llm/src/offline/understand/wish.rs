//! What a caller wants of a bot, for how many and when: often said in one breath, "a table for four on Friday at seven".

use std::ops::Range;

use super::{date, number, phrase, repeat};
use crate::offline::words::Words;

/// What a wish begins with, behind which it stands.
const LEADS: &[&str] = &[
    "id like to",
    "i would like to",
    "id love to",
    "i want to",
    "i wanted to",
    "i need to",
    "i am calling to",
    "im calling to",
    "can i",
    "could i",
    "may i",
    "can we",
    "could we",
    "can you",
    "could you",
    "would you",
    "to",
];
/// Questions that begin like a wish.
const QUESTIONS: &[&str] = &["tell me", "know", "ask", "do you", "is there", "are there"];
/// Words that are no wish.
const GREETINGS: &[&str] =
    &["hello there", "hi", "hi there", "hey", "good morning", "good afternoon", "good evening", "good day"];
/// Where the caller goes on with who they are.
const NAMES: &[&str] = &["my name is", "the name is", "name is", "under the name", "this is", "for the name"];
/// Words in front of a time or a number that belong to it.
const IN_FRONT: &[&str] = &["on", "at", "for", "this", "next", "the", "from", "in", "around", "of", "and"];
/// More than this is no count: a year, or a number to ring.
const MOST: f64 = 999.0;

/// The wish in these words.
pub(crate) fn wish<'t>(words: &Words<'t>) -> Option<&'t str> {
    let start = behind_lead(words);
    let asks = repeat::is_question(words) && (start == 0 || words.has_any(QUESTIONS));
    if asks
        || phrase::nothing(words)
        || words.at(0) == "nothing"
        || words.is_any(GREETINGS)
        || words.is_any(&["yes", "yes please"])
    {
        return None;
    }
    let all = phrase::core(words, start..words.len());
    let ends = [name_at(words), time(words).map(|time| time.start), counted(words).map(|range| range.start)];
    let end = ends.into_iter().flatten().filter(|at| *at > all.start).min().unwrap_or(all.end).min(all.end);
    let wish = words.text(without_joints(words, all.start..end)).trim_end_matches(',');
    Some(wish).filter(|wish| !wish.is_empty())
}

/// The place behind "hi, I would like to".
fn behind_lead(words: &Words<'_>) -> usize {
    let mut start = phrase::core(words, 0..words.len()).start;
    let lead = |at: usize| LEADS.iter().filter(move |lead| words.phrase_at(at, lead)).max_by_key(|l| l.len());
    // "hi, can I …": what is left out in front may hide a lead.
    if let Some((at, lead)) = (0..=start).find_map(|at| Some((at, lead(at)?))) {
        start = start.max(at + lead.split(' ').count());
    }
    if start < words.len() { start } else { 0 }
}

fn name_at(words: &Words<'_>) -> Option<usize> {
    NAMES.iter().filter_map(|name| words.find(name)).min()
}

/// "for four": a number that is said of people, and not of things.
fn counted(words: &Words<'_>) -> Option<Range<usize>> {
    let found = count_at(words)?;
    (found.start > 0 && words.at(found.start - 1) == "for").then(|| found.start - 1..found.end)
}

/// The words that say when, from the first to the last.
pub(crate) fn time(words: &Words<'_>) -> Option<Range<usize>> {
    let says = |at: &usize| date::mentions_time(words, *at..*at + 1);
    let first = (0..words.len()).find(says)?;
    let mut last = (first..words.len()).rfind(says)?;
    while matches!(words.at(last + 1), "am" | "pm" | "oclock" | "hundred" | "thirty" | "fifteen") {
        last += 1;
    }
    let mut start = first;
    while start > 0 && IN_FRONT.contains(&words.at(start - 1)) {
        start -= 1;
    }
    Some(start..last + 1)
}

/// The same without "on" or "at" in front.
pub(crate) fn time_said<'t>(words: &Words<'t>) -> Option<&'t str> {
    let mut range = time(words)?;
    while range.len() > 1 && matches!(words.at(range.start), "on" | "at" | "for" | "from" | "and" | "of") {
        range.start += 1;
    }
    Some(words.text(range))
}

/// A number alone, where an hour was asked for.
pub(crate) fn is_hour(words: &Words<'_>) -> bool {
    let hour = number::first(words).filter(|number| (0.0..=24.0).contains(&number.value));
    hour.is_some_and(|number| number.words.start == 0 && words.len() <= number.words.len() + 1)
}

/// For how many.
pub(crate) fn count(words: &Words<'_>) -> Option<i64> {
    if words.has_any(&["just me", "only me", "just myself", "only myself", "just for me", "only for me"]) {
        return Some(1);
    }
    let found = count_at(words)?;
    let value = number::all(words).into_iter().find(|number| number.words == found)?.value;
    // Through text: a float that prints without a fraction is exactly that integer.
    format!("{value}").parse().ok()
}

fn count_at(words: &Words<'_>) -> Option<Range<usize>> {
    let time = time(words).unwrap_or(0..0);
    let counts = |n: &number::Number| {
        (1.0..=MOST).contains(&n.value) && n.value.fract() == 0.0 && !time.contains(&n.words.start)
    };
    number::all(words).into_iter().find(counts).map(|number| number.words)
}

fn without_joints(words: &Words<'_>, mut range: Range<usize>) -> Range<usize> {
    while range.len() > 1
        && matches!(words.at(range.end - 1), "and" | "please" | "for" | "on" | "at" | "the" | "a" | "an")
    {
        range.end -= 1;
    }
    range
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_its_number_and_its_time_are_taken_apart() {
        for (text, what, many, when) in [
            (
                "I want to book a table for four on Friday at seven.",
                Some("book a table"),
                Some(4),
                Some("Friday at seven"),
            ),
            ("I want to book a table for 4", Some("book a table"), Some(4), None),
            ("Hi, can I book a table for tomorrow?", Some("book a table"), None, Some("tomorrow")),
            ("two pizzas, please", Some("two pizzas"), Some(2), None),
            ("A haircut. My name is Ada.", Some("A haircut"), None, None),
            ("at 7 pm", None, None, Some("7 pm")),
            ("just me", None, Some(1), None),
            ("Good morning", None, None, Some("morning")),
            ("Are you open on Sunday?", None, None, Some("Sunday")),
            ("Can you tell me whether you are open?", None, None, None),
            ("No thank you", None, None, None),
        ] {
            let words = Words::of(text);
            if what.is_some() || text.ends_with('?') {
                assert_eq!(wish(&words), what, "{text}");
            }
            assert_eq!(count(&words), many, "{text}");
            assert_eq!(time_said(&words), when, "{text}");
        }
        assert_eq!(wish(&Words::of("Good morning")), None);
        assert_eq!(wish(&Words::of("Nothing, thanks")), None);
    }
}
