//! Where the first sentence of a text ends, as far as that is already certain.

use super::MAX_CHARS;

/// Titles and the like, after which a name or a number follows: a full stop behind them never ends a
/// sentence.
const OPENING: [&str; 31] = [
    "dr", "mr", "mrs", "ms", "mx", "prof", "st", "rev", "hon", "gen", "col", "sgt", "capt", "lt", "cmdr",
    "sen", "rep", "gov", "pres", "vs", "approx", "dept", "est", "fig", "ext", "tel", "mt", "ft", "messrs",
    "nr", "op",
];

/// Abbreviations that may also be the last word: their full stop ends the sentence when a new one clearly
/// begins.
const CLOSING: [&str; 38] = [
    "a.m", "p.m", "etc", "inc", "ltd", "co", "corp", "jr", "sr", "ph.d", "b.c", "a.d", "ave", "blvd", "rd",
    "apt", "min", "max", "hr", "hrs", "jan", "feb", "apr", "aug", "sept", "sep", "oct", "nov", "dec", "mon",
    "tue", "tues", "wed", "thu", "thur", "thurs", "fri", "dist",
];

/// Words that go on after "a.m." and "p.m." although they begin with a capital.
const AFTER_A_TIME: [&str; 29] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "eastern",
    "central",
    "mountain",
    "pacific",
    "est",
    "cst",
    "mst",
    "pst",
    "gmt",
    "utc",
];

/// What a stop means.
enum Verdict {
    Ends,
    GoesOn,
    NotYetKnown,
}

/// How many characters the first piece has; `None` when that is not certain yet.
pub(super) fn find(text: &[char]) -> Option<usize> {
    let mut at = 0;
    while let Some(&c) = text.get(at) {
        if c == '\n' {
            return Some(at + 1);
        }
        if !is_stop(c) && !is_wide_stop(c) {
            at += 1;
            continue;
        }
        let after_stops = skip(text, at, |c| is_stop(c) || is_wide_stop(c));
        let after = skip(text, after_stops, is_closer);
        let wide = text[at..after_stops].iter().any(|c| is_wide_stop(*c));
        match verdict(text, at, after_stops, after, wide) {
            Verdict::Ends => return Some(after),
            Verdict::GoesOn => at = after,
            Verdict::NotYetKnown => break,
        }
    }
    (text.len() > MAX_CHARS).then(|| forced(text))
}

fn verdict(text: &[char], stop: usize, after_stops: usize, after: usize, wide: bool) -> Verdict {
    let Some(next) = text.get(after) else { return Verdict::NotYetKnown };
    if wide {
        return Verdict::Ends;
    }
    if !next.is_whitespace() {
        return Verdict::GoesOn;
    }
    let stops = &text[stop..after_stops];
    if stops.contains(&'…') || stops.starts_with(&['.', '.']) {
        return if_new_sentence(text, after, |_| false);
    }
    if stops == ['.'] { after_full_stop(text, stop, after) } else { Verdict::Ends }
}

fn after_full_stop(text: &[char], stop: usize, after: usize) -> Verdict {
    let start = text[..stop].iter().rposition(|c| c.is_whitespace()).map_or(0, |space| space + 1);
    let word = text[start..stop].iter().skip_while(|c| !c.is_alphanumeric()).collect::<String>();
    let lower = word.to_lowercase();
    let numbered = start == 0 && !word.is_empty() && word.chars().all(|c| c.is_ascii_digit());
    if numbered || OPENING.contains(&lower.as_str()) {
        return Verdict::GoesOn;
    }
    if CLOSING.contains(&lower.as_str()) {
        let time = lower == "a.m" || lower == "p.m";
        return if_new_sentence(text, after, |next| time && AFTER_A_TIME.contains(&next));
    }
    if is_initials(&word) { Verdict::GoesOn } else { Verdict::Ends }
}

// "U.S.", "e.g.", and the "J." of a name; "I." is a pronoun.
fn is_initials(word: &str) -> bool {
    let single = |part: &str| part.chars().count() == 1 && part.chars().all(char::is_alphabetic);
    word.split('.').all(single) && word != "I" && (word.contains('.') || word.chars().all(char::is_uppercase))
}

/// Ends when the next word is complete, begins like a sentence, and is none that `goes_on`.
fn if_new_sentence(text: &[char], after: usize, goes_on: impl Fn(&str) -> bool) -> Verdict {
    if text[after..].contains(&'\n') {
        return Verdict::Ends;
    }
    let start = skip(text, after, |c| !c.is_alphanumeric());
    let end = skip(text, start, char::is_alphanumeric);
    if end == text.len() {
        return Verdict::NotYetKnown;
    }
    let word = text[start..end].iter().collect::<String>().to_lowercase();
    if !text[start].is_uppercase() || goes_on(&word) { Verdict::GoesOn } else { Verdict::Ends }
}

/// Where an overlong sentence is cut: behind the last comma, else at the last space, else at the limit.
fn forced(text: &[char]) -> usize {
    let window = &text[..MAX_CHARS];
    let comma = window.iter().enumerate().rposition(|(at, c)| {
        matches!(c, '、' | '，' | '；')
            || (matches!(c, ',' | ';' | ':') && text.get(at + 1).is_some_and(|next| next.is_whitespace()))
    });
    comma
        .filter(|at| *at >= MAX_CHARS / 4)
        .or_else(|| window.iter().rposition(|c| c.is_whitespace()))
        .map_or(MAX_CHARS, |at| at + 1)
}

fn skip(text: &[char], from: usize, what: impl Fn(char) -> bool) -> usize {
    from + text[from..].iter().take_while(|c| what(**c)).count()
}

fn is_stop(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | '؟' | '۔' | '।')
}

// Chinese and Japanese put no space between sentences.
fn is_wide_stop(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '．')
}

fn is_closer(c: char) -> bool {
    matches!(c, '"' | '\'' | '”' | '’' | '»' | ')' | ']' | '」' | '』' | '）' | '*' | '_' | '`')
}
