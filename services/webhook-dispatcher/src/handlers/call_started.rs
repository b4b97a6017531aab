//! A call was picked up: `call.started`.

use common::bus::{Meta, Outcome};
use contracts::calls::CallStarted;

use super::fan_out;
use crate::app::App;
use crate::domain::envelope;

/// Makes a delivery for every endpoint that wants it.
pub(crate) async fn handle(app: App, _: Meta, message: CallStarted) -> Outcome {
    fan_out::deliver(app, envelope::call_started(&message)).await
}
