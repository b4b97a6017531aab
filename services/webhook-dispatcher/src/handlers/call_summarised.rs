//! A notification is over: `call.summary`.

use common::bus::{Meta, Outcome};
use contracts::calls::CallSummarised;

use super::fan_out;
use crate::app::App;
use crate::domain::envelope;

/// Makes a delivery for every endpoint that wants it.
pub(crate) async fn handle(app: App, _: Meta, message: CallSummarised) -> Outcome {
    fan_out::deliver(app, envelope::call_summary(&message)).await
}
