//! The carrier has taken the call.

use common::bus::{Meta, Outcome};
use contracts::telephony::DialAccepted;

use super::tell_call;
use crate::app::App;
use crate::domain::call::CallInput;

pub(crate) async fn handle(app: App, meta: Meta, message: DialAccepted) -> Outcome {
    let input = CallInput::DialAccepted { carrier_sid: message.carrier_call_sid };
    tell_call(&app, &meta, &message.call_id, &message.attempt_id, input).await
}
