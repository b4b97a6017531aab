//! "Do not call me again", "you have the wrong person", "not now": reasons to end a call at once.

use crate::offline::words::Words;

const STOP: &[&str] = &[
    "stop calling",
    "quit calling",
    "never call",
    "take me off",
    "take my number off",
    "take us off",
    "remove me",
    "remove my number",
    "delete my number",
    "off your list",
    "off the list",
    "unsubscribe",
    "opt out",
    "opt me out",
    "no more calls",
    "stop phoning",
    "stop ringing",
    "lose my number",
    "dont want to be called",
    "do not want to be called",
    "dont want these calls",
    "dont want any calls",
    "dont want any more calls",
    "stop contacting",
    "dont contact me",
    "do not contact me",
    "stop harassing",
];
const NOT_CALL: &[&str] = &[
    "dont call me",
    "do not call me",
    "dont call us",
    "do not call us",
    "dont call this number",
    "do not call this number",
    "dont call again",
    "do not call again",
    "dont call anymore",
    "dont ever call",
    "do not ever call",
    "dont you call",
    "dont call here",
    "do not call here",
    "dont phone me",
    "do not phone me",
    "dont ring me",
    "do not ring me",
];
/// After "do not call me" these words only say when or where not to call.
const LIMITS: &[&str] =
    &["before", "after", "at", "until", "till", "on", "between", "during", "in", "today", "tomorrow", "now"];

/// Whether the words ask never to be called again.
pub(crate) fn asks_to_stop(words: &Words<'_>) -> bool {
    if words.is_any(&["stop", "stop it", "stop please", "please stop", "stop stop"]) || words.has_any(STOP) {
        return true;
    }
    NOT_CALL.iter().any(|phrase| {
        words.find(phrase).is_some_and(|at| {
            let after = at + phrase.split(' ').count();
            !LIMITS.contains(&words.at(after))
        })
    })
}

const WRONG: &[&str] = &[
    "wrong number",
    "wrong person",
    "wrong house",
    "not the right person",
    "by that name",
    "doesnt live here",
    "does not live here",
    "no longer lives here",
    "got the wrong",
    "dont know any",
    "dont know who that is",
    "nobody here called",
    "no one here called",
    "not his number",
    "not her number",
    "not their number",
];
/// After "no, this is" these words go on about something else than a name.
const NO_NAME: &[&str] = &[
    "not",
    "too",
    "a",
    "an",
    "the",
    "very",
    "really",
    "bad",
    "just",
    "wrong",
    "impossible",
    "fine",
    "ok",
    "okay",
    "good",
    "never",
    "no",
    "so",
    "getting",
    "is",
    "all",
    "what",
    "about",
    "me",
    "him",
    "her",
    "he",
    "she",
];

/// Whether somebody else has picked up. `named` says that the agent asked for a person by name.
pub(crate) fn wrong_person(words: &Words<'_>, named: bool) -> bool {
    if words.has_any(WRONG) {
        return true;
    }
    let other_name = ["no this is", "no its", "no im", "no my name is", "nope this is", "sorry this is"]
        .iter()
        .filter(|phrase| words.phrase_at(0, phrase))
        .any(|phrase| {
            let next = words.at(phrase.split(' ').count());
            // Without "this is" the words are too common: only a name in capitals counts.
            let spelled = words.list.get(phrase.split(' ').count());
            let capital = spelled.is_some_and(|w| words.source[w.start..].starts_with(char::is_uppercase));
            !next.is_empty() && !NO_NAME.contains(&next) && (capital || phrase.ends_with("this is"))
        });
    named && other_name && words.len() <= 12
}

/// Whether the customer cannot talk at the moment.
pub(crate) fn busy(words: &Words<'_>) -> bool {
    words.has_any(&[
        "cant talk",
        "cannot talk",
        "call later",
        "call me later",
        "call back later",
        "call me back",
        "not a good time to talk",
        "a bad time",
        "in a meeting",
        "im driving",
        "i am driving",
        "another moment",
        "no time for this",
        "dont have time for this",
        "dont have time right now",
        "no time right now",
    ])
}

/// Whether the customer takes leave.
pub(crate) fn takes_leave(words: &Words<'_>) -> bool {
    words.has_any(&[
        "bye",
        "goodbye",
        "good bye",
        "have to go",
        "gotta go",
        "got to go",
        "must go now",
        "hang up",
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_to_stop_are_told_from_other_uses_of_the_words() {
        for text in [
            "Stop calling me!",
            "please take me off your list",
            "don't call me again",
            "STOP.",
            "do not call me",
            "Never call this number",
            "I want to opt out",
        ] {
            assert!(asks_to_stop(&Words::of(text)), "{text}");
        }
        for text in [
            "don't call me before nine",
            "I'll stop by on Friday",
            "call me tomorrow",
            "no",
            "",
            "please do not call me on Sunday",
        ] {
            assert!(!asks_to_stop(&Words::of(text)), "{text}");
        }
    }

    #[test]
    fn somebody_else_on_the_line_is_told_from_a_plain_no() {
        for text in [
            "No, this is Maria",
            "Sorry, wrong number",
            "no this is his wife",
            "No, it's Maria",
            "There's nobody by that name",
        ] {
            assert!(wrong_person(&Words::of(text), true), "{text}");
        }
        for text in [
            "No, this is not a good time",
            "No, it's too late",
            "no its too early",
            "No",
            "This is he",
            "no I'm busy that day",
        ] {
            assert!(!wrong_person(&Words::of(text), true), "{text}");
        }
        assert!(!wrong_person(&Words::of("No, this is Maria"), false));
    }
}
