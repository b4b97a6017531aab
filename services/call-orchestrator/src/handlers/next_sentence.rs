//! Waits for one sentence of a turn.

use common::trace;
use contracts::calls::{NextSentenceRequest, TurnPart};
use contracts::ids::CallId;
use contracts::rpc::Context;

use super::rpc::patience;
use crate::app::App;
use crate::conversation::wait_for_part;
use crate::domain::turn::TurnNumber;
use crate::error::OrchestratorError;

pub(super) async fn next(
    app: &App,
    context: &Context,
    request: NextSentenceRequest,
) -> Result<TurnPart, OrchestratorError> {
    let call: CallId = request.call_id.parse()?;
    trace::of_call(call);
    let (turn, n) = (TurnNumber(request.turn), request.part as usize);
    wait_for_part(app, call, turn, n, patience(context, request.wait_ms)).await
}
