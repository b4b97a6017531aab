//! Finds out whether meaning helps in an app: a model that does not know what its documents speak of makes a good ranking worse. Some of
//! the documents' own sentences are asked for; where meaning finds less than half of what words find, it counts nothing.

use common::db::DbError;

use crate::app::App;
use crate::domain::contents::{Chunk, Probe};
use crate::domain::query::AppId;
use crate::embedder::Embedder;
use crate::store::{apps, chunks, embeddings, sources};

/// So many sentences are asked for…
const SAMPLES: usize = 50;
/// …and to be found among so many chunks.
const AMONG: usize = 10;
/// The longest question that is asked, in characters.
const QUESTION: usize = 150;

/// Weighs an app, unless some of its sources still wait, or it has not grown by half since it was last weighed.
pub(super) async fn weigh(app: &App, embedder: &Embedder, id: AppId) -> Result<(), DbError> {
    let asked = id.clone();
    let state = app.database.read(move |db| {
        let waiting = embeddings::waiting(db, &asked)?;
        Ok::<_, DbError>((waiting, apps::standing(db, &asked)?, sources::chunk_count(db, &asked)?))
    });
    let (waiting, standing, count) = state.await?;
    let same = standing.weighed_with.as_deref() == Some(embedder.model());
    if waiting > 0 || (same && count < standing.weighed_chunks + standing.weighed_chunks / 2) {
        return Ok(());
    }
    let (words, meaning) = found(app, embedder, &id).await?;
    let weight = if meaning * 2 < words { 0.0 } else { embedder.weight() };
    tracing::info!(app = id.as_str(), words, meaning, weight, "meaning was weighed against words");
    let model = embedder.model().to_owned();
    app.database.write(move |tx| apps::weigh(tx.conn, &id, (weight.into(), &model, count))).await
}

/// How many of the samples words find, and how many meaning does.
async fn found(app: &App, embedder: &Embedder, id: &AppId) -> Result<(usize, usize), DbError> {
    let (mut words, mut meaning) = (0, 0);
    for sample in samples(app, id).await? {
        let question = first_sentence(&sample.text);
        let Some(vector) = embedder.question(&question).await else { continue };
        let by_words = Probe { question, meaning: None };
        let by_meaning = Probe { question: String::new(), meaning: Some((vector, 1.0)) };
        for (probe, found) in [(by_words, &mut words), (by_meaning, &mut meaning)] {
            let hits = app.indexes.probe(&app.database, id, (probe, AMONG)).await?;
            *found += usize::from(hits.iter().any(|hit| hit.key == sample.key));
        }
    }
    Ok((words, meaning))
}

/// From sources that lie evenly apart.
async fn samples(app: &App, id: &AppId) -> Result<Vec<Chunk>, DbError> {
    let asked = id.clone();
    let read = app.database.read(move |db| {
        let all = sources::changed(db, &asked, 0)?;
        let step = (all.len() / SAMPLES).max(1);
        let some: Vec<_> = all.into_iter().step_by(step).take(SAMPLES).collect();
        chunks::of(db, &asked, (&some, None))
    });
    let chunks = read.await?;
    let step = (chunks.len() / SAMPLES).max(1);
    Ok(chunks.into_iter().step_by(step).take(SAMPLES).collect())
}

fn first_sentence(text: &str) -> String {
    let end = text.find(". ").map_or(text.len(), |at| at + 1);
    text[..end].trim_start_matches(['#', ' ']).chars().take(QUESTION).collect()
}
