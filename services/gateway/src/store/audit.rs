//! `audit`: who changed what, and who signed in. Written in the transaction of what it tells of, and never changed.

use std::net::IpAddr;

use common::db::{Db, DbError, Id, Json, Time, Tx};
use contracts::ids::{BusinessId, ProjectId};
use diesel::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Page;
use super::schema::audit;
use crate::domain::audit::Action;
use crate::identity::credential::Subject;

/// How long entries are kept.
const KEPT: chrono::TimeDelta = chrono::TimeDelta::days(365);

/// Who does something, and from where.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    /// In which business; `None` when somebody tries to sign in whom nobody knows.
    pub(crate) business: Option<BusinessId>,
    /// In which project, if in one.
    pub(crate) project: Option<ProjectId>,
    /// A user or a key; `None` before they have proved who they are.
    pub(crate) subject: Option<Subject>,
    /// Where the request came from.
    pub(crate) address: Option<IpAddr>,
    /// The request.
    pub(crate) request_id: String,
}

/// Something that was done.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    action: Action,
    target: Option<Uuid>,
    details: Value,
}

impl Event {
    /// An action done to the thing with this id.
    pub(crate) fn on(action: Action, target: impl Into<Uuid>) -> Self {
        Self { action, target: Some(target.into()), details: json!({}) }
    }

    /// An action done to nothing that has an id.
    pub(crate) fn of(action: Action) -> Self {
        Self { action, target: None, details: json!({}) }
    }

    /// The same with what else is worth knowing: an object, without secrets.
    pub(crate) fn with(self, details: Value) -> Self {
        Self { details, ..self }
    }
}

/// Writes an entry, in the transaction of what it tells of.
pub(crate) fn note(tx: &mut Tx<'_>, actor: &Actor, event: Event) -> Result<(), DbError> {
    let (kind, id) = match actor.subject {
        Some(Subject::User(user)) => ("user", Some(Id::of(user))),
        Some(Subject::Key(key)) => ("api_key", Some(Id::of(key))),
        None => ("anonymous", None),
    };
    diesel::insert_into(audit::table)
        .values((
            audit::id.eq(Id(Uuid::now_v7())),
            audit::business_id.eq(actor.business.map(Id::of)),
            audit::project_id.eq(actor.project.map(Id::of)),
            audit::actor_type.eq(kind),
            audit::actor_id.eq(id),
            audit::action.eq(event.action.as_str()),
            audit::target_id.eq(event.target.map(Id)),
            audit::details.eq(Json(event.details)),
            audit::address.eq(actor.address.map(|address| address.to_string())),
            audit::request_id.eq(&actor.request_id),
            audit::created_at.eq(Time::from(tx.now())),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// An entry as an owner reads it.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct Entry {
    /// Which.
    pub(crate) id: Id,
    /// In which project, if in one.
    pub(crate) project_id: Option<Id>,
    /// `user`, `api_key` or `anonymous`.
    pub(crate) actor_type: String,
    /// Which user or key.
    pub(crate) actor_id: Option<Id>,
    /// What was done.
    pub(crate) action: String,
    /// To what.
    pub(crate) target_id: Option<Id>,
    /// What else is worth knowing.
    pub(crate) details: Json,
    /// Where the request came from.
    pub(crate) address: Option<String>,
    /// The request.
    pub(crate) request_id: String,
    /// When.
    pub(crate) created_at: Time,
}

/// Which entries are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Filter {
    /// Only this action.
    pub(crate) action: Option<Action>,
    /// Only what this user or key did.
    pub(crate) subject: Option<Uuid>,
    /// Only what was done to this thing.
    pub(crate) target: Option<Uuid>,
}

/// A page of a business's entries, newest first.
pub(crate) fn list(
    conn: &mut Db,
    business: BusinessId,
    filter: Filter,
    page: Page,
) -> Result<Vec<Entry>, DbError> {
    let mut query = audit::table.filter(audit::business_id.eq(Id::of(business))).into_boxed();
    if let Some(action) = filter.action {
        query = query.filter(audit::action.eq(action.as_str()));
    }
    if let Some(subject) = filter.subject {
        query = query.filter(audit::actor_id.eq(Id(subject)));
    }
    if let Some(target) = filter.target {
        query = query.filter(audit::target_id.eq(Id(target)));
    }
    if let Some(after) = page.after {
        query = query.filter(audit::id.lt(Id(after)));
    }
    let columns = (
        audit::id,
        audit::project_id,
        audit::actor_type,
        audit::actor_id,
        audit::action,
        audit::target_id,
        audit::details,
        audit::address,
        audit::request_id,
        audit::created_at,
    );
    Ok(query.order(audit::id.desc()).limit(page.limit).select(columns).load(conn)?)
}

/// Forgets entries after their year. Answers how many.
pub(crate) fn forget_old(conn: &mut Db, now: Time) -> Result<usize, DbError> {
    Ok(diesel::delete(audit::table.filter(audit::created_at.lt(Time(now.0 - KEPT)))).execute(conn)?)
}
