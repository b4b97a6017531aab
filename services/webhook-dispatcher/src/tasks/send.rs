//! Claims what is due and sends it. A round ends when nothing is due or no slot is free; attempts go on after it.

use std::time::Duration;

use common::db::DbError;
use common::service::Task;

use crate::app::App;
use crate::domain::admission::{Lane, Room};
use crate::sending::{self, Hold};
use crate::store::{claim, slow_lane};

/// How late an attempt may be that nobody announced: a retry whose time has come.
const EVERY: Duration = Duration::from_millis(500);

/// The task.
pub(crate) fn task(app: &App) -> Task {
    Task::new("send", EVERY, &app.due, app, round)
}

async fn round(app: App) -> Result<(), DbError> {
    let Some(hold) = app.sending.gate.enter().await else { return Ok(()) };
    while send_due(&app, &hold).await? {}
    Ok(())
}

/// Sends what is due, as far as there is room. Answers whether it may be worth another look.
async fn send_due(app: &App, hold: &Hold) -> Result<bool, DbError> {
    let slots = &app.sending.slots;
    let rooms = [Lane::Normal, Lane::Slow].map(|lane| slots.room(lane));
    let rooms: Vec<Room> = rooms.into_iter().filter(|room| room.free > 0).collect();
    if rooms.is_empty() {
        return Ok(false);
    }
    let lease = app.config.lease;
    let claims = app.platform.database.write(move |tx| {
        let claim = |room: Room| match room.lane {
            Lane::Slow => slow_lane::claim(tx, room, lease),
            Lane::Normal | Lane::Crowded => claim::claim(tx, room, lease),
        };
        rooms.into_iter().map(claim).collect::<Result<Vec<_>, DbError>>()
    });
    let mut more = false;
    for claimed in claims.await? {
        slots.drained(&claimed.drained);
        slots.crowded(claimed.crowded);
        more |= claimed.more;
        for started in claimed.started {
            let slot = slots.take(started.lane, started.endpoint.id.0);
            tokio::spawn(sending::send(app.clone(), started, slot, hold.another()));
        }
    }
    Ok(more)
}
