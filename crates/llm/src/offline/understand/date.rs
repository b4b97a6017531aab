//! Times and dates in speech: whether one is mentioned, where it stands, and the calendar day when
//! there is only one it can mean.

use std::ops::Range;

use chrono::NaiveDate;

use super::{number, phrase};
use crate::offline::words::Words;

const MONTHS: [&str; 12] = [
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
];
const ORDINALS: [&str; 31] = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
    "twenty first",
    "twenty second",
    "twenty third",
    "twenty fourth",
    "twenty fifth",
    "twenty sixth",
    "twenty seventh",
    "twenty eighth",
    "twenty ninth",
    "thirtieth",
    "thirty first",
];
const TIMES: &[&str] = &[
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "mondays",
    "tuesdays",
    "wednesdays",
    "thursdays",
    "fridays",
    "saturdays",
    "sundays",
    "today",
    "tomorrow",
    "tonight",
    "yesterday",
    "morning",
    "mornings",
    "afternoon",
    "afternoons",
    "evening",
    "evenings",
    "noon",
    "midday",
    "midnight",
    "weekend",
    "weekday",
    "weekdays",
    "week",
    "weeks",
    "month",
    "months",
    "oclock",
    "o clock",
    "lunchtime",
    "anytime",
    "any time",
    "whenever",
    "any day",
    "an hour",
    "hours",
    "asap",
    "as soon as possible",
    "half past",
    "quarter past",
    "quarter to",
];
const AGAINST: &[&str] = &["not", "cant", "cannot", "dont", "doesnt", "wont", "isnt", "never"];

/// Whether a range of words mentions a time or a day.
pub(crate) fn mentions_time(words: &Words<'_>, within: Range<usize>) -> bool {
    within.clone().any(|at| {
        let word = words.at(at);
        let number = number::below_hundred(words, at).is_some() || word.chars().all(|c| c.is_ascii_digit());
        let before = if at > 0 { words.at(at - 1) } else { "" };
        TIMES.iter().any(|time| words.phrase_at(at, time))
            || month_at(words, at).is_some()
            || clock(word)
            || (number && !word.is_empty() && clock_context(words, at, before))
            || (before == "the" && day_at(words, at).is_some_and(|(_, _, ordinal)| ordinal))
    })
}

/// "3pm", "10am", "20th".
fn clock(word: &str) -> bool {
    let digits = word.chars().take_while(char::is_ascii_digit).count();
    (1..=2).contains(&digits) && matches!(&word[digits..], "am" | "pm" | "st" | "nd" | "rd" | "th")
}

/// A plain number is a time next to "at", "pm" or a colon.
fn clock_context(words: &Words<'_>, at: usize, before: &str) -> bool {
    let colon = words
        .list
        .get(at)
        .zip(words.list.get(at + 1))
        .is_some_and(|(word, next)| &words.source[word.end..next.start] == ":" && next.text.len() == 2);
    let after = words.at(at + 1);
    colon
        || matches!(before, "at" | "around" | "until" | "till" | "after" | "before" | "past")
        || matches!(after, "am" | "pm" | "oclock")
        || (matches!(after, "a" | "p" | "o") && matches!(words.at(at + 2), "m" | "clock"))
}

/// The words that say when, left out what speaks against a time ("Thursday does not work").
pub(crate) fn when(words: &Words<'_>) -> Option<Range<usize>> {
    let clauses = phrase::clauses(words);
    let usable = |clause: &Range<usize>| {
        let core = phrase::core(words, clause.clone());
        mentions_time(words, core.clone()) && !core.clone().any(|at| AGAINST.contains(&words.at(at)))
    };
    let first = clauses.iter().position(usable)?;
    let count = clauses[first..].iter().take_while(|clause| usable(clause)).count();
    let (start, end) = (clauses.get(first)?.start, clauses.get(first + count - 1)?.end);
    Some(phrase::core(words, start..end))
}

/// The calendar day as `YYYY-MM-DD`, only when year, month and day are all said and unambiguous.
pub(crate) fn iso(words: &Words<'_>) -> Option<String> {
    let date = numeric(words).or_else(|| named(words))?;
    Some(date.format("%Y-%m-%d").to_string())
}

fn numeric(words: &Words<'_>) -> Option<NaiveDate> {
    words.list.windows(3).find_map(|triple| {
        let [a, b, c] = triple else { return None };
        let joined = |x: usize, y: usize| matches!(&words.source[x..y], "-" | "/" | ".");
        if !joined(a.end, b.start) || !joined(b.end, c.start) {
            return None;
        }
        let number = |word: &str| word.parse::<u32>().ok();
        let (x, y, z) = (number(&a.text)?, number(&b.text)?, number(&c.text)?);
        if a.text.len() == 4 {
            return NaiveDate::from_ymd_opt(i32::try_from(x).ok()?, y, z);
        }
        let year = i32::try_from(z).ok().filter(|_| c.text.len() == 4)?;
        match (x, y) {
            (day, month) if day > 12 || day == month => NaiveDate::from_ymd_opt(year, month, day),
            (month, day) if day > 12 => NaiveDate::from_ymd_opt(year, month, day),
            _ => None,
        }
    })
}

