//! The call could not be placed, or nobody knows whether it was.

use common::bus::{Meta, Outcome};
use contracts::telephony::DialFailed;
use contracts::telephony::dial_failed::Cause;

use super::tell_call;
use crate::app::App;
use crate::domain::call::{CallInput, DialFailure};

pub(crate) async fn handle(app: App, meta: Meta, message: DialFailed) -> Outcome {
    let failure = match message.cause() {
        Cause::InvalidNumber => DialFailure::InvalidNumber,
        Cause::Unknown => DialFailure::Unknown,
        Cause::Canceled => DialFailure::Canceled,
        Cause::CarrierError | Cause::Unspecified => DialFailure::CarrierError,
    };
    tell_call(&app, &meta, &message.call_id, &message.attempt_id, CallInput::DialFailed(failure)).await
}
