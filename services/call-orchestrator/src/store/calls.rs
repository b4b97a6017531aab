//! Calls: one row for each time that a notification's number is, or is to be, rung.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time};
use contracts::ids::{AttemptId, BotId, CallId, CustomerId, NotificationId, ProjectId};
use diesel::prelude::*;

use super::schema::{calls, notifications};
use super::{int, word};
use crate::domain::call::{CallState, HangupBy};
use crate::domain::ended_reason::EndedReason;

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    pub(crate) project_id: ProjectId,
    pub(crate) notification_id: NotificationId,
    /// Which call of the notification, from 1; of those by which the customer rang back, the count is their own.
    pub(crate) attempt: u32,
    /// The customer rang back. In the table such a call has its attempt with a minus.
    pub(crate) inbound: bool,
    /// The current wish to dial; news of an older one is not about this call any more.
    pub(crate) attempt_id: Option<AttemptId>,
    pub(crate) state: CallState,
    /// When the reaper looks at it, if it is not over by then.
    pub(crate) reap_at: DateTime<Utc>,
    /// Whether the reaper has had it stopped.
    pub(crate) stop_asked: bool,
    /// When the bridge was last asked to dial.
    pub(crate) begun_at: Option<DateTime<Utc>>,
    /// When the carrier had it.
    pub(crate) dialled_at: Option<DateTime<Utc>>,
    /// The carrier's verdict on who picked up.
    pub(crate) answered_by: Option<String>,
    /// The bot that answers it.
    pub(crate) bot_id: Option<BotId>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) version: i64,
}

#[derive(Queryable, Insertable, AsChangeset, Selectable)]
#[diesel(table_name = calls, treat_none_as_null = true)]
struct Row {
    id: Id,
    project_id: Id,
    notification_id: Id,
    attempt: i32,
    attempt_id: Option<Id>,
    status: String,
    dial_requested: bool,
    dialled: bool,
    carrier_sid: Option<String>,
    last_sequence: Option<i64>,
    time_limit_seconds: i32,
    started_at: Option<Time>,
    ended_at: Option<Time>,
    ended_reason: Option<String>,
    hangup_by: Option<String>,
    reap_at: Time,
    stop_asked: bool,
    carrier_code: Option<i64>,
    begun_at: Option<Time>,
    dialled_at: Option<Time>,
    answered_by: Option<String>,
    created_at: Time,
    updated_at: Time,
    version: i64,
    bot_id: Option<Id>,
}

/// The word for [`HangupBy::LeavingMessage`].
const LEAVING_MESSAGE: &str = "leaving_message";

const HANGUPS: [(HangupBy, &str); 11] = [
    (HangupBy::Agent, "agent"),
    (HangupBy::Transfer, "transfer"),
    (HangupBy::Silence, "silence"),
    (HangupBy::OptOut, "opt_out"),
    (HangupBy::MaxDuration, "max_duration"),
    (HangupBy::Voicemail, "voicemail"),
    (HangupBy::LeavingMessage, LEAVING_MESSAGE),
    (HangupBy::VoicemailMessage, "voicemail_message"),
    (HangupBy::Screener, "screener"),
    (HangupBy::Cancel, "cancel"),
    (HangupBy::Fault, "fault"),
];

fn hangup_word(by: HangupBy) -> Option<String> {
    HANGUPS.iter().find(|(known, _)| *known == by).map(|(_, word)| (*word).to_owned())
}

fn read_hangup(text: &str) -> Result<HangupBy, DbError> {
    let known = HANGUPS.iter().find(|(_, word)| *word == text);
    known.map(|(by, _)| *by).ok_or_else(|| DbError::Corrupt(format!("`{text}` never hung up a call")))
}

