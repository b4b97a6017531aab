//! Words of an utterance with their place in it: every rule compares words, every quote is cut from the
//! original text.

use std::collections::BTreeSet;
use std::ops::Range;

/// One word: lower case, without apostrophes (recognisers write "dont" and "don't"), and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The words of a text.
#[derive(Debug, Clone)]
pub(crate) struct Words<'a> {
    pub(crate) source: &'a str,
    pub(crate) list: Vec<Word>,
}

impl<'a> Words<'a> {
    pub(crate) fn of(source: &'a str) -> Self {
        let mut list: Vec<Word> = Vec::new();
        let mut open = false;
        for (at, c) in source.char_indices() {
            if c.is_alphanumeric() {
                if !open {
                    list.push(Word { text: String::new(), start: at, end: at });
                    open = true;
                }
                if let Some(word) = list.last_mut() {
                    word.text.extend(c.to_lowercase());
                    word.end = at + c.len_utf8();
                }
            } else if !matches!(c, '\'' | '’' | 'ʼ') {
                open = false;
            }
        }
        Self { source, list }
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The word at a place, or "" beyond the end.
    pub(crate) fn at(&self, index: usize) -> &str {
        self.list.get(index).map_or("", |word| &word.text)
    }

    /// Whether the phrase stands at this place.
    pub(crate) fn phrase_at(&self, index: usize, phrase: &str) -> bool {
        phrase.split(' ').enumerate().all(|(offset, word)| self.at(index + offset) == word)
    }

    /// The place of the phrase.
    pub(crate) fn find(&self, phrase: &str) -> Option<usize> {
        (0..self.len()).find(|&index| self.phrase_at(index, phrase))
    }

    pub(crate) fn has(&self, phrase: &str) -> bool {
        self.find(phrase).is_some()
    }

    pub(crate) fn has_any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.has(phrase))
    }

    /// Whether the text is one of the phrases and nothing more.
    pub(crate) fn is_any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| phrase.split(' ').count() == self.len() && self.phrase_at(0, phrase))
    }

    pub(crate) fn starts_with_any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.phrase_at(0, phrase))
    }

    /// The original text of a range of words.
    pub(crate) fn text(&self, range: Range<usize>) -> &'a str {
        match (self.list.get(range.start), range.end.checked_sub(1).and_then(|last| self.list.get(last))) {
            (Some(first), Some(last)) if first.start <= last.end => &self.source[first.start..last.end],
            _ => "",
        }
    }
}

/// Words that say little about what a sentence is about.
const LIGHT: &str = " a an the of to in on at for from by with and or but if is are was were be been am do does did \
    has have had will would can could should may might shall must not no yes it its they them their he she his her \
    him we us our i me my you your this that these those there here what which who whom whose when where why how \
    whether customer customers patient patients caller callers user users client clients person recipient contact \
    guest member subscriber want wants wanted like likes please so any some very just about then than as s ";

/// Words of a text that carry meaning, cut to a rough stem.
pub(crate) fn stems(text: &str) -> BTreeSet<String> {
    Words::of(text)
        .list
        .into_iter()
        .filter(|word| !LIGHT.contains(&format!(" {} ", word.text)))
        .map(|word| stem(&word.text))
        .collect()
}

/// A rough stem of an English word: enough to see that "confirmed" and "confirm" belong together.
pub(crate) fn stem(word: &str) -> String {
    for (ending, least) in
        [("ations", 5), ("ation", 5), ("ling", 4), ("led", 5), ("ing", 3), ("ed", 3), ("es", 4)]
    {
        if let Some(root) = word.strip_suffix(ending)
            && root.chars().count() >= least
        {
            return root.trim_end_matches('e').to_owned();
        }
    }
    let root = word.strip_suffix('s').filter(|root| root.len() > 2 && !root.ends_with('s')).unwrap_or(word);
    if root.len() > 3 { root.trim_end_matches('e').to_owned() } else { root.to_owned() }
}

/// A text cut into sentences; each keeps its end mark, none is blank.
pub(crate) fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        let next = at + c.len_utf8();
        let ends = matches!(c, '.' | '!' | '?' | '…' | '\n')
            && text[next..].chars().next().is_none_or(|after| after.is_whitespace() || c == '\n');
        if ends && !(c == '.' && abbreviated(&text[start..at])) {
            found.push(text[start..next].trim());
            start = next;
        }
    }
    found.push(text[start..].trim());
    found.retain(|sentence| !sentence.is_empty());
    found
}

fn abbreviated(before: &str) -> bool {
    let last = before.rsplit(|c: char| c.is_whitespace()).next().unwrap_or_default().to_lowercase();
    matches!(last.as_str(), "dr" | "mr" | "mrs" | "ms" | "prof" | "st" | "no" | "e.g" | "i.e")
}

/// Ends a text with a mark, so that the next sentence does not run into it.
pub(crate) fn as_sentence(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.ends_with(['.', '!', '?', '…', '"', '”']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lose_case_and_apostrophes_but_keep_their_place() {
        let words = Words::of("No, I DON’T — ok?");
        let texts: Vec<_> = words.list.iter().map(|w| w.text.as_str()).collect();
        assert_eq!(texts, ["no", "i", "dont", "ok"]);
        assert_eq!(words.text(1..3), "I DON’T");
    }

    #[test]
    fn stems_of_related_words_agree() {
        for (a, b) in [
            ("confirmed", "confirm"),
            ("reschedule", "reschedules"),
            ("cancelled", "cancel"),
            ("confirmation", "confirm"),
            ("guests", "guest"),
            ("cancelling", "cancel"),
        ] {
            assert_eq!(stem(a), stem(b), "{a} {b}");
        }
    }

    #[test]
    fn sentences_do_not_end_at_a_title() {
        let text = "Hi! Your visit with Dr. Patel is at 2:30. Fine?";
        assert_eq!(sentences(text), ["Hi!", "Your visit with Dr. Patel is at 2:30.", "Fine?"]);
    }
}
