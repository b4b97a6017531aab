//! A call that was dialled is over: `call.ended`.

use common::bus::{Meta, Outcome};
use contracts::calls::CallEnded;

use super::fan_out;
use crate::app::App;
use crate::domain::envelope;

/// Makes a delivery for every endpoint that wants it.
pub(crate) async fn handle(app: App, _: Meta, message: CallEnded) -> Outcome {
    fan_out::deliver(app, envelope::call_ended(&message)).await
}
