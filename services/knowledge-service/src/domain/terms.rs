//! What of a text can be found: its words, in lower case and reduced to their stems, without the words that every text has;
//! and names such as `ECHO_HTTP_ADDR`, `E-4711` or `example.com/faq` as a whole beside their parts.

use rust_stemmers::{Algorithm, Stemmer};
use unicode_segmentation::UnicodeSegmentation as _;

/// Words that say nothing of what a text is about: the list that Lucene has always had for English.
const STOP: [&str; 33] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no",
    "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to",
    "was", "will", "with",
];
/// What questions are made of and no document has to speak of, reduced to stems: they are looked for, but whether a question can be
/// answered does not hang on them.
const ASKING: [&str; 35] = [
    "am", "can", "could", "do", "doe", "from", "get", "give", "have", "hello", "hi", "how", "i", "know",
    "mani", "me", "much", "my", "need", "our", "pleas", "so", "tell", "us", "want", "we", "what", "when",
    "where", "which", "who", "whi", "would", "you", "your",
];
/// A longer word is no word: it is cut, so that nobody fills the index with one.
const LONGEST: usize = 64;

/// Makes terms of texts.
pub(crate) struct Terms {
    stemmer: Stemmer,
}

impl Default for Terms {
    fn default() -> Self {
        Self { stemmer: Stemmer::create(Algorithm::English) }
    }
}

impl Terms {
    /// The terms of a text in their order. The same text has the same ones, whether it is kept or asked for.
    pub(crate) fn of(&self, text: &str) -> Vec<String> {
        let text = text.to_lowercase().replace('’', "'");
        let words = text.unicode_words().filter_map(|word| self.word(word));
        words.chain(text.split_whitespace().filter_map(name)).collect()
    }

    fn word(&self, word: &str) -> Option<String> {
        if STOP.contains(&word) {
            return None;
        }
        let word = word.strip_suffix("'s").unwrap_or(word);
        Some(self.stemmer.stem(cut(word)).into_owned())
    }
}

/// Whether a term is there only because somebody asks.
pub(crate) fn only_asks(term: &str) -> bool {
    ASKING.contains(&term)
}

/// A piece that is more than a word: letters or digits with something between them that belongs to a name.
fn name(piece: &str) -> Option<String> {
    let piece = piece.trim_matches(|c: char| !c.is_alphanumeric());
    let joined = piece.contains(['_', '/', '.', ':', '@', '-', '+', '=']);
    let is_name = joined && (piece.contains(|c: char| c.is_ascii_digit()) || !piece.contains('-'));
    let one_word = piece.unicode_words().count() == 1;
    (is_name && !one_word).then(|| cut(piece).to_owned())
}

fn cut(word: &str) -> &str {
    word.char_indices().nth(LONGEST).map_or(word, |(at, _)| &word[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<String> {
        Terms::default().of(text)
    }

    #[test]
    fn words_are_found_whatever_their_form() {
        assert_eq!(terms("Refunds"), terms("refunded"));
        assert_eq!(terms("the customer’s ORDERS"), ["custom", "order"]);
        assert_eq!(terms("Öffnungszeiten am Montag"), ["öffnungszeiten", "am", "montag"]);
        assert!(terms("to be, or not to be").is_empty() && terms(" … ").is_empty());
    }

    #[test]
    fn words_that_only_ask_are_known_by_their_stems() {
        assert!(
            terms("How many do you have, and when does your... why? Please!")
                .iter()
                .all(|term| only_asks(term))
        );
        assert!(!terms("open shop ship").iter().any(|term| only_asks(term)));
    }

    #[test]
    fn a_name_is_found_as_a_whole_and_by_its_parts() {
        assert_eq!(terms("error E-4711"), ["error", "e", "4711", "e-4711"]);
        assert_eq!(terms("(see example.com/faq)."), ["see", "example.com", "faq", "example.com/faq"]);
        assert_eq!(terms("ECHO_HTTP_ADDR"), ["echo_http_addr"]);
        assert_eq!(terms("a well-known rule"), ["well", "known", "rule"]);
    }

    #[test]
    fn a_word_without_end_has_one() {
        let long = terms(&"x".repeat(10_000));
        assert_eq!(long.iter().map(|term| term.chars().count()).collect::<Vec<_>>(), [LONGEST]);
    }
}
