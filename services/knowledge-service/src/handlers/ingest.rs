//! `Knowledge.Ingest`: a text is cut up and stored in one transaction; the next question finds it.

use common::db::{DbError, Id, Time, Tx};
use contracts::ids::SourceId;
use contracts::knowledge::{IngestRequest, IngestResponse};
use contracts::rpc::RpcError;

use super::{away_or_broken, no_app};
use crate::app::App;
use crate::domain::document::Document;
use crate::store::sources::{self, Source};
use crate::store::{apps, chunks, embeddings, passages};

/// What one app may know: so much is searched within some tens of milliseconds.
const MOST_CHUNKS: i64 = 200_000;

pub(super) async fn ingest(app: &App, request: IngestRequest) -> Result<IngestResponse, RpcError> {
    take_in(app, Document::try_from(request)?).await
}

/// What has become of a document.
enum Stored {
    /// It is there, in so many chunks.
    As(SourceId, u32),
    /// The app knows too much.
    TooMuch,
    /// The app is deleted.
    NoApp,
}

/// Cuts a document up and stores it.
pub(super) async fn take_in(app: &App, document: Document) -> Result<IngestResponse, RpcError> {
    let write = app.database.write(move |tx| store(tx, &document, &document.chunks()));
    match write.await.map_err(away_or_broken)? {
        Stored::As(source, count) => {
            app.embed_due.notify_one();
            Ok(IngestResponse { source_id: source.to_string(), chunks_processed: count, chunks_failed: 0 })
        }
        Stored::TooMuch => Err(RpcError::Conflict {
            code: "knowledge_limit_reached".to_owned(),
            message: format!("an app knows at most {MOST_CHUNKS} chunks; delete sources first"),
        }),
        Stored::NoApp => Err(no_app()),
    }
}

/// Stores a document and its chunks, in place of what came from the same address.
fn store(tx: &mut Tx<'_>, document: &Document, texts: &[(String, String)]) -> Result<Stored, DbError> {
    let app = &document.app;
    let Some(generation) = apps::next_generation(tx.conn, app)? else { return Ok(Stored::NoApp) };
    let known = sources::known(tx.conn, app, (document.id, document.url.as_deref()))?;
    let count = i32::try_from(texts.len()).unwrap_or(i32::MAX);
    let more = i64::from(count) - known.as_ref().map_or(0, |known| i64::from(known.chunk_count));
    if more > 0 && sources::chunk_count(tx.conn, app)? + more > MOST_CHUNKS {
        return Ok(Stored::TooMuch);
    }
    let now = Time::from(tx.now());
    let source = Source {
        id: known.as_ref().map_or(Id::of(document.id), |known| known.id),
        app_id: app.as_str().to_owned(),
        title: document.title.clone(),
        url: document.url.clone(),
        generation,
        created_at: known.as_ref().map_or(now, |known| known.created_at),
        updated_at: known.as_ref().map(|_| now),
        chunk_count: count,
    };
    let id = SourceId(source.id.0);
    match known {
        Some(_) => {
            embeddings::remove(tx.conn, app, id)?;
            chunks::remove(tx.conn, app, id)?;
            passages::blank(tx.conn, app, id)?; // answers stay, but not what they took from the text that goes
            sources::replace(tx.conn, app, &source)?;
        }
        None => sources::insert(tx.conn, &source)?,
    }
    chunks::insert(tx.conn, app, id, texts)?;
    Ok(Stored::As(id, count.unsigned_abs()))
}
