//! The indexes of the apps, in memory: made from the tables when an app is first asked, made anew when what it knows has changed
//! since, and let go of when all of them together take too much room, those first that were not asked for longest. Every question
//! compares generations, so that what was deleted is not found by the next one, whichever replica deleted it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use common::db::{Database, DbError};
use tokio::sync::Mutex as AsyncMutex;

use crate::domain::index::{Index, Place};
use crate::domain::query::AppId;
use crate::store::apps;
use crate::store::chunks::{self, Key};

/// An index and what it was made of.
pub(crate) struct Built {
    generation: i64,
    pub(crate) index: Index,
    keys: Vec<Key>,
    bytes: usize,
}

impl Built {
    /// Which chunk stands at a place.
    pub(crate) fn key(&self, place: Place) -> Option<Key> {
        self.keys.get(usize::try_from(place).ok()?).copied()
    }
}

/// One app's: whoever wants it while it is being made waits for that.
type Slot = Arc<AsyncMutex<Option<Arc<Built>>>>;

#[derive(Default)]
struct Kept {
    slots: HashMap<AppId, (Slot, u64)>,
    /// Counts uses: the least recently used slot has the smallest number.
    clock: u64,
}

/// All of them. Cloning shares them.
#[derive(Clone)]
pub(crate) struct Indexes {
    kept: Arc<Mutex<Kept>>,
    /// Bytes.
    budget: usize,
}

impl Indexes {
    pub(crate) fn new(budget: usize) -> Self {
        Self { kept: Arc::default(), budget }
    }

    /// The index of an app as the tables have it now.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub(crate) async fn of(&self, database: &Database, app: &AppId) -> Result<Arc<Built>, DbError> {
        let slot = self.slot(app);
        let mut held = slot.lock().await;
        let asked = app.clone();
        let current = database.read(move |db| apps::generation(db, &asked)).await?;
        if let Some(built) = held.as_ref().filter(|built| built.generation == current) {
            return Ok(Arc::clone(built));
        }
        let built = Arc::new(build(database, app).await?);
        *held = Some(Arc::clone(&built));
        drop(held);
        self.make_room(app);
        Ok(built)
    }

    fn slot(&self, app: &AppId) -> Slot {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let now = kept.clock;
        let (slot, used) = kept.slots.entry(app.clone()).or_default();
        *used = now;
        Arc::clone(slot)
    }

    /// Lets go of what was not asked for longest, but never of the index that was just made: whoever wants it has it.
    fn make_room(&self, but: &AppId) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let size =
            |slot: &Slot| slot.try_lock().ok().and_then(|held| Some(held.as_ref()?.bytes)).unwrap_or(0);
        let mut total: usize = kept.slots.values().map(|(slot, _)| size(slot)).sum();
        while total > self.budget {
            let others = kept.slots.iter().filter(|(app, _)| *app != but);
            let Some(oldest) = others.min_by_key(|(_, (_, used))| *used).map(|(app, _)| app.clone()) else {
                return;
            };
            if let Some((slot, _)) = kept.slots.remove(&oldest) {
                total = total.saturating_sub(size(&slot));
            }
        }
    }
}

/// The generation is read before the chunks: what changes in between makes the index look older than it is, never newer.
async fn build(database: &Database, app: &AppId) -> Result<Built, DbError> {
    let asked = app.clone();
    let read =
        database.read(move |db| Ok::<_, DbError>((apps::generation(db, &asked)?, chunks::all(db, &asked)?)));
    let (generation, rows) = read.await?;
    let making = tokio::task::spawn_blocking(move || {
        let (mut index, mut keys) = (Index::default(), Vec::with_capacity(rows.len()));
        for (source, number, heading, text) in rows {
            index.add(&heading, &text);
            keys.push((source, number));
        }
        let bytes = index.bytes() + keys.capacity() * size_of::<Key>();
        Built { generation, index, keys, bytes }
    });
    making.await.map_err(|error| DbError::Unavailable(format!("an index could not be made: {error}")))
}
