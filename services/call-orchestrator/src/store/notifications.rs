//! Notifications.

use std::time::Duration;

use chrono::{DateTime, Utc};
use common::db::lease::{self, LeaseQuery};
use common::db::{Db, DbError, Id, Json, Time};
use contracts::ids::{AgentId, BotId, BusinessId, CallId, CustomerId, NotificationId, ProjectId};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::schema::notifications;
use super::{int, word};
use crate::domain::bot_result::BotOutcome;
use crate::domain::call::VoicemailPolicy;
use crate::domain::ended_reason::EndedReason;
use crate::domain::notification::{NotificationState, NotificationStatus};
use crate::domain::reschedule::Reschedule;
use crate::domain::tools::Tool;

/// What a conversation is made of, frozen when the notification is accepted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spec {
    /// The rendered prompt.
    pub(crate) prompt: String,
    /// What to extract; `None` when nothing is.
    pub(crate) schema: Option<Value>,
    /// BCP-47.
    pub(crate) language: String,
    /// The carrier's name for the voice.
    pub(crate) voice: String,
    /// A fixed first sentence.
    pub(crate) opening: Option<String>,
    /// On whose behalf.
    pub(crate) business_name: String,
    /// Whom the call is for.
    pub(crate) first_name: String,
    /// The integrator's own id for the customer.
    pub(crate) external_id: String,
    /// The longest call, seconds.
    pub(crate) time_limit_seconds: u32,
    /// What a machine is told, where a message is to be left; `None`: what the agent would have opened with.
    #[serde(default)]
    pub(crate) voicemail_message: Option<String>,
    /// What the business does.
    #[serde(default)]
    pub(crate) business_summary: String,
    /// Whose agent it is: in its name tools are called.
    #[serde(default)]
    pub(crate) business_id: String,
    /// IANA name of the zone in which times are spoken.
    #[serde(default)]
    pub(crate) time_zone: String,
    /// Said before the agent's first word.
    #[serde(default)]
    pub(crate) disclosure: Option<String>,
    /// What the agent may call.
    #[serde(default)]
    pub(crate) tools: Vec<Tool>,
    /// Where a customer who wants a person is put through to, E.164.
    #[serde(default)]
    pub(crate) transfer_number: Option<String>,
    /// How another time is agreed on.
    #[serde(default)]
    pub(crate) reschedule: Option<Reschedule>,
    /// The app whose documents answer questions.
    #[serde(default)]
    pub(crate) knowledge_app_id: Option<String>,
}

/// How a notification is to be dialled, as it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Options {
    /// It was to wait until its `due_at`.
    pub(crate) scheduled: bool,
    /// The caller said when it expires.
    pub(crate) expires: bool,
    /// The number to ring from; `None`: the carrier's own choice.
    pub(crate) from: Option<String>,
    /// What happens when a machine picks up.
    pub(crate) voicemail: VoicemailPolicy,
    /// How another time is agreed on.
    pub(crate) reschedule: Option<Value>,
    /// Of a call to a bot: what is kept of the bot. In a row only; else it is in [`ToBot`].
    pub(crate) bot: Option<BotPart>,
}

impl Options {
    /// What is stored; a notification from before there were options has none.
    pub(super) fn read(stored: Option<Json>) -> Result<Self, DbError> {
        stored.map_or(Ok(Self::default()), |json| word(serde_json::from_value(json.0)))
    }
}

/// Whom a call came in for, as the bot was then.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ToBot {
    pub(crate) bot: BotId,
    pub(crate) business: BusinessId,
    pub(crate) part: BotPart,
}

/// What is frozen of a bot beside its conversation: nothing of the caller, so that it is kept when they are forgotten.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct BotPart {
    /// What it was there for.
    pub(crate) goal: String,
    /// Standing facts and limits.
    pub(crate) context: String,
    /// Where it acts, and where it is told what the call brought.
    pub(crate) webhook: String,
    /// The number that was rung, E.164.
    pub(crate) rung: String,
    /// The carrier's own id of the call.
    pub(crate) call_sid: String,
    /// What became of the goal, once that is known.
    #[serde(default)]
    pub(crate) outcome: Option<BotOutcome>,
}

