//! The call could not be placed, or nobody knows whether it was.

use common::bus::{Meta, Outcome};
use contracts::telephony::DialFailed;
use contracts::telephony::dial_failed::Cause;

use super::tell_call;
use crate::app::App;
use crate::domain::call::{CallInput, DialFailure};

pub(crate) async fn handle(app: App, meta: Meta, message: DialFailed) -> Outcome {
    let cause = match message.cause() {
        Cause::InvalidNumber => DialFailure::InvalidNumber,
        Cause::Unknown => DialFailure::Unknown,
        Cause::Canceled => DialFailure::Canceled,
        Cause::CarrierError | Cause::Unspecified => DialFailure::CarrierError,
    };
    let carrier_code = Some(message.carrier_code).filter(|code| *code != 0);
    let input = CallInput::DialFailed { cause, carrier_code };
    tell_call(&app, &meta, &message.call_id, &message.attempt_id, input).await
}
