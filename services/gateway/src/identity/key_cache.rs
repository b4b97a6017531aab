//! Whose key it is, remembered for a few seconds, so that not every request asks the database. A revoked key is refused by
//! this process at once and by every other within the time that an entry is believed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use contracts::ids::ApiKeyId;

use crate::store::api_keys::KeyOwner;

/// How long an entry is believed: with a slow query and a slow clock still below the five seconds that are promised.
const BELIEVED: TimeDelta = TimeDelta::seconds(3);
/// More keys than this are not remembered.
const MOST: usize = 20_000;

/// Owners by the hash of their key. Unknown keys are not remembered: a new key works at once.
#[derive(Clone, Default)]
pub(crate) struct KeyCache(Arc<Mutex<Entries>>);

/// By hash: whose key it is, and when that was asked.
type Entries = HashMap<String, (KeyOwner, DateTime<Utc>)>;

impl KeyCache {
    /// The owner, if it was looked up a moment ago.
    pub(crate) fn get(&self, hash: &str, now: DateTime<Utc>) -> Option<KeyOwner> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(hash).filter(|(_, asked)| now - *asked < BELIEVED).map(|(owner, _)| *owner)
    }

    /// Remembers an owner who was asked for at `asked`: before the query, so that a revocation in between is not outlived.
    pub(crate) fn put(&self, hash: String, owner: KeyOwner, asked: DateTime<Utc>) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST {
            entries.retain(|_, (_, at)| asked - *at < BELIEVED);
        }
        if entries.len() < MOST {
            entries.insert(hash, (owner, asked));
        }
    }

    /// Forgets a key.
    pub(crate) fn forget(&self, key: ApiKeyId) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, (owner, _)| owner.key_id != key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::ids::{BusinessId, ProjectId};

    #[test]
    fn an_entry_is_believed_for_three_seconds_or_until_it_is_revoked_here() {
        let (cache, start) = (KeyCache::default(), DateTime::UNIX_EPOCH);
        let owner = KeyOwner {
            key_id: ApiKeyId::new(),
            project_id: ProjectId::new(),
            business_id: BusinessId::new(),
        };
        cache.put("hash".to_owned(), owner, start);
        assert_eq!(cache.get("hash", start + TimeDelta::milliseconds(2999)), Some(owner));
        assert_eq!(cache.get("hash", start + TimeDelta::seconds(3)), None);
        assert_eq!(cache.get("other", start), None);
        cache.put("hash".to_owned(), owner, start);
        cache.forget(owner.key_id);
        assert_eq!(cache.get("hash", start), None);
    }
}
