//! What a credential stands for, remembered for a few seconds, so that not every request asks the database. What is revoked
//! is refused by this process at once and by every other within the time that an entry is believed.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// How long an entry is believed: with a slow query and a slow clock still below the five seconds that are promised.
const BELIEVED: TimeDelta = TimeDelta::seconds(3);
/// More entries than this are not remembered.
const MOST: usize = 20_000;

/// What credentials stand for. What is unknown is not remembered: a new key works at once. Cloning shares it.
pub(crate) struct Cache<K, V>(Arc<Mutex<Entries<K, V>>>);

/// By credential: what it stands for, and when that was asked.
type Entries<K, V> = HashMap<K, (V, DateTime<Utc>)>;

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K, V> Clone for Cache<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Hash + Eq, V: Copy> Cache<K, V> {
    /// What this stands for, if it was looked up a moment ago.
    pub(crate) fn get(&self, key: &K, now: DateTime<Utc>) -> Option<V> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(key).filter(|(_, asked)| now - *asked < BELIEVED).map(|(value, _)| *value)
    }

    /// Remembers what was asked for at `asked`: before the query, so that a revocation in between is not outlived.
    pub(crate) fn put(&self, key: K, value: V, asked: DateTime<Utc>) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST {
            entries.retain(|_, (_, at)| asked - *at < BELIEVED);
        }
        if entries.len() < MOST || entries.contains_key(&key) {
            entries.insert(key, (value, asked));
        }
    }

    /// Forgets what no longer counts.
    pub(crate) fn forget(&self, ended: impl Fn(&V) -> bool) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, (value, _)| !ended(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_believed_for_three_seconds_or_until_it_is_revoked_here() {
        let (cache, start) = (Cache::default(), DateTime::UNIX_EPOCH);
        cache.put("hash", 7, start);
        assert_eq!(cache.get(&"hash", start + TimeDelta::milliseconds(2999)), Some(7));
        assert_eq!(cache.get(&"hash", start + TimeDelta::seconds(3)), None);
        assert_eq!(cache.get(&"other", start), None);
        cache.put("hash", 7, start);
        cache.forget(|value| *value == 8);
        assert_eq!(cache.get(&"hash", start), Some(7));
        cache.forget(|value| *value == 7);
        assert_eq!(cache.get(&"hash", start), None);
    }
}
