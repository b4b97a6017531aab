//! Answers one turn: by rule, or with the model's words as they come. What is ready is stored at once, in one transaction;
//! the last sentence is stored together with what follows it. A run that has lost its lease stores nothing more.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use common::bus::Cause;
use common::db::{Db, DbError, Tx};
use contracts::ids::CallId;
use futures_util::{FutureExt as _, StreamExt as _};
use llm::{Chat as _, ChatEvent, ChatRequest, ChatStream, EndReason, ModelError};

use super::Run;
use super::frozen::{self, Frozen};
use crate::app::App;
use crate::domain::call::{CallInput, HangupBy};
use crate::domain::limits::{LONGEST_ANSWER, TURN_DEADLINE, TURN_HEARTBEAT, TURN_LEASE};
use crate::domain::reply::{self, Fixed, Reply};
use crate::domain::sentences::Splitter;
use crate::domain::transcript::{self, Speaker};
use crate::domain::turn::{Sentence, Then, TurnNumber, TurnState, may_store};
use crate::error::OrchestratorError;
use crate::store::calls;
use crate::store::opening::Opening;
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
    let read = move |db: &mut Db| Ok::<_, DbError>((turns::all(db, call)?, calls::find(db, call)?));
    let (all, row) = app.platform.database.read(read).await?;
    let before: Vec<Turn> = all.into_iter().filter(|t| t.number < run.turn).collect();
    let heard: Vec<_> = before.iter().map(|t| t.opening.heard()).collect();
    let words = match &run.opening {
        Opening::Speech { text, .. } => Some(text.as_str()),
        _ => None,
    };
    let reply = reply::decide(run.turn, &heard, run.opening.heard(), words);
    let failed_before = before.iter().rev().take_while(|t| t.view.state == TurnState::Broken).count();
    let mut voice = Voice { app, stored: 0, failed_before, run: run.clone() };
    if row.is_some_and(|call| call.state.hangup_by == Some(HangupBy::LeavingMessage)) {
        return voice.leave_message(&frozen, &before).await;
    }
    match reply {
        Reply::Fixed(fixed) => voice.close_with(fixed, false).await,
        Reply::Model { silences } => {
            let request = request(&frozen, &before, &run.opening, silences);
            speak_as_it_comes(&mut voice, request).await
        }
    }
}

/// What the model is told.
fn request(frozen: &Arc<Frozen>, before: &[Turn], opening: &Opening, silences: u32) -> ChatRequest {
    let spec = &frozen.spec;
    let spoken: Vec<_> = before.iter().map(Turn::spoken).collect();
    let history = transcript::utterances(&spoken)
        .into_iter()
        .map(|u| llm::Utterance {
            speaker: match u.speaker {
                Speaker::Ai => llm::Speaker::Agent,
                Speaker::Customer => llm::Speaker::Customer,
            },
            text: u.text,
        })
        .collect();
    let heard = match opening {
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
        schema: spec.schema.clone(),
        opening: spec.opening.clone(),
        plan: frozen.plan.clone(),
        deadline: TURN_DEADLINE,
    }
}

/// Where the model's stream stands.
enum Next {
    Event(ChatEvent),
    Failed(ModelError),
    End,
}

async fn speak_as_it_comes(voice: &mut Voice<'_>, request: ChatRequest) -> Result<(), OrchestratorError> {
    let mut stream = match voice.kept_alive(voice.app.model.stream(request)).await {
        Some(Ok(stream)) => stream,
        Some(Err(error)) => return voice.failed(Vec::new(), &error).await,
        None => return Ok(()), // the lease was lost
    };
    let mut splitter = Splitter::new();
    let (mut ready, mut length) = (Vec::new(), 0);
    let mut ending = (Then::Listen, None);
    while length < LONGEST_ANSWER {
        let next = match stream.next().now_or_never() {
            Some(next) => sort(next),
            None => {
                // Nothing more at this moment: what is there is spoken now.
                if !voice.store(std::mem::take(&mut ready)).await? {
                    return Ok(());
                }
                let Some(next) = voice.kept_alive(next_of(&mut stream)).await else { return Ok(()) };
                next
            }
        };
        match next {
            Next::Event(ChatEvent::Text(text)) => {
                length += text.len();
                ready.extend(splitter.push(&text));
            }
            Next::Event(ChatEvent::EndCall { reason }) => ending = (Then::HangUp, Some(meaning(reason))),
            Next::Event(ChatEvent::Transfer) => ending = (Then::HangUp, Some(CallInput::AgentHungUp)),
            Next::Failed(error) => return voice.failed(ready, &error).await,
            Next::End => break,
        }
    }
    ready.extend(splitter.finish());
    if voice.stored == 0 && ready.is_empty() {
        if ending.0 == Then::Listen {
            return voice.failed(ready, &ModelError::Garbled("an answer without words".to_owned())).await;
        }
        ready.push("Goodbye.".to_owned());
    }
    voice.close(ready, TurnState::Done { then: ending.0 }, ending).await
}

async fn next_of(stream: &mut ChatStream) -> Next {
    sort(stream.next().await)
}

fn sort(next: Option<Result<ChatEvent, ModelError>>) -> Next {
    match next {
        Some(Ok(event)) => Next::Event(event),
        Some(Err(error)) => Next::Failed(error),
        None => Next::End,
    }
}

const fn meaning(reason: EndReason) -> CallInput {
    match reason {
        EndReason::Goodbye => CallInput::AgentHungUp,
        EndReason::OptOut => CallInput::OptOut,
    }
}

/// The right to speak in one turn.
struct Voice<'a> {
    app: &'a App,
    run: Run,
    /// Sentences stored so far.
    stored: usize,
    /// Turns in a row before this one in which the model failed.
    failed_before: usize,
}

impl Voice<'_> {
    /// Waits for `work`, giving signs of life. `None`: the lease was lost.
    async fn kept_alive<T>(&self, work: impl Future<Output = T>) -> Option<T> {
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
    async fn failed(&mut self, ready: Vec<String>, error: &ModelError) -> Result<(), OrchestratorError> {
        self.app.model_failed("turn");
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
        let mut splitter = Splitter::new();
        let mut texts = splitter.push(&text);
        texts.extend(splitter.finish());
        if texts.is_empty() {
            texts.push("Goodbye.".to_owned()); // to hang up, something has to be said
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
    async fn store(&mut self, texts: Vec<String>) -> Result<bool, OrchestratorError> {
        if texts.is_empty() {
            return Ok(true);
        }
        let (run, first) = (self.run.clone(), self.stored);
        let count = texts.len();
        let sentences: Vec<_> = texts.into_iter().map(|text| Sentence { text, last: None }).collect();
        let stored = self.app.write(move |tx| write(tx, &run, first, &sentences)).await?;
        self.stored += count;
        self.app.wakeups.wake(self.run.call);
        Ok(stored)
    }

    async fn close_with(&mut self, fixed: Fixed, broken: bool) -> Result<(), OrchestratorError> {
        // A turn that failed is listened to again, and counts as a failure when the next one fails, too.
        let state = match fixed.then {
            Then::Listen if broken => TurnState::Broken,
            then => TurnState::Done { then },
        };
        self.close(vec![fixed.text.to_owned()], state, (fixed.then, fixed.means)).await
    }

    /// Stores the last sentences, closes the turn, and tells the call what it means: one transaction.
    async fn close(
        &mut self,
        texts: Vec<String>,
        state: TurnState,
        (then, means): (Then, Option<CallInput>),
    ) -> Result<(), OrchestratorError> {
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
    const fn key(&self) -> (CallId, TurnNumber) {
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
