//! Answers one turn: by rule, or with the model's words as they come ([`super::rounds`]). What is ready is stored at once, in
//! one transaction; the last sentence is stored together with what follows it. A run that has lost its lease stores nothing
//! more.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use common::bus::Cause;
use common::db::{DbError, Tx};
use contracts::ids::{CallId, EventId, ProjectId};
use futures_util::StreamExt as _;
use llm::{ChatEvent, ChatRequest, ChatStream, ModelError};

use super::Run;
use super::frozen::{self, Frozen};
use super::knowing::{self, Found};
use super::rounds::{Ending, converse};
use super::tools::{self, Desk};
use crate::app::App;
use crate::costs::Meter;
use crate::domain::call::{CallInput, HangupBy};
use crate::domain::limits::{TURN_DEADLINE, TURN_HEARTBEAT, TURN_LEASE};
use crate::domain::phrases::Phrase;
use crate::domain::reply::{self, Fixed, Reply};
use crate::domain::sentences::Splitter;
use crate::domain::transcript::{self, Speaker, Utterance};
use crate::domain::turn::{Sentence, Then, TurnNumber, TurnState, may_store};
use crate::error::OrchestratorError;
use crate::store::calls;
use crate::store::opening::Opening;
use crate::store::tool_calls::{self, ToolCall};
use crate::store::turns::{self, Lease, Turn};
use crate::story::Story;

/// Answers the turn. A failure of the tables leaves it to whoever takes over when the lease runs out.
pub(super) async fn run(app: App, run: Run) {
    let (call, turn) = (run.call, run.turn);
    if let Err(error) = answer(&app, run).await {
        tracing::warn!(%call, %turn, %error, "the turn could not be answered here");
    }
}

async fn answer(app: &App, run: Run) -> Result<(), OrchestratorError> {
    let frozen = frozen::of(app, run.call).await?;
    let call = run.call;
    let callable = tools::callable(&frozen.spec);
    let (all, made, row) = app
        .platform
        .database
        .read(move |db| {
            let made = if callable { tool_calls::of_call(db, call)? } else { Vec::new() };
            Ok::<_, DbError>((turns::all(db, call)?, made, calls::find(db, call)?))
        })
        .await?;
    let before: Vec<Turn> = all.into_iter().filter(|t| t.number < run.turn).collect();
    let heard: Vec<_> = before.iter().map(|t| t.opening.heard()).collect();
    let words = match &run.opening {
        Opening::Speech { text, .. } => Some(text.as_str()),
        _ => None,
    };
    let reply = reply::decide(run.turn, &heard, run.opening.heard(), words);
    let failed_before = before.iter().rev().take_while(|t| t.view.state == TurnState::Broken).count();
    let disclosure = frozen.spec.disclosure.clone().filter(|_| before.iter().all(|t| t.handed_out == 0));
    let mut voice = Voice::new(app, run.clone(), failed_before, disclosure);
    voice.in_one_piece = frozen.names.bot.is_some();
    if row.is_some_and(|call| call.state.hangup_by == Some(HangupBy::LeavingMessage)) {
        return voice.leave_message(&frozen, &before).await;
    }
    match reply {
        Reply::Fixed(fixed) => voice.close_with(fixed, false).await,
        Reply::Model { silences } => {
            let spoken: Vec<_> = before.iter().map(Turn::spoken).collect();
            let said = transcript::utterances(&spoken);
            if !voice.look_up(&frozen, &said).await {
                return Ok(());
            }
            let now = app.platform.database.now();
            let mut request = request(&frozen, said, (&run, silences), (&made, now));
            request.abilities.known = voice.found.as_ref().map(Found::known);
            let desk = Desk::new(app, &frozen, &run, made, request.history.clone());
            let answered = converse(&mut voice, desk, request).await;
            // Nobody waits any more: the turn is closed.
            voice.count(frozen.names.project).await;
            answered
        }
    }
}