fn named(words: &Words<'_>) -> Option<NaiveDate> {
    (0..words.len()).find_map(|at| {
        let month = month_at(words, at)?;
        let skip = usize::from(words.at(at + 1) == "the");
        if let Some((day, count, _)) = day_at(words, at + 1 + skip)
            && let Some(year) = year_at(words, at + 1 + skip + count)
        {
            return NaiveDate::from_ymd_opt(year, month, day);
        }
        let before = at.checked_sub(if at > 0 && words.at(at - 1) == "of" { 2 } else { 1 })?;
        // "twenty first" ends one word earlier than it looks.
        let (day, _, _) = before
            .checked_sub(1)
            .and_then(|start| day_at(words, start).filter(|(_, count, _)| *count == 2))
            .or_else(|| day_at(words, before))?;
        NaiveDate::from_ymd_opt(year_at(words, at + 1)?, month, day)
    })
}

/// A month's number. "May" and "march" are also verbs: they count only next to a day.
fn month_at(words: &Words<'_>, at: usize) -> Option<u32> {
    let word = words.at(at);
    let index = MONTHS.iter().position(|month| {
        *month == word
            || (word.len() == 3 && month.starts_with(word))
            || (word == "sept" && *month == "september")
    })?;
    if matches!(word, "may" | "march" | "mar" | "jan" | "dec") {
        let skip = usize::from(words.at(at + 1) == "the");
        let behind = day_at(words, at + 1 + skip).is_some();
        let of = at >= 1 && words.at(at - 1) == "of";
        let ahead = at >= 1 && day_at(words, at - 1).is_some();
        if !(behind || of || ahead) {
            return None;
        }
    }
    u32::try_from(index + 1).ok()
}

/// A day of the month, the count of its words, and whether it was said as an ordinal.
fn day_at(words: &Words<'_>, at: usize) -> Option<(u32, usize, bool)> {
    let word = words.at(at);
    let digits: String = word.chars().take_while(char::is_ascii_digit).collect();
    let suffix = &word[digits.len()..];
    if !digits.is_empty() && matches!(suffix, "" | "st" | "nd" | "rd" | "th") {
        let day = digits.parse().ok().filter(|day| (1..=31).contains(day))?;
        return Some((day, 1, !suffix.is_empty()));
    }
    let ordinal = (0..ORDINALS.len()).rev().find(|&index| words.phrase_at(at, ORDINALS[index]));
    if let Some(index) = ordinal {
        return Some((u32::try_from(index + 1).ok()?, ORDINALS[index].split(' ').count(), true));
    }
    let (day, count) = number::below_hundred(words, at).filter(|(day, _)| (1..=31).contains(day))?;
    Some((day, count, false))
}

fn year_at(words: &Words<'_>, at: usize) -> Option<i32> {
    let at = at + usize::from(matches!(words.at(at), "of" | "in"));
    let word = words.at(at);
    if word.len() == 4
        && let Ok(year) = word.parse::<i32>()
    {
        return (1850..2200).contains(&year).then_some(year);
    }
    if words.phrase_at(at, "two thousand") {
        let skip = 2 + usize::from(words.at(at + 2) == "and");
        let rest = number::below_hundred(words, at + skip).map_or(0, |(rest, _)| rest);
        return i32::try_from(2_000 + rest).ok();
    }
    // "nineteen eighty five", "twenty twenty six": "twenty" alone must not swallow the next word.
    let century = match word {
        "nineteen" => 1_900,
        "twenty" => 2_000,
        _ => return None,
    };
    let (rest, _) = number::below_hundred(words, at + 1).filter(|(rest, _)| *rest >= 10)?;
    i32::try_from(century + rest).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_that_say_when_are_found() {
        for (text, expected) in [
            ("Friday at 3 pm", Some("Friday at 3 pm")),
            ("No, Thursday doesn't work, could we do Friday at 3?", Some("Friday at 3")),
            ("I can't on Thursday but Friday works", Some("Friday")),
            ("How about tomorrow morning, please?", Some("tomorrow morning")),
            ("Friday, March 20th at 3:30 p.m. would be great", Some("Friday, March 20th at 3:30 p.m")),
            ("maybe around five", Some("around five")),
            ("any time next week", Some("any time next week")),
            ("No, I need another time", None),
            ("I may come", None),
            ("purple", None),
        ] {
            let words = Words::of(text);
            assert_eq!(when(&words).map(|range| words.text(range)), expected, "{text}");
        }
    }

    #[test]
    fn a_day_becomes_iso_only_when_it_is_unambiguous() {
        for (text, expected) in [
            ("2026-03-20", Some("2026-03-20")),
            ("March 20th, 2026", Some("2026-03-20")),
            ("the twentieth of March twenty twenty six", Some("2026-03-20")),
            ("the twenty first of May 1985", Some("1985-05-21")),
            ("May the fourth nineteen eighty five", Some("1985-05-04")),
            ("12/25/2026", Some("2026-12-25")),
            ("25.12.2026", Some("2026-12-25")),
            ("3/4/2026", None),
            ("March 20th", None),
            ("February 30th 2026", None),
            ("next Friday", None),
        ] {
            assert_eq!(iso(&Words::of(text)).as_deref(), expected, "{text}");
        }
    }
}
