//! A turn that the model answers: its words are spoken as they come; what it wants called is called, and it is asked again with
//! what came of it, until it has said what it has to say.

use std::time::Instant;

use futures_util::{FutureExt as _, StreamExt as _};
use llm::{Chat as _, ChatEvent, ChatRequest, ChatStream, EndReason, ModelError, ToolCall};

use super::acting::{Performed, perform};
use super::knowing::Found;
use super::speak::Voice;
use super::tools::Desk;
use crate::domain::call::CallInput;
use crate::domain::limits::{LONGEST_ANSWER, MAX_TOOL_CALLS_A_TURN, TURN_DEADLINE};
use crate::domain::phrases::Phrase;
use crate::domain::sentences::Splitter;
use crate::domain::turn::{Then, TurnState};
use crate::error::OrchestratorError;

/// A model that wants something called after it has been told that nothing more can be is not asked for ever.
pub(super) const ROUNDS: usize = MAX_TOOL_CALLS_A_TURN + 2;

/// What follows the last sentence, and what it means for the call.
pub(super) type Ending = (Then, Option<CallInput>);

/// How far one answer of the model has led.
enum Round {
    /// The lease of the turn was lost.
    Lost,
    /// The model failed, with these sentences ready.
    Failed(Vec<String>, ModelError),
    /// It has said everything; these sentences are ready.
    Over(Vec<String>, Ending),
    /// It wants these called.
    Calls(Vec<ToolCall>),
}

/// Answers the turn with the model.
pub(super) async fn converse(
    voice: &mut Voice<'_>,
    mut desk: Desk<'_>,
    mut request: ChatRequest,
) -> Result<(), OrchestratorError> {
    let until = Instant::now() + TURN_DEADLINE;
    if !say_unsaid(voice, &mut desk).await? {
        return Ok(());
    }
    for _ in 0..ROUNDS {
        request.deadline = until.saturating_duration_since(Instant::now());
        let calls = match round(voice, &mut request).await? {
            Round::Lost => return Ok(()),
            Round::Failed(ready, error) => return voice.failed(ready, &error).await,
            Round::Over(ready, ending) => return finish(voice, ready, ending).await,
            Round::Calls(calls) => calls,
        };
        voice.found.iter_mut().for_each(Found::answered_otherwise);
        for call in calls {
            let Some(used) = desk.call(voice, call).await? else { return Ok(()) };
            request.abilities.uses.push(used);
            if !say_unsaid(voice, &mut desk).await? {
                return Ok(());
            }
        }
        let this_turn = request.abilities.uses.iter().filter(|used| used.after.is_none()).count();
        if this_turn >= MAX_TOOL_CALLS_A_TURN {
            request.abilities.tools.clear();
            request.abilities.rescheduling = None;
        }
    }
    voice.failed(Vec::new(), &ModelError::Garbled("calls of tools without end".to_owned())).await
}

/// Says what a bot's business has answered, if it has. False: the turn does not go on here.
async fn say_unsaid(voice: &mut Voice<'_>, desk: &mut Desk<'_>) -> Result<bool, OrchestratorError> {
    let Some(answer) = desk.take_unsaid() else { return Ok(true) };
    Ok(matches!(perform(voice, answer).await?, Performed::GoOn))
}

pub(super) async fn finish(
    voice: &mut Voice<'_>,
    mut ready: Vec<String>,
    ending: Ending,
) -> Result<(), OrchestratorError> {
    if voice.stored == 0 && ready.is_empty() {
        match ending.0 {
            Then::Listen => {
                let error = ModelError::Garbled("an answer without words".to_owned());
                return voice.failed(ready, &error).await;
            }
            Then::HangUp => ready.push(voice.own_words(Phrase::Goodbye).await?),
            Then::Transfer => ready.push(voice.own_words(Phrase::PuttingThrough).await?),
        }
    }
    voice.close(ready, TurnState::Done { then: ending.0 }, ending).await
}

async fn round(voice: &mut Voice<'_>, request: &mut ChatRequest) -> Result<Round, OrchestratorError> {
    let mut stream = match voice.kept_alive(voice.app.model.stream(request.clone())).await {
        Some(Ok(stream)) => stream,
        Some(Err(error)) => return Ok(Round::Failed(Vec::new(), error)),
        None => return Ok(Round::Lost),
    };
    let round = listen(voice, request, &mut stream).await;
    voice.leave(stream);
    round
}

/// Speaks what comes out of the stream, as it comes.
async fn listen(
    voice: &mut Voice<'_>,
    request: &mut ChatRequest,
    stream: &mut ChatStream,
) -> Result<Round, OrchestratorError> {
    let mut splitter = Splitter::new();
    let (mut ready, mut calls) = (Vec::new(), Vec::new());
    let mut ending = (Then::Listen, None);
    while voice.spoken < LONGEST_ANSWER {
        let next = match stream.next().now_or_never() {
            Some(next) => sort(next),
            None => {
                // Nothing more at this moment: what is there is spoken now.
                if !voice.store(std::mem::take(&mut ready)).await? {
                    return Ok(Round::Lost);
                }
                let Some(next) = voice.kept_alive(next_of(stream)).await else { return Ok(Round::Lost) };
                next
            }
        };
        match next {
            Next::Event(ChatEvent::Text(text)) => {
                voice.spoken += text.len();
                request.abilities.said.push_str(&text);
                ready.extend(splitter.push(&text));
            }
            Next::Event(ChatEvent::EndCall { reason }) => ending = (Then::HangUp, Some(meaning(reason))),
            Next::Event(ChatEvent::Transfer) => ending = transfer(request.abilities.transfer),
            Next::Event(ChatEvent::CallTool(call)) => calls.push(call),
            Next::Event(ChatEvent::Used(used)) => voice.meter.add(Some(used)),
            Next::Failed(error) => return Ok(Round::Failed(ready, error)),
            Next::End => break,
        }
    }
    ready.extend(splitter.finish());
    if calls.is_empty() {
        return Ok(Round::Over(ready, ending));
    }
    // Whether the call ends is decided by an answer that knows what came of it.
    Ok(if voice.store(ready).await? { Round::Calls(calls) } else { Round::Lost })
}

/// Where a model's stream stands.
enum Next {
    Event(ChatEvent),
    Failed(ModelError),
    End,
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

pub(crate) const fn meaning(reason: EndReason) -> CallInput {
    match reason {
        EndReason::Goodbye => CallInput::AgentHungUp,
        EndReason::OptOut => CallInput::OptOut,
    }
}

/// A person that cannot be reached is no promise to break: the call ends.
pub(super) const fn transfer(can: bool) -> Ending {
    if can {
        (Then::Transfer, Some(CallInput::Transferred))
    } else {
        (Then::HangUp, Some(CallInput::AgentHungUp))
    }
}
