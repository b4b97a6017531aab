//! Tells people of tickets: claimed by lease, sent outside of any transaction, then written down. What the other side refuses for
//! good, and what was not taken in time, is said in the log: nobody was told then.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use common::db::DbError;
use common::service::Task;

use super::mail::LEASE as MAIL_LEASE;
use super::trying::{all_due, write_down};
use crate::app::App;
use crate::domain::slack as messages;
use crate::domain::ticket::{Channel, Ticket, mail_notice};
use crate::domain::trying::{self, After, EXPIRED, Tried};
use crate::sending::secrets::{self, Row};
use crate::sending::slack as sending;
use crate::store::notices::{self, Claimed};
use crate::store::tickets;

/// How late a try may be that nobody announced: one whose time has come.
const EVERY: Duration = Duration::from_secs(1);
const TIDY: Duration = Duration::from_secs(5);
/// At the same time, one of each app.
const MOST_IN_SLACK: u32 = 32;
/// The same to the operator's mail server.
const MOST_MAILS: u32 = 8;
/// Notices that are ended in one transaction.
const MOST_ENDED: i64 = 500;
/// How long it is known that a ticket was there, and how long one waits for its app.
const KEPT: TimeDelta = TimeDelta::days(7);

/// Sends what is due in Slack.
pub(crate) fn slack(app: &App) -> Task {
    Task::new("tell in Slack", EVERY, &app.notices_due.slack, app, |app: App| async move {
        let due = Arc::clone(&app.notices_due);
        round(&app, Channel::Slack, (app.config.lease, MOST_IN_SLACK), &due.slack).await
    })
}

/// Sends what is due by mail.
pub(crate) fn mail(app: &App) -> Task {
    Task::new("tell by mail", EVERY, &app.notices_due.mail, app, |app: App| async move {
        let due = Arc::clone(&app.notices_due);
        if app.mailer.is_none() {
            return Ok(()); // another replica may have one
        }
        round(&app, Channel::Mail, (MAIL_LEASE, MOST_MAILS), &due.mail).await
    })
}

async fn round(
    app: &App,
    channel: Channel,
    (lease, most): (Duration, u32),
    nudge: &tokio::sync::Notify,
) -> Result<(), DbError> {
    let claim = |free| app.platform.database.write(move |tx| notices::claim(tx, channel, lease, free));
    let each = |claimed| tell(app.clone(), channel, claimed);
    all_due(most, nudge, claim, each).await
}

async fn tell(app: App, channel: Channel, claimed: Claimed) -> Result<(), DbError> {
    let tried = match channel {
        Channel::Slack => in_slack(&app, &claimed).await,
        Channel::Mail => by_mail(&app, &claimed).await,
    };
    let (now, hint) = (app.platform.database.now(), tried.hint());
    let failed = claimed.failed_attempts.unsigned_abs();
    let after = trying::after(failed, tried, now, claimed.send_before.0);
    say(&app, channel, &claimed, &after);
    let alone = after.due.filter(|_| hint.is_some());
    let until = claimed.lease_until.map_or(now, |until| until.0);
    let write = || settle(&app, &claimed, &after, alone);
    write_down(&app, until, write).await
}

async fn settle(
    app: &App,
    claimed: &Claimed,
    after: &After,
    alone_until: Option<DateTime<Utc>>,
) -> Result<(), DbError> {
    let (claimed, after) = (claimed.clone(), after.clone());
    let write = app.platform.database.write(move |tx| {
        let now = tx.now();
        notices::settle(tx.conn, &claimed, &after, now)?; // locks the app
        alone_until.map_or(Ok(()), |until| notices::leave_alone(tx.conn, claimed.app(), until))
    });
    write.await
}

/// For operators. Neither what people wrote nor to whom it goes.
fn say(app: &App, channel: Channel, claimed: &Claimed, after: &After) {
    let (channel, result) = (channel.as_str(), after.label());
    app.numbers.notices(channel, result, 1);
    let Some(problem) = after.problem.as_deref() else { return };
    let (tenant, ticket) = (claimed.app(), claimed.ticket_id.0);
    if after.due.is_some() {
        tracing::info!(app = %tenant, %ticket, channel, result, problem, "a notice of a ticket was not taken yet");
    } else {
        tracing::warn!(app = %tenant, %ticket, channel, result, problem, "a notice of a ticket is given up");
    }
}

async fn in_slack(app: &App, claimed: &Claimed) -> Tried {
    let Some(sealed) = &claimed.slack_url else {
        return Tried::Refused("not sent: the app has no address in Slack any more".to_owned());
    };
    let ring = &app.platform.keys.master;
    let url = match secrets::open_text(ring, &Row::slack(claimed.app()), sealed) {
        Ok(url) => url,
        Err(problem) => return Tried::not_now(format!("not sent: the address cannot be opened: {problem}")),
    };
    match open(app, claimed) {
        Ok(ticket) => sending::send(app, &url, messages::message(&claimed.app_name, &ticket)).await,
        Err(tried) => tried,
    }
}

async fn by_mail(app: &App, claimed: &Claimed) -> Tried {
    let Some(mailer) = &app.mailer else { return Tried::not_now("there is no mail server".to_owned()) };
    let ticket = match open(app, claimed) {
        Ok(ticket) => ticket,
        Err(tried) => return tried,
    };
    let id = claimed.id.0;
    let emails = claimed.emails().unwrap_or_default();
    let Some(to) = emails.iter().find(|address| mail_notice(ticket.id, address) == id) else {
        return Tried::Refused("not sent: the app does not tell this address any more".to_owned());
    };
    match ticket.mail(&claimed.app_name, to) {
        Ok(mail) => mailer.send(id, &mail).await,
        Err(bad) => Tried::Refused(format!("not sent: {} {bad}", bad.field())),
    }
}

/// The ticket. Where a master key is missing, somebody may bring it back.
fn open(app: &App, claimed: &Claimed) -> Result<Ticket, Tried> {
    let row = Row::ticket(claimed.ticket_id.0);
    let text = secrets::open_text(&app.platform.keys.master, &row, &claimed.content);
    let text = text.map_err(|e| Tried::not_now(format!("not sent: the ticket cannot be opened: {e}")))?;
    serde_json::from_str(&text).map_err(|_| Tried::Refused("not sent: the ticket cannot be read".to_owned()))
}

/// Ends what was not told in time, and forgets what is over.
pub(crate) fn tidy(app: &App) -> Task {
    Task::new("forget tickets", TIDY, &Arc::default(), app, |app: App| async move {
        for channel in [Channel::Slack, Channel::Mail] {
            let expire = app.platform.database.write(move |tx| {
                let now = tx.now();
                notices::expire(tx.conn, channel, now, MOST_ENDED)
            });
            too_late(&app, channel.as_str(), expire.await?);
        }
        let forget = app.platform.database.write(|tx| {
            let then = tx.now() - KEPT;
            notices::forget(tx.conn, then)?;
            tickets::forget(tx.conn, then)?;
            tickets::forget_untold(tx.conn, then)
        });
        too_late(&app, "none", forget.await?);
        Ok::<_, DbError>(())
    })
}

fn too_late(app: &App, channel: &str, count: usize) {
    if count > 0 {
        app.numbers.notices(channel, EXPIRED, count);
        tracing::warn!(channel, count, "notices of tickets are given up: they were not sent in time");
    }
}
