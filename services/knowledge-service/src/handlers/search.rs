//! `Knowledge.Search`: the passages that speak of a question, best first, and whether they can answer it.

use std::collections::HashMap;

use contracts::knowledge::{Passage, SearchRequest, SearchResponse};
use contracts::rpc::RpcError;

use super::away_or_broken;
use crate::app::App;
use crate::domain::contents::{Hit, Key};
use crate::domain::query::Query;
use crate::domain::verdict::verdict;
use crate::store::chunks::{self, Shown};

pub(super) async fn search(app: &App, request: SearchRequest) -> Result<SearchResponse, RpcError> {
    let query = Query::try_from(request)?;
    let Query { app_id, question, limit } = query;
    let hits = app.indexes.search(&app.database, &app_id, (question, limit)).await.map_err(away_or_broken)?;
    let verdict = verdict(&hits);
    let keys: Vec<Key> = hits.iter().map(|hit| hit.key).collect();
    let read = app.database.read(move |db| chunks::shown(db, &app_id, &keys)).await;
    let shown: HashMap<Key, Shown> =
        read.map_err(away_or_broken)?.into_iter().map(|shown| (shown.key(), shown)).collect();
    let passages = hits.into_iter().filter_map(|hit| Some(passage(shown.get(&hit.key)?, hit))).collect();
    Ok(SearchResponse { verdict: verdict.into(), passages })
}

fn passage(shown: &Shown, hit: Hit) -> Passage {
    Passage {
        source_id: hit.key.0.to_string(),
        title: shown.title.clone(),
        url: shown.url.clone().unwrap_or_default(),
        score: hit.score,
        text: shown.text.clone(),
    }
}
