//! What is known before the first word: the conversation so far, the passages, and what they can do for the question.

use std::collections::HashMap;

use common::db::{Db, DbError, Time};
use contracts::knowledge::Verdict;
use contracts::rpc::RpcError;
use uuid::Uuid;

use crate::app::App;
use crate::domain::contents::{Hit, Key};
use crate::domain::passages::{self, Passage};
use crate::domain::person;
use crate::domain::prompt::without_numbers;
use crate::domain::query::AppId;
use crate::domain::question::Question;
use crate::domain::verdict::verdict;
use crate::found;
use crate::handlers::{away_or_broken, no_app};
use crate::store::chunks::Shown;
use crate::store::{answers, apps};

/// Chunks that are looked at.
const FOUND: usize = 30;
/// Questions before this one that a model is told.
const REMEMBERED: i64 = 6;
/// How much the question before counts beside this one: for how relevant a chunk is, and for how much of the question it speaks of.
const BEFORE_SCORE: f32 = 0.3;
const BEFORE_COVERED: f32 = 0.4;

/// A question, and all that its answer is made of.
pub(crate) struct Asked {
    pub(crate) question: Question,
    pub(crate) conversation: Uuid,
    pub(crate) at: Time,
    /// Questions before it and their answers, oldest first.
    pub(crate) history: Vec<(String, String)>,
    pub(crate) verdict: Verdict,
    /// Best first.
    pub(crate) passages: Vec<Passage>,
}

impl Asked {
    /// The documents cannot answer it: a person should be offered.
    pub(crate) fn unanswered(&self) -> bool {
        !matches!(self.verdict, Verdict::Answerable | Verdict::Partial)
    }

    /// What the answer draws from: the best passage of each source.
    pub(crate) fn sources(&self) -> Vec<&Passage> {
        if self.unanswered() { Vec::new() } else { passages::sources(&self.passages).0 }
    }

    /// For metrics.
    pub(crate) fn verdict_name(&self) -> &'static str {
        match self.verdict {
            Verdict::Answerable => "answerable",
            Verdict::Partial => "partial",
            Verdict::NeedsHuman => "needs_human",
            Verdict::NotCovered | Verdict::Unspecified => "not_covered",
        }
    }
}

pub(crate) async fn prepare(app: &App, question: Question) -> Result<Asked, RpcError> {
    let at = Time::from(app.database.now());
    let conversation = question.conversation.unwrap_or_else(Uuid::now_v7);
    let asked = question.clone();
    let read = app.database.read(move |db| history(db, &asked)).await;
    let history = read.map_err(away_or_broken)?.ok_or_else(no_app)?;
    let before = history.last().map(|(question, _)| question.as_str());
    let hits = hits(app, &question, before).await?;
    let verdict = if person::is_asked_for(&question.text) { Verdict::NeedsHuman } else { verdict(&hits) };
    let passages = passages(app, &question.app_id, hits).await?;
    Ok(Asked { question, conversation, at, history, verdict, passages })
}

/// What was said before. None: the app is deleted.
fn history(db: &mut Db, question: &Question) -> Result<Option<Vec<(String, String)>>, DbError> {
    if apps::is_deleted(db, &question.app_id)? {
        return Ok(None);
    }
    match question.conversation {
        Some(id) => {
            let said = answers::last(db, &question.app_id, (id, REMEMBERED))?;
            // The numbers were those of other sources.
            Ok(Some(said.into_iter().map(|(asked, told)| (asked, without_numbers(&told))).collect()))
        }
        None => Ok(Some(Vec::new())),
    }
}

/// What speaks of the question, best first. The one before it counts a little: a question such as "and on Sundays?" lives on it.
async fn hits(app: &App, question: &Question, before: Option<&str>) -> Result<Vec<Hit>, RpcError> {
    let search = |text: String| app.indexes.search(&app.database, &question.app_id, (text, FOUND));
    let hits = search(question.text.clone()).await.map_err(away_or_broken)?;
    let Some(before) = before else { return Ok(hits) };
    let both = search(format!("{before} {}", question.text)).await.map_err(away_or_broken)?;
    let all = 1.0 + BEFORE_SCORE;
    let alone = |hit: Hit| (hit.key, Hit { score: hit.score / all, ..hit });
    let mut by_key: HashMap<Key, Hit> = hits.into_iter().map(alone).collect();
    for hit in both {
        let known = by_key.entry(hit.key).or_insert(Hit { score: 0.0, covered: 0.0, ..hit });
        known.score += hit.score * BEFORE_SCORE / all;
        known.covered = known.covered.max(hit.covered * BEFORE_COVERED);
    }
    let mut hits: Vec<Hit> = by_key.into_values().collect();
    hits.sort_by(|one, other| other.score.total_cmp(&one.score).then(one.key.cmp(&other.key)));
    Ok(hits)
}

async fn passages(app: &App, app_id: &AppId, hits: Vec<Hit>) -> Result<Vec<Passage>, RpcError> {
    let found = found::shown(app, app_id, hits).await.map_err(away_or_broken)?;
    let passage = |(hit, shown): (Hit, Shown)| Passage {
        source: hit.key.0,
        numbers: (hit.key.1, hit.key.1),
        score: hit.score,
        title: shown.title,
        url: shown.url.unwrap_or_default(),
        text: shown.text,
    };
    Ok(passages::chosen(found.into_iter().map(passage).collect()))
}
