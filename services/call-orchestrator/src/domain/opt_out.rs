//! Hears, in English, that somebody does not want to be called any more.
//!
//! Whole phrases of whole words, as people say them and as speech recognition writes them (often without
//! punctuation). A bare "stop" is not among them: in a conversation it more often means "wait". Nor is a wish
//! about the time of a call ("don't call me before noon").

/// One place of a phrase: the words that fit there.
type Place = &'static [&'static str];

const STOP: Place = &["stop", "quit", "cease"];
const CALLING: Place = &[
    "calling",
    "phoning",
    "ringing",
    "contacting",
    "dialing",
    "dialling",
    "bothering",
    "harassing",
    "telephoning",
];
const CALL: Place = &["call", "phone", "ring", "contact", "dial", "bother", "telephone"];
const US: Place = &["me", "us"];
const MY: Place = &["my", "this", "our"];
const NUMBER: Place = &["number", "phone", "name", "telephone", "cell", "mobile", "home", "house", "line"];
const ALL: Place = &["these", "those", "the", "your", "all"];
const DROP: Place = &["take", "remove", "delete", "erase", "scratch", "strike", "get"];
const LIST: Place = &[
    "list",
    "lists",
    "database",
    "databases",
    "system",
    "systems",
    "records",
    "register",
    "directory",
    "callers",
];

/// Phrases that are enough by themselves wherever they stand.
const PHRASES: &[&[Place]] = &[
    &[STOP, ALL, &["calls", "robocalls"]],
    &[STOP, ALL, &["phone"], &["calls"]],
    &[&["no"], &["more"], &["calls"]],
    &[&["no"], &["more"], &["phone"], &["calls"]],
    &[&["do"], &["not"], &["call"], &["list", "register", "registry"]],
    &[&["dont"], &["call"], &["list"]],
    &[&["remove", "delete", "erase"], MY, NUMBER],
    &[&["lose", "forget"], MY, &["number"]],
    &[&["leave"], US, &["alone"]],
    &[&["opt"], &["me", "us"], &["out"]],
    &[&["unsubscribe"], &["me", "us", "from"]],
];

/// What may follow "stop calling" for it to be a wish about all calls.
const AFTER_STOP_CALLING: Place = &[
    "me",
    "us",
    "here",
    "my",
    "this",
    "our",
    "now",
    "please",
    "again",
    "anymore",
    "any",
    "altogether",
    "and",
    "or",
    "all",
    "people",
    "every",
    "immediately",
    "at",
    "forever",
    "completely",
    "thanks",
    "thank",
    "i",
    "im",
];

/// What may follow "do not call me" for it to be one.
const AFTER_NO_CALL: Place = &[
    "again", "anymore", "ever", "back", "please", "no", "never", "not", "here", "thanks", "thank", "i", "im",
    "we", "were", "and", "or", "ok", "okay", "you", "stop", "take", "remove", "because", "with", "about",
    "its", "ill", "goodbye", "bye", "sir", "maam",
];

/// Single words that may end "stop calling me …" and are no names.
const MANNER: Place =
    &["constantly", "repeatedly", "daily", "today", "already", "entirely", "now", "immediately", "forever"];

/// What "stop calling me …" goes on with when it is about a name.
const NAMING: Place = &["a", "an", "names", "that", "by", "mr", "mrs", "ms", "miss", "mister", "doctor"];

/// Whether `text`, what the customer said in one turn, asks not to be called any more.
#[must_use]
pub fn heard(text: &str) -> bool {
    let words = words(text);
    let words = words.iter().map(String::as_str).collect::<Vec<_>>();
    (0..words.len()).any(|at| {
        no_call(&words, at)
            || (!is_turned_round(&words, at)
                && (PHRASES.iter().any(|phrase| stands(&words, at, phrase))
                    || stop_calling(&words, at)
                    || off_the_list(&words, at)
                    || opting_out(&words, at)))
    })
}

/// Lower-case words without apostrophes; the end of a clause is a word of its own, the empty one.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for chunk in text.split(|c: char| c.is_whitespace() || matches!(c, '-' | '—' | '–' | '/')) {
        let word = chunk.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
        let word = word.collect::<String>();
        if !word.is_empty() {
            words.push(word);
        }
        if chunk.ends_with(|c: char| ".,!?;:…\"”".contains(c)) {
            words.push(String::new());
        }
    }
    words
}

fn stands(words: &[&str], at: usize, phrase: &[Place]) -> bool {
    phrase.iter().enumerate().all(|(n, place)| fits(words, at + n, place))
}

fn fits(words: &[&str], at: usize, place: &[&str]) -> bool {
    words.get(at).is_some_and(|word| place.contains(word))
}

/// Whether the clause ends here, or goes on with one of these words.
fn ends_or(words: &[&str], at: usize, place: &[&str]) -> bool {
    words.get(at).is_none_or(|word| word.is_empty() || place.contains(word))
}

/// "please don't stop calling me", "why did you stop calling me".
fn is_turned_round(words: &[&str], at: usize) -> bool {
    let before = |n: usize, place: &[&str]| at.checked_sub(n).is_some_and(|at| fits(words, at, place));
    before(1, &["dont", "not", "never", "didnt", "did"])
        || (before(1, &["you", "they", "we", "i"]) && before(2, &["did"]))
}

/// "stop calling me", "quit calling this number", "stop calling".
fn stop_calling(words: &[&str], at: usize) -> bool {
    stands(words, at, &[STOP, CALLING])
        && ends_or(words, at + 2, AFTER_STOP_CALLING)
        && !(fits(words, at + 2, US) && is_a_name(words, at + 3))
}

