//! `Knowledge.ListSources`, `Knowledge.DeleteSource`.

use common::clock::to_millis;
use common::db::{DbError, Tx};
use contracts::ids::SourceId;
use contracts::knowledge::{
    DeleteSourceRequest, DeleteSourceResponse, ListSourcesRequest, ListSourcesResponse, Source as Shown,
};
use contracts::rpc::RpcError;

use super::away_or_broken;
use crate::app::App;
use crate::domain::query::{AppId, invalid};
use crate::store::sources::{self, Source};
use crate::store::{apps, chunks, embeddings, passages, ticket_parts};

pub(super) async fn list(app: &App, request: &ListSourcesRequest) -> Result<ListSourcesResponse, RpcError> {
    let app_id = AppId::parse(&request.app_id)?;
    let after = match request.after_id.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|e| invalid("after_id", format!("{e}")))?),
    };
    let limit = request.limit.clamp(1, 100);
    let read = app.database.read(move |db| sources::list(db, &app_id, (after, limit + 1)));
    let mut found = read.await.map_err(away_or_broken)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more);
    let next_after_id = last.map(|source| source.id.0.to_string()).unwrap_or_default();
    Ok(ListSourcesResponse { sources: found.into_iter().map(shown).collect(), next_after_id })
}

fn shown(source: Source) -> Shown {
    Shown {
        id: source.id.0.to_string(),
        title: source.title,
        url: source.url.unwrap_or_default(),
        chunks: source.chunk_count.unsigned_abs(),
        created_at_ms: to_millis(source.created_at.0),
        updated_at_ms: to_millis(source.updated_at.unwrap_or(source.created_at).0),
    }
}

pub(super) async fn delete(
    app: &App,
    request: &DeleteSourceRequest,
) -> Result<DeleteSourceResponse, RpcError> {
    let app_id = AppId::parse(&request.app_id)?;
    let unknown = || RpcError::NotFound("source".to_owned());
    let id: SourceId = request.source_id.parse().map_err(|_| unknown())?;
    let write = app.database.write(move |tx| forget(tx, &app_id, id));
    match write.await.map_err(away_or_broken)? {
        true => Ok(DeleteSourceResponse {}),
        false => Err(unknown()),
    }
}

/// False: there is no such source.
fn forget(tx: &mut Tx<'_>, app: &AppId, id: SourceId) -> Result<bool, DbError> {
    if apps::next_generation(tx.conn, app)?.is_none() {
        return Ok(false); // it goes with its app
    }
    embeddings::remove(tx.conn, app, id)?;
    chunks::remove(tx.conn, app, id)?;
    passages::blank(tx.conn, app, id)?; // answers stay, but not what they took from it
    ticket_parts::forget_source(tx.conn, app, id)?;
    sources::remove(tx.conn, app, id)
}
