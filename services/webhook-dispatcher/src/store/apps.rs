//! Apps: what is known of each, and who is told of its tickets. Of one that was removed a row without anything in it is left for
//! ever: what comes late brings nothing back.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Json, Time, lease};
use contracts::ids::{AppId, BusinessId};
use diesel::prelude::*;
use serde_json::json;

use super::schema::apps;

/// What is known of an app.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = apps)]
pub(crate) struct Known {
    business_id: Option<Id>,
    notify_emails: Json,
    version: i64,
    slack_url: Option<String>,
    slack_after: Option<Time>,
    removed_at: Option<Time>,
}

/// What an app says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) business: BusinessId,
    pub(crate) name: String,
    pub(crate) emails: Vec<String>,
    pub(crate) version: i64,
}

impl Known {
    /// It is gone.
    pub(crate) const fn is_removed(&self) -> bool {
        self.removed_at.is_some()
    }

    /// It has said something of itself.
    pub(crate) const fn has_spoken(&self) -> bool {
        self.version > 0
    }

    /// It has said nothing as new as this.
    pub(crate) const fn is_older_than(&self, version: i64) -> bool {
        self.version < version
    }

    /// It belongs to this business.
    pub(crate) fn is_of(&self, business: BusinessId) -> bool {
        self.business_id == Some(Id::of(business))
    }

    /// When a message may go to its address in Slack that is there at `now`; `None`: it has none.
    pub(crate) fn slack_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.slack_url.as_ref().map(|_| self.slack_after.map_or(now, |after| now.max(after.0)))
    }

    /// Who is told by mail.
    pub(crate) fn emails(&self) -> Result<Vec<String>, DbError> {
        emails(self.notify_emails.clone())
    }
}

/// Addresses as the table has them.
pub(super) fn emails(stored: Json) -> Result<Vec<String>, DbError> {
    serde_json::from_value(stored.0).map_err(|e| DbError::Corrupt(format!("addresses of an app: {e}")))
}

/// Keeps others who would do something with this app, or its tickets, waiting until this transaction has ended.
pub(crate) fn lock(conn: &mut Db, app: AppId) -> Result<(), DbError> {
    lease::exclusive(conn, &format!("tickets of {app}"))
}

/// What is known of an app, if anything.
pub(crate) fn find(conn: &mut Db, app: AppId) -> Result<Option<Known>, DbError> {
    Ok(apps::table.find(Id::of(app)).select(Known::as_select()).first(conn).optional()?)
}

/// Makes a row for an app of which nothing is known.
fn insert(conn: &mut Db, app: AppId) -> Result<(), DbError> {
    diesel::insert_into(apps::table)
        .values((
            apps::id.eq(Id::of(app)),
            apps::name.eq(""),
            apps::notify_emails.eq(Json(json!([]))),
            apps::version.eq(0_i64),
        ))
        .execute(conn)?;
    Ok(())
}

/// Keeps what an app says of itself. `known`: there is a row. The app is locked.
pub(crate) fn learn(conn: &mut Db, app: AppId, said: &Said, known: bool) -> Result<(), DbError> {
    if !known {
        insert(conn, app)?;
    }
    diesel::update(apps::table.find(Id::of(app)))
        .set((
            apps::business_id.eq(Some(Id::of(said.business))),
            apps::name.eq(&said.name),
            apps::notify_emails.eq(Json(json!(said.emails))),
            apps::version.eq(said.version),
        ))
        .execute(conn)?;
    Ok(())
}

/// Keeps Slack's address of an app, sealed, or that it has none. `known`: there is a row. The app is locked.
pub(crate) fn put_slack(
    conn: &mut Db,
    (business, app): (BusinessId, AppId),
    sealed: Option<&str>,
    known: bool,
) -> Result<(), DbError> {
    if !known {
        insert(conn, app)?;
    }
    diesel::update(apps::table.find(Id::of(app)))
        .set((
            apps::business_id.eq(Some(Id::of(business))),
            apps::slack_url.eq(sealed),
            apps::slack_after.eq(None::<Time>),
        ))
        .execute(conn)?;
    Ok(())
}

/// Slack has asked to be left alone until then. The app is locked.
pub(super) fn leave_alone(conn: &mut Db, app: AppId, until: DateTime<Utc>) -> Result<(), DbError> {
    diesel::update(apps::table.find(Id::of(app)))
        .set(apps::slack_after.eq(Some(Time::from(until))))
        .execute(conn)?;
    Ok(())
}

/// Leaves of an app that it is gone. `known`: there is a row. The app is locked.
pub(crate) fn remove(conn: &mut Db, app: AppId, known: bool, now: DateTime<Utc>) -> Result<(), DbError> {
    if !known {
        insert(conn, app)?;
    }
    diesel::update(apps::table.find(Id::of(app)))
        .set((
            apps::name.eq(""),
            apps::notify_emails.eq(Json(json!([]))),
            apps::slack_url.eq(None::<String>),
            apps::removed_at.eq(Some(Time::from(now))),
        ))
        .execute(conn)?;
    Ok(())
}
