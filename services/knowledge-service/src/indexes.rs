//! What the apps know, in memory: made from the tables when an app is first asked, brought up to date by what has changed since, and
//! let go of when all of them together take too much room, those first that were not asked for longest. Every question compares
//! generations, so that what was deleted is not found by the next one, whichever replica deleted it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use common::db::{Database, DbError};
use contracts::ids::SourceId;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use tokio::task::JoinError;

use crate::domain::contents::{Chunk, Contents, Hit, Probe};
use crate::domain::query::AppId;
use crate::embedder::Embedder;
use crate::store::apps::{self, Standing};
use crate::store::{chunks, sources};

/// So many sources are read at a time, some megabytes of text: what an app of any size says is never in memory as a whole.
const SOURCES_AT_ONCE: usize = 25;

/// What an app knows, as its tables had it in a generation.
#[derive(Default)]
struct Held {
    generation: i64,
    contents: Contents,
    bytes: usize,
}

/// One app's: many search in it, or one brings it up to date.
type Slot = Arc<RwLock<Held>>;

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
    embedder: Option<Embedder>,
}

impl Indexes {
    /// With so many bytes of room, for documents that this one has embedded.
    pub(crate) fn new(budget: usize, embedder: Option<Embedder>) -> Self {
        Self { kept: Arc::default(), budget, embedder }
    }

    /// The best chunks of an app for a question and how many are wanted, as the tables have them now: by words, and by what they mean
    /// where there is somebody who says so and the app is the better for it.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub(crate) async fn search(
        &self,
        database: &Database,
        app: &AppId,
        (question, limit): (String, usize),
    ) -> Result<Vec<Hit>, DbError> {
        let Some(standing) = self.standing(database, app).await? else { return Ok(Vec::new()) };
        let meaning = self.meaning(&standing, &question).await;
        let held = self.at_least(database, app, standing.generation).await?;
        in_background(move || held.contents.search(&Probe { question, meaning }, limit)).await
    }

    /// The best chunks for what is already known of a question.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub(crate) async fn probe(
        &self,
        database: &Database,
        app: &AppId,
        (probe, limit): (Probe, usize),
    ) -> Result<Vec<Hit>, DbError> {
        let Some(standing) = self.standing(database, app).await? else { return Ok(Vec::new()) };
        let held = self.at_least(database, app, standing.generation).await?;
        in_background(move || held.contents.search(&probe, limit)).await
    }

    /// Lets go of what an app knows.
    pub(crate) fn forget(&self, app: &AppId) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).slots.remove(app);
    }

    /// How the app stands. None: it is deleted, and what was held of it is let go of.
    async fn standing(&self, database: &Database, app: &AppId) -> Result<Option<Standing>, DbError> {
        let asked = app.clone();
        let standing = database.read(move |db| apps::standing(db, &asked)).await?;
        if standing.deleted_at.is_some() {
            self.forget(app);
            return Ok(None);
        }
        Ok(Some(standing))
    }

    /// What a question means and how much that counts. None: nobody has read the documents, or it is of no use here.
    #[expect(clippy::cast_possible_truncation, reason = "a weight was an f32 before it was stored")]
    async fn meaning(&self, standing: &Standing, question: &str) -> Option<(Vec<f32>, f32)> {
        let embedder = self.embedder.as_ref()?;
        let known = standing.weighed_with.as_deref() == Some(embedder.model());
        let weight = standing.weight.filter(|weight| known && *weight > 0.0)?;
        Some((embedder.question(question).await?, weight as f32))
    }

    /// What an app knows in this generation or a later one.
    async fn at_least(
        &self,
        database: &Database,
        app: &AppId,
        generation: i64,
    ) -> Result<OwnedRwLockReadGuard<Held>, DbError> {
        let slot = self.slot(app);
        let held = Arc::clone(&slot).read_owned().await;
        if held.generation >= generation {
            return Ok(held);
        }
        drop(held);
        let model = self.embedder.as_ref().map(|embedder| embedder.model().to_owned());
        // In a task of its own: whoever asks may give up before a large app is read, and the next one finds it done.
        let updating =
            bring_up_to_date(Arc::clone(&slot), database.clone(), (app.clone(), model), generation);
        tokio::spawn(updating).await.map_err(lost)??;
        self.make_room(app);
        Ok(slot.read_owned().await)
    }

    fn slot(&self, app: &AppId) -> Slot {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let now = kept.clock;
        let (slot, used) = kept.slots.entry(app.clone()).or_default();
        *used = now;
        Arc::clone(slot)
    }

    /// Lets go of what was not asked for longest, but never of what was just brought up to date: whoever wants it has it.
    fn make_room(&self, but: &AppId) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let size = |slot: &Slot| slot.try_read().map_or(0, |held| held.bytes);
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

