//! Sends mail that is due: claimed by lease, sent outside of any transaction, then written down. A mail is sent twice only if
//! the process dies between the server's word and the commit; its `Message-ID` is the same then.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use common::db::DbError;
use common::service::Task;
use tokio::task::JoinSet;

use crate::app::App;
use crate::domain::mail::{self, Mail, Tried};
use crate::sending::mail::{DEADLINE, Mailer};
use crate::sending::secrets::{self, Row};
use crate::store::mails::{self, Claimed};

const EVERY: Duration = Duration::from_secs(5);
/// At the same time.
const MOST: u32 = 8;
/// Longer than a try and writing it down.
const LEASE: Duration = Duration::from_secs(DEADLINE.as_secs() + 15);
/// How long it is known that a mail was there.
const KEPT: TimeDelta = TimeDelta::days(7);

/// The task.
pub(crate) fn task(app: &App) -> Task {
    Task::new("mail", EVERY, &app.mail_due, app, round)
}

async fn round(app: App) -> Result<(), DbError> {
    let Some(mailer) = app.mailer.clone() else { return Ok(()) };
    let swept = app.platform.database.write(|tx| {
        let now = tx.now();
        let late = mails::expire(tx.conn, now)?;
        mails::forget(tx.conn, now - KEPT)?;
        Ok::<_, DbError>(late)
    });
    app.numbers.mails("expired", swept.await?);
    while send_due(&app, &mailer).await? {}
    Ok(())
}

/// Sends what is due, as much as is sent at the same time. Answers whether there may be more.
async fn send_due(app: &App, mailer: &Arc<Mailer>) -> Result<bool, DbError> {
    let claimed = app.platform.database.write(|tx| mails::claim(tx, LEASE, MOST)).await?;
    let full = claimed.len() == usize::try_from(MOST).unwrap_or(usize::MAX);
    let mut tries = JoinSet::new();
    for claimed in claimed {
        let (app, mailer) = (app.clone(), Arc::clone(mailer));
        tries.spawn(async move {
            let tried = send(&app, &mailer, &claimed).await;
            write_down(&app, claimed, tried).await
        });
    }
    while let Some(written) = tries.join_next().await {
        if let Ok(written) = written {
            written?;
        }
    }
    Ok(full)
}

async fn send(app: &App, mailer: &Mailer, claimed: &Claimed) -> Tried {
    let row = Row::mail(claimed.id.0);
    let opened = secrets::open_text(&app.platform.keys.master, &row, &claimed.content);
    let mail = opened.map_err(|e| e.to_string()).and_then(|text| {
        serde_json::from_str::<Mail>(&text).map_err(|_| "its content cannot be read".to_owned())
    });
    match mail {
        Ok(mail) => mailer.send(claimed.id.0, &mail).await,
        Err(problem) => Tried::Refused(problem),
    }
}

async fn write_down(app: &App, claimed: Claimed, tried: Tried) -> Result<(), DbError> {
    let result = match &tried {
        Tried::Taken => "sent",
        Tried::Refused(_) => "refused",
        Tried::NotNow(_) => "failed",
    };
    app.numbers.mails(result, 1);
    if let Tried::Refused(problem) | Tried::NotNow(problem) = &tried {
        tracing::warn!(mail = %claimed.id.0, result, %problem, "a mail was not taken");
    }
    let failed = claimed.failed_attempts.unsigned_abs();
    let write = app.platform.database.write(move |tx| {
        let now = tx.now();
        let after = mail::after(failed, tried, now, claimed.send_before.0);
        mails::settle(tx.conn, &claimed, &after, now)
    });
    write.await
}