/// Stands in `phone` for a number that was hidden: an empty one says that it was forgotten.
pub(crate) const HIDDEN: &str = "hidden";

/// What a finished notification has brought.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Found {
    /// The extracted result.
    pub(crate) result: Option<Value>,
    /// Where each property of it was said.
    pub(crate) evidence: Option<Value>,
    /// One sentence about the call.
    pub(crate) summary: Option<String>,
    /// What became of another time.
    #[serde(default)]
    pub(crate) rescheduled: Option<Value>,
}

/// One notification.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Notification {
    pub(crate) id: NotificationId,
    pub(crate) project_id: ProjectId,
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) agent_id: Option<AgentId>,
    pub(crate) agent_version: u32,
    pub(crate) phone: String,
    pub(crate) message: String,
    pub(crate) context: Option<String>,
    pub(crate) collect_feedback: bool,
    pub(crate) max_duration_seconds: u32,
    pub(crate) spec: Spec,
    pub(crate) metadata: Option<Value>,
    pub(crate) options: Options,
    pub(crate) state: NotificationState,
    /// The summary is to be written.
    pub(crate) summary_due: bool,
    /// What the conversation has brought is being read out of it: until then its project sees it in progress, so that whoever
    /// sees its end sees its result. The row says the same, and that a call is alive: nothing that waits is looked for there.
    pub(crate) result_due: bool,
    pub(crate) found: Option<Found>,
    /// The latest call.
    pub(crate) call_id: CallId,
    /// It is no notification, but what a call to a bot is for: nobody is rung.
    pub(crate) to_bot: Option<ToBot>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) version: i64,
}

#[derive(Queryable, Insertable, AsChangeset, Selectable)]
#[diesel(table_name = notifications, treat_none_as_null = true)]
struct Row {
    id: Id,
    project_id: Id,
    customer_id: Option<Id>,
    agent_id: Option<Id>,
    agent_version: i32,
    phone: String,
    message: String,
    context: Option<String>,
    collect_feedback: bool,
    max_duration_seconds: i32,
    spec: Json,
    metadata: Option<Json>,
    status: String,
    due_at: Time,
    expires_at: Time,
    next_try_at: Time,
    attempts: i32,
    live_call: bool,
    ended_reason: Option<String>,
    blocked_by: Option<String>,
    summarised: bool,
    summary_due: bool,
    retry: Json,
    options: Option<Json>,
    outcome: Option<Json>,
    call_id: Id,
    lease_until: Option<Time>,
    created_at: Time,
    updated_at: Time,
    version: i64,
    bot_id: Option<Id>,
    business_id: Option<Id>,
}

impl Notification {
    /// Whether what is personal in it is gone.
    pub(crate) fn is_blank(&self) -> bool {
        self.phone.is_empty()
    }

    /// The number of whoever is, or was, on the line; `None` where it is hidden or forgotten.
    pub(crate) fn known_phone(&self) -> Option<&str> {
        Some(self.phone.as_str()).filter(|phone| !phone.is_empty() && *phone != HIDDEN)
    }

    /// Where it stands for its project.
    pub(crate) const fn shown_status(&self) -> NotificationStatus {
        if self.result_due { NotificationStatus::InProgress } else { self.state.status }
    }

    /// Whether something is to be read out of its last conversation, if there was one: not where a machine picked up, and
    /// nothing more that a project wanted stopped.
    pub(crate) const fn is_read_out(&self) -> bool {
        let machine =
            matches!(self.state.ended_reason, Some(EndedReason::Voicemail | EndedReason::VoicemailLeft));
        let canceled = matches!(self.state.status, NotificationStatus::Canceled);
        !machine && !canceled && (self.spec.schema.is_some() || self.spec.reschedule.is_some())
    }

