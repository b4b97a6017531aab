//! How things are tried that are claimed by lease, sent outside of any transaction, and then written down: mails, and notices of
//! tickets. One is sent twice only if the process dies between the other side's word and the commit.

use std::future::Future;
use std::time::Duration;

use chrono::{DateTime, Utc};
use common::db::DbError;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::app::App;
use crate::domain::writing_down;

/// How late something may be that becomes due while others are being tried.
const LOOK: Duration = Duration::from_secs(1);

/// Claims what is due and tries it, `most` at the same time, until nothing is due and all tries are written down. What is slow
/// holds up nothing else as long as there is room beside it.
///
/// # Errors
/// The first one of a claim or of writing down. What is being tried then is finished before.
pub(super) async fn all_due<C, Claim, Claiming, Each, Trying>(
    most: u32,
    nudge: &Notify,
    claim: Claim,
    each: Each,
) -> Result<(), DbError>
where
    Claim: Fn(u32) -> Claiming,
    Claiming: Future<Output = Result<Vec<C>, DbError>>,
    Each: Fn(C) -> Trying,
    Trying: Future<Output = Result<(), DbError>> + Send + 'static,
{
    let mut tries = JoinSet::new();
    let mut outcome = Ok(());
    loop {
        let free = most.saturating_sub(u32::try_from(tries.len()).unwrap_or(u32::MAX));
        let looks = outcome.is_ok() && free > 0;
        if looks {
            match claim(free).await {
                Ok(claimed) => claimed.into_iter().for_each(|claimed| drop(tries.spawn(each(claimed)))),
                Err(error) => outcome = Err(error),
            }
        }
        tokio::select! {
            written = tries.join_next() => match written {
                None => return outcome,
                Some(Ok(written)) => outcome = outcome.and(written),
                Some(Err(panicked)) => tracing::error!(%panicked, "a try broke off; it is made again when its lease ends"),
            },
            () = nudge.notified(), if looks => {}
            () = tokio::time::sleep(LOOK), if looks => {}
        }
    }
}

/// Writes down what came of a try, again and again nearly until its lease ends at `until` while the tables are away: after that
/// it would be made again.
///
/// # Errors
/// The last one, when it was let go.
pub(super) async fn write_down<Write, Writing>(
    app: &App,
    until: DateTime<Utc>,
    write: Write,
) -> Result<(), DbError>
where
    Write: Fn() -> Writing,
    Writing: Future<Output = Result<(), DbError>>,
{
    let mut failed = 0;
    loop {
        let Err(error) = write().await else { return Ok(()) };
        failed += 1;
        app.numbers.unwritten();
        let left = until - app.platform.database.now();
        let Some(pause) = writing_down::pause(failed, error.is_away(), left) else { return Err(error) };
        tracing::info!(%error, "what came of a try is written down once more");
        tokio::time::sleep(pause).await;
    }
}
