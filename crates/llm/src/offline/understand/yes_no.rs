//! Yes or no, in the many ways people say them, against the question that was asked.

use crate::offline::words::Words;

const NO_FIRST: &[&str] = &[
    "no",
    "nope",
    "nah",
    "negative",
    "not really",
    "absolutely not",
    "definitely not",
    "certainly not",
    "unfortunately not",
    "im afraid not",
    "i am afraid not",
    "not at all",
    "never",
    "of course not",
    "no way",
];
/// These speak against what was asked even after a "yes" or in the middle of a sentence.
const AGAINST: &[&str] = &[
    "cant",
    "cannot",
    "can not",
    "doesnt work",
    "does not work",
    "wont work",
    "will not work",
    "not work",
    "wont be able",
    "will not be able",
    "not able",
    "unable",
    "wont make it",
    "not going to",
    "not gonna",
    "not coming",
    "not possible",
    "doesnt suit",
    "does not suit",
    "i dont",
    "i do not",
    "i wont",
    "i didnt",
    "i did not",
    "i havent",
    "i have not",
    "im not",
    "i am not",
    "dont think so",
    "do not think so",
    "not anymore",
    "rather not",
    "isnt",
    "is not",
    "its not",
    "thats not",
    "wasnt",
    "was not",
    "not interested",
    "not this time",
];
/// The same, unless the question itself was about that.
const INSTEAD: &[&str] = &[
    "reschedule",
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
    "cancel",
    "instead",
    "change it",
    "change the",
    "move it",
    "move the",
    "later date",
    "other time",
];
const FOR: &[&str] = &[
    "that works",
    "it works",
    "that still works",
    "it still works",
    "still works",
    "works for me",
    "works fine",
    "works great",
    "works perfectly",
    "i can make it",
    "ill be there",
    "i will be there",
    "ill be",
    "sounds good",
    "sounds great",
    "sounds fine",
    "i confirm",
    "confirmed",
    "i can",
    "i do",
    "i am",
    "i will",
    "i would",
    "i have",
    "i did",
    "id love",
    "please do",
    "go ahead",
    "thats right",
    "thats correct",
    "that is correct",
    "that is right",
    "thats fine",
    "that is fine",
    "its fine",
    "fine by me",
    "no problem",
    "no worries",
    "not a problem",
    "no issue",
    "why not",
    "dont mind",
    "do not mind",
    "with pleasure",
    "by all means",
    "looking forward",
    "thumbs up",
    "all good",
    "count me in",
];
const YES: &[&str] = &[
    "yes",
    "yeah",
    "yep",
    "yup",
    "yea",
    "ya",
    "aye",
    "sure",
    "ok",
    "okay",
    "correct",
    "right",
    "absolutely",
    "definitely",
    "certainly",
    "of course",
    "exactly",
    "indeed",
    "affirmative",
    "perfect",
    "great",
    "fine",
    "true",
    "uh huh",
    "mhm",
    "mm hmm",
    "totally",
    "surely",
    "good",
    "gladly",
];
const FILLERS: &[&str] = &[
    "um", "uh", "er", "erm", "well", "oh", "so", "ah", "hm", "hmm", "i think", "sorry", "hi", "hello",
    "actually",
];

/// "One moment, please" is no answer yet.
const NOT_YET: &[&str] = &[
    "one moment",
    "a moment",
    "one second",
    "one sec",
    "a second",
    "a minute",
    "one minute",
    "hold on",
    "hang on",
    "let me check",
    "let me see",
];

