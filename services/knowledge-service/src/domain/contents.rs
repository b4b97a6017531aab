//! All that an app's documents say, ready to be searched: which chunk stands at which place, and the indexes over them. One app has
//! one of these: nothing of another can be in it, nor be told from its scores. Which chunks are there decides the ranking, and
//! not when or in which order they came: every replica ranks alike, over either database.

use std::cmp::Ordering;
use std::collections::HashSet;

use contracts::ids::SourceId;

use super::fusion::fused;
use super::index::{Fit, Index, Place};
use super::vectors::Vectors;

/// A chunk: its source and its number in it, from 0.
pub(crate) type Key = (SourceId, i32);

/// A chunk that speaks of what was asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hit {
    pub(crate) key: Key,
    /// 0–1: relevance.
    pub(crate) score: f32,
    /// 0–1: how much of the question it speaks of, telling words more than others.
    pub(crate) covered: f32,
}

/// A chunk as it is taken in.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub(crate) key: Key,
    pub(crate) heading: String,
    pub(crate) text: String,
    /// What it means, with length 1; empty: not known.
    pub(crate) vector: Vec<f32>,
}

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Probe {
    pub(crate) question: String,
    /// What it means, with length 1, and how much that counts against its words (0–1); none: words alone.
    pub(crate) meaning: Option<(Vec<f32>, f32)>,
}

/// What one app knows.
#[derive(Default)]
pub(crate) struct Contents {
    /// By place; none where a chunk has been removed.
    keys: Vec<Option<Key>>,
    /// Places where none is.
    free: Vec<Place>,
    sources: HashSet<SourceId>,
    words: Index,
    meanings: Vectors,
}

impl Contents {
    /// Takes chunks in that are not there yet.
    pub(crate) fn add(&mut self, chunks: &[Chunk]) {
        for chunk in chunks {
            let place = self.place_for(chunk.key);
            self.words.add(place, &chunk.heading, &chunk.text);
            self.meanings.put(place, &chunk.vector);
            self.sources.insert(chunk.key.0);
        }
    }

    fn place_for(&mut self, key: Key) -> Place {
        if let Some(place) = self.free.pop() {
            if let Some(free) = self.keys.get_mut(place as usize) {
                *free = Some(key);
            }
            return place;
        }
        self.keys.push(Some(key));
        Place::try_from(self.keys.len() - 1).unwrap_or(Place::MAX)
    }

    /// Forgets all chunks of some sources.
    pub(crate) fn remove(&mut self, sources: &HashSet<SourceId>) {
        if self.sources.is_disjoint(sources) {
            return;
        }
        let is_gone = |key: &Option<Key>| key.is_some_and(|(source, _)| sources.contains(&source));
        let gone: Vec<bool> = self.keys.iter().map(is_gone).collect();
        self.words.remove(&gone);
        self.meanings.remove(&gone);
        for (place, _) in (0..).zip(&gone).filter(|(_, gone)| **gone) {
            self.keys[place as usize] = None;
            self.free.push(place);
        }
        self.sources.retain(|source| !sources.contains(source));
    }

    /// The sources that are there.
    pub(crate) fn sources(&self) -> &HashSet<SourceId> {
        &self.sources
    }

    /// The best `limit` chunks for what is looked for, best first; of two alike that of the older source.
    pub(crate) fn search(&self, probe: &Probe, limit: usize) -> Vec<Hit> {
        let fits = self.words.search(&probe.question);
        let near = probe.meaning.as_ref().map(|(vector, _)| self.meanings.cosines(vector));
        let scores: Vec<f32> = match (&probe.meaning, near) {
            (Some((_, weight)), Some(near)) if near.iter().any(Option::is_some) => {
                fused(&fits, &near, *weight)
            }
            _ => fits.iter().map(|fit| fit.score).collect(),
        };
        let found = self.keys.iter().zip(fits).zip(scores);
        let mut hits: Vec<Hit> = found.filter_map(|((key, fit), score)| hit((*key)?, fit, score)).collect();
        if hits.len() > limit && limit > 0 {
            hits.select_nth_unstable_by(limit - 1, best_first);
            hits.truncate(limit);
        }
        hits.sort_by(best_first);
        hits
    }

