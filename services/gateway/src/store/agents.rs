//! `agents` and `agent_versions`: what an agent is now, and everything it has been.

use common::db::{Db, DbError, Id, Json, Time};
use contracts::ids::{AgentId, BusinessId};
use diesel::prelude::*;

use super::Page;
use super::schema::{agent_versions, agents};
use crate::domain::agent::AgentSpec;

/// May be used.
pub(crate) const ACTIVE: &str = "active";
/// Kept, but not for new notifications.
pub(crate) const DISABLED: &str = "disabled";

/// An agent in its newest version.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct AgentRow {
    /// Which.
    pub(crate) id: Id,
    /// Whose.
    pub(crate) business_id: Id,
    /// `active` or `disabled`.
    pub(crate) status: String,
    /// Number of the newest version.
    pub(crate) version: i32,
    /// When the agent was made.
    pub(crate) created_at: Time,
    /// When it last changed.
    pub(crate) updated_at: Time,
    /// A label.
    pub(crate) name: String,
    /// The prompt.
    pub(crate) system_prompt: String,
    /// What to extract.
    pub(crate) output_schema: Option<Json>,
    /// [`crate::domain::agent::AgentOptions`].
    pub(crate) options: Json,
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        agents::id,
        agents::business_id,
        agents::status,
        agents::version,
        agents::created_at,
        agents::updated_at,
        agent_versions::name,
        agent_versions::system_prompt,
        agent_versions::output_schema,
        agent_versions::options,
    )
}

/// Stores a new agent and its first version.
pub(crate) fn insert(
    conn: &mut Db,
    business: BusinessId,
    id: AgentId,
    spec: &AgentSpec,
    now: Time,
) -> Result<(), DbError> {
    diesel::insert_into(agents::table)
        .values((
            agents::id.eq(Id::of(id)),
            agents::business_id.eq(Id::of(business)),
            agents::status.eq(ACTIVE),
            agents::version.eq(1),
            agents::created_at.eq(now),
            agents::updated_at.eq(now),
        ))
        .execute(conn)?;
    insert_version(conn, business, (id, 1), spec, now)
}

fn insert_version(
    conn: &mut Db,
    business: BusinessId,
    (agent, version): (AgentId, i32),
    spec: &AgentSpec,
    now: Time,
) -> Result<(), DbError> {
    let options = serde_json::to_value(&spec.options).map_err(|e| DbError::Corrupt(e.to_string()))?;
    diesel::insert_into(agent_versions::table)
        .values((
            agent_versions::agent_id.eq(Id::of(agent)),
            agent_versions::version.eq(version),
            agent_versions::business_id.eq(Id::of(business)),
            agent_versions::name.eq(spec.name.as_ref()),
            agent_versions::system_prompt.eq(spec.prompt.as_ref()),
            agent_versions::output_schema.eq(spec.schema.clone().map(|s| Json(s.into_inner()))),
            agent_versions::options.eq(Json(options)),
            agent_versions::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// One agent of a business, in its newest version.
pub(crate) fn get(conn: &mut Db, business: BusinessId, id: AgentId) -> Result<Option<AgentRow>, DbError> {
    let newest = agent_versions::agent_id.eq(agents::id).and(agent_versions::version.eq(agents::version));
    Ok(agents::table
        .inner_join(agent_versions::table.on(newest))
        .filter(agents::business_id.eq(Id::of(business)).and(agents::id.eq(Id::of(id))))
        .select(columns())
        .first(conn)
        .optional()?)
}

/// A page of a business' agents, newest first; of one status, if one is named.
pub(crate) fn list(
    conn: &mut Db,
    business: BusinessId,
    status: Option<&str>,
    page: Page,
) -> Result<Vec<AgentRow>, DbError> {
    let newest = agent_versions::agent_id.eq(agents::id).and(agent_versions::version.eq(agents::version));
    let mut query = agents::table
        .inner_join(agent_versions::table.on(newest))
        .filter(agents::business_id.eq(Id::of(business)))
        .into_boxed();
    if let Some(after) = page.after {
        query = query.filter(agents::id.lt(Id(after)));
    }
    if let Some(status) = status {
        query = query.filter(agents::status.eq(status.to_owned()));
    }
    Ok(query.order(agents::id.desc()).limit(page.limit).select(columns()).load(conn)?)
}
