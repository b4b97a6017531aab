//! What an app's documents say, as it is searched: for each term the chunks that have it, in memory. Ranked by BM25 with the
//! usual k1 = 1.2 and b = 0.75 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009), and the same whatever
//! database the chunks come from. One app has one index: nothing of another can be in it, nor be told from its scores.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::terms::Terms;

const K1: f32 = 1.2;
const B: f32 = 0.75;
/// A term in the title or in a heading counts like so many in the text.
const HEADING: u32 = 2;

/// What a list of chunks takes beside its entries: its key, its head, and the table's slack.
const LIST: usize = 96;

/// The place of a chunk among those that an index was made of.
pub(crate) type Place = u32;

/// A chunk that speaks of what was asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hit {
    pub(crate) place: Place,
    /// 0–1: of the score that a text could have for this question.
    pub(crate) score: f32,
    /// 0–1: how much of the question it speaks of, telling words more than others.
    pub(crate) covered: f32,
}

/// The index of one app.
#[derive(Default)]
pub(crate) struct Index {
    terms: Terms,
    postings: HashMap<String, Vec<(Place, u32)>>,
    /// In terms.
    lengths: Vec<u32>,
    total: u64,
}

impl Index {
    /// Adds a chunk. Its place is the number of chunks before it.
    pub(crate) fn add(&mut self, heading: &str, text: &str) {
        let place = Place::try_from(self.lengths.len()).unwrap_or(Place::MAX);
        let mut counts: HashMap<String, u32> = HashMap::new();
        let (heading, text) = (self.terms.of(heading), self.terms.of(text));
        let length = heading.len() + text.len();
        for (terms, weight) in [(heading, HEADING), (text, 1)] {
            for term in terms {
                *counts.entry(term).or_default() += weight;
            }
        }
        for (term, count) in counts {
            self.postings.entry(term).or_default().push((place, count));
        }
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        self.lengths.push(length);
        self.total += u64::from(length);
    }

    /// The best `limit` chunks for a question, best first; of two alike the one that was added first.
    pub(crate) fn search(&self, question: &str, limit: usize) -> Vec<Hit> {
        let mut found = vec![(0.0_f32, 0.0_f32); self.lengths.len()];
        let mut all = 0.0;
        for (term, times) in counted(self.terms.of(question)) {
            let idf = self.idf(&term) * times;
            all += idf;
            for &(place, count) in self.postings.get(&term).map_or(&[][..], Vec::as_slice) {
                let place = place as usize;
                if let (Some((score, covered)), Some(&length)) =
                    (found.get_mut(place), self.lengths.get(place))
                {
                    *score += idf * self.saturated(count, length);
                    *covered += idf;
                }
            }
        }
        let scored = (0..).zip(found).filter(|(_, (score, _))| *score > 0.0);
        let hit = |(place, (score, covered))| Hit {
            place,
            score: score / (all * (K1 + 1.0)),
            covered: covered / all,
        };
        let mut hits: Vec<Hit> = scored.map(hit).collect();
        hits.sort_by(best_first);
        hits.truncate(limit);
        hits
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let postings = self.postings.iter();
        let lists: usize = postings
            .map(|(term, list)| term.len() + list.capacity() * size_of::<(Place, u32)>() + LIST)
            .sum();
        lists + self.lengths.capacity() * size_of::<u32>()
    }

    /// How telling a term is: the fewer chunks have it, the more. One that nobody has would be the most telling one.
    #[expect(clippy::cast_precision_loss, reason = "an app has far fewer chunks than an f32 counts exactly")]
    fn idf(&self, term: &str) -> f32 {
        let having = self.postings.get(term).map_or(0, Vec::len) as f32;
        let all = self.lengths.len() as f32;
        (1.0 + (all - having + 0.5) / (having + 0.5)).ln()
    }

    /// A term that stands in a chunk again and again says ever less more, and less in a long chunk than in a short one.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of terms in a text of a thousand characters are small"
    )]
    fn saturated(&self, count: u32, length: u32) -> f32 {
        let average = self.total as f32 / self.lengths.len().max(1) as f32;
        let count = count as f32;
        count * (K1 + 1.0) / (count + K1 * (1.0 - B + B * length as f32 / average.max(1.0)))
    }
}

/// Each term once, with how often it was there, in a fixed order: sums of floats depend on theirs.
#[expect(clippy::cast_precision_loss, reason = "a question has a few hundred terms")]
fn counted(mut terms: Vec<String>) -> Vec<(String, f32)> {
    terms.sort_unstable();
    terms.chunk_by(|a, b| a == b).map(|same| (same[0].clone(), same.len() as f32)).collect()
}

fn best_first(a: &Hit, b: &Hit) -> Ordering {
    b.score.total_cmp(&a.score).then(a.place.cmp(&b.place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(chunks: &[(&str, &str)]) -> Index {
        let mut index = Index::default();
        for (heading, text) in chunks {
            index.add(heading, text);
        }
        index
    }

    fn places(index: &Index, question: &str) -> Vec<Place> {
        index.search(question, 10).iter().map(|hit| hit.place).collect()
    }

    #[test]
    fn a_rare_word_tells_more_than_a_common_one_and_a_short_chunk_more_than_a_long_one() {
        let index = index(&[
            ("", "shipping takes five days"),
            ("", "shipping to islands takes nine days"),
            (
                "",
                "shipping is free and takes days, as long as the parcel is not too heavy for one person to carry",
            ),
            ("", "we are closed on Mondays"),
        ]);
        assert_eq!(places(&index, "How long is shipping to an island?")[0], 1);
        assert_eq!(places(&index, "shipping"), [0, 1, 2]);
        assert_eq!(places(&index, "refund"), Vec::<Place>::new());
    }

    #[test]
    fn what_stands_in_the_heading_weighs_more() {
        let index = index(&[("Contact", "call us about returns"), ("Returns", "call us within two weeks")]);
        assert_eq!(places(&index, "returns"), [1, 0]);
    }

    #[test]
    fn a_score_says_how_much_of_the_question_is_found() {
        let index = index(&[("", "opening hours on Sunday"), ("", "parking behind the house")]);
        let all = index.search("opening hours Sunday", 1)[0];
        let part = index.search("opening hours Sunday dogs cats", 1)[0];
        assert!(0.0 < part.score && part.score < all.score && all.score <= 1.0, "{part:?} {all:?}");
        assert!(part.covered < 0.6 && (all.covered - 1.0).abs() < 1e-6, "{part:?} {all:?}");
    }

    #[test]
    fn of_chunks_alike_the_first_is_first_and_no_more_than_asked_for_come() {
        let index = index(&[("", "same words"), ("", "same words"), ("", "same words")]);
        assert_eq!(index.search("words", 2).iter().map(|hit| hit.place).collect::<Vec<_>>(), [0, 1]);
        assert!(Index::default().search("words", 2).is_empty());
    }
}
