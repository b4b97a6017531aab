//! A map that remembers in which order its keys came and never grows past its bound: the oldest entry
//! that may go makes room for the newest.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// A map of bounded size in order of arrival.
#[derive(Debug)]
pub(crate) struct Bounded<K, V> {
    entries: HashMap<K, V>,
    order: VecDeque<K>,
    most: usize,
}

impl<K: Eq + Hash + Clone, V> Bounded<K, V> {
    /// An empty map for at most `most` entries.
    pub(crate) fn new(most: usize) -> Bounded<K, V> {
        Bounded { entries: HashMap::new(), order: VecDeque::new(), most }
    }

    /// Adds an entry; beyond the bound the oldest one that `may_go` leaves. If none may, the map grows:
    /// what is alive is never thrown away.
    pub(crate) fn insert(&mut self, key: K, value: V, may_go: impl Fn(&V) -> bool) {
        if self.entries.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }
        if self.entries.len() <= self.most {
            return;
        }
        let oldest = self.order.iter().position(|key| self.entries.get(key).is_none_or(&may_go));
        if let Some(key) = oldest.and_then(|at| self.order.remove(at)) {
            self.entries.remove(&key);
        }
    }

    /// The entry of `key`.
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    /// The entry of `key`, to change it.
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key)
    }

    /// Takes the entry of `key` out.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.order.retain(|other| other != key);
        self.entries.remove(key)
    }

    /// All entries, the newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &V> {
        self.order.iter().rev().filter_map(|key| self.entries.get(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entry_that_may_go_makes_room() {
        let mut map = Bounded::new(2);
        for (key, alive) in [("first", true), ("second", false), ("third", false)] {
            map.insert(key, alive, |alive| !alive);
        }
        assert_eq!(map.newest_first().count(), 2);
        assert!(map.get(&"first").is_some() && map.get(&"second").is_none() && map.get(&"third").is_some());
    }

    #[test]
    fn what_is_alive_is_kept_beyond_the_bound() {
        let mut map = Bounded::new(1);
        for key in 0..3 {
            map.insert(key, (), |()| false);
        }
        assert_eq!(map.newest_first().count(), 3);
    }

    #[test]
    fn a_removed_entry_leaves_no_trace() {
        let mut map = Bounded::new(3);
        map.insert("a", 1, |_| true);
        assert_eq!(map.remove(&"a"), Some(1));
        assert_eq!((map.get(&"a"), map.newest_first().count()), (None, 0));
    }
}
