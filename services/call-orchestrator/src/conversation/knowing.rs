//! What documents say about what was just said. They are asked before the model is, for a moment only: whatever goes wrong with it, the
//! turn goes on without. What they gave a turn (the sources of its words, a question that nobody could answer) is written down, and
//! told, in the transaction that closes it.

use std::time::Duration;

use common::bus::Cause;
use common::clock::to_millis;
use common::db::Tx;
use contracts::calls::QuestionUnanswered;
use contracts::ids::{CallId, ProjectId};
use contracts::knowledge::{self as proto, SearchRequest, SearchResponse, Verdict};
use contracts::rpc::{Context, RpcError};
use llm::Known;

use super::{Run, frozen};
use crate::app::App;
use crate::domain::limits::{MAX_QUESTION_CHARS, PASSAGES, UNANSWERED_A_CALL, WARM_DEADLINE};
use crate::domain::question::{self, Passage, Source};
use crate::domain::transcript::{self, Speaker, Utterance};
use crate::error::OrchestratorError;
use crate::store::notifications::{self, Spec};
use crate::store::{calls, turns};

/// What documents gave a turn.
pub(super) struct Found {
    passages: Vec<Passage>,
    /// The question that neither they nor the prompt answer.
    unanswered: Option<Unanswered>,
}

/// A question that somebody should answer.
#[derive(Clone, Debug)]
pub(super) struct Unanswered {
    app_id: String,
    question: String,
    /// What was said before.
    transcript: String,
}

/// What of it is written down.
#[derive(Clone, Debug)]
pub(super) struct Noted {
    sources: Vec<Source>,
    unanswered: Option<Unanswered>,
}

impl Found {
    /// What the model is told of it.
    pub(super) fn known(&self) -> Known {
        let passage = |p: &Passage| llm::Passage { title: p.source.title.clone(), text: p.text.clone() };
        Known { passages: self.passages.iter().map(passage).collect(), unanswered: self.unanswered.is_some() }
    }

    /// Something else may have answered the question.
    pub(super) fn answered_otherwise(&mut self) {
        self.unanswered = None;
    }

    /// What is written down of it with these words of the agent. `None`: nothing.
    pub(super) fn noted(self, said: &str) -> Option<Noted> {
        let sources = question::drawn_from(said, &self.passages);
        let noted = Noted { sources, unanswered: self.unanswered };
        (!noted.sources.is_empty() || noted.unanswered.is_some()).then_some(noted)
    }
}

/// Asks the documents about the customer's words, which were said after `before`. `None`: there are none, or they say nothing.
pub(super) async fn look_up(
    app: &App,
    project: ProjectId,
    spec: &Spec,
    words: &str,
    before: &[Utterance],
) -> Option<Found> {
    let app_id = spec.knowledge_app_id.clone()?;
    let asks = llm::asks_for_facts(words);
    let last = before.iter().rfind(|said| said.speaker == Speaker::Customer).map(|said| said.text.as_str());
    let question = question::to_ask(words, last, asks)?;
    let found = match search(app, project, app.search_deadline, (&app_id, question)).await {
        Ok(found) => found,
        Err(error) => {
            app.searched("failed");
            tracing::warn!(%project, %error, "documents could not be asked; the turn goes on without");
            return None;
        }
    };
    let verdict = found.verdict();
    app.searched(name(verdict));
    if verdict != Verdict::NotCovered {
        let passages: Vec<Passage> = found.passages.into_iter().map(passage).collect();
        return (!passages.is_empty()).then_some(Found { passages, unanswered: None });
    }
    let own = format!("{}\n{}", spec.prompt, spec.opening.as_deref().unwrap_or_default());
    let nobody_knows = asks && !llm::speaks_of(&own, words);
    let unanswered = Unanswered {
        app_id,
        question: words.trim().chars().take(MAX_QUESTION_CHARS).collect(),
        transcript: question::end_of(&transcript::render(before)).to_owned(),
    };
    nobody_knows.then_some(Found { passages: vec![], unanswered: Some(unanswered) })
}

/// Has the documents of a call's agent or bot made ready while it rings: whoever asks first does not wait for that.
pub(super) async fn warm(app: &App, call: CallId) {
    let Ok(frozen) = frozen::of(app, call).await else { return };
    let Some(app_id) = &frozen.spec.knowledge_app_id else { return };
    let asked = search(app, frozen.names.project, WARM_DEADLINE, (app_id, "hello".to_owned())).await;
    if let Err(error) = asked {
        tracing::info!(%call, %error, "documents could not be made ready");
    }
}

async fn search(
    app: &App,
    project: ProjectId,
    within: Duration,
    (app_id, question): (&str, String),
) -> Result<SearchResponse, RpcError> {
    let context = Context::within(within).for_tenant(project);
    let request = SearchRequest { app_id: app_id.to_owned(), question, limit: PASSAGES };
    app.knowledge.search(context, request).await
}

fn passage(passage: proto::Passage) -> Passage {
    let source = Source { id: passage.source_id, title: passage.title, url: passage.url };
    Passage { source, text: passage.text }
}

const fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Unspecified => "unknown",
        Verdict::Answerable => "answerable",
        Verdict::Partial => "partial",
        Verdict::NotCovered => "not_covered",
        Verdict::NeedsHuman => "needs_human",
    }
}

/// Writes down what documents gave a turn that is being closed under its lease, and tells of the question that nobody could answer: so
/// each is told once, however often the turn is asked for. Of whoever is forgotten already nothing is.
pub(super) fn note(tx: &mut Tx<'_>, run: &Run, noted: Noted) -> Result<(), OrchestratorError> {
    let told = turns::unanswered(tx.conn, run.call)?;
    let unanswered = noted.unanswered.filter(|_| told < UNANSWERED_A_CALL);
    turns::note_documents(tx.conn, run.key(), &noted.sources, unanswered.is_some())?;
    let Some(unanswered) = unanswered else { return Ok(()) };
    let Some(call) = calls::find(tx.conn, run.call)? else { return Ok(()) };
    let whose = notifications::find(tx.conn, call.project_id, call.notification_id)?;
    let Some(whose) = whose.filter(|whose| !whose.is_blank()) else { return Ok(()) };
    let message = QuestionUnanswered {
        project_id: call.project_id.to_string(),
        app_id: unanswered.app_id,
        call_id: run.call.to_string(),
        turn: run.turn.0,
        question: unanswered.question,
        phone: whose.known_phone().unwrap_or_default().to_owned(),
        transcript: unanswered.transcript,
        at_ms: to_millis(tx.now()),
    };
    tx.stage(&message, &Cause::own(call.project_id))?;
    Ok(())
}
