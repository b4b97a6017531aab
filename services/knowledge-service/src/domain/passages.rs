//! What of all that was found a model is given: of each source a little, nothing twice, and what stands side by side as one.

use std::collections::HashSet;

use contracts::ids::SourceId;
use unicode_segmentation::UnicodeSegmentation as _;

use super::chunks::OVERLAP;

/// Chunks of one source.
const OF_ONE_SOURCE: usize = 3;
/// Passages in all.
const MOST: usize = 6;
/// Two texts that share this much of their words say the same.
const SAME: f64 = 0.9;
/// What is this much less relevant than the best is left out.
const LEAST: f32 = 0.25;

/// A chunk that was found, or several that stand side by side.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Passage {
    pub(crate) source: SourceId,
    /// Its first and its last chunk.
    pub(crate) numbers: (i32, i32),
    pub(crate) score: f32,
    pub(crate) title: String,
    /// Empty: from nowhere.
    pub(crate) url: String,
    pub(crate) text: String,
}

/// The passages for a model, best first, from what was found, best first.
pub(crate) fn chosen(found: Vec<Passage>) -> Vec<Passage> {
    let least = found.first().map_or(0.0, |best| best.score * LEAST);
    let mut taken: Vec<(Passage, HashSet<String>)> = Vec::new();
    for passage in found.into_iter().filter(|passage| passage.score >= least) {
        let words = words(&passage.text);
        let siblings = taken.iter().filter(|(other, _)| other.source == passage.source).count();
        if siblings < OF_ONE_SOURCE && !taken.iter().any(|(_, other)| same(other, &words)) {
            taken.push((passage, words));
        }
        if taken.len() == MOST * 2 {
            break;
        }
    }
    let mut passages: Vec<Passage> = Vec::new();
    for (passage, _) in taken {
        add(&mut passages, passage);
    }
    passages.truncate(MOST);
    passages
}

/// Puts a passage beside its neighbours, if they are there, at the place of the best of them.
fn add(passages: &mut Vec<Passage>, mut next: Passage) {
    let mut at = passages.len();
    while let Some(beside) = passages.iter().position(|other| neighbours(other, &next)) {
        next = merged(passages.remove(beside), next);
        at = at.min(beside);
    }
    passages.insert(at.min(passages.len()), next);
}

fn neighbours(one: &Passage, other: &Passage) -> bool {
    one.source == other.source
        && (one.numbers.1 + 1 == other.numbers.0 || other.numbers.1 + 1 == one.numbers.0)
}

fn merged(better: Passage, other: Passage) -> Passage {
    let score = better.score.max(other.score);
    let (mut first, second) = if better.numbers < other.numbers { (better, other) } else { (other, better) };
    first.numbers.1 = second.numbers.1;
    first.score = score;
    first.text = joined(&first.text, &second.text);
    first
}

/// Two chunks as one text: the second begins with the end of the first.
fn joined(first: &str, second: &str) -> String {
    let cut = |length: usize| second.char_indices().nth(length).map_or(second.len(), |(at, _)| at);
    let common = (1..=OVERLAP).rev().map(cut).find(|end| first.ends_with(&second[..*end]));
    match common {
        Some(end) => format!("{first}{}", &second[end..]),
        None => format!("{first}\n{second}"),
    }
}

fn words(text: &str) -> HashSet<String> {
    text.unicode_words().map(str::to_lowercase).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a chunk has some hundred words")]
fn same(one: &HashSet<String>, other: &HashSet<String>) -> bool {
    let common = one.intersection(other).count();
    let all = one.len() + other.len() - common;
    all == 0 || common as f64 / all as f64 >= SAME
}

/// The sources of passages, best first, each with its best passage; and for each passage the number of its source, from 1.
pub(crate) fn sources(passages: &[Passage]) -> (Vec<&Passage>, Vec<usize>) {
    let mut sources: Vec<&Passage> = Vec::new();
    let mut numbers = Vec::new();
    for passage in passages {
        let known = sources.iter().position(|other| other.source == passage.source);
        let at = known.unwrap_or(sources.len());
        if known.is_none() {
            sources.push(passage);
        }
        numbers.push(at + 1);
    }
    (sources, numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(source: SourceId, number: i32, (score, text): (f32, &str)) -> Passage {
        let (title, url) = (String::new(), String::new());
        Passage { source, numbers: (number, number), score, title, url, text: text.to_owned() }
    }

    #[test]
    fn of_a_source_a_little_is_taken_and_nothing_twice() {
        let (one, two) = (SourceId::new(), SourceId::new());
        let found = vec![
            passage(one, 0, (1.0, "open nine to five")),
            passage(two, 0, (0.9, "Open nine to five!")),
            passage(one, 2, (0.8, "closed on Sundays")),
            passage(one, 4, (0.7, "parking is free")),
            passage(one, 6, (0.6, "dogs are welcome")),
            passage(two, 3, (0.1, "something else")),
        ];
        let numbers: Vec<_> = chosen(found).iter().map(|p| (p.source, p.numbers.0)).collect();
        assert_eq!(numbers, [(one, 0), (one, 2), (one, 4)]);
    }

    #[test]
    fn what_stands_side_by_side_is_one_without_its_overlap() {
        let source = SourceId::new();
        let found = vec![
            passage(source, 1, (1.0, "cde fgh")),
            passage(source, 3, (0.9, "xyz")),
            passage(source, 2, (0.8, "fgh ij")),
        ];
        let chosen = chosen(found);
        assert_eq!(chosen.len(), 1);
        assert_eq!((chosen[0].numbers, chosen[0].text.as_str()), ((1, 3), "cde fgh ij\nxyz"));
    }

    #[test]
    fn sources_are_numbered_best_first() {
        let (one, two) = (SourceId::new(), SourceId::new());
        let passages =
            [passage(two, 0, (0.9, "a")), passage(one, 0, (0.8, "b")), passage(two, 5, (0.7, "c"))];
        let (sources, numbers) = sources(&passages);
        assert_eq!((sources.len(), sources[0].source, numbers), (2, two, vec![1, 2, 1]));
    }
}