/// What the model is told.
fn request(
    frozen: &Arc<Frozen>,
    said: Vec<Utterance>,
    (run, silences): (&Run, u32),
    (made, now): (&[ToolCall], DateTime<Utc>),
) -> ChatRequest {
    let spec = &frozen.spec;
    let mut abilities = tools::abilities(spec, run.opening == Opening::Answered, now);
    abilities.uses = tools::uses(made, run, &said);
    let history = said
        .into_iter()
        .map(|u| llm::Utterance {
            speaker: match u.speaker {
                Speaker::Ai => llm::Speaker::Agent,
                Speaker::Customer => llm::Speaker::Customer,
            },
            text: u.text,
        })
        .collect();
    let heard = match &run.opening {
        Opening::Answered => llm::Heard::CallAnswered,
        Opening::Speech { text, confidence } => {
            llm::Heard::Speech { text: text.clone(), confidence: *confidence }
        }
        Opening::Digits(digits) => llm::Heard::Digits(digits.clone()),
        Opening::Silence => llm::Heard::Silence { times: u8::try_from(silences).unwrap_or(u8::MAX) },
    };
    ChatRequest {
        system: spec.prompt.clone(),
        history,
        heard,
        language: spec.language.clone(),
        // What is read out of a bot's call is nothing to ask a caller for.
        schema: spec.schema.clone().filter(|_| frozen.names.bot.is_none()),
        opening: spec.opening.clone(),
        plan: frozen.plan.clone(),
        abilities,
        deadline: TURN_DEADLINE,
    }
}

/// The right to speak in one turn.
pub(super) struct Voice<'a> {
    pub(super) app: &'a App,
    pub(super) run: Run,
    /// Sentences stored so far.
    pub(super) stored: usize,
    /// Bytes that the model has said so far.
    pub(super) spoken: usize,
    /// Said in front of everything else, where nothing has been said yet.
    disclosure: Option<String>,
    /// What is ready at the same moment is handed out as one: so a bot's greeting is one document, as the public document shows it.
    in_one_piece: bool,
    /// Turns in a row before this one in which the model failed.
    failed_before: usize,
    /// What documents gave this turn.
    pub(super) found: Option<Found>,
    /// What has been said in it, as far as that matters for them.
    said: String,
    /// What the answers to this turn have cost.
    pub(super) meter: Meter,
    /// Answers that may not have been heard to their end; behind a lock because a stream alone cannot be looked at from two
    /// threads, and a voice is.
    left: Mutex<Vec<ChatStream>>,
}

impl<'a> Voice<'a> {
    fn new(app: &'a App, run: Run, failed_before: usize, disclosure: Option<String>) -> Self {
        let (meter, left) = (Meter::default(), Mutex::default());
        let (found, said) = (None, String::new());
        let (stored, spoken, in_one_piece) = (0, 0, false);
        Self { app, run, stored, spoken, disclosure, in_one_piece, failed_before, found, said, meter, left }
    }

    /// Asks documents about what was heard, where there are some. False: the lease was lost meanwhile.
    async fn look_up(&mut self, frozen: &Frozen, before: &[Utterance]) -> bool {
        let Opening::Speech { text, .. } = &self.run.opening else { return true };
        let search = knowing::look_up(self.app, frozen.names.project, &frozen.spec, text, before);
        match self.kept_alive(search).await {
            Some(found) => self.found = found,
            None => return false,
        }
        true
    }

    /// Nothing more of this answer is spoken.
    pub(super) fn leave(&mut self, stream: ChatStream) {
        self.left.get_mut().unwrap_or_else(PoisonError::into_inner).push(stream);
    }

    /// Writes down what the turn has cost. An answer that was left early says it at its end, which its own deadline bounds.
    async fn count(mut self, project: ProjectId) {
        for mut stream in self.left.into_inner().unwrap_or_else(PoisonError::into_inner) {
            while let Some(Ok(event)) = stream.next().await {
                if let ChatEvent::Used(used) = event {
                    self.meter.add(Some(used));
                }
            }
        }
        self.meter.write_down(self.app, project, self.run.call).await;
    }

