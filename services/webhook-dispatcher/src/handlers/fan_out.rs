//! From an event to deliveries: one for each active endpoint of the project that wants it. The natural key (event, endpoint)
//! makes a message that comes twice harmless.

use std::sync::Arc;

use common::bus::Outcome;
use common::db::{DbError, Tx};
use contracts::ids::DeliveryId;

use crate::app::App;
use crate::domain::admission::Lane;
use crate::domain::envelope::BadMessage;
use crate::domain::event::Event;
use crate::store::endpoints::{self, Endpoint};
use crate::store::{deliveries, slow_lane};

/// Makes the deliveries of an event, if it could be read from its message.
pub(crate) async fn deliver(app: App, event: Result<Event, BadMessage>) -> Outcome {
    let event = match event {
        Ok(event) => event,
        Err(problem) => return Outcome::Dead(problem.to_string()),
    };
    let due = Arc::clone(&app.due);
    let made = app.platform.database.write(move |tx| {
        if insert(tx, &event)? > 0 {
            tx.after_commit(move || due.notify_one());
        }
        Ok::<_, DbError>(())
    });
    made.await.into()
}

fn insert(tx: &mut Tx<'_>, event: &Event) -> Result<usize, DbError> {
    let wanting = endpoints::wanting(tx.conn, event.project, event.name)?;
    if wanting.is_empty() {
        return Ok(0);
    }
    let made = deliveries::endpoints_of(tx.conn, event)?;
    let missing: Vec<_> = wanting.into_iter().filter(|endpoint| !made.contains(&endpoint.id)).collect();
    for endpoint in &missing {
        add(tx, event, DeliveryId::new(), endpoint)?;
    }
    Ok(missing.len())
}

/// Makes one delivery, due at once.
pub(super) fn add(
    tx: &mut Tx<'_>,
    event: &Event,
    id: DeliveryId,
    endpoint: &Endpoint,
) -> Result<(), DbError> {
    let (lane, now) = (Lane::of(&endpoint.health()), tx.now());
    deliveries::insert(tx.conn, event, (id, endpoint.id), lane, now)?;
    if lane == Lane::Slow {
        slow_lane::wake(tx.conn, endpoint.id, now)?;
    }
    Ok(())
}
