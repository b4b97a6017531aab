//! Notifications as their project sees them. What their conversations are made of (prompts, schemas, variables) stays in the
//! table: a page of them would be megabytes that nobody is shown.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Json, Time};
use contracts::ids::{AgentId, CallId, CustomerId, NotificationId, ProjectId};
use diesel::prelude::*;
use serde_json::Value;

use super::notifications::{Found, Notification};
use super::schema::notifications;
use super::word;

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
    outcome: Option<Json>,
    call_id: Id,
    created_at: Time,
    updated_at: Time,
}

impl Shown {
    /// That of a notification which is at hand.
    pub(crate) fn of(n: Notification) -> Self {
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
            status: n.state.status.as_str().to_owned(),
            ended_reason: n.state.ended_reason.map(|reason| reason.as_str().to_owned()),
            blocked_by: n.state.blocked_by,
            result: n.found.and_then(|found| found.result),
            call_id: n.call_id,
            created_at: n.created_at,
            updated_at: n.updated_at,
        }
    }

    fn from_row(row: Row) -> Result<Self, DbError> {
        let found: Option<Found> = word(row.outcome.map(|o| serde_json::from_value(o.0)).transpose())?;
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
            ended_reason: row.ended_reason,
            blocked_by: row.blocked_by,
            result: found.and_then(|found| found.result),
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
        .select(Row::as_select())
        .first(db)
        .optional()?;
    row.map(Shown::from_row).transpose()
}

/// A page of a project's notifications, newest first.
pub(crate) fn list(
    db: &mut Db,
    project: ProjectId,
    after: Option<NotificationId>,
    limit: u32,
) -> Result<Vec<Shown>, DbError> {
    let mut query = notifications::table
        .filter(notifications::project_id.eq(Id::of(project)))
        .order(notifications::id.desc())
        .limit(i64::from(limit))
        .select(Row::as_select())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(notifications::id.lt(Id::of(after)));
    }
    query.load(db)?.into_iter().map(Shown::from_row).collect()
}
