//! What was found, as it is shown.

use std::collections::HashMap;

use common::db::DbError;

use crate::app::App;
use crate::domain::contents::{Hit, Key};
use crate::domain::query::AppId;
use crate::store::chunks::{self, Shown};

/// The chunks that were found in an app, in their order, each with what is shown of it. One that has gone in the meantime is left out.
///
/// # Errors
/// When the tables do not answer.
pub(crate) async fn shown(app: &App, id: &AppId, hits: Vec<Hit>) -> Result<Vec<(Hit, Shown)>, DbError> {
    let keys: Vec<Key> = hits.iter().map(|hit| hit.key).collect();
    let asked = id.clone();
    let read = app.database.read(move |db| chunks::shown(db, &asked, &keys)).await?;
    let mut shown: HashMap<Key, Shown> = read.into_iter().map(|shown| (shown.key(), shown)).collect();
    Ok(hits.into_iter().filter_map(|hit| Some((hit, shown.remove(&hit.key)?))).collect())
}
