//! Forgets customers: those who are erased as soon as no call with them runs, all others when nothing needs their number any
//! more. In steps of a page, each a transaction, so that a large project holds nobody up.

use std::time::Duration;

use chrono::TimeDelta;

use crate::app::App;
use crate::error::BridgeError;
use crate::store::erasures::{self, Erasure};
use crate::store::numbers;

/// Longer than the steps of one erasure take; where it is not, another replica does the same once more.
const HOLD: Duration = Duration::from_secs(120);
/// Erasures looked at in one round.
const AT_ONCE: u32 = 20;
/// Calls blanked in one transaction.
const PAGE: usize = 500;
/// When to come back for calls that are not over.
const AGAIN: TimeDelta = TimeDelta::seconds(5);
/// A wish to dial that was on its way when its customer was erased has arrived by then, and is found too late to dial.
const ALL_ARRIVED: TimeDelta = TimeDelta::minutes(10);
/// A customer may ring back for a day, and the carrier speaks of a call for not much longer.
const KEPT_FOR: TimeDelta = TimeDelta::hours(48);

/// One round.
pub(crate) async fn run(app: App) -> Result<(), BridgeError> {
    let due = app
        .write(|tx| {
            let now = tx.now();
            Ok(erasures::claim(tx.conn, now, HOLD, AT_ONCE)?)
        })
        .await?;
    for erasure in due {
        if let Err(error) = forget(&app, erasure).await {
            tracing::warn!(project = %erasure.project, %error, "could not be erased; tried again when the lease ends");
        }
    }
    forget_old(&app).await
}

async fn forget(app: &App, erasure: Erasure) -> Result<(), BridgeError> {
    let whose = (erasure.project, erasure.customer);
    loop {
        let blanked = app.write(move |tx| Ok(numbers::forget(tx.conn, whose, page())?)).await?;
        if blanked < PAGE {
            break;
        }
    }
    app.write(move |tx| {
        let now = tx.now();
        let settled = erasure.asked_at + ALL_ARRIVED;
        let noted = match numbers::any_left(tx.conn, whose.0, whose.1)? {
            true => erasures::wait(tx.conn, erasure, now + AGAIN),
            false if now < settled => erasures::wait(tx.conn, erasure, settled),
            false => erasures::done(tx.conn, erasure),
        };
        Ok(noted?)
    })
    .await
}

async fn forget_old(app: &App) -> Result<(), BridgeError> {
    loop {
        let blanked = app
            .write(|tx| {
                let before = tx.now() - KEPT_FOR;
                Ok(numbers::forget_over_before(tx.conn, before, page())?)
            })
            .await?;
        if blanked < PAGE {
            return Ok(());
        }
    }
}

fn page() -> i64 {
    i64::try_from(PAGE).unwrap_or(i64::MAX)
}