impl Call {
    fn from_row(row: Row) -> Result<Self, DbError> {
        let state = CallState {
            status: word(row.status.parse())?,
            dial_requested: row.dial_requested,
            dialled: row.dialled,
            carrier_sid: row.carrier_sid,
            last_sequence: row.last_sequence.and_then(|n| u32::try_from(n).ok()),
            time_limit_seconds: Some(row.time_limit_seconds.unsigned_abs()),
            started_at: row.started_at.map(|t| t.0),
            ended_at: row.ended_at.map(|t| t.0),
            ended_reason: word(row.ended_reason.map(|r| r.parse()).transpose())?,
            hangup_by: row.hangup_by.as_deref().map(read_hangup).transpose()?,
            carrier_code: row.carrier_code.and_then(|n| u32::try_from(n).ok()),
        };
        Ok(Self {
            id: CallId(row.id.0),
            project_id: ProjectId(row.project_id.0),
            notification_id: NotificationId(row.notification_id.0),
            attempt: row.attempt.unsigned_abs(),
            inbound: row.attempt < 0,
            attempt_id: row.attempt_id.map(|id| AttemptId(id.0)),
            state,
            reap_at: row.reap_at.0,
            stop_asked: row.stop_asked,
            begun_at: row.begun_at.map(|t| t.0),
            dialled_at: row.dialled_at.map(|t| t.0),
            answered_by: row.answered_by,
            bot_id: row.bot_id.map(|id| BotId::of(id.0)),
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
            version: row.version,
        })
    }

    fn to_row(&self, version: i64) -> Row {
        let state = &self.state;
        Row {
            id: Id::of(self.id),
            project_id: Id::of(self.project_id),
            notification_id: Id::of(self.notification_id),
            attempt: if self.inbound { -int(self.attempt) } else { int(self.attempt) },
            attempt_id: self.attempt_id.map(Id::of),
            status: state.status.as_str().to_owned(),
            dial_requested: state.dial_requested,
            dialled: state.dialled,
            carrier_sid: state.carrier_sid.clone(),
            last_sequence: state.last_sequence.map(i64::from),
            time_limit_seconds: int(state.time_limit_seconds.unwrap_or_default()),
            started_at: state.started_at.map(Time::from),
            ended_at: state.ended_at.map(Time::from),
            ended_reason: state.ended_reason.map(|r| r.as_str().to_owned()),
            hangup_by: state.hangup_by.and_then(hangup_word),
            reap_at: self.reap_at.into(),
            stop_asked: self.stop_asked,
            carrier_code: state.carrier_code.map(i64::from),
            begun_at: self.begun_at.map(Time::from),
            dialled_at: self.dialled_at.map(Time::from),
            answered_by: self.answered_by.clone(),
            created_at: self.created_at.into(),
            updated_at: self.updated_at.into(),
            version,
            bot_id: self.bot_id.map(Id::of),
        }
    }
}

/// Writes a new call.
pub(crate) fn insert(db: &mut Db, call: &Call) -> Result<(), DbError> {
    diesel::insert_into(calls::table).values(call.to_row(0)).execute(db)?;
    Ok(())
}

/// Saves what changed, if nobody else did in the meantime ([`DbError::Conflict`]).
pub(crate) fn save(db: &mut Db, call: &Call) -> Result<(), DbError> {
    let row = call.to_row(call.version + 1);
    let touched = diesel::update(
        calls::table
            .filter(calls::project_id.eq(row.project_id))
            .filter(calls::id.eq(row.id))
            .filter(calls::version.eq(call.version)),
    )
    .set(row)
    .execute(db)?;
    if touched == 1 { Ok(()) } else { Err(DbError::Conflict) }
}

/// The call that the bridge speaks of.
pub(crate) fn find(db: &mut Db, id: CallId) -> Result<Option<Call>, DbError> {
    let row: Option<Row> = calls::table.find(Id::of(id)).select(Row::as_select()).first(db).optional()?;
    row.map(Call::from_row).transpose()
}

