//! Forgets what has expired.

use common::db::{DbError, Time};

use crate::app::App;
use crate::store::{idempotency, refresh_tokens};

/// Forgets idempotency keys after their 24 hours and refresh tokens that have run out.
pub(crate) async fn run(app: App) -> Result<(), DbError> {
    app.platform
        .database
        .write(|tx| {
            let now = Time::from(tx.now());
            idempotency::forget_expired(tx.conn, now)?;
            refresh_tokens::forget_expired(tx.conn, now).map(drop)
        })
        .await
}
