//! Speech in portions that every voice accepts.
//!
//! Twilio cuts or refuses a `Say` that is too long for its voice: 4 096 characters for the basic ones, 3 000 for
//! Polly, 5 000 for Google, and 4 500 in URL encoding for all (warning 13521).

/// Characters in one `Say`.
const MAX_CHARS: usize = 2_500;

/// Length of one `Say` in URL encoding; a letter outside ASCII takes six to twelve.
const MAX_ENCODED: usize = 4_400;

/// Divides a text, preferably at the end of a sentence, else between words, else where it must be. The parts are
/// trimmed, none is empty, and together they are the text.
pub(super) fn portions(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (part, tail) = rest.split_at(cut(rest));
        parts.push(part.trim_end());
        rest = tail.trim_start();
    }
    parts
}

/// The byte at which the first portion of a trimmed text ends: always greater than 0.
fn cut(text: &str) -> usize {
    let (mut sentence, mut word) = (0, 0);
    let (mut chars, mut encoded) = (0, 0);
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if c.is_whitespace() {
            word = at;
            if ends_sentence(before) {
                sentence = at;
            }
        } else if at > 0 && is_wide_end(before) {
            // Scripts that write no spaces end a sentence without one.
            sentence = at;
        }
        chars += 1;
        encoded += encoded_len(c);
        if chars > MAX_CHARS || encoded > MAX_ENCODED {
            return [sentence, word, at].into_iter().find(|end| *end > 0).unwrap_or(text.len());
        }
        before = c;
    }
    text.len()
}

fn ends_sentence(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…') || is_wide_end(c)
}

fn is_wide_end(c: char) -> bool {
    matches!(c, '。' | '！' | '？')
}

fn encoded_len(c: char) -> usize {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' | '*' | ' ' => 1,
        other => other.len_utf8() * 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(text: &str) -> String {
        text.chars().filter(|c| !c.is_whitespace()).collect()
    }

    #[test]
    fn a_short_text_stays_whole() {
        assert_eq!(portions(" Hello. How are you? "), ["Hello. How are you?"]);
        assert!(portions("  \n ").is_empty());
    }

    #[test]
    fn a_long_text_is_divided_at_the_ends_of_sentences() {
        let text = "This is a sentence of some length. ".repeat(200);
        let parts = portions(&text);
        assert_eq!(parts.len(), 3);
        assert!(parts.iter().all(|part| part.ends_with("length.") && part.chars().count() <= MAX_CHARS));
        assert_eq!(letters(&parts.concat()), letters(&text));
    }

    #[test]
    fn without_sentences_it_is_divided_between_words_and_without_words_anywhere() {
        let words = "word ".repeat(1_000);
        assert!(portions(&words).iter().all(|part| part.starts_with("word") && part.ends_with("word")));
        let one = "x".repeat(6_000);
        assert_eq!(portions(&one).iter().map(|part| part.len()).collect::<Vec<_>>(), [2_500, 2_500, 1_000]);
    }

    #[test]
    fn letters_outside_ascii_count_with_their_url_encoding() {
        let text = "Это предложение. ".repeat(200);
        let parts = portions(&text);
        assert!(parts.len() > 1);
        assert!(parts.iter().all(|part| part.chars().map(encoded_len).sum::<usize>() <= MAX_ENCODED));
        let wide = "これは文です。".repeat(300);
        assert!(portions(&wide).iter().all(|part| part.ends_with('。')));
        assert_eq!(portions(&wide).concat(), wide);
    }
}
