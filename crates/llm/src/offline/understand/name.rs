//! Names of people, as they are said on the phone.

use std::ops::Range;

use crate::offline::words::Words;

const INTRODUCTIONS: &[&str] = &[
    "my name is",
    "my names",
    "the name is",
    "name is",
    "my full name is",
    "call me",
    "this is",
    "i am",
    "im",
    "its",
    "it is",
];
/// Words that follow "I am" or "it is" without being a name.
const NO_NAMES: &[&str] = &[
    "not",
    "a",
    "an",
    "the",
    "very",
    "so",
    "here",
    "fine",
    "good",
    "sorry",
    "sure",
    "going",
    "just",
    "busy",
    "ok",
    "okay",
    "yes",
    "no",
    "what",
    "who",
    "interested",
    "calling",
    "ready",
    "happy",
    "afraid",
    "in",
    "at",
    "on",
    "for",
    "too",
    "he",
    "she",
    "him",
    "her",
    "me",
    "speaking",
    "looking",
    "trying",
    "having",
    "great",
    "well",
    "done",
    "late",
    "my",
    "your",
    "is",
    "are",
    "was",
    "does",
    "did",
    "would",
    "could",
    "should",
    "there",
    "it",
    "you",
    "we",
    "they",
];
const LONGEST: usize = 4;

/// The words of a name, when it is given with an introduction such as "my name is".
pub(crate) fn introduced(words: &Words<'_>) -> Option<Range<usize>> {
    INTRODUCTIONS.iter().find_map(|phrase| {
        let start = words.find(phrase)? + phrase.split(' ').count();
        named(words, start)
    })
}

/// The words of a name in an answer to "What is your name?".
pub(crate) fn answered(words: &Words<'_>) -> Option<Range<usize>> {
    if let Some(range) = introduced(words) {
        return Some(range);
    }
    let range = super::phrase::core(words, 0..words.len());
    let plain = range.len() <= LONGEST && !range.is_empty();
    (plain && !range.clone().any(|at| NO_NAMES.contains(&words.at(at)) || is_number(words.at(at))))
        .then_some(range)
}

fn named(words: &Words<'_>, start: usize) -> Option<Range<usize>> {
    let first = words.list.get(start)?;
    if NO_NAMES.contains(&first.text.as_str()) || is_number(&first.text) {
        return None;
    }
    let mut end = start + 1;
    while end < words.len() && end - start < LONGEST {
        let (before, word) = (words.list.get(end - 1)?, words.list.get(end)?);
        let gap = &words.source[before.end..word.start];
        let capital = words.source[word.start..].starts_with(char::is_uppercase);
        let first_capital = words.source[first.start..].starts_with(char::is_uppercase);
        let part = if first_capital {
            capital
        } else {
            !["and", "i", "from", "please", "but"].contains(&word.text.as_str())
        };
        if !part || gap.contains([',', ';', '?', '!']) || (gap.contains('.') && before.text.len() > 3) {
            break;
        }
        end += 1;
    }
    Some(start..end)
}

fn is_number(word: &str) -> bool {
    word.chars().any(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_with_and_without_an_introduction() {
        for (text, expected) in [
            ("My name is Ada Lovelace, thanks", Some("Ada Lovelace")),
            ("it's Ada", Some("Ada")),
            ("Ada Lovelace", Some("Ada Lovelace")),
            ("ada lovelace please", Some("ada lovelace")),
            ("I'm not sure", None),
            ("I would rather not tell you that today", None),
        ] {
            let words = Words::of(text);
            assert_eq!(answered(&words).map(|range| words.text(range)), expected, "{text}");
        }
    }
}
