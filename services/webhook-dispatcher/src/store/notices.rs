//! Notices: one ticket told to one place each. Where the place is stands with the app and is read when the notice is tried, so that
//! it is the one that the app wants then.

use std::time::Duration;

use chrono::{DateTime, Utc};
use common::db::lease::{self, LeaseQuery};
use common::db::{Db, DbError, Id, Json, Time, Tx, insert_many};
use contracts::ids::AppId;
use diesel::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::schema::{apps, notices, tickets};
use super::{apps as all_apps, tickets as all_tickets};
use crate::domain::ticket::Channel;
use crate::domain::trying::{After, EXPIRED, WAITING};

const COLUMNS: &[&str] = &[
    "id",
    "app_id",
    "ticket_id",
    "channel",
    "status",
    "failed_attempts",
    "next_try_at",
    "send_before",
    "created_at",
    "updated_at",
];

/// The first notice of each app, and only while no other one of it is being tried: an address that does not answer holds up its
/// own app. `$2` is the current time.
macro_rules! first_of_each_app {
    ($channel:literal) => {
        LeaseQuery {
            table: "notices",
            due: concat!(
                "channel = '",
                $channel,
                "' AND next_try_at <= $2 AND NOT EXISTS (SELECT 1 FROM notices AS earlier \
                 WHERE earlier.app_id = notices.app_id AND earlier.channel = notices.channel \
                 AND earlier.next_try_at IS NOT NULL AND (earlier.lease_until >= $2 \
                 OR (earlier.next_try_at, earlier.id) < (notices.next_try_at, notices.id)))"
            ),
            order: "next_try_at",
        }
    };
}

const IN_SLACK: LeaseQuery = first_of_each_app!("slack");
const BY_MAIL: LeaseQuery = first_of_each_app!("mail");

/// A notice that is to be tried, with what it takes.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct Claimed {
    pub(crate) id: Id,
    app_id: Id,
    pub(crate) ticket_id: Id,
    pub(crate) failed_attempts: i32,
    pub(crate) send_before: Time,
    /// Until then it belongs to whoever claimed it.
    pub(crate) lease_until: Option<Time>,
    /// The ticket, sealed.
    pub(crate) content: String,
    pub(crate) app_name: String,
    notify_emails: Json,
    /// Sealed.
    pub(crate) slack_url: Option<String>,
}

impl Claimed {
    /// The tenant.
    pub(crate) fn app(&self) -> AppId {
        AppId::of(self.app_id.0)
    }

    /// Who is told by mail now.
    pub(crate) fn emails(&self) -> Result<Vec<String>, DbError> {
        all_apps::emails(self.notify_emails.clone())
    }
}

/// Makes notices of a ticket, each due at its time.
pub(crate) fn insert(
    tx: &mut Tx<'_>,
    (app, ticket): (AppId, Uuid),
    places: &[(Uuid, Channel, DateTime<Utc>)],
    send_before: DateTime<Utc>,
) -> Result<(), DbError> {
    let now = Time::from(tx.now()).text();
    let row = |(id, channel, due): &(Uuid, Channel, DateTime<Utc>)| {
        json!({
            "id": id,
            "app_id": Uuid::from(app),
            "ticket_id": ticket,
            "channel": channel.as_str(),
            "status": WAITING,
            "failed_attempts": 0,
            "next_try_at": Time::from(*due).text(),
            "send_before": Time::from(send_before).text(),
            "created_at": now,
            "updated_at": now,
        })
    };
    insert_many(tx.conn, "notices", COLUMNS, places.iter().map(row).collect())?;
    Ok(())
}

/// Leases up to `most` notices of this channel that are due.
pub(crate) fn claim(
    tx: &mut Tx<'_>,
    channel: Channel,
    hold: Duration,
    most: u32,
) -> Result<Vec<Claimed>, DbError> {
    let query = match channel {
        Channel::Slack => &IN_SLACK,
        Channel::Mail => &BY_MAIL,
    };
    let now = tx.now();
    let ids = lease::claim(tx.conn, query, now, hold, most)?;
    Ok(notices::table
        .inner_join(
            tickets::table.on(tickets::app_id.eq(notices::app_id).and(tickets::id.eq(notices::ticket_id))),
        )
        .inner_join(apps::table.on(apps::id.eq(notices::app_id)))
        .filter(notices::id.eq_any(ids))
        .select((
            notices::id,
            notices::app_id,
            notices::ticket_id,
            notices::failed_attempts,
            notices::send_before,
            notices::lease_until,
            tickets::content,
            apps::name,
            apps::notify_emails,
            apps::slack_url,
        ))
        .load(tx.conn)?)
}

