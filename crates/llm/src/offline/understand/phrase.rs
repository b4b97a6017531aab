//! The part of an utterance that is the answer: without "well, how about" in front and "please" behind.

use std::ops::Range;

use crate::offline::words::Words;

const FILLERS: &[&str] = &["um", "uh", "er", "erm", "well", "oh", "so", "ah", "hm", "hmm"];
const FRONTS: &[&str] = &["its", "it is", "thats", "that is", "that would be"];
const LEADS: &[&str] = &[
    "yes",
    "yeah",
    "no",
    "nope",
    "ok",
    "okay",
    "sure",
    "hi",
    "hello",
    "please",
    "maybe",
    "perhaps",
    "actually",
    "and",
    "but",
    "i think",
    "i guess",
    "i would like to come",
    "i would like",
    "id like",
    "i would prefer",
    "id prefer",
    "i prefer",
    "how about",
    "what about",
    "can we do",
    "could we do",
    "can you do",
    "could you do",
    "can we make it",
    "could we make it",
    "can i come",
    "could i come",
    "can we say",
    "lets say",
    "lets do",
    "lets make it",
    "make it",
    "it is",
    "its",
    "it would be",
    "that would be",
    "thatd be",
    "itd be",
    "i want",
    "i need",
    "we need",
    "do you have anything",
    "do you have",
    "is it possible",
    "would",
    "ill take",
    "i will take",
    "i can do",
    "i could do",
    "we could do",
    "then",
    "better",
];
const TAILS: &[&str] = &[
    "please",
    "thanks",
    "thank you",
    "thank you very much",
    "would be better",
    "would be great",
    "would be good",
    "would be fine",
    "would be perfect",
    "would be best",
    "would be nice",
    "would work",
    "would work better",
    "works",
    "works better",
    "works best",
    "works for me",
    "works better for me",
    "would suit me",
    "suits me",
    "is better",
    "is fine",
    "is good",
    "is best",
    "if possible",
    "instead",
    "if you can",
    "for me",
    "bye",
    "goodbye",
    "if thats ok",
    "if thats okay",
    "would be better for me",
    "work",
    "be better",
    "be possible",
    "i guess",
    "i think",
];

/// The words that carry the answer.
pub(crate) fn core(words: &Words<'_>, within: Range<usize>) -> Range<usize> {
    let mut range = within.clone();
    loop {
        let lead = LEADS
            .iter()
            .chain(FILLERS)
            .filter(|lead| words.phrase_at(range.start, lead))
            .max_by_key(|l| l.len());
        let Some(lead) = lead else { break };
        let next = range.start + lead.split(' ').count();
        if next >= range.end {
            break;
        }
        range.start = next;
    }
    loop {
        let tail = TAILS
            .iter()
            .filter(|tail| {
                let count = tail.split(' ').count();
                range.len() > count && words.phrase_at(range.end - count, tail)
            })
            .max_by_key(|tail| tail.len());
        let Some(tail) = tail else { break };
        range.end -= tail.split(' ').count();
    }
    if range.is_empty() { within } else { range }
}

/// The caller's own words, only without the sounds and the "it is" in front.
pub(crate) fn spoken(words: &Words<'_>) -> Range<usize> {
    let mut start = 0;
    while let Some(front) = FILLERS.iter().chain(FRONTS).find(|front| words.phrase_at(start, front)) {
        let next = start + front.split(' ').count();
        if next >= words.len() {
            break;
        }
        start = next;
    }
    start..words.len()
}

/// Whether the customer says that there is no answer.
pub(crate) fn does_not_know(words: &Words<'_>) -> bool {
    words.len() <= 9
        && words.has_any(&[
            "dont know",
            "do not know",
            "not sure",
            "no idea",
            "cant say",
            "cannot say",
            "unsure",
            "rather not say",
            "dont remember",
            "do not remember",
            "cant remember",
            "dunno",
            "skip",
        ])
}

/// Whether the customer has nothing to say to an open question.
pub(crate) fn nothing(words: &Words<'_>) -> bool {
    does_not_know(words)
        || words.is_any(&[
            "no",
            "nope",
            "nah",
            "none",
            "nothing",
            "not really",
            "no thanks",
            "no thank you",
            "thats all",
            "thats it",
            "that is all",
            "im good",
            "i am good",
            "all good",
            "im fine",
            "no im good",
            "no im fine",
        ])
        || (words.len() <= 8
            && words.starts_with_any(&[
                "no thank",
                "no nothing",
                "no thats",
                "no that is",
                "nothing else",
                "no im",
                "no i am",
                "no not",
                "no none",
                "no goodbye",
                "no bye",
                "nope thats",
                "nope im",
                "no all",
                "no i dont",
                "no its",
                "not at the moment",
                "not right now",
                "i have no",
                "i dont have any",
                "thank you",
                "thanks",
                "ok thank",
                "okay thank",
                "ok thanks",
                "okay thanks",
                "ok bye",
                "okay bye",
                "goodbye",
                "bye",
            ]))
}

/// Ranges of words between punctuation and "but", which is where one thought ends and another begins.
pub(crate) fn clauses(words: &Words<'_>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for index in 0..words.len() {
        let cut_before = words.at(index) == "but" && index > start;
        if cut_before {
            found.push(start..index);
            start = index;
        }
        let (Some(word), next) = (words.list.get(index), words.list.get(index + 1)) else { break };
        let gap = next.map_or("", |next| &words.source[word.end..next.start]);
        let full_stop = gap.contains('.')
            && gap.ends_with(char::is_whitespace)
            && next.is_some_and(|next| words.source[next.start..].starts_with(char::is_uppercase));
        if full_stop || gap.contains([',', ';', '!', '?', '—']) {
            found.push(start..index + 1);
            start = index + 1;
        }
    }
    if start < words.len() {
        found.push(start..words.len());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_cut_out_of_politeness() {
        for (text, expected) in [
            ("How about Friday at 3 pm?", "Friday at 3 pm"),
            ("No, I'd like the blue one, please", "the blue one"),
            ("Friday at three would be better, thank you", "Friday at three"),
            ("please", "please"),
            ("well um okay", "okay"),
        ] {
            let words = Words::of(text);
            assert_eq!(words.text(core(&words, 0..words.len())), expected, "{text}");
        }
    }

    #[test]
    fn having_nothing_to_say_is_told_from_saying_something() {
        for text in ["No", "no, that's all", "Nothing else, thanks", "I don't know", "No thank you, goodbye"]
        {
            assert!(nothing(&Words::of(text)), "{text}");
        }
        for text in ["no parking near the house please come by the back door", "The gate is broken"] {
            assert!(!nothing(&Words::of(text)), "{text}");
        }
    }
}
