//! Notifications as their project sees them. What their conversations are made of (prompts, schemas, variables) stays in the
//! table: a page of them would be megabytes that nobody is shown. What calls to bots are for is no notification, and not here.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Json, Time};
use contracts::ids::{AgentId, CallId, CustomerId, NotificationId, ProjectId};
use diesel::prelude::*;
use serde_json::Value;

use super::notifications::{Found, Notification, Options};
use super::schema::notifications;
use super::word;
use crate::domain::notification::NotificationStatus;
use crate::domain::retry::RetryPolicy;

/// A notification as its project sees it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shown {
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
    pub(crate) metadata: Option<Value>,
    pub(crate) status: String,
    pub(crate) ended_reason: Option<String>,
    pub(crate) blocked_by: Option<String>,
    pub(crate) result: Option<Value>,
    pub(crate) evidence: Option<Value>,
    pub(crate) options: Options,
    pub(crate) due_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    /// When it is rung, or rung again; `None` while a rule holds it back, while a call is alive and once it is over.
    pub(crate) next_try_at: Option<DateTime<Utc>>,
    pub(crate) attempts: u32,
    pub(crate) retry: RetryPolicy,
    /// What became of another time.
    pub(crate) rescheduled: Option<Value>,
    /// The latest call.
    pub(crate) call_id: CallId,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = notifications)]
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
    metadata: Option<Json>,
    status: String,
    ended_reason: Option<String>,
    blocked_by: Option<String>,
    due_at: Time,
    expires_at: Time,
    next_try_at: Time,
    attempts: i32,
    live_call: bool,
    retry: Json,
    options: Option<Json>,
    outcome: Option<Json>,
    call_id: Id,
    created_at: Time,
    updated_at: Time,
}

impl Shown {
    /// That of a notification which is at hand.
    pub(crate) fn of(n: Notification) -> Self {
        let status = n.shown_status();
        let waits = !n.state.status.is_final() && !n.state.live_call && n.state.blocked_by.is_none();
        let found = n.found.unwrap_or_default();
        Self {
            id: n.id,
            project_id: n.project_id,
            customer_id: n.customer_id,
            agent_id: n.agent_id,
            agent_version: n.agent_version,
            phone: n.phone,
            message: n.message,
            context: n.context,
            collect_feedback: n.collect_feedback,
            max_duration_seconds: n.max_duration_seconds,
            metadata: n.metadata,
            status: status.as_str().to_owned(),
            ended_reason: n.state.ended_reason.filter(|_| status.is_final()).map(|r| r.as_str().to_owned()),
            blocked_by: n.state.blocked_by,
            rescheduled: found.rescheduled,
            result: found.result,
            evidence: found.evidence,
            options: n.options,
            due_at: n.state.due_at,
            expires_at: n.state.expires_at,
            next_try_at: waits.then_some(n.state.next_try_at),
            attempts: n.state.attempts,
            retry: n.state.retry,
            call_id: n.call_id,
            created_at: n.created_at,
            updated_at: n.updated_at,
        }
    }

    fn from_row(row: Row) -> Result<Self, DbError> {
        let found: Option<Found> = word(row.outcome.map(|o| serde_json::from_value(o.0)).transpose())?;
        let found = found.unwrap_or_default();
        let status: NotificationStatus = word(row.status.parse())?;
        let waits = !status.is_final() && !row.live_call && row.blocked_by.is_none();
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
            metadata: row.metadata.map(|m| m.0),
            status: row.status,
            // Why a call ended that is still being read is told with what it has brought.
            ended_reason: row.ended_reason.filter(|_| status.is_final()),
            blocked_by: row.blocked_by,
            rescheduled: found.rescheduled,
            result: found.result,
            evidence: found.evidence,
            options: Options::read(row.options)?,
            due_at: row.due_at.0,
            expires_at: row.expires_at.0,
            next_try_at: waits.then_some(row.next_try_at.0),
            attempts: row.attempts.unsigned_abs(),
            retry: word(serde_json::from_value(row.retry.0))?,
            call_id: CallId(row.call_id.0),
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

/// One notification of a project.
pub(crate) fn find(db: &mut Db, project: ProjectId, id: NotificationId) -> Result<Option<Shown>, DbError> {
    let row: Option<Row> = notifications::table
        .filter(notifications::project_id.eq(Id::of(project)))
        .filter(notifications::id.eq(Id::of(id)))
        .filter(notifications::bot_id.is_null())
        .select(Row::as_select())
        .first(db)
        .optional()?;
    row.map(Shown::from_row).transpose()
}

/// Which notifications of a project a page shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) status: Option<NotificationStatus>,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) agent: Option<AgentId>,
    pub(crate) created_after: Option<DateTime<Utc>>,
    pub(crate) created_before: Option<DateTime<Utc>>,
}

/// A place in the order of the pages: the newest first, of several of one moment the greatest id.
#[derive(Clone, Copy, Debug)]
struct Position {
    created_at: Time,
    id: Id,
}

/// Where a page that follows the notification `after` begins; one that is not there stands where its id was made.
fn position(db: &mut Db, project: ProjectId, after: NotificationId) -> Result<Position, DbError> {
    let id = Id::of(after);
    let stored: Option<Time> = notifications::table
        .filter(notifications::project_id.eq(Id::of(project)))
        .filter(notifications::id.eq(id))
        .select(notifications::created_at)
        .first(db)
        .optional()?;
    let made = || {
        id.0.get_timestamp()
            .and_then(|at| DateTime::from_timestamp(i64::try_from(at.to_unix().0).ok()?, at.to_unix().1))
    };
    let created_at = stored.or_else(|| made().map(Time::from)).unwrap_or(Time(DateTime::UNIX_EPOCH));
    Ok(Position { created_at, id })
}

/// A page of a project's notifications, newest first. Every bound is one of the index that the filter chooses: a page costs
/// the same wherever it begins.
pub(crate) fn list(
    db: &mut Db,
    project: ProjectId,
    filter: &Filter,
    after: Option<NotificationId>,
    limit: u32,
) -> Result<Vec<Shown>, DbError> {
    let mut query = notifications::table
        .filter(notifications::project_id.eq(Id::of(project)))
        .filter(notifications::bot_id.is_null())
        .order((notifications::created_at.desc(), notifications::id.desc()))
        .limit(i64::from(limit))
        .select(Row::as_select())
        .into_boxed();
    if let Some(after) = after {
        let Position { created_at, id } = position(db, project, after)?;
        // Said twice: the first is where the index begins, the second leaves out what was shown of the same moment.
        query = query
            .filter(notifications::created_at.le(created_at))
            .filter(notifications::created_at.lt(created_at).or(notifications::id.lt(id)));
    }
    if let Some(status) = filter.status {
        query = query.filter(notifications::status.eq(status.as_str()));
    }
    if let Some(customer) = filter.customer {
        query = query.filter(notifications::customer_id.eq(Id::of(customer)));
    }
    if let Some(agent) = filter.agent {
        query = query.filter(notifications::agent_id.eq(Id::of(agent)));
    }
    if let Some(after) = filter.created_after {
        query = query.filter(notifications::created_at.gt(Time::from(after)));
    }
    if let Some(before) = filter.created_before {
        query = query.filter(notifications::created_at.lt(Time::from(before)));
    }
    query.load(db)?.into_iter().map(Shown::from_row).collect()
}
