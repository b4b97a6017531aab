//! Asking the orchestrator for the next sentence, for as long as the caller can be left in silence.

use std::time::{Duration, Instant};

use contracts::calls::turn_input::Input;
use contracts::calls::{
    Answered, NextSentenceRequest, PartState, Silence, StartTurnRequest, TurnInput, TurnPart,
};
use contracts::ids::{CallId, ProjectId};
use contracts::rpc::{Context, RpcError};

use crate::app::App;
use crate::domain::urls::Place;

/// The orchestrator answers this long before it is not waited for any more, so that "not yet" arrives too.
const MARGIN: Duration = Duration::from_millis(100);
/// How soon an orchestrator that is away is asked again, within one request.
pub(super) const ASK_AGAIN: Duration = Duration::from_millis(200);

/// What to ask the orchestrator for.
#[derive(Clone)]
pub(super) enum Question {
    /// The first sentence of a turn that may have to be opened.
    Start(StartTurnRequest),
    /// A sentence of a turn that is open.
    Next(NextSentenceRequest),
}

impl Question {
    /// `input`: what this request says was heard. `kept`: what was heard at the beginning of this turn and may not have
    /// reached the orchestrator.
    pub(super) fn new(
        call: CallId,
        place: Place,
        input: Option<Input>,
        kept: Option<StartTurnRequest>,
    ) -> Self {
        match (input, kept) {
            (Some(input), _) => Self::start(call.to_string(), place.turn, input),
            (None, Some(kept)) => Self::Start(kept),
            // The first turn needs no words to be opened, so it can be opened by whoever asks first.
            (None, None) if place.turn == 0 && place.part == 0 => {
                Self::start(call.to_string(), 0, Input::Answered(Answered {}))
            }
            (None, None) => Self::Next(NextSentenceRequest {
                call_id: call.to_string(),
                turn: place.turn,
                part: place.part,
                wait_ms: 0,
            }),
        }
    }

    fn start(call_id: String, turn: u32, input: Input) -> Self {
        Self::Start(StartTurnRequest {
            call_id,
            turn,
            input: Some(TurnInput { input: Some(input) }),
            wait_ms: 0,
        })
    }

    /// What to ask instead when the orchestrator knows nothing of it. A turn that was never opened, because what was heard
    /// could not be kept, is opened with silence: the caller is asked again.
    fn instead(&self) -> Option<Self> {
        match self {
            Self::Next(next) if next.part == 0 => {
                Some(Self::start(next.call_id.clone(), next.turn, Input::Silence(Silence {})))
            }
            Self::Next(_) | Self::Start(_) => None,
        }
    }
}

/// Asks until there is an answer or no time is left; an orchestrator that is away may come back, or another replica answer.
pub(super) async fn ask(
    app: &App,
    (project, call): (ProjectId, CallId),
    mut question: Question,
    until: Instant,
) -> Option<TurnPart> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left <= MARGIN {
            return None;
        }
        match ask_once(app, project, &question, left).await {
            Ok(part) => return Some(part),
            Err(RpcError::NotFound(what)) => match question.instead() {
                Some(other) => question = other,
                None => {
                    tracing::warn!(%call, what, "the orchestrator does not know the call or its turn");
                    return Some(over());
                }
            },
            Err(error) => {
                tracing::warn!(%call, %error, "no sentence");
                tokio::time::sleep(ASK_AGAIN.min(until.saturating_duration_since(Instant::now()))).await;
            }
        }
    }
}

fn over() -> TurnPart {
    TurnPart { state: PartState::CallOver.into(), ..TurnPart::default() }
}

async fn ask_once(
    app: &App,
    project: ProjectId,
    question: &Question,
    left: Duration,
) -> Result<TurnPart, RpcError> {
    let context = Context::within(left).for_tenant(project);
    let wait_ms = u32::try_from(left.saturating_sub(MARGIN).as_millis()).unwrap_or(0);
    match question.clone() {
        Question::Start(request) => {
            app.conversation.start_turn(context, StartTurnRequest { wait_ms, ..request }).await
        }
        Question::Next(request) => {
            app.conversation.next_sentence(context, NextSentenceRequest { wait_ms, ..request }).await
        }
    }
}
