//! What is known before a ticket is opened: what was said, and what the documents gave to it.

use common::db::{Db, DbError, Time};

use crate::app::App;
use crate::domain::contents::Hit;
use crate::domain::query::AppId;
use crate::domain::ticket::{LONGEST_QUESTION, Trace, Wish};
use crate::domain::transcript::{self, Line};
use crate::found;
use crate::store::chunks::Shown;
use crate::store::{answers, passages};

/// Passages that are kept.
const TRACED: usize = 10;
/// Questions of a conversation that are told, each with its answer.
const EXCHANGES: i64 = 50;

/// What goes with a ticket.
pub(super) struct Before {
    pub(super) question: String,
    /// Oldest first.
    pub(super) lines: Vec<Line>,
    /// Best first.
    pub(super) trace: Vec<Trace>,
    /// When it was looked for.
    pub(super) at: Time,
}

/// What a conversation of the app was, as far as it is known.
struct Conversation {
    last_question: String,
    lines: Vec<Line>,
    /// For its last question.
    trace: Vec<Trace>,
}

/// Looks for it. What was found for the last question of the conversation goes along; where there is none, what the documents say about
/// the question itself. None: the last question of a conversation is wanted in which this app was asked nothing.
pub(super) async fn before(app: &App, wish: &Wish) -> Result<Option<Before>, DbError> {
    let at = Time::from(app.database.now());
    let asked = wish.clone();
    let conversation = app.database.read(move |db| conversation(db, &asked)).await?;
    let (question, said, trace) = match (wish.question.clone(), conversation) {
        (asked, Some(Conversation { last_question, lines, trace })) => {
            (asked.unwrap_or(last_question), lines, trace)
        }
        (Some(asked), None) => {
            let trace = search(app, &wish.app, &asked).await?;
            (asked, Vec::new(), trace)
        }
        (None, None) => return Ok(None),
    };
    let lines = if wish.history.is_empty() { said } else { wish.history.clone() };
    Ok(Some(Before { question, lines, trace, at }))
}

/// None: the wish names none in which this app was asked anything.
fn conversation(db: &mut Db, wish: &Wish) -> Result<Option<Conversation>, DbError> {
    let Some(id) = wish.conversation else { return Ok(None) };
    let exchanges = answers::exchanges(db, &wish.app, (id, EXCHANGES))?;
    let Some(last) = exchanges.last() else { return Ok(None) };
    let most = i64::try_from(TRACED).unwrap_or(i64::MAX);
    let trace = passages::of(db, &wish.app, (last.id, most))?;
    let said = exchanges.iter().map(|one| (one.question.as_str(), one.answer.as_str()));
    let last_question = last.question.chars().take(LONGEST_QUESTION).collect();
    Ok(Some(Conversation { last_question, lines: transcript::of_exchanges(said), trace }))
}

async fn search(app: &App, id: &AppId, question: &str) -> Result<Vec<Trace>, DbError> {
    let hits = app.indexes.search(&app.database, id, (question.to_owned(), TRACED)).await?;
    let trace = |(hit, shown): (Hit, Shown)| Trace {
        source: hit.key.0,
        title: shown.title,
        url: shown.url.unwrap_or_default(),
        score: hit.score.into(),
        text: shown.text,
    };
    Ok(found::shown(app, id, hits).await?.into_iter().map(trace).collect())
}
