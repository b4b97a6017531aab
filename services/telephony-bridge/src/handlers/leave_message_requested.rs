//! Breaks off what is said or heard in a call to a machine, and goes on with the turn whose words are the message. A call that is
//! over by then is left alone.

use common::bus::{Meta, Outcome};
use contracts::calls::LeaveMessageRequested;

use crate::app::App;
use crate::domain::urls::Place;
use crate::error::BridgeError;
use crate::store::attempts;

pub(crate) async fn handle(app: App, _: Meta, message: LeaveMessageRequested) -> Outcome {
    Outcome::from(go_on(&app, message).await)
}

async fn go_on(app: &App, message: LeaveMessageRequested) -> Result<(), BridgeError> {
    let id = message.attempt_id.parse()?;
    let attempt = app.platform.database.read(move |db| attempts::find(db, id)).await?;
    let Some(attempt) = attempt.filter(|attempt| attempt.live && !attempt.stop_requested) else {
        return Ok(());
    };
    let Some(sid) = &attempt.carrier_call_sid else { return Ok(()) };
    let place = Place { attempt: id, turn: message.turn, part: 0, fill: 0, sorry: 0 };
    Ok(app.carriers.of_attempt(&attempt).await?.go_on(sid, app.urls.response(place)).await?)
}
