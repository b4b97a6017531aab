//! `Knowledge.Search`: the passages that speak of a question, best first, and whether they can answer it.

use contracts::knowledge::{Passage, SearchRequest, SearchResponse};
use contracts::rpc::RpcError;

use super::away_or_broken;
use crate::app::App;
use crate::domain::contents::Hit;
use crate::domain::query::Query;
use crate::domain::verdict::verdict;
use crate::found;
use crate::store::chunks::Shown;

pub(super) async fn search(app: &App, request: SearchRequest) -> Result<SearchResponse, RpcError> {
    let Query { app_id, question, limit } = Query::try_from(request)?;
    let hits = app.indexes.search(&app.database, &app_id, (question, limit)).await.map_err(away_or_broken)?;
    let verdict = verdict(&hits);
    let found = found::shown(app, &app_id, hits).await.map_err(away_or_broken)?;
    Ok(SearchResponse { verdict: verdict.into(), passages: found.into_iter().map(passage).collect() })
}

fn passage((hit, shown): (Hit, Shown)) -> Passage {
    Passage {
        source_id: hit.key.0.to_string(),
        title: shown.title,
        url: shown.url.unwrap_or_default(),
        score: hit.score,
        text: shown.text,
    }
}