    /// Gives back the memory that was kept for more.
    pub(crate) fn shrink(&mut self) {
        self.keys.shrink_to_fit();
        self.words.shrink();
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.words.bytes()
            + self.meanings.bytes()
            + self.keys.capacity() * size_of::<Option<Key>>()
            + self.sources.capacity() * (size_of::<SourceId>() + 1)
    }
}

fn hit(key: Key, Fit { covered, .. }: Fit, score: f32) -> Option<Hit> {
    (score > 0.0).then_some(Hit { key, score, covered })
}

fn best_first(a: &Hit, b: &Hit) -> Ordering {
    b.score.total_cmp(&a.score).then(a.key.cmp(&b.key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(source: SourceId, number: i32, text: &str) -> Chunk {
        Chunk { key: (source, number), heading: String::new(), text: text.to_owned(), vector: Vec::new() }
    }

    fn words(question: &str) -> Probe {
        Probe { question: question.to_owned(), meaning: None }
    }

    fn found(contents: &Contents, question: &str) -> Vec<Key> {
        contents.search(&words(question), 10).iter().map(|hit| hit.key).collect()
    }

    #[test]
    fn of_chunks_alike_that_of_the_older_source_is_first_whichever_came_first() {
        let (old, new) = (SourceId::new(), SourceId::new());
        let chunks = [chunk(old, 0, "same words"), chunk(old, 1, "same words"), chunk(new, 0, "same words")];
        let mut backwards = Contents::default();
        chunks.iter().rev().for_each(|chunk| backwards.add(std::slice::from_ref(chunk)));
        assert_eq!(found(&backwards, "words"), [(old, 0), (old, 1), (new, 0)]);
        assert_eq!(backwards.search(&words("words"), 2).len(), 2);
        assert!(Contents::default().search(&words("words"), 2).is_empty());
    }

    #[test]
    fn what_is_removed_is_not_found_and_its_room_is_used_again() {
        let (one, two) = (SourceId::new(), SourceId::new());
        let mut contents = Contents::default();
        contents.add(&[chunk(one, 0, "opening hours"), chunk(one, 1, "closing hours")]);
        contents.add(&[chunk(two, 0, "hours of parking")]);
        contents.remove(&HashSet::from([one]));
        assert_eq!(found(&contents, "hours"), [(two, 0)]);
        assert_eq!(contents.sources(), &HashSet::from([two]));
        contents.add(&[chunk(one, 0, "opening hours")]);
        assert_eq!(found(&contents, "opening"), [(one, 0)]);
        assert_eq!(contents.keys.len(), 3);
    }

    #[test]
    fn what_means_the_same_is_found_without_a_word_in_common() {
        let (parcel, hours) = (SourceId::new(), SourceId::new());
        let mut contents = Contents::default();
        let chunks = [
            Chunk { vector: vec![1.0, 0.0], ..chunk(parcel, 0, "Where is my package") },
            Chunk { vector: vec![0.0, 1.0], ..chunk(hours, 0, "opening hours") },
            chunk(hours, 1, "closing hours"),
        ];
        contents.add(&chunks);
        let asked = |question: &str, vector: Vec<f32>| Probe {
            question: question.to_owned(),
            meaning: Some((vector, 0.5)),
        };
        let hits = contents.search(&asked("Has the shipment come?", vec![1.0, 0.0]), 10);
        assert_eq!((hits[0].key, hits.len()), ((parcel, 0), 1));
        assert_eq!(hits[0].covered, 0.0);
        assert_eq!(contents.search(&asked("closing", vec![0.0, 1.0]), 10)[0].key, (hours, 1));
    }
}
