//! `Knowledge.Search`: the passages that speak of a question, best first, and whether they can answer it.

use std::collections::HashMap;

use contracts::knowledge::{Passage, SearchRequest, SearchResponse};
use contracts::rpc::RpcError;

use super::away_or_broken;
use crate::app::App;
use crate::domain::index::Hit;
use crate::domain::query::Query;
use crate::domain::verdict::verdict;
use crate::store::chunks::{self, Key, Shown};

pub(super) async fn search(app: &App, request: SearchRequest) -> Result<SearchResponse, RpcError> {
    let query = Query::try_from(request)?;
    let built = app.indexes.of(&app.database, &query.app_id).await.map_err(away_or_broken)?;
    let hits = built.index.search(&query.question, query.limit);
    let verdict = verdict(&hits);
    let found: Vec<(Key, Hit)> =
        hits.into_iter().filter_map(|hit| Some((built.key(hit.place)?, hit))).collect();
    let keys: Vec<Key> = found.iter().map(|(key, _)| *key).collect();
    let app_id = query.app_id;
    let read = app.database.read(move |db| chunks::shown(db, &app_id, &keys)).await;
    let shown: HashMap<Key, Shown> = read
        .map_err(away_or_broken)?
        .into_iter()
        .map(|shown| ((shown.source, shown.number), shown))
        .collect();
    let passages = found.into_iter().filter_map(|(key, hit)| Some(passage(shown.get(&key)?, hit))).collect();
    Ok(SearchResponse { verdict: verdict.into(), passages })
}

fn passage(shown: &Shown, hit: Hit) -> Passage {
    Passage {
        source_id: shown.source.0.to_string(),
        title: shown.title.clone(),
        url: shown.url.clone().unwrap_or_default(),
        score: hit.score,
        text: shown.text.clone(),
    }
}
