//! The words of an app's documents, as they are searched: for each term the chunks that have it, in memory. Ranked by BM25 with
//! the usual k1 = 1.2 and b = 0.75 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009). What has been added
//! and removed again leaves no trace in the ranking: it depends on what is there, and on nothing else.

use std::collections::HashMap;

use super::terms::{Terms, only_asks};

const K1: f32 = 1.2;
const B: f32 = 0.75;
/// A term in the title or in a heading counts like so many in the text.
const HEADING: u32 = 2;

/// Fewer chunks than these count as so many, where it is asked how telling a word is.
const FEW: usize = 20;

/// What a list of chunks takes beside its entries: its key, its head, and the table's slack.
const LIST: usize = 80;

/// Where a chunk stands among those of its app.
pub(crate) type Place = u32;

/// How well a chunk fits a question, by its words.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Fit {
    /// 0–1: of the score that a text could have for this question.
    pub(crate) score: f32,
    /// 0–1: how much of the question it speaks of, telling words more than others.
    pub(crate) covered: f32,
}

/// That a term is in a chunk, and how often (at most 255 times): place and count in one number, since there are some hundred of
/// these for each chunk.
#[derive(Clone, Copy)]
struct Posting(u32);

impl Posting {
    /// Places below this can be told: `MOST_CHUNKS` of an app are far fewer.
    const PLACES: u32 = 1 << 24;

    fn new(place: Place, count: u32) -> Self {
        Self((place & (Self::PLACES - 1)) << 8 | count.min(255))
    }

    fn place(self) -> usize {
        (self.0 >> 8) as usize
    }

    fn count(self) -> u32 {
        self.0 & 255
    }
}

/// The index of one app.
#[derive(Default)]
pub(crate) struct Index {
    terms: Terms,
    postings: HashMap<Box<str>, Vec<Posting>>,
    /// In terms, by place; 0 where no chunk is.
    lengths: Vec<u32>,
    /// Of all lengths.
    total: u64,
    chunks: usize,
}

impl Index {
    /// Adds a chunk at a place where none is.
    pub(crate) fn add(&mut self, place: Place, heading: &str, text: &str) {
        let mut counts: HashMap<String, u32> = HashMap::new();
        let (heading, text) = (self.terms.of(heading), self.terms.of(text));
        let length = heading.len() + text.len();
        for (terms, weight) in [(heading, HEADING), (text, 1)] {
            for term in terms {
                *counts.entry(term).or_default() += weight;
            }
        }
        for (term, count) in counts {
            self.postings.entry(term.into_boxed_str()).or_default().push(Posting::new(place, count));
        }
        let (length, place) = (u32::try_from(length).unwrap_or(u32::MAX), place as usize);
        if self.lengths.len() <= place {
            self.lengths.resize(place + 1, 0);
        }
        self.lengths[place] = length;
        self.total += u64::from(length);
        self.chunks += 1;
    }

    /// Removes the chunks for whose places `gone` is true, in one pass over everything.
    pub(crate) fn remove(&mut self, gone: &[bool]) {
        let is_gone = |place: usize| gone.get(place).copied().unwrap_or(false);
        self.postings.retain(|_, list| {
            list.retain(|posting| !is_gone(posting.place()));
            !list.is_empty()
        });
        for (_, length) in self.lengths.iter_mut().enumerate().filter(|(place, _)| is_gone(*place)) {
            self.total -= u64::from(*length);
            *length = 0;
        }
        self.chunks -= gone.iter().filter(|gone| **gone).count();
    }

    /// Gives back the memory that was kept for more.
    pub(crate) fn shrink(&mut self) {
        self.postings.values_mut().for_each(Vec::shrink_to_fit);
        self.postings.shrink_to_fit();
        self.lengths.shrink_to_fit();
    }