/// The meaning of an answer to a yes-or-no question; none when it is neither.
pub(crate) fn meaning(words: &Words<'_>, question: &str) -> Option<bool> {
    if words.is_empty() || super::phrase::does_not_know(words) || words.has_any(NOT_YET) {
        return None;
    }
    if matches!(words.list.as_slice(), [only] if only.text == "please") {
        return Some(true);
    }
    if let Some(key) = pressed(words) {
        return key;
    }
    let asked = Words::of(question);
    let start = after_fillers(words);
    let no_first = NO_FIRST.iter().any(|phrase| words.phrase_at(start, phrase));
    let good_no =
        ["no problem", "no worries", "no issue", "never better"].iter().any(|p| words.phrase_at(start, p));
    // "it works", but not "nothing works" or "I doubt it works": the words before decide.
    let in_favour = FOR.iter().any(|phrase| words.find(phrase).is_some_and(|at| !negated(words, at)));
    let against =
        AGAINST.iter().any(|phrase| words.has(phrase)) && !words.has_any(&["cant wait", "cant complain"]);
    let instead = INSTEAD.iter().any(|phrase| {
        let key = phrase.rsplit(' ').find(|word| word.len() > 4).unwrap_or(phrase);
        words.find(phrase).is_some_and(|at| !asked.has(key) && !negated(words, at))
    });
    if good_no {
        return Some(!(against || instead));
    }
    if against || instead {
        return Some(false);
    }
    if no_first {
        let works = ["works", "make it", "be there"].iter().any(|phrase| words.has(phrase));
        return Some(in_favour && works);
    }
    let agreed = YES.iter().any(|phrase| words.find(phrase).is_some_and(|at| !negated(words, at)));
    let refused = words.has_any(&["no", "nope", "not"]);
    match (agreed || in_favour, refused) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => wanted_as_asked(words, &asked),
    }
}

/// Keys on the phone: 1 is yes, 2 is no.
fn pressed(words: &Words<'_>) -> Option<Option<bool>> {
    let key = match words.list.as_slice() {
        [only] => &only.text,
        [pressed, key] if pressed.text == "pressed" || pressed.text == "press" => &key.text,
        _ => return None,
    };
    match key.as_str() {
        "1" => Some(Some(true)),
        "2" => Some(Some(false)),
        digits if digits.chars().all(|c| c.is_ascii_digit()) => Some(None),
        _ => None,
    }
}

fn after_fillers(words: &Words<'_>) -> usize {
    let mut start = 0;
    while let Some(filler) = FILLERS.iter().find(|filler| words.phrase_at(start, filler)) {
        start += filler.split(' ').count();
    }
    start
}

fn negated(words: &Words<'_>, at: usize) -> bool {
    (at.saturating_sub(3)..at).any(|before| {
        matches!(
            words.at(before),
            "not" | "dont" | "doesnt" | "isnt" | "wont" | "never" | "nothing" | "doubt"
        )
    })
}

/// "I want to cancel" answers "Do you want to cancel?" without a yes.
fn wanted_as_asked(words: &Words<'_>, asked: &Words<'_>) -> Option<bool> {
    let wish = ["i want", "i would like", "id like", "i need"].iter().any(|phrase| words.has(phrase));
    let same = words.list.iter().any(|word| word.text.len() > 4 && asked.has(&word.text));
    (wish && same).then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_a_moment_has_not_answered_yet() {
        let question = "Does that time still work for you?";
        for text in ["One moment, please.", "Hold on, let me check.", "Just a second"] {
            assert_eq!(meaning(&Words::of(text), question), None, "{text}");
        }
        assert_eq!(meaning(&Words::of("Please"), "Shall I call you back?"), Some(true));
        assert_eq!(meaning(&Words::of("Yes, please"), question), Some(true));
    }

    #[test]
    fn answers_to_does_that_time_still_work_for_you() {
        let table = [
            ("Yes", Some(true)),
            ("Yeah, that works.", Some(true)),
            ("uh huh", Some(true)),
            ("Speaking. Yes that's fine", Some(true)),
            ("no problem", Some(true)),
            ("No, no, that works for me", Some(true)),
            ("I'll be there", Some(true)),
            ("can't wait, yes", Some(true)),
            ("1", Some(true)),
            ("2", Some(false)),
            ("7", None),
            ("No", Some(false)),
            ("No, I need another time", Some(false)),
            ("I need to reschedule", Some(false)),
            ("Yeah, but I can't make it", Some(false)),
            ("that's not good", Some(false)),
            ("it doesn't work", Some(false)),
            ("Can we do Friday instead?", Some(false)),
            ("um, well, nope", Some(false)),
            ("I am afraid not", Some(false)),
            ("I don't know", None),
            ("purple elephants", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(meaning(&Words::of(text), "Does that time still work for you?"), expected, "{text}");
        }
    }

    #[test]
    fn the_question_decides_what_a_wish_means() {
        let cancel = "Do you want to cancel your order?";
        for (text, expected) in [
            ("Yes, cancel it", Some(true)),
            ("I want to cancel", Some(true)),
            ("no don't cancel", Some(false)),
            ("no", Some(false)),
        ] {
            assert_eq!(meaning(&Words::of(text), cancel), expected, "{text}");
        }
    }
}
