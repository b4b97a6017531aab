//! `connections`: with which Twilio account somebody proves that they are the user of EchoLink with an address.

use chrono::{DateTime, TimeDelta, Utc};
use common::db::{Db, DbError, Id, Time};
use contracts::ids::{BusinessId, ProjectId, UserId};
use diesel::prelude::*;

use super::schema::connections;

/// Longer than the carrier may take to be asked. Who has not come back by then has given it up.
const PATIENCE: TimeDelta = TimeDelta::seconds(60);

/// A user's connection, or one that is being made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Connection {
    /// The project that the number belongs to, or will belong to.
    pub(crate) project: ProjectId,
    /// The Twilio account.
    pub(crate) account_sid: String,
    /// Whose it is, once it is made.
    pub(crate) owner: Option<(UserId, BusinessId)>,
    /// When it is given up, until it is made.
    pub(crate) undo_at: Option<DateTime<Utc>>,
}

type Row = (Id, String, Option<Id>, Option<Id>, Option<Time>);

fn read((project, account_sid, user, business, undo_at): Row) -> Connection {
    let owner = user.zip(business).map(|(user, business)| (UserId(user.0), BusinessId(business.0)));
    Connection { project: ProjectId(project.0), account_sid, owner, undo_at: undo_at.map(|at| at.0) }
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        connections::project_id,
        connections::account_sid,
        connections::user_id,
        connections::business_id,
        connections::undo_at,
    )
}

/// All of an address: at most one of them is made.
pub(crate) fn of_address(db: &mut Db, email_key: &str) -> Result<Vec<Connection>, DbError> {
    let rows: Vec<Row> =
        connections::table.filter(connections::email_key.eq(email_key)).select(columns()).load(db)?;
    Ok(rows.into_iter().map(read).collect())
}

/// Notes one that is going to be made. Answers when it is given up.
pub(crate) fn begin(
    db: &mut Db,
    project: ProjectId,
    (email_key, account_sid): (&str, &str),
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, DbError> {
    let undo_at = now + PATIENCE;
    diesel::insert_into(connections::table)
        .values((
            connections::project_id.eq(Id::of(project)),
            connections::email_key.eq(email_key),
            connections::account_sid.eq(account_sid),
            connections::undo_at.eq(Time::from(undo_at)),
        ))
        .execute(db)?;
    Ok(undo_at)
}

/// Goes on with one that is not made yet. Answers when it is given up now.
pub(crate) fn go_on(db: &mut Db, project: ProjectId, now: DateTime<Utc>) -> Result<DateTime<Utc>, DbError> {
    let undo_at = now + PATIENCE;
    diesel::update(connections::table.find(Id::of(project)))
        .set(connections::undo_at.eq(Time::from(undo_at)))
        .execute(db)?;
    Ok(undo_at)
}

/// It is made. False: it was given up in the meantime.
pub(crate) fn finish(
    db: &mut Db,
    project: ProjectId,
    (user, business): (UserId, BusinessId),
) -> Result<bool, DbError> {
    let pending = connections::table.find(Id::of(project)).filter(connections::user_id.is_null());
    let made = (
        connections::user_id.eq(Id::of(user)),
        connections::business_id.eq(Id::of(business)),
        connections::undo_at.eq(None::<Time>),
    );
    Ok(diesel::update(pending).set(made).execute(db)? == 1)
}

/// Forgets one of which nothing is left, unless somebody else has gone on with it.
pub(crate) fn forget(db: &mut Db, project: ProjectId, undo_at: DateTime<Utc>) -> Result<(), DbError> {
    let same = connections::table
        .find(Id::of(project))
        .filter(connections::user_id.is_null())
        .filter(connections::undo_at.eq(Time::from(undo_at)));
    diesel::delete(same).execute(db)?;
    Ok(())
}

/// Gives one up, unless somebody else has gone on with it: what the carrier's keeper knows of it is taken back soon.
pub(crate) fn give_up(
    db: &mut Db,
    project: ProjectId,
    undo_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let same = connections::table
        .find(Id::of(project))
        .filter(connections::user_id.is_null())
        .filter(connections::undo_at.eq(Time::from(undo_at)));
    diesel::update(same).set(connections::undo_at.eq(Time::from(now))).execute(db)?;
    Ok(())
}

/// Some that were given up, the oldest first.
pub(crate) fn given_up(
    db: &mut Db,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(ProjectId, DateTime<Utc>)>, DbError> {
    let rows: Vec<(Id, Option<Time>)> = connections::table
        .filter(connections::undo_at.le(Time::from(now)))
        .order(connections::undo_at)
        .limit(limit)
        .select((connections::project_id, connections::undo_at))
        .load(db)?;
    Ok(rows.into_iter().filter_map(|(project, at)| Some((ProjectId(project.0), at?.0))).collect())
}
