//! Forgets accounts that projects have replaced or given up. Until then their calls end, and customers who were rung with them
//! can ring back.

use chrono::TimeDelta;

use crate::app::App;
use crate::error::BridgeError;
use crate::store::project_carriers;

/// Longer than any call, and as long as a customer may ring back.
const KEPT_FOR: TimeDelta = TimeDelta::hours(25);

/// One round.
pub(crate) async fn run(app: App) -> Result<(), BridgeError> {
    let forgotten = app
        .write(|tx| {
            let now = tx.now();
            Ok(project_carriers::forget_replaced(tx.conn, now - KEPT_FOR)?)
        })
        .await?;
    if forgotten > 0 {
        tracing::info!(forgotten, "accounts that are not used any more");
    }
    Ok(())
}