/// "(stop calling me) Bob", "(stop calling me) a liar".
fn is_a_name(words: &[&str], at: usize) -> bool {
    let single = !ends_or(words, at, &[]) && ends_or(words, at + 1, &[]);
    let known = [AFTER_STOP_CALLING, AFTER_NO_CALL, MANNER];
    fits(words, at, NAMING) || (single && !known.iter().any(|place| fits(words, at, place)))
}

/// "take me off your list", "remove us from the calling list", "get my number off your system".
fn off_the_list(words: &[&str], at: usize) -> bool {
    if !fits(words, at, DROP) {
        return false;
    }
    let after = if fits(words, at + 1, US) {
        at + 2
    } else if fits(words, at + 1, MY) {
        at + 3 + usize::from(fits(words, at + 3, &["number"]))
    } else {
        return false;
    };
    fits(words, after, &["off", "from", "out"])
        && (after + 1..after + 7)
            .take_while(|n| words.get(*n).is_some_and(|word| !word.is_empty()))
            .any(|n| fits(words, n, LIST))
}

/// "do not call me again", "don't ever call this number", "never call us", "do not call again".
fn no_call(words: &[&str], at: usize) -> bool {
    let after = if stands(words, at, &[&["do"], &["not"]]) {
        at + 2
    } else if fits(words, at, &["dont", "never"]) {
        at + 1
    } else {
        return false;
    };
    let verb = after + usize::from(fits(words, after, &["ever", "you", "please"]));
    if !fits(words, verb, CALL) || asks(words, at) {
        return false;
    }
    let object = verb + 1;
    if fits(words, object, US) || fits(words, object, &["here"]) {
        return ends_or(words, object + 1, AFTER_NO_CALL) || is_for_good(words, object + 1);
    }
    if fits(words, object, MY) {
        return fits(words, object + 1, NUMBER);
    }
    fits(words, object, &["again", "anymore", "back"]) || is_for_good(words, object)
}

/// "at this number", "on my phone", "at all", "any more".
fn is_for_good(words: &[&str], at: usize) -> bool {
    stands(words, at, &[&["at", "on"], MY])
        || stands(words, at, &[&["at"], &["all"]])
        || stands(words, at, &[&["any"], &["more", "longer"]])
}

/// "why don't you call me", "you never call me": talk about calls, not a wish; "I told you never call me" is
/// one.
fn asks(words: &[&str], at: usize) -> bool {
    let before = |n: usize, place: &[&str]| at.checked_sub(n).is_some_and(|at| fits(words, at, place));
    before(1, &["why", "you", "they", "we", "she", "he", "people", "who"])
        && !before(2, &["thank", "told", "tell", "telling", "asked", "asking", "warned"])
}

/// "I want to opt out", "opt out of these calls".
fn opting_out(words: &[&str], at: usize) -> bool {
    stands(words, at, &[&["opt", "opting"], &["out"]])
        && (ends_or(words, at + 2, &["please", "now"])
            || (fits(words, at + 2, &["of", "from"])
                && (at + 3..at + 7).any(|n| fits(words, n, &["calls", "calling", "list"]))))
        || (fits(words, at, &["unsubscribe"]) && ends_or(words, at + 1, &["please", "now"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_who_do_not_want_to_be_called_are_heard() {
        for text in [
            "Stop calling me.",
            "please stop calling me i am not interested",
            "Stop calling!",
            "Could you please stop calling this number?",
            "Quit calling us, for God's sake.",
            "stop calling me every day",
            "I said stop contacting me and take me off",
            "You have to stop calling me",
            "I'm not interested stop calling me this is harassment",
            "Can't you stop calling me?",
            "stop calling me constantly",
            "Stop these phone calls.",
            "thank you do not call me again",
            "I told you never call me",
            "Do not call me any more",
            "Stop these calls.",
            "No more calls, please.",
            "Take me off your list.",
            "take me off your calling list",
            "Please remove me from the database",
            "Get my number off your list",
            "Remove my number.",
            "delete my phone number from your system",
            "Do not call me again.",
            "Do not call again",
            "do not call me i am busy",
            "Don’t call me anymore!",
            "don't ever call this number",
            "Don't ever call me on this number again",
            "Never call me again",
            "Don't call here.",
            "Put me on your do not call list",
            "put me on your do-not-call list",
            "Lose my number",
            "Leave me alone.",
            "I want to opt out.",
            "I would like to opt out of these calls",
            "Opt me out please",
            "Unsubscribe.",
        ] {
            assert!(heard(text), "{text}");
        }
    }

    #[test]
    fn people_who_mean_something_else_are_not_misunderstood() {
        for text in [
            "",
            "Stop.",
            "Can I stop by tomorrow?",
            "I will stop by, calling first.",
            "Don't stop.",
            "Please don't stop calling me.",
            "Why did you stop calling me?",
            "Stop calling him a liar",
            "Stop calling me Bob",
            "Don't call me before noon.",
            "Do not call me on Monday, Tuesday is better",
            "don't call me tomorrow call me friday",
            "don't call me this afternoon",
            "I will stop calling you",
            "Stop calling me a liar, please",
            "Don't call me any earlier than five",
            "You never call me.",
            "Why don't you call me back on Friday?",
            "I did not call you",
            "Take me off guard? No.",
            "Take me to your list of times",
            "Remove the second item from the list",
            "What is on the list?",
            "The bus stop. Calling from there.",
            "nonstop calling",
            "Call me again tomorrow",
            "Can I opt out of the insurance?",
            "I do not, call it that, agree",
        ] {
            assert!(!heard(text), "{text}");
        }
    }
}
