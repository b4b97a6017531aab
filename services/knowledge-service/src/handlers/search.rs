//! `Knowledge.Search`: looks whether the app has documents at all. Where it has none, none of them speaks of anything, and
//! that is the answer. Ranking is not there yet; an app that has documents is told so instead of being told that they are
//! silent.

use async_trait::async_trait;
use common::db::DbError;
use contracts::knowledge::{KnowledgeRpc, SearchRequest, SearchResponse, Verdict};
use contracts::rpc::{Context, RpcError};

use crate::app::App;
use crate::domain::query::Query;
use crate::store::sources;

#[async_trait]
impl KnowledgeRpc for App {
    async fn search(&self, _context: Context, request: SearchRequest) -> Result<SearchResponse, RpcError> {
        let query = Query::try_from(request)?;
        let sources = self.database.read(move |db| sources::count(db, query.app_id())).await;
        match sources.map_err(away_or_broken)? {
            0 => Ok(SearchResponse { verdict: Verdict::NotCovered.into(), passages: Vec::new() }),
            n => Err(RpcError::Internal(format!(
                "the app has {n} sources, and this version of the knowledge service cannot rank their passages"
            ))),
        }
    }
}

fn away_or_broken(error: DbError) -> RpcError {
    if error.is_away() {
        RpcError::Unavailable(error.to_string())
    } else {
        RpcError::Internal(error.to_string())
    }
}
