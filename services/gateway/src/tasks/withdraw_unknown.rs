//! Withdraws notifications of which nobody knows whether they were placed: the request that asked for them had no key to ask
//! again with, and whoever worked on it is gone. They must not ring.

use common::bus::Cause;
use common::db::{DbError, Tx};
use contracts::accounts::CancelNotification;

use crate::app::App;
use crate::store::placings::{self, Placing};

/// Withdrawn in one transaction.
const PAGE: i64 = 100;

/// One round: until none is left.
pub(crate) async fn run(app: App) -> Result<(), DbError> {
    loop {
        let found = app
            .platform
            .database
            .write(|tx| {
                let now = tx.now();
                let overdue = placings::overdue(tx.conn, now, PAGE)?;
                overdue.iter().try_for_each(|placing| withdraw(tx, placing).map(drop))?;
                Ok::<_, DbError>(overdue.len())
            })
            .await?;
        if i64::try_from(found).unwrap_or(i64::MAX) < PAGE {
            return Ok(());
        }
    }
}

/// Ends a placing by withdrawing its notification, unless somebody else has ended it. Once, whoever tries and how often.
pub(crate) fn withdraw(tx: &mut Tx<'_>, placing: &Placing) -> Result<bool, DbError> {
    if !placings::end(tx.conn, placing)? {
        return Ok(false);
    }
    tracing::warn!(notification = %placing.id, request_id = placing.request_id, "nobody knows whether it was placed; withdrawn");
    let message = CancelNotification {
        project_id: placing.project.to_string(),
        notification_id: placing.id.to_string(),
    };
    let cause = Cause { request_id: placing.request_id.clone(), ..Cause::own(placing.project) };
    tx.stage(&message, &cause)?;
    Ok(true)
}
