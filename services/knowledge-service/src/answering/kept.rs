//! What stays of an answer: question, words, and what they were drawn from.

use common::db::{DbError, Id, Tx};

use super::{Asked, Said};
use crate::app::App;
use crate::store::answers::{self, Answer};
use crate::store::{apps, conversations, passages, sources};

/// Keeps it. `finished`: it was said to its end.
pub(crate) async fn keep(app: &App, asked: Asked, said: Said, finished: bool) -> Result<(), DbError> {
    app.database.write(move |tx| store(tx, &asked, &said, finished)).await
}

fn store(tx: &mut Tx<'_>, asked: &Asked, said: &Said, finished: bool) -> Result<(), DbError> {
    let (app, question) = (&asked.question.app_id, &asked.question.text);
    let count = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
    let answer = Answer {
        id: Id(asked.question.answer_id),
        app_id: app.as_str().to_owned(),
        conversation_id: Id(asked.conversation),
        question: question.clone(),
        answer: said.text.clone(),
        verdict: asked.verdict.into(),
        unanswered: asked.unanswered(),
        finished,
        helpful: None,
        tokens_read: said.tokens.map(|tokens| count(tokens.read)),
        tokens_written: said.tokens.map(|tokens| count(tokens.written)),
        asked_at: asked.at,
    };
    if !apps::hold(tx.conn, app)? {
        return Ok(()); // the app was deleted while the answer was spoken
    }
    conversations::asked(tx.conn, app, (asked.conversation, question), asked.at)?;
    answers::insert(tx.conn, &answer)?;
    // A source that was deleted, or was given another text, while the answer was spoken: nothing of what it said is kept.
    let drawn = asked.passages.iter().map(|passage| passage.source).collect();
    let unchanged = sources::unchanged(tx.conn, app, (drawn, asked.at))?;
    let mut traced = asked.passages.clone();
    for passage in traced.iter_mut().filter(|passage| !unchanged.contains(&passage.source)) {
        passage.text.clear();
    }
    passages::insert(tx.conn, app, answer.id, &traced)
}
