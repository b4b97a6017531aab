//! Sends mail that is due: claimed by lease, sent outside of any transaction, then written down. A mail is sent twice only if
//! the process dies between the server's word and the commit; its `Message-ID` is the same then.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use common::db::DbError;
use common::service::Task;

use super::trying::{all_due, write_down};
use crate::app::App;
use crate::domain::mail::Mail;
use crate::domain::trying::{self, After, Tried};
use crate::sending::mail::{DEADLINE, Mailer};
use crate::sending::secrets::{self, Row};
use crate::store::mails::{self, Claimed};

const EVERY: Duration = Duration::from_secs(5);
/// At the same time.
const MOST: u32 = 8;
/// Longer than a try and writing it down.
pub(super) const LEASE: Duration = Duration::from_secs(DEADLINE.as_secs() + 15);
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
    let claim = |free| app.platform.database.write(move |tx| mails::claim(tx, LEASE, free));
    let each = |claimed| try_once(app.clone(), Arc::clone(&mailer), claimed);
    all_due(MOST, &app.mail_due, claim, each).await
}

async fn try_once(app: App, mailer: Arc<Mailer>, claimed: Claimed) -> Result<(), DbError> {
    let tried = send(&app, &mailer, &claimed).await;
    let now = app.platform.database.now();
    let after = trying::after(claimed.failed_attempts.unsigned_abs(), tried, now, claimed.send_before.0);
    app.numbers.mails(after.label(), 1);
    if let Some(problem) = &after.problem {
        tracing::warn!(mail = %claimed.id.0, result = after.label(), %problem, "a mail was not taken");
    }
    let until = claimed.lease_until.map_or(now, |until| until.0);
    write_down(&app, until, || settle(&app, &claimed, &after)).await
}

async fn settle(app: &App, claimed: &Claimed, after: &After) -> Result<(), DbError> {
    let (claimed, after) = (claimed.clone(), after.clone());
    let write = app.platform.database.write(move |tx| {
        let now = tx.now();
        mails::settle(tx.conn, &claimed, &after, now)
    });
    write.await
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
