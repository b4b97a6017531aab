//! The bridge has not dialled: the rules run again.

use common::bus::{Meta, Outcome};
use contracts::telephony::DialRefused;
use contracts::telephony::dial_refused::Reason;

use super::tell_call;
use crate::app::App;
use crate::domain::call::{CallInput, DialRefusal};

pub(crate) async fn handle(app: App, meta: Meta, message: DialRefused) -> Outcome {
    let refusal = match message.reason() {
        Reason::LineBusy => DialRefusal::LineBusy,
        Reason::Late | Reason::Unspecified => DialRefusal::Late,
    };
    tell_call(&app, &meta, &message.call_id, &message.attempt_id, CallInput::DialRefused(refusal)).await
}