    /// Waits for `work`, giving signs of life. `None`: the lease was lost.
    pub(super) async fn kept_alive<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Some(done),
                () = tokio::time::sleep(TURN_HEARTBEAT) => match self.renew().await {
                    Ok(true) => {}
                    Ok(false) => return None,
                    // The lease outlives a moment without tables; whether it did shows when something is to be stored.
                    Err(error) => tracing::warn!(call = %self.run.call, %error, "no sign of life could be given"),
                },
            }
        }
    }

    async fn renew(&self) -> Result<bool, OrchestratorError> {
        let run = self.run.clone();
        self.app
            .write(move |tx| {
                let lease = run.lease(tx.now());
                Ok(turns::renew(tx.conn, run.key(), lease)?)
            })
            .await
    }

    /// The model has failed, with these sentences said. What was prepared for a call that is not answered yet is given up
    /// instead, and made again when it is.
    pub(super) async fn failed(
        &mut self,
        ready: Vec<String>,
        error: &ModelError,
    ) -> Result<(), OrchestratorError> {
        self.app.model_failed("turn");
        self.found = None;
        tracing::warn!(call = %self.run.call, turn = %self.run.turn, %error, "the model failed in a turn");
        if self.stored == 0 && self.let_go().await? {
            return Ok(());
        }
        if !self.store(ready).await? {
            return Ok(());
        }
        self.close_with(reply::after_failure(self.failed_before), true).await
    }

    /// Says to a machine what is to be left on it, and nothing else: its message, or what the agent would have opened with.
    async fn leave_message(&mut self, frozen: &Frozen, before: &[Turn]) -> Result<(), OrchestratorError> {
        let opening = || {
            let first = before.first().map(|turn| turn.view.sentences.iter().map(|s| s.text.as_str()));
            first.map(|texts| texts.collect::<Vec<_>>().join(" ")).unwrap_or_default()
        };
        let text = frozen.spec.voicemail_message.clone().unwrap_or_else(opening);
        // The opening that was made ready has it in front already.
        self.disclosure.take_if(|line| text.starts_with(line.as_str()));
        let mut splitter = Splitter::new();
        let mut texts = splitter.push(&text);
        texts.extend(splitter.finish());
        if texts.is_empty() {
            texts.push(Phrase::Goodbye.text(&frozen.spec.language).to_owned()); // to hang up, something has to be said
        }
        let ending = (Then::HangUp, Some(CallInput::MessageLeft));
        self.close(texts, TurnState::Done { then: Then::HangUp }, ending).await
    }

    /// Leaves the turn to whoever asks for it first, if nobody has. False: somebody waits for it.
    async fn let_go(&self) -> Result<bool, OrchestratorError> {
        let run = self.run.clone();
        self.app
            .write(move |tx| {
                let now = tx.now();
                Ok(turns::let_go(tx.conn, run.key(), run.generation, now)?)
            })
            .await
    }

    /// Stores sentences that are not the last. False: the lease was lost.
    pub(super) async fn store(&mut self, texts: Vec<String>) -> Result<bool, OrchestratorError> {
        if texts.is_empty() {
            return Ok(true);
        }
        let texts = self.pieces(texts);
        let (run, first) = (self.run.clone(), self.stored);
        let count = texts.len();
        let sentences: Vec<_> = texts.into_iter().map(|text| Sentence { text, last: None }).collect();
        let stored = self.app.write(move |tx| write(tx, &run, first, &sentences)).await?;
        self.stored += count;
        self.app.wakeups.wake(self.run.call);
        Ok(stored)
    }

    /// As they are handed out, with the line that discloses the call in front, where it has not been said.
    fn pieces(&mut self, texts: Vec<String>) -> Vec<String> {
        if self.found.is_some() {
            texts.iter().for_each(|text| self.said.extend([text.as_str(), " "]));
        }
        let all: Vec<String> = self.disclosure.take().into_iter().chain(texts).collect();
        if self.in_one_piece && all.len() > 1 { vec![all.join(" ")] } else { all }
    }

    /// Writes down that something is about to be called. False: the lease was lost.
    pub(super) async fn note_tool_call(
        &self,
        id: EventId,
        project: ProjectId,
        wish: &llm::ToolCall,
    ) -> Result<bool, OrchestratorError> {
        let (run, wish) = (self.run.clone(), wish.clone());
        self.app
            .write(move |tx| {
                if !write(tx, &run, 0, &[])? {
                    return Ok(false);
                }
                let now = tx.now();
                tool_calls::note(tx.conn, (project, run.call, run.turn), id, &wish, now)?;
                Ok(true)
            })
            .await
    }

    async fn close_with(&mut self, fixed: Fixed, broken: bool) -> Result<(), OrchestratorError> {
        // A turn that failed is listened to again, and counts as a failure when the next one fails, too.
        let state = match fixed.then {
            Then::Listen if broken => TurnState::Broken,
            then => TurnState::Done { then },
        };
        let text = self.own_words(fixed.phrase).await?;
        self.close(vec![text], state, (fixed.then, fixed.means)).await
    }

    /// Words of our own, in the language of the call.
    pub(super) async fn own_words(&self, phrase: Phrase) -> Result<String, OrchestratorError> {
        let frozen = frozen::of(self.app, self.run.call).await?;
        Ok(phrase.text(&frozen.spec.language).to_owned())
    }

    /// Stores the last sentences, closes the turn, and tells the call what it means: one transaction.
    pub(super) async fn close(
        &mut self,
        texts: Vec<String>,
        state: TurnState,
        (then, means): Ending,
    ) -> Result<(), OrchestratorError> {
        let texts = self.pieces(texts);
        if then == Then::Transfer {
            // A person answers.
            self.found.iter_mut().for_each(Found::answered_otherwise);
        }
        let noted = self.found.take().and_then(|found| found.noted(&self.said));
        let (app, run, first) = (self.app.clone(), self.run.clone(), self.stored);
        let last = texts.len().saturating_sub(1);
        let sentences: Vec<Sentence> = texts
            .into_iter()
            .enumerate()
            .map(|(n, text)| Sentence { text, last: (n == last).then_some(then) })
            .collect();
        self.app
            .write(move |tx| {
                if !write(tx, &run, first, &sentences)? {
                    return Ok(());
                }
                let now = tx.now();
                turns::close(tx.conn, (run.call, run.turn), &state, now)?;
                if let Some(noted) = noted.clone() {
                    knowing::note(tx, &run, noted)?;
                }
                let Some(input) = means.clone() else { return Ok(()) };
                let Some(call) = calls::find(tx.conn, run.call)? else { return Ok(()) };
                let Some(mut story) = Story::of_call(&app, tx, &Cause::own(call.project_id), run.call)?
                else {
                    return Ok(());
                };
                story.call_input(input)?;
                story.save()?;
                Ok(())
            })
            .await?;
        self.app.wakeups.wake(self.run.call);
        Ok(())
    }
}

impl Run {
    pub(super) const fn key(&self) -> (CallId, TurnNumber) {
        (self.call, self.turn)
    }

    fn lease(&self, now: DateTime<Utc>) -> Lease {
        let length = TimeDelta::from_std(TURN_LEASE).unwrap_or(TimeDelta::seconds(3));
        Lease { generation: self.generation, from: now, until: now + length }
    }
}

/// Writes sentences and prolongs the lease, if it is still ours.
fn write(
    tx: &mut Tx<'_>,
    run: &Run,
    first: usize,
    sentences: &[Sentence],
) -> Result<bool, OrchestratorError> {
    let now = tx.now();
    let turn = turns::find(tx.conn, run.call, run.turn)?;
    if !turn.is_some_and(|t| may_store(&t.view, run.generation, now)) {
        return Ok(false);
    }
    // First of all: from here to the end of the transaction nobody else can take the turn.
    if !turns::renew(tx.conn, run.key(), run.lease(now))? {
        return Ok(false);
    }
    for (n, sentence) in sentences.iter().enumerate() {
        turns::store_sentence(tx.conn, run.key(), first + n, sentence, now)?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
