//! Opens a turn with what the carrier heard, and waits a moment for its first sentence.

use common::trace;
use contracts::calls::turn_input::Input;
use contracts::calls::{StartTurnRequest, TurnInput, TurnPart};
use contracts::ids::CallId;
use contracts::rpc::Context;

use super::rpc::patience;
use crate::app::App;
use crate::conversation::{Ask, open, over, wait_for_part};
use crate::domain::limits::MAX_HEARD_CHARS;
use crate::domain::turn::TurnNumber;
use crate::error::OrchestratorError;
use crate::store::opening::Opening;

pub(super) async fn start(
    app: &App,
    context: &Context,
    request: StartTurnRequest,
) -> Result<TurnPart, OrchestratorError> {
    let call: CallId = request.call_id.parse()?;
    trace::of_call(call);
    let turn = TurnNumber(request.turn);
    let ask = Ask { call, turn, opening: opening(request.input)?, asked: true };
    if !open(app, ask).await? {
        return Ok(over());
    }
    wait_for_part(app, call, turn, 0, patience(context, request.wait_ms)).await
}

fn opening(input: Option<TurnInput>) -> Result<Opening, OrchestratorError> {
    let missing = || OrchestratorError::Invalid {
        field: "input",
        problem: "is missing: say what was heard, or that the call was answered".to_owned(),
    };
    let bounded = |text: String| text.chars().take(MAX_HEARD_CHARS).collect::<String>();
    Ok(match input.and_then(|i| i.input).ok_or_else(missing)? {
        Input::Answered(_) => Opening::Answered,
        Input::Silence(_) => Opening::Silence,
        Input::Digits(digits) if digits.trim().is_empty() => Opening::Silence,
        Input::Digits(digits) => Opening::Digits(bounded(digits)),
        Input::Speech(speech) if speech.text.trim().is_empty() => Opening::Silence,
        Input::Speech(speech) => {
            Opening::Speech { text: bounded(speech.text), confidence: speech.confidence }
        }
    })
}