    /// How well the chunk at each place fits a question.
    pub(crate) fn search(&self, question: &str) -> Vec<Fit> {
        let mut found = vec![Fit::default(); self.lengths.len()];
        let (mut all, mut asked) = (0.0, 0.0);
        for (term, times) in counted(self.terms.of(question)) {
            let list = self.postings.get(term.as_str()).map_or(&[][..], Vec::as_slice);
            let idf = self.idf(list.len()) * times;
            let told = if only_asks(&term) { 0.0 } else { self.telling(list.len()) * times };
            all += idf;
            asked += told;
            for posting in list {
                if let (Some(fit), Some(&length)) =
                    (found.get_mut(posting.place()), self.lengths.get(posting.place()))
                {
                    fit.score += idf * self.saturated(posting.count(), length);
                    fit.covered += told;
                }
            }
        }
        for fit in found.iter_mut().filter(|fit| fit.score > 0.0) {
            fit.score /= all * (K1 + 1.0);
            if asked > 0.0 {
                fit.covered /= asked;
            }
        }
        found
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let postings = self.postings.iter();
        let lists: usize =
            postings.map(|(term, list)| term.len() + list.capacity() * size_of::<Posting>() + LIST).sum();
        lists + self.lengths.capacity() * size_of::<u32>()
    }

    /// How much it counts that a chunk speaks of a term that so many have. Where there are only a few chunks, numbers say little of how
    /// telling a word is: what the one chunk speaks of must not count for nothing beside what it does not.
    fn telling(&self, having: usize) -> f32 {
        rarity(having, self.chunks.max(FEW))
    }

    /// How telling a term is that so many chunks have: the fewer, the more. One that nobody has would be the most telling one.
    fn idf(&self, having: usize) -> f32 {
        rarity(having, self.chunks)
    }

    /// A term that stands in a chunk again and again says ever less more, and less in a long chunk than in a short one.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of terms in a text of a thousand characters are small"
    )]
    fn saturated(&self, count: u32, length: u32) -> f32 {
        let average = self.total as f32 / self.chunks.max(1) as f32;
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

#[expect(clippy::cast_precision_loss, reason = "an app has far fewer chunks than an f32 counts exactly")]
fn rarity(having: usize, all: usize) -> f32 {
    let (having, all) = (having as f32, all as f32);
    (1.0 + (all - having + 0.5) / (having + 0.5)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(chunks: &[(&str, &str)]) -> Index {
        let mut index = Index::default();
        for (place, (heading, text)) in (0..).zip(chunks) {
            index.add(place, heading, text);
        }
        index
    }

    /// The places that fit, best first.
    fn places(index: &Index, question: &str) -> Vec<usize> {
        let fits = index.search(question);
        let mut places: Vec<usize> = (0..fits.len()).filter(|place| fits[*place].score > 0.0).collect();
        places.sort_by(|a, b| fits[*b].score.total_cmp(&fits[*a].score));
        places
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
        assert_eq!(places(&index, "refund"), Vec::<usize>::new());
    }

    #[test]
    fn what_stands_in_the_heading_weighs_more() {
        let index = index(&[("Contact", "call us about returns"), ("Returns", "call us within two weeks")]);
        assert_eq!(places(&index, "returns"), [1, 0]);
    }

    #[test]
    fn a_score_says_how_much_of_the_question_is_found() {
        let index = index(&[("", "opening hours on Sunday"), ("", "parking behind the house")]);
        let all = index.search("opening hours Sunday")[0];
        let part = index.search("opening hours Sunday dogs cats")[0];
        assert!(0.0 < part.score && part.score < all.score && all.score <= 1.0, "{part:?} {all:?}");
        assert!(part.covered < 0.6 && (all.covered - 1.0).abs() < 1e-6, "{part:?} {all:?}");
    }

    #[test]
    fn what_was_removed_leaves_no_trace_in_the_scores() {
        let never = index(&[("", "opening hours on Sunday"), ("", "parking behind the house")]);
        let mut index = index(&[
            ("", "opening hours on Sunday"),
            ("", "parking behind the house"),
            ("", "hours of parking"),
        ]);
        index.remove(&[false, false, true]);
        let question = "hours of parking";
        assert_eq!(index.search(question)[..2], never.search(question)[..]);
        assert_eq!(index.search(question)[2], Fit::default());
        assert_eq!(index.postings.len(), never.postings.len());
        index.add(2, "", "hours of parking");
        assert_eq!(places(&index, question)[0], 2);
    }

    #[test]
    fn a_word_that_is_repeated_without_end_counts_for_no_more_than_a_posting_holds() {
        let posting = Posting::new(Posting::PLACES - 1, 1000);
        assert_eq!((posting.place(), posting.count()), ((1 << 24) - 1, 255));
        assert!(Index::default().search("words").is_empty());
    }
}