    fn from_row(row: Row) -> Result<Self, DbError> {
        let ended_reason: Option<EndedReason> = word(row.ended_reason.map(|r| r.parse()).transpose())?;
        let status: NotificationStatus = word(row.status.parse())?;
        let result_due = row.summary_due && !status.is_final();
        let ended = ended_reason.filter(|_| result_due).map(EndedReason::notification_status);
        let state = NotificationState {
            status: ended.unwrap_or(status),
            due_at: row.due_at.0,
            expires_at: row.expires_at.0,
            next_try_at: row.next_try_at.0,
            attempts: row.attempts.unsigned_abs(),
            live_call: row.live_call && !result_due,
            ended_reason,
            blocked_by: row.blocked_by,
            summarised: row.summarised,
            retry: word(serde_json::from_value(row.retry.0))?,
        };
        let mut options = Options::read(row.options)?;
        let part = options.bot.take().unwrap_or_default();
        let ids = row.bot_id.zip(row.business_id);
        let to_bot = |(bot, business): (Id, Id)| ToBot {
            bot: BotId::of(bot.0),
            business: BusinessId(business.0),
            part,
        };
        Ok(Self {
            id: NotificationId(row.id.0),
            project_id: ProjectId(row.project_id.0),
            customer_id: row.customer_id.map(|id| CustomerId(id.0)),
            agent_id: row.agent_id.map(|id| AgentId(id.0)),
            agent_version: row.agent_version.unsigned_abs(),
            phone: row.phone,
            message: row.message,
            context: row.context,
            collect_feedback: row.collect_feedback,
            max_duration_seconds: row.max_duration_seconds.unsigned_abs(),
            spec: word(serde_json::from_value(row.spec.0))?,
            metadata: row.metadata.map(|m| m.0),
            options,
            state,
            summary_due: row.summary_due,
            result_due,
            found: word(row.outcome.map(|o| serde_json::from_value(o.0)).transpose())?,
            call_id: CallId(row.call_id.0),
            to_bot: ids.map(to_bot),
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
            version: row.version,
        })
    }

    fn to_row(&self, version: i64) -> Result<Row, DbError> {
        let state = &self.state;
        let found = self.found.as_ref().map(serde_json::to_value).transpose();
        let bot = self.to_bot.as_ref().map(|to| to.part.clone());
        let options = Options { bot, ..self.options.clone() };
        Ok(Row {
            id: Id::of(self.id),
            project_id: Id::of(self.project_id),
            customer_id: self.customer_id.map(Id::of),
            agent_id: self.agent_id.map(Id::of),
            agent_version: int(self.agent_version),
            phone: self.phone.clone(),
            message: self.message.clone(),
            context: self.context.clone(),
            collect_feedback: self.collect_feedback,
            max_duration_seconds: int(self.max_duration_seconds),
            spec: Json(word(serde_json::to_value(&self.spec))?),
            metadata: self.metadata.clone().map(Json),
            status: self.shown_status().as_str().to_owned(),
            due_at: state.due_at.into(),
            expires_at: state.expires_at.into(),
            next_try_at: state.next_try_at.into(),
            attempts: int(state.attempts),
            live_call: state.live_call || self.result_due,
            ended_reason: state.ended_reason.map(|r| r.as_str().to_owned()),
            blocked_by: state.blocked_by.clone(),
            summarised: state.summarised,
            summary_due: self.summary_due,
            retry: Json(word(serde_json::to_value(&state.retry))?),
            options: Some(Json(word(serde_json::to_value(&options))?)),
            outcome: word(found)?.map(Json),
            call_id: Id::of(self.call_id),
            lease_until: None,
            created_at: self.created_at.into(),
            updated_at: self.updated_at.into(),
            version,
            bot_id: self.to_bot.as_ref().map(|to| Id::of(to.bot)),
            business_id: self.to_bot.as_ref().map(|to| Id::of(to.business)),
        })
    }
}

/// Writes a new notification.
pub(crate) fn insert(db: &mut Db, notification: &Notification) -> Result<(), DbError> {
    diesel::insert_into(notifications::table).values(notification.to_row(0)?).execute(db)?;
    Ok(())
}

