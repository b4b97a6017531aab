//! Has what was taken in read by the model that says what it means, oldest first. Until then, and where the model refuses a chunk, it is
//! found by its words.

use std::collections::HashSet;
use std::time::Duration;

use common::db::{DbError, Tx};
use contracts::ids::SourceId;

use super::weigh;
use crate::app::App;
use crate::domain::contents::Chunk;
use crate::domain::query::AppId;
use crate::domain::vectors::packed;
use crate::embedder::Embedder;
use crate::store::{apps, chunks, embeddings};

/// Longer than some large sources take; where it is not, another replica reads them once more.
const HOLD: Duration = Duration::from_secs(600);
/// Sources in one round.
const AT_ONCE: u32 = 16;

/// A source as it was when it was claimed.
struct Claimed {
    app: AppId,
    source: SourceId,
    generation: i64,
    chunks: Vec<Chunk>,
}

/// One round.
pub(crate) async fn run(app: App) -> Result<(), DbError> {
    let Some(embedder) = app.embedder.clone() else { return Ok(()) };
    app.outdated.get_or_try_init(|| outdate(&app, &embedder)).await?;
    let due = app.database.write(|tx| {
        let now = tx.now();
        embeddings::claim(tx.conn, now, HOLD, AT_ONCE)
    });
    let due = due.await?;
    if due.len() >= AT_ONCE as usize {
        app.embed_due.notify_one(); // there may be more
    }
    let mut touched = HashSet::new();
    let mut due = due.into_iter();
    while let Some(source) = due.next() {
        let Some(claimed) = app.database.read(move |db| claimed(db, source)).await? else { continue };
        touched.insert(claimed.app.clone());
        if !embed(&app, &embedder, claimed).await? {
            // This one waits until its lease ends. The others may not be at fault: the next round takes them.
            let rest = due.collect();
            return app.database.write(move |tx| embeddings::release(tx.conn, rest)).await;
        }
    }
    for touched in touched {
        weigh::weigh(&app, &embedder, touched).await?;
    }
    Ok(())
}

/// Once a start: another model may have read the sources before.
async fn outdate(app: &App, embedder: &Embedder) -> Result<(), DbError> {
    let model = embedder.model().to_owned();
    let outdated = app.database.write(move |tx| embeddings::outdate(tx.conn, &model)).await?;
    if outdated > 0 {
        tracing::info!(
            sources = outdated,
            model = embedder.model(),
            "another model reads the documents from now on"
        );
    }
    Ok(())
}

fn claimed(db: &mut common::db::Db, source: SourceId) -> Result<Option<Claimed>, DbError> {
    let Some((app, generation)) = embeddings::owner(db, source)? else { return Ok(None) };
    // It was checked when the source was taken in.
    let Ok(app) = AppId::parse(&app) else { return Ok(None) };
    let chunks = chunks::of(db, &app, (&[source], None))?;
    Ok(Some(Claimed { app, source, generation, chunks }))
}

/// False: the model does not answer.
async fn embed(app: &App, embedder: &Embedder, claimed: Claimed) -> Result<bool, DbError> {
    let texts: Vec<String> =
        claimed.chunks.iter().map(|chunk| format!("{}\n{}", chunk.heading, chunk.text)).collect();
    let vectors = match embedder.texts(&texts).await {
        Ok(vectors) => vectors,
        Err(error) => {
            tracing::warn!(%error, model = embedder.model(), "documents wait to be embedded: they are found by their words");
            return Ok(false);
        }
    };
    let refused = vectors.iter().filter(|vector| vector.is_none()).count();
    if refused > 0 {
        tracing::warn!(source = %claimed.source, refused, "the model refuses some chunks: they are found by their words");
    }
    let model = embedder.model().to_owned();
    app.database.write(move |tx| keep(tx, &claimed, (&model, packed(&vectors)))).await?;
    Ok(true)
}

/// Nothing is kept of a source that has changed in the meantime: it is read again. Nor of one whose app is deleted.
fn keep(tx: &mut Tx<'_>, claimed: &Claimed, (model, vectors): (&str, Vec<u8>)) -> Result<(), DbError> {
    let Some(next) = apps::next_generation(tx.conn, &claimed.app)? else { return Ok(()) };
    let owner = embeddings::owner(tx.conn, claimed.source)?;
    if owner.is_none_or(|(_, generation)| generation != claimed.generation) {
        return Ok(());
    }
    embeddings::put(tx.conn, &claimed.app, claimed.source, (model, vectors, next))
}
