//! `Answers.Ask`: looks for what the documents say, says what was found, then the words as they come, then that it was all. What
//! was said is kept, also when it broke off.

use std::time::Duration;

use contracts::knowledge::answer_part::Part;
use contracts::knowledge::{AnswerBegun, AnswerEnded, AnswerPart, AnswerSource, AskRequest};
use contracts::rpc::{RpcError, Streamed};
use futures_util::stream;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::Instrument as _;

use crate::answering::{Asked, Said, keep, prepare, speak};
use crate::app::App;
use crate::domain::passages::Passage;
use crate::domain::question::Question;

/// Time for the whole answer.
const WHOLE: Duration = Duration::from_secs(60);
/// The end waits this long for a reader.
const LAST: Duration = Duration::from_secs(10);
/// Parts that lie ready for a reader.
const AHEAD: usize = 8;
const SNIPPET_CHARS: usize = 200;

type Parts = mpsc::Sender<Result<AnswerPart, RpcError>>;

pub(super) async fn ask(app: &App, request: AskRequest) -> Result<Streamed<AnswerPart>, RpcError> {
    let deadline = Instant::now() + WHOLE;
    let question = Question::try_from(request)?;
    let asked = timeout_at(deadline, prepare(app, question)).await;
    let asked = asked.map_err(|_| RpcError::DeadlineExceeded)??;
    let (parts, reading) = mpsc::channel(AHEAD);
    // In a task of its own: what was said is kept, also when whoever asked has gone.
    tokio::spawn(answer(app.clone(), asked, parts, deadline).in_current_span());
    Ok(read(reading))
}

/// Until the end. A writer that goes without one has broken off.
fn read(reading: mpsc::Receiver<Result<AnswerPart, RpcError>>) -> Streamed<AnswerPart> {
    Box::pin(stream::unfold(Some(reading), |reading| async move {
        let mut reading = reading?;
        let lost = || Err(RpcError::Internal("the answer was lost".to_owned()));
        let next = reading.recv().await.unwrap_or_else(lost);
        let is_last = match &next {
            Ok(part) => matches!(part.part, Some(Part::Ended(_))),
            Err(_) => true,
        };
        Some((next, (!is_last).then_some(reading)))
    }))
}

async fn answer(app: App, asked: Asked, parts: Parts, deadline: Instant) {
    let mut said = Said::default();
    let outcome = tokio::select! {
        outcome = timeout_at(deadline, say_all(&app, &asked, &parts, &mut said)) => outcome.unwrap_or(Err(RpcError::DeadlineExceeded)),
        () = parts.closed() => Err(gone()),
    };
    if let Some(answers) = &app.answers {
        let end = if outcome.is_ok() { "finished" } else { "broken" };
        answers.with_label_values(&[asked.verdict_name(), end]).inc();
    }
    let unanswered = asked.unanswered();
    if let Err(error) = keep(&app, asked, said, outcome.is_ok()).await {
        tracing::warn!(%error, "an answer was given and could not be kept");
    }
    let last = outcome.map(|()| part(Part::Ended(AnswerEnded { unanswered })));
    let _ = timeout(LAST, parts.send(last)).await;
}

async fn say_all(app: &App, asked: &Asked, parts: &Parts, said: &mut Said) -> Result<(), RpcError> {
    send(parts, Part::Begun(begun(asked))).await?;
    let mut words = speak(app, asked).await?;
    while let Some(text) = words.next(said).await? {
        send(parts, Part::Text(text)).await?;
    }
    Ok(())
}

async fn send(parts: &Parts, next: Part) -> Result<(), RpcError> {
    parts.send(Ok(part(next))).await.map_err(|_| gone())
}

fn part(part: Part) -> AnswerPart {
    AnswerPart { part: Some(part) }
}

fn gone() -> RpcError {
    RpcError::Unavailable("nobody reads the answer any more".to_owned())
}

fn begun(asked: &Asked) -> AnswerBegun {
    AnswerBegun {
        verdict: asked.verdict.into(),
        sources: asked.sources().into_iter().map(source).collect(),
        conversation_id: asked.conversation.to_string(),
        weak: true,
    }
}

fn source(best: &Passage) -> AnswerSource {
    AnswerSource {
        id: best.source.to_string(),
        title: best.title.clone(),
        url: best.url.clone(),
        score: best.score,
        snippet: best.text.trim().chars().take(SNIPPET_CHARS).collect(),
    }
}