/// What has to be done to be as the tables are.
struct Difference {
    generation: i64,
    /// New ones, and those that say something else now.
    changed: Vec<SourceId>,
    /// All that there are; none where none can have gone.
    present: Option<HashSet<SourceId>>,
}

/// Up to `wanted` at least. The generation is read before the rows: what changes in between makes all of this look older than it
/// is, never newer.
async fn bring_up_to_date(
    slot: Slot,
    database: Database,
    (app, model): (AppId, Option<String>),
    wanted: i64,
) -> Result<(), DbError> {
    let held = slot.write_owned().await;
    if held.generation >= wanted {
        return Ok(()); // whoever was here before has done it
    }
    let (asked, since, known) = (app.clone(), held.generation, held.contents.sources().clone());
    let difference = database.read(move |db| difference(db, &asked, since, &known)).await?;
    let Difference { generation, changed, present } = difference;
    let gone: Vec<SourceId> = match present {
        Some(present) => held.contents.sources().difference(&present).copied().collect(),
        None => Vec::new(),
    };
    let stale: HashSet<SourceId> = gone.into_iter().chain(changed.iter().copied()).collect();
    let mut held = in_background(move || without(held, &stale)).await?;
    for ids in changed.chunks(SOURCES_AT_ONCE) {
        let (asked, ids, model) = (app.clone(), ids.to_vec(), model.clone());
        let chunks = database.read(move |db| chunks::of(db, &asked, (&ids, model.as_deref()))).await?;
        held = in_background(move || with(held, &chunks)).await?;
    }
    in_background(move || finished(held, generation)).await
}

/// Whether any have gone is seen from their number: only then all of them are read.
fn difference(
    db: &mut common::db::Db,
    app: &AppId,
    since: i64,
    known: &HashSet<SourceId>,
) -> Result<Difference, DbError> {
    let Standing { generation, .. } = apps::standing(db, app)?;
    let changed = sources::changed(db, app, since)?;
    let expected = known.len() + changed.iter().filter(|source| !known.contains(source)).count();
    let present = match sources::count(db, app)? == expected {
        true => None,
        false => Some(sources::changed(db, app, 0)?.into_iter().collect()),
    };
    Ok(Difference { generation, changed, present })
}

fn without(mut held: OwnedRwLockWriteGuard<Held>, stale: &HashSet<SourceId>) -> OwnedRwLockWriteGuard<Held> {
    // Should the rest fail, the next question begins with what is left.
    held.generation = 0;
    held.contents.remove(stale);
    held
}

fn with(mut held: OwnedRwLockWriteGuard<Held>, chunks: &[Chunk]) -> OwnedRwLockWriteGuard<Held> {
    held.contents.add(chunks);
    held
}

fn finished(mut held: OwnedRwLockWriteGuard<Held>, generation: i64) {
    if held.bytes == 0 {
        held.contents.shrink();
    }
    held.bytes = held.contents.bytes();
    held.generation = generation;
}

/// Off the threads on which the service listens: an app of a hundred thousand chunks takes its time.
async fn in_background<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, DbError> {
    tokio::task::spawn_blocking(work).await.map_err(lost)
}

fn lost(error: JoinError) -> DbError {
    DbError::Unavailable(format!("an index could not be used: {error}"))
}