/// How often the customer of a notification has rung back.
pub(crate) fn rung_back(db: &mut Db, project: ProjectId, id: NotificationId) -> Result<u32, DbError> {
    let count: i64 = calls::table
        .filter(calls::project_id.eq(Id::of(project)))
        .filter(calls::notification_id.eq(Id::of(id)))
        .filter(calls::attempt.lt(0))
        .count()
        .get_result(db)?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Whether the carrier has ever said that this number of a customer cannot be rung.
pub(crate) fn ever_invalid(
    db: &mut Db,
    project: ProjectId,
    customer: CustomerId,
    phone: &str,
) -> Result<bool, DbError> {
    let theirs = notifications::table
        .filter(notifications::project_id.eq(Id::of(project)))
        .filter(notifications::customer_id.eq(Id::of(customer)))
        .filter(notifications::phone.eq(phone))
        .select(notifications::id);
    let found: i64 = calls::table
        .filter(calls::project_id.eq(Id::of(project)))
        .filter(calls::notification_id.eq_any(theirs))
        .filter(calls::ended_reason.eq(EndedReason::InvalidNumber.as_str()))
        .count()
        .get_result(db)?;
    Ok(found > 0)
}

/// The latest calls of a page of notifications.
pub(crate) fn of(db: &mut Db, project: ProjectId, ids: &[CallId]) -> Result<Vec<Call>, DbError> {
    let ids: Vec<Id> = ids.iter().map(|id| Id::of(*id)).collect();
    let rows: Vec<Row> = calls::table
        .filter(calls::project_id.eq(Id::of(project)))
        .filter(calls::id.eq_any(ids))
        .select(Row::as_select())
        .load(db)?;
    rows.into_iter().map(Call::from_row).collect()
}

/// One call of a project.
pub(crate) fn of_project(db: &mut Db, project: ProjectId, id: CallId) -> Result<Option<Call>, DbError> {
    Ok(of(db, project, &[id])?.pop())
}

/// Most calls of a notification that are shown: a customer may ring back as often as they like.
const SHOWN: i64 = 100;

/// The calls of a notification, newest first: the latest hundred.
pub(crate) fn of_notification(
    db: &mut Db,
    project: ProjectId,
    notification: NotificationId,
) -> Result<Vec<Call>, DbError> {
    let rows: Vec<Row> = calls::table
        .filter(calls::project_id.eq(Id::of(project)))
        .filter(calls::notification_id.eq(Id::of(notification)))
        .order(calls::id.desc())
        .limit(SHOWN)
        .select(Row::as_select())
        .load(db)?;
    rows.into_iter().map(Call::from_row).collect()
}

/// How many calls of a project are being dialled, ring or talk; those that its bots answer take no line from them.
pub(crate) fn alive(db: &mut Db, project: ProjectId) -> Result<i64, DbError> {
    Ok(calls::table
        .filter(calls::project_id.eq(Id::of(project)))
        .filter(calls::bot_id.is_null())
        .filter(calls::ended_at.is_null())
        .filter(calls::dial_requested.eq(true))
        .count()
        .get_result(db)?)
}

/// How many calls of a project the bridge was asked to dial since `since`, without those that it refused.
pub(crate) fn begun_since(db: &mut Db, project: ProjectId, since: DateTime<Utc>) -> Result<u32, DbError> {
    let begun: i64 = calls::table
        .filter(calls::project_id.eq(Id::of(project)))
        .filter(calls::begun_at.ge(Time::from(since)))
        .filter(calls::dial_requested.eq(true))
        .count()
        .get_result(db)?;
    Ok(u32::try_from(begun).unwrap_or(u32::MAX))
}

/// Takes part in whatever is decided about a call that goes on: whoever ends it at the same moment has to decide again.
/// A call that is over or about to end is a [`DbError::Conflict`]; one in which a message is still to be left goes on.
pub(crate) fn hold_open(db: &mut Db, id: CallId) -> Result<(), DbError> {
    let touched = diesel::update(
        calls::table
            .filter(calls::id.eq(Id::of(id)))
            .filter(calls::ended_at.is_null())
            .filter(calls::hangup_by.is_null().or(calls::hangup_by.eq(LEAVING_MESSAGE))),
    )
    .set(calls::version.eq(calls::version + 1))
    .execute(db)?;
    if touched == 1 { Ok(()) } else { Err(DbError::Conflict) }
}

/// Calls that are not over although they should be, those that wait longest first.
pub(crate) fn to_reap(db: &mut Db, now: DateTime<Utc>, limit: i64) -> Result<Vec<CallId>, DbError> {
    let ids: Vec<Id> = calls::table
        .filter(calls::ended_at.is_null())
        .filter(calls::dial_requested.eq(true))
        .filter(calls::reap_at.le(Time::from(now)))
        .order(calls::reap_at)
        .limit(limit)
        .select(calls::id)
        .load(db)?;
    Ok(ids.into_iter().map(|id| CallId(id.0)).collect())
}
