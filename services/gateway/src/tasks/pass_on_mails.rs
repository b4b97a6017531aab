//! Passes mail on to the webhook-dispatcher, which sends it. One that does not answer is asked again with the same id, so that
//! it keeps each mail once.

use std::time::Duration;

use common::db::{DbError, Id};
use contracts::rpc::{Context, RpcError};
use tokio::task::JoinSet;

use crate::app::{App, RPC_DEADLINE};
use crate::mails;
use crate::store::mails::{self as store, Row};

/// Passed on at the same time.
const AT_ONCE: u32 = 16;
/// What could not be passed on rests for the remainder of its lease.
const LEASE: Duration = Duration::from_secs(15);

/// One round: until none is left that nobody is passing on.
pub(crate) async fn run(app: App) -> Result<(), DbError> {
    loop {
        let claim = app.platform.database.write(|tx| {
            let now = tx.now();
            store::claim(tx.conn, now, LEASE, AT_ONCE)
        });
        let claimed = claim.await?;
        if claimed.is_empty() {
            return Ok(());
        }
        let mut passing: JoinSet<Option<Id>> = JoinSet::new();
        for row in claimed {
            passing.spawn(pass_on(app.clone(), row));
        }
        let done: Vec<Id> = passing.join_all().await.into_iter().flatten().collect();
        app.platform.database.write(move |tx| store::remove(tx.conn, &done)).await?;
    }
}

/// Passes one on. Answers its id when nothing is left to be done for it.
async fn pass_on(app: App, row: Row) -> Option<Id> {
    let mail = row.id.0;
    if app.platform.database.now() >= row.send_before.0 {
        return Some(row.id);
    }
    let request = mails::open(&app, &row)?;
    if request.to.is_empty() {
        return Some(row.id);
    }
    match app.mails.queue_mail(Context::within(RPC_DEADLINE), request).await {
        Ok(answer) if answer.will_be_sent => {}
        Ok(_) => tracing::info!(%mail, "a mail was not sent: no mail server is set (ECHO_SMTP_URL)"),
        Err(RpcError::Invalid { field, problem }) => {
            tracing::error!(%mail, field, problem, "a mail was refused");
        }
        Err(error) => {
            tracing::warn!(%mail, %error, "a mail could not be passed on yet");
            return None;
        }
    }
    Some(row.id)
}