/// Saves what changed, if nobody else did in the meantime ([`DbError::Conflict`]). A lease on it ends.
pub(crate) fn save(db: &mut Db, notification: &Notification) -> Result<(), DbError> {
    let row = notification.to_row(notification.version + 1)?;
    let touched = diesel::update(
        notifications::table
            .filter(notifications::project_id.eq(row.project_id))
            .filter(notifications::id.eq(row.id))
            .filter(notifications::version.eq(notification.version)),
    )
    .set(row)
    .execute(db)?;
    if touched == 1 { Ok(()) } else { Err(DbError::Conflict) }
}

/// One notification of a project.
pub(crate) fn find(
    db: &mut Db,
    project: ProjectId,
    id: NotificationId,
) -> Result<Option<Notification>, DbError> {
    let row: Option<Row> = notifications::table
        .filter(notifications::project_id.eq(Id::of(project)))
        .filter(notifications::id.eq(Id::of(id)))
        .select(Row::as_select())
        .first(db)
        .optional()?;
    row.map(Notification::from_row).transpose()
}

const WAITING: LeaseQuery = LeaseQuery {
    table: "notifications",
    due: "status IN ('queued', 'in_progress') AND NOT live_call AND next_try_at <= $2",
    order: "next_try_at",
};
/// Of each project those are due that stand on its first twelve places, what is being written first: a project whose summaries are
/// slow leaves places to the others.
const TO_SUMMARISE: LeaseQuery = LeaseQuery {
    table: "notifications",
    due: "summary_due AND id IN (SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY project_id ORDER BY CASE WHEN \
          lease_until >= $2 THEN 0 ELSE 1 END, updated_at, id) AS place FROM notifications WHERE summary_due) AS placed \
          WHERE place <= 12)",
    order: "updated_at",
};

/// A notification that waits, as far as it matters for whether it may wait on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Waiting {
    pub(crate) id: NotificationId,
    pub(crate) project_id: ProjectId,
    pub(crate) phone: String,
    pub(crate) expires_at: DateTime<Utc>,
}

/// Leases notifications for which a call may be due. Answers them oldest first.
pub(crate) fn claim_waiting(
    db: &mut Db,
    now: DateTime<Utc>,
    hold: Duration,
    limit: u32,
) -> Result<Vec<Waiting>, DbError> {
    let ids = lease::claim(db, &WAITING, now, hold, limit)?;
    let rows: Vec<(Id, Id, String, Time)> = notifications::table
        .filter(notifications::id.eq_any(ids))
        .order(notifications::id)
        .select((
            notifications::id,
            notifications::project_id,
            notifications::phone,
            notifications::expires_at,
        ))
        .load(db)?;
    let waiting = |(id, project, phone, expires): (Id, Id, String, Time)| Waiting {
        id: NotificationId(id.0),
        project_id: ProjectId(project.0),
        phone,
        expires_at: expires.0,
    };
    Ok(rows.into_iter().map(waiting).collect())
}

/// Leases notifications whose summary is to be written; of one project, no more than twelve at a time, whoever writes them.
pub(crate) fn claim_to_summarise(
    db: &mut Db,
    now: DateTime<Utc>,
    hold: Duration,
    limit: u32,
) -> Result<Vec<Notification>, DbError> {
    let ids = lease::claim(db, &TO_SUMMARISE, now, hold, limit)?;
    let rows: Vec<Row> =
        notifications::table.filter(notifications::id.eq_any(ids)).select(Row::as_select()).load(db)?;
    Ok(rows.into_iter().filter_map(readable).collect())
}

/// One row that cannot be read keeps nobody else waiting.
fn readable(row: Row) -> Option<Notification> {
    let id = NotificationId(row.id.0);
    Notification::from_row(row)
        .inspect_err(
            |error| tracing::error!(notification = %id, %error, "a row that cannot be read; skipped"),
        )
        .ok()
}

/// Whether the id is taken, by whichever project.
pub(crate) fn exists(db: &mut Db, id: NotificationId) -> Result<bool, DbError> {
    let rows: i64 = notifications::table.filter(notifications::id.eq(Id::of(id))).count().get_result(db)?;
    Ok(rows > 0)
}

const WAITS: [&str; 2] = ["queued", "in_progress"];

