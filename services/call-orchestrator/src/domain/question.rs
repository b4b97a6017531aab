//! What documents are asked about the customer's words, and which of them an answer draws from.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::limits::{MAX_QUESTION_CHARS, MAX_TOLD_BYTES};

/// A few words that begin like this go on with what was asked before ("And on Sundays?").
const GOES_ON: [&str; 14] =
    ["and", "or", "but", "what about", "how about", "und", "oder", "aber", "et", "ou", "y", "o", "e", "en"];
/// More words than this stand for themselves.
const FEW: usize = 6;
/// Words of fewer letters say little about what a sentence is about.
const LETTERS: usize = 4;
/// Nor do these, which are in every other sentence.
const LIGHT: [&str; 20] = [
    "about", "been", "does", "from", "have", "here", "know", "like", "more", "that", "them", "there", "they",
    "this", "were", "what", "when", "will", "with", "your",
];

/// A document that an answer draws from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Where it comes from; empty: from nowhere.
    pub url: String,
}

/// A piece of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Of which.
    pub source: Source,
    /// The words.
    pub text: String,
}

/// What is asked of the documents; `None`: a "yes" is nothing to look up. `asks`: the words are a question. One that goes on is asked
/// together with what the customer said before.
#[must_use]
pub fn to_ask(words: &str, before: Option<&str>, asks: bool) -> Option<String> {
    let said: Vec<&str> = words.split_whitespace().collect();
    if said.len() < 2 && !asks {
        return None;
    }
    let start = said.iter().take(2).copied().collect::<Vec<_>>().join(" ").to_lowercase() + " ";
    let goes_on = said.len() <= FEW && GOES_ON.iter().any(|lead| start.starts_with(&format!("{lead} ")));
    let whole =
        said.into_iter().chain(before.filter(|_| goes_on).into_iter().flat_map(str::split_whitespace));
    let text: String = whole.collect::<Vec<_>>().join(" ").chars().take(MAX_QUESTION_CHARS).collect();
    (!text.is_empty()).then_some(text)
}

/// The documents that what was said draws from, in their order: half the words of one of their sentences are in it. No model is asked
/// to say it: it would say it aloud.
#[must_use]
pub fn drawn_from(said: &str, passages: &[Passage]) -> Vec<Source> {
    let said = telling(said);
    let mut found: Vec<Source> = Vec::new();
    for passage in passages {
        let ends = |c: char| matches!(c, '.' | '!' | '?' | '\n' | '。');
        let used = passage.text.split(ends).any(|sentence| {
            let words = telling(sentence);
            let heard = words.intersection(&said).count();
            heard >= 2 && heard * 2 >= words.len()
        });
        if used && !found.iter().any(|source| source.id == passage.source.id) {
            found.push(passage.source.clone());
        }
    }
    found
}

/// The words of a text that say what it is about.
fn telling(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let tells = |word: &&str| word.chars().count() >= LETTERS || word.chars().any(|c| c.is_ascii_digit());
    words.filter(tells).map(str::to_lowercase).filter(|word| !LIGHT.contains(&word.as_str())).collect()
}

/// The end of a transcript, as much of it as is told.
#[must_use]
pub fn end_of(transcript: &str) -> &str {
    let Some(over) = transcript.len().checked_sub(MAX_TOLD_BYTES) else { return transcript };
    let start = transcript.bytes().skip(over).position(|byte| byte == b'\n').map(|at| over + at + 1);
    start.and_then(|start| transcript.get(start..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_goes_on_is_asked_with_what_was_said_before() {
        assert_eq!(to_ask("Yes.", None, false), None);
        assert_eq!(to_ask(" ", None, true), None);
        assert_eq!(to_ask("Parking?", None, true).as_deref(), Some("Parking?"));
        let before = Some("When are you open?");
        assert_eq!(
            to_ask("And on  Sundays?", before, true).as_deref(),
            Some("And on Sundays? When are you open?")
        );
        assert_eq!(
            to_ask("What about dogs", before, false).as_deref(),
            Some("What about dogs When are you open?")
        );
        for whole in ["Do you sell hats?", "Oranges please", "And how long does delivery to Norway take?"] {
            assert_eq!(to_ask(whole, before, true).as_deref(), Some(whole));
        }
        assert_eq!(to_ask(&"ä ".repeat(900), None, false).unwrap().chars().count(), 500);
    }

    #[test]
    fn an_answer_draws_from_the_documents_whose_sentences_are_in_it() {
        let passage = |id: &str, text: &str| Passage {
            source: Source { id: id.to_owned(), title: id.to_owned(), url: String::new() },
            text: text.to_owned(),
        };
        let passages = [
            passage("parking", "What to know. Parking is free behind the house."),
            passage("delivery", "We deliver. Delivery to Norway takes 5 days.\nIt is insured."),
            passage("delivery", "Delivery to Norway takes 5 days, to Iceland eight."),
        ];
        let names = |said: &str| drawn_from(said, &passages).into_iter().map(|s| s.id).collect::<Vec<_>>();
        assert_eq!(
            names("What I know is this: Delivery to Norway takes 5 days. When should it be?"),
            ["delivery"]
        );
        assert_eq!(names("Yes, parking is free."), ["parking"]);
        assert_eq!(names("Parking is free, and delivery to Norway takes 5 days."), ["parking", "delivery"]);
        assert!(names("I do not have an answer to that. What is your name?").is_empty());
    }

    #[test]
    fn of_a_long_transcript_the_end_is_told_from_the_beginning_of_a_line() {
        assert_eq!(end_of("AI: Hi."), "AI: Hi.");
        let long = format!("AI: {}\nCustomer: {}\nAI: Bye.", "ä".repeat(40_000), "b".repeat(60_000));
        assert!(end_of(&long).starts_with("Customer: b") && end_of(&long).ends_with("AI: Bye."));
        assert_eq!(end_of(&"ä".repeat(40_000)), "");
    }
}
