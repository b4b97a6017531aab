//! Numbers in digits and in English words.

use std::ops::Range;

use crate::offline::words::Words;

/// A number and the words that it was said with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Number {
    pub(crate) value: f64,
    pub(crate) words: Range<usize>,
}

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// A number word below a hundred ("forty two" is two words), with the count of its words.
pub(crate) fn below_hundred(words: &Words<'_>, at: usize) -> Option<(u32, usize)> {
    let place = |list: &[&str], word: &str| list.iter().position(|&known| known == word);
    if let Some(value) = place(&SMALL, words.at(at)) {
        return Some((u32::try_from(value).ok()?, 1));
    }
    let tens = 10 * (u32::try_from(place(&TENS, words.at(at))?).ok()? + 2);
    match place(&SMALL, words.at(at + 1)) {
        Some(unit) if (1..10).contains(&unit) => Some((tens + u32::try_from(unit).ok()?, 2)),
        _ => Some((tens, 1)),
    }
}

/// The first number in the words.
pub(crate) fn first(words: &Words<'_>) -> Option<Number> {
    (0..words.len())
        .find_map(|at| in_digits(words, at).or_else(|| in_words(words, at)))
        .map(|found| with_half(words, found))
}

/// Every number in the words, from left to right.
pub(crate) fn all(words: &Words<'_>) -> Vec<Number> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() {
        match in_digits(words, at).or_else(|| in_words(words, at)) {
            Some(number) => {
                at = number.words.end;
                found.push(number);
            }
            None => at += 1,
        }
    }
    found
}

fn in_digits(words: &Words<'_>, at: usize) -> Option<Number> {
    let digits = |at: usize| {
        words.list.get(at).filter(|w| w.text.len() <= 15 && w.text.chars().all(|c| c.is_ascii_digit()))
    };
    let first = digits(at)?;
    let (mut text, mut end) = (first.text.clone(), at + 1);
    while let (Some(before), Some(word)) = (words.list.get(end - 1), digits(end)) {
        let gap = &words.source[before.end..word.start];
        match gap {
            "," if word.text.len() == 3 => text.push_str(&word.text),
            "." if !text.contains('.') => {
                text.push('.');
                text.push_str(&word.text);
            }
            _ => break,
        }
        end += 1;
    }
    let sign = if words.source[..first.start].ends_with('-') || (at > 0 && words.at(at - 1) == "minus") {
        -1.0
    } else {
        1.0
    };
    let value: f64 = text.parse().ok()?;
    Some(Number { value: sign * value, words: at..end })
}

fn in_words(words: &Words<'_>, at: usize) -> Option<Number> {
    let mut here = at;
    let article = words.at(at) == "a"
        && matches!(words.at(at + 1), "hundred" | "thousand" | "million" | "dozen" | "couple");
    let mut total: u64 = 0;
    let mut part: u64;
    if article {
        (part, here) = (1, here + 1);
    } else {
        match below_hundred(words, at) {
            Some((value, count)) => (part, here) = (value.into(), here + count),
            None if words.at(at) == "dozen" => part = 1,
            None => return None,
        }
    }
    loop {
        match words.at(here) {
            "hundred" => part *= 100,
            "dozen" => part *= 12,
            "couple" => part *= 2,
            "thousand" => (total, part) = (total + part * 1_000, 0),
            "million" => (total, part) = (total + part * 1_000_000, 0),
            word => {
                let skip = usize::from(word == "and");
                let Some((value, count)) = below_hundred(words, here + skip) else { break };
                // "two three" are two numbers, "two hundred three" is one; "and" only joins after a scale.
                let open = (part == 0 && total > 0) || (part >= 100 && part.is_multiple_of(100));
                if !open {
                    break;
                }
                (part, here) = (part + u64::from(value), here + skip + count);
                continue;
            }
        }
        here += 1;
        if total > 1_000_000_000_000 || part > 1_000_000_000_000 {
            break;
        }
    }
    let whole = u32::try_from(total + part).ok()?;
    let (fraction, end) = decimals(words, here);
    let sign = if at > 0 && words.at(at - 1) == "minus" { -1.0 } else { 1.0 };
    Some(Number { value: sign * (f64::from(whole) + fraction), words: at..end.max(at + 1) })
}

fn decimals(words: &Words<'_>, at: usize) -> (f64, usize) {
    let (mut fraction, mut scale, mut here) = (0.0, 0.1, at + 1);
    if words.at(at) != "point" {
        return (0.0, at);
    }
    while let Some((digit, 1)) = below_hundred(words, here).filter(|(digit, _)| *digit < 10) {
        fraction += f64::from(digit) * scale;
        scale /= 10.0;
        here += 1;
    }
    if here == at + 1 { (0.0, at) } else { (fraction, here) }
}

fn with_half(words: &Words<'_>, number: Number) -> Number {
    if words.phrase_at(number.words.end, "and a half") {
        return Number { value: number.value + 0.5, words: number.words.start..number.words.end + 3 };
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_digits_and_in_words() {
        for (text, expected) in [
            ("4", 4.0),
            ("about 1,250 euros", 1250.0),
            ("2.5", 2.5),
            ("minus 3", -3.0),
            ("four people", 4.0),
            ("twenty one", 21.0),
            ("a hundred and five", 105.0),
            ("two thousand three hundred and four", 2304.0),
            ("a dozen", 12.0),
            ("three point one five", 3.15),
            ("two and a half", 2.5),
            ("I would say eight out of ten", 8.0),
            ("a couple", 2.0),
            ("zero", 0.0),
        ] {
            let found = first(&Words::of(text)).map(|number| number.value);
            assert!(found.is_some_and(|value| (value - expected).abs() < 1e-9), "{text}: {found:?}");
        }
        for text in ["many", "", "the 5th", "hundred and", "point"] {
            assert_eq!(first(&Words::of(text)), None, "{text}");
        }
    }

    #[test]
    fn several_numbers_stay_apart() {
        let values: Vec<_> =
            all(&Words::of("two, 3 and five")).into_iter().map(|number| number.value).collect();
        assert_eq!(values, [2.0, 3.0, 5.0]);
    }
}