/// Writes down what came of a try, unless its lease was lost meanwhile. The ticket is blanked with the last of its notices.
pub(crate) fn settle(
    conn: &mut Db,
    claimed: &Claimed,
    after: &After,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    all_apps::lock(conn, claimed.app())?;
    let ours = notices::app_id
        .eq(claimed.app_id)
        .and(notices::id.eq(claimed.id))
        .and(notices::lease_until.eq(claimed.lease_until));
    diesel::update(notices::table.filter(ours))
        .set((
            notices::status.eq(after.status),
            notices::failed_attempts.eq(i32::try_from(after.failed).unwrap_or(i32::MAX)),
            notices::next_try_at.eq(after.due.map(Time::from)),
            notices::lease_until.eq(None::<Time>),
            notices::problem.eq(after.problem.as_deref()),
            notices::updated_at.eq(Time::from(now)),
        ))
        .execute(conn)?;
    if after.due.is_some() {
        return Ok(());
    }
    all_tickets::blank_if_over(conn, claimed.app(), claimed.ticket_id)
}

/// Nothing goes to Slack's address of an app before `until`: it has asked for that. The app is locked.
pub(crate) fn leave_alone(conn: &mut Db, app: AppId, until: DateTime<Utc>) -> Result<(), DbError> {
    all_apps::leave_alone(conn, app, until)?;
    let waiting = notices::app_id.eq(Id::of(app)).and(notices::channel.eq(Channel::Slack.as_str()));
    diesel::update(notices::table.filter(waiting.and(notices::next_try_at.lt(Time::from(until)))))
        .set(notices::next_try_at.eq(Some(Time::from(until))))
        .execute(conn)?;
    Ok(())
}

/// Ends notices of this channel that were not sent in time, at most so many at once. Answers how many.
pub(crate) fn expire(
    conn: &mut Db,
    channel: Channel,
    now: DateTime<Utc>,
    most: i64,
) -> Result<usize, DbError> {
    let late = notices::channel.eq(channel.as_str()).and(notices::next_try_at.is_not_null());
    let late = late.and(notices::send_before.le(Time::from(now)));
    let free = notices::lease_until.is_null().or(notices::lease_until.lt(Time::from(now)));
    // In the order of their apps: two replicas that lock them in the same order never wait for each other in a circle.
    let found: Vec<(Id, Id, Id)> = notices::table
        .filter(late.and(free))
        .order((notices::app_id, notices::id))
        .limit(most)
        .select((notices::app_id, notices::id, notices::ticket_id))
        .load(conn)?;
    let mut ended = 0;
    for (app_id, notice, ticket) in found {
        let app = AppId::of(app_id.0);
        all_apps::lock(conn, app)?;
        let this = notices::app_id.eq(app_id).and(notices::id.eq(notice));
        let this = this.and(notices::next_try_at.is_not_null()).and(free);
        ended += diesel::update(notices::table.filter(this))
            .set((
                notices::status.eq(EXPIRED),
                notices::next_try_at.eq(None::<Time>),
                notices::lease_until.eq(None::<Time>),
                notices::updated_at.eq(Time::from(now)),
            ))
            .execute(conn)?;
        all_tickets::blank_if_over(conn, app, ticket)?;
    }
    Ok(ended)
}

/// Forgets notices that ended before `then`.
pub(crate) fn forget(conn: &mut Db, then: DateTime<Utc>) -> Result<(), DbError> {
    let old = notices::next_try_at.is_null().and(notices::updated_at.lt(Time::from(then)));
    diesel::delete(notices::table.filter(old)).execute(conn)?;
    Ok(())
}

/// Removes all notices of an app.
pub(crate) fn remove(conn: &mut Db, app: AppId) -> Result<(), DbError> {
    diesel::delete(notices::table.filter(notices::app_id.eq(Id::of(app)))).execute(conn)?;
    Ok(())
}