/// How many of a project's notifications that `word` holds back came before `id`; counted no further than `limit`.
pub(crate) fn held_before(
    db: &mut Db,
    project: ProjectId,
    word: &str,
    id: NotificationId,
    limit: u32,
) -> Result<u32, DbError> {
    let before: Vec<Id> = notifications::table
        .filter(notifications::project_id.eq(Id::of(project)))
        .filter(notifications::blocked_by.eq(word))
        .filter(notifications::id.lt(Id::of(id)))
        .filter(notifications::status.eq_any(WAITS))
        .filter(notifications::live_call.eq(false))
        .limit(i64::from(limit))
        .select(notifications::id)
        .load(db)?;
    Ok(u32::try_from(before.len()).unwrap_or(limit))
}

/// Something that `word` stands for has become free in a project: those that wait for it may try now, the oldest first.
/// `except` is being saved by the caller. Whoever decides about one of them at this moment decides again.
pub(crate) fn wake_held(
    db: &mut Db,
    project: ProjectId,
    word: &str,
    except: NotificationId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    /// One call has ended; another wake-up may have been lost with the process that was to follow it.
    const AT_ONCE: i64 = 2;
    let oldest: Vec<Id> = notifications::table
        .filter(notifications::project_id.eq(Id::of(project)))
        .filter(notifications::blocked_by.eq(word))
        .filter(notifications::id.ne(Id::of(except)))
        .filter(notifications::status.eq_any(WAITS))
        .filter(notifications::live_call.eq(false))
        .order(notifications::id)
        .limit(AT_ONCE)
        .select(notifications::id)
        .load(db)?;
    diesel::update(notifications::table.filter(notifications::id.eq_any(oldest)))
        .set((
            notifications::next_try_at.eq(Time::from(now)),
            notifications::lease_until.eq(None::<Time>),
            notifications::version.eq(notifications::version + 1),
        ))
        .execute(db)?;
    Ok(())
}

/// Takes a notification out of its line until `until`: it holds nobody up who came later.
pub(crate) fn set_aside(
    db: &mut Db,
    project: ProjectId,
    id: NotificationId,
    until: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::update(
        notifications::table
            .filter(notifications::project_id.eq(Id::of(project)))
            .filter(notifications::id.eq(Id::of(id)))
            .filter(notifications::status.eq_any(WAITS))
            .filter(notifications::live_call.eq(false)),
    )
    .set((
        notifications::next_try_at.eq(Time::from(until)),
        notifications::blocked_by.eq(None::<String>),
        notifications::lease_until.eq(None::<Time>),
        notifications::version.eq(notifications::version + 1),
    ))
    .execute(db)?;
    Ok(())
}

/// Lets leased notifications wait on until `until`, held back by `word`.
pub(crate) fn postpone(
    db: &mut Db,
    project: ProjectId,
    ids: &[NotificationId],
    word: &str,
    (now, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(), DbError> {
    let ids: Vec<Id> = ids.iter().map(|id| Id::of(*id)).collect();
    // Only for those that something else held back until now has anything changed that their project sees.
    diesel::update(
        notifications::table
            .filter(notifications::project_id.eq(Id::of(project)))
            .filter(notifications::id.eq_any(&ids))
            .filter(notifications::status.eq_any(WAITS))
            .filter(notifications::live_call.eq(false))
            .filter(notifications::blocked_by.is_null().or(notifications::blocked_by.ne(word))),
    )
    .set(notifications::updated_at.eq(Time::from(now)))
    .execute(db)?;
    diesel::update(
        notifications::table
            .filter(notifications::project_id.eq(Id::of(project)))
            .filter(notifications::id.eq_any(ids))
            .filter(notifications::status.eq_any(WAITS))
            .filter(notifications::live_call.eq(false)),
    )
    .set((
        notifications::next_try_at.eq(Time::from(until)),
        notifications::blocked_by.eq(word),
        notifications::lease_until.eq(None::<Time>),
        notifications::version.eq(notifications::version + 1),
    ))
    .execute(db)?;
    Ok(())
}
