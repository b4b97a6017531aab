//! What waits, and what is over, looked for by whom it concerns: to look at it again, to stop it, to blank it. Whoever
//! decides about one of the rows at this moment decides again: their versions move on.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Json, Time};
use contracts::ids::{CustomerId, NotificationId, ProjectId};
use diesel::prelude::*;

use super::notifications::Spec;
use super::schema::{calls, notifications, sentences, turns};
use super::{readings, recordings, tool_calls, word};

const OPEN: [&str; 2] = ["queued", "in_progress"];

fn ids(rows: Vec<Id>) -> Vec<NotificationId> {
    rows.into_iter().map(|id| NotificationId(id.0)).collect()
}

/// Notifications that wait to ring a number.
pub(crate) fn for_phone(
    db: &mut Db,
    project: ProjectId,
    phone: &str,
    limit: u32,
) -> Result<Vec<NotificationId>, DbError> {
    let rows: Vec<Id> = notifications::table
        .filter(notifications::project_id.eq(Id::of(project)))
        .filter(notifications::phone.eq(phone))
        .filter(notifications::status.eq_any(OPEN))
        .filter(notifications::live_call.eq(false))
        .order(notifications::id)
        .limit(i64::from(limit))
        .select(notifications::id)
        .load(db)?;
    Ok(ids(rows))
}

/// Lets what these rules hold back in a project be looked at now; only what concerns this customer, if one is named.
pub(crate) fn wake(
    db: &mut Db,
    (project, customer): (ProjectId, Option<CustomerId>),
    rules: &[&str],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let mut held = notifications::table
        .filter(notifications::project_id.eq(Id::of(project)))
        .filter(notifications::blocked_by.eq_any(rules.iter().map(|rule| Some(*rule))))
        .filter(notifications::status.eq_any(OPEN))
        .filter(notifications::live_call.eq(false))
        .select(notifications::id)
        .into_boxed();
    if let Some(customer) = customer {
        held = held.filter(notifications::customer_id.eq(Id::of(customer)));
    }
    let held: Vec<Id> = held.load(db)?;
    for page in held.chunks(500) {
        diesel::update(notifications::table.filter(notifications::id.eq_any(page)))
            .set((
                notifications::next_try_at.eq(Time::from(now)),
                notifications::lease_until.eq(None::<Time>),
                notifications::version.eq(notifications::version + 1),
            ))
            .execute(db)?;
    }
    Ok(())
}

/// A notification that holds personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Personal {
    pub(crate) id: NotificationId,
    /// It has ended, but for what is still read out of its last call.
    pub(crate) ended: bool,
    /// Nothing happens to it any more, and nobody talks in a call of it.
    pub(crate) over: bool,
}

/// Notifications with personal data of a customer, or of everybody in a project, behind `after`.
pub(crate) fn personal(
    db: &mut Db,
    (project, customer): (ProjectId, Option<CustomerId>),
    after: Option<NotificationId>,
    limit: u32,
) -> Result<Vec<Personal>, DbError> {
    let mut query = notifications::table
        .filter(notifications::project_id.eq(Id::of(project)))
        .filter(notifications::phone.ne(""))
        .order(notifications::id)
        .limit(i64::from(limit))
        .select((notifications::id, notifications::status, notifications::live_call))
        .into_boxed();
    if let Some(customer) = customer {
        query = query.filter(notifications::customer_id.eq(Id::of(customer)));
    }
    if let Some(after) = after {
        query = query.filter(notifications::id.gt(Id::of(after)));
    }
    let rows: Vec<(Id, String, bool)> = query.load(db)?;
    let ids: Vec<Id> = rows.iter().map(|(id, ..)| *id).collect();
    let talking = talking(db, project, &ids)?;
    let personal = |(id, status, live): (Id, String, bool)| {
        let ended = !OPEN.contains(&status.as_str());
        Personal { id: NotificationId(id.0), ended, over: ended && !live && !talking.contains(&id) }
    };
    Ok(rows.into_iter().map(personal).collect())
}

/// Which of these notifications have a call that has not ended: also after their own end, when the customer rings back.
fn talking(db: &mut Db, project: ProjectId, of: &[Id]) -> Result<HashSet<Id>, DbError> {
    let rows: Vec<Id> = calls::table
        .filter(calls::project_id.eq(Id::of(project)))
        .filter(calls::notification_id.eq_any(of))
        .filter(calls::ended_at.is_null())
        .select(calls::notification_id)
        .load(db)?;
    Ok(rows.into_iter().collect())
}

/// Notifications of a project that were over before `before` and still hold personal data, the oldest first.
pub(crate) fn over_before(
    db: &mut Db,
    project: ProjectId,
    before: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<NotificationId>, DbError> {
    let rows: Vec<Id> = notifications::table
        .filter(notifications::project_id.eq(Id::of(project)))
        .filter(notifications::phone.ne(""))
        .filter(notifications::updated_at.lt(Time::from(before)))
        .filter(notifications::status.ne_all(OPEN))
        .filter(notifications::live_call.eq(false))
        .filter(notifications::summary_due.eq(false))
        .order(notifications::updated_at)
        .limit(i64::from(limit))
        .select(notifications::id)
        .load(db)?;
    Ok(ids(rows))
}

/// Blanks what is personal in these notifications, and all that was said in their calls. What they were and how they ended
/// stays.
pub(crate) fn blank(db: &mut Db, project: ProjectId, of: &[NotificationId]) -> Result<(), DbError> {
    let of: Vec<Id> = of.iter().map(|id| Id::of(*id)).collect();
    let spec = Json(word(serde_json::to_value(Spec::default()))?);
    diesel::update(
        notifications::table
            .filter(notifications::project_id.eq(Id::of(project)))
            .filter(notifications::id.eq_any(&of)),
    )
    .set((
        notifications::customer_id.eq(None::<Id>),
        notifications::phone.eq(""),
        notifications::message.eq(""),
        notifications::context.eq(None::<String>),
        notifications::metadata.eq(None::<Json>),
        notifications::outcome.eq(None::<Json>),
        notifications::spec.eq(spec),
        notifications::version.eq(notifications::version + 1),
    ))
    .execute(db)?;
    let made: Vec<Id> = calls::table
        .filter(calls::project_id.eq(Id::of(project)))
        .filter(calls::notification_id.eq_any(&of))
        .select(calls::id)
        .load(db)?;
    diesel::update(turns::table.filter(turns::call_id.eq_any(&made)))
        .set((
            turns::heard.eq(None::<String>),
            turns::confidence.eq(None::<f64>),
            turns::sources.eq(None::<Json>),
        ))
        .execute(db)?;
    diesel::update(sentences::table.filter(sentences::call_id.eq_any(&made)))
        .set(sentences::text.eq(""))
        .execute(db)?;
    readings::forget(db, &made)?;
    recordings::forget(db, &made)?;
    tool_calls::blank(db, &made)
}
