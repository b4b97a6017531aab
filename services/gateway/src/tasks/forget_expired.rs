//! Forgets what has expired.

use chrono::TimeDelta;
use common::db::{DbError, Time};

use crate::app::App;
use crate::store::{
    app_requests, audit, idempotency, invitations, password_resets, refresh_tokens, sessions,
};

/// Sessions outlive their tokens, which name them, by a little.
const A_DAY: TimeDelta = TimeDelta::days(1);
/// Who comes late with a mailed link is told for a while that it has run out.
const A_MONTH: TimeDelta = TimeDelta::days(30);

/// Forgets idempotency keys after their 24 hours, sessions and their tokens that have run out, mailed links a month
/// after they have, audit entries
/// after a year, and how often apps were asked in hours that are over.
pub(crate) async fn run(app: App) -> Result<(), DbError> {
    app.platform
        .database
        .write(|tx| {
            let now = tx.now();
            idempotency::forget_expired(tx.conn, now.into())?;
            refresh_tokens::forget_expired(tx.conn, now.into())?;
            sessions::forget_expired(tx.conn, Time::from(now - A_DAY))?;
            invitations::forget_expired(tx.conn, Time::from(now - A_MONTH))?;
            password_resets::forget_expired(tx.conn, Time::from(now - A_MONTH))?;
            app_requests::forget_old(tx.conn, now.into())?;
            audit::forget_old(tx.conn, now.into()).map(drop)
        })
        .await
}
