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

/// An agent in one of its versions, the newest one unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Queryable)]
pub(crate) struct AgentRow {
    /// Which.
    pub(crate) id: Id,
    /// Whose.
    pub(crate) business_id: Id,
    /// `active` or `disabled`: now, whatever the version.
    pub(crate) status: String,
    /// Number of the version.
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
    /// `active` or `disabled`: in this version.
    pub(crate) version_status: String,
    /// When the version was made.
    pub(crate) version_at: Time,
}

impl AgentRow {
    /// A new agent in its first version.
    pub(crate) fn new(
        business: BusinessId,
        id: AgentId,
        spec: &AgentSpec,
        now: Time,
    ) -> Result<Self, DbError> {
        let mut row = Self {
            id: Id::of(id),
            business_id: Id::of(business),
            status: ACTIVE.to_owned(),
            version: 1,
            created_at: now,
            updated_at: now,
            name: String::new(),
            system_prompt: String::new(),
            output_schema: None,
            options: Json(serde_json::json!({})),
            version_status: ACTIVE.to_owned(),
            version_at: now,
        };
        row.replace(spec)?;
        Ok(row)
    }

    /// Is what is said about an agent, and nothing else.
    pub(crate) fn replace(&mut self, spec: &AgentSpec) -> Result<(), DbError> {
        let options = serde_json::to_value(&spec.options).map_err(|e| DbError::Corrupt(e.to_string()))?;
        self.name = spec.name.clone().into();
        self.system_prompt = spec.prompt.clone().into();
        self.output_schema = spec.schema.clone().map(|schema| Json(schema.into_inner()));
        self.options = Json(options);
        Ok(())
    }
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
        agent_versions::status,
        agent_versions::created_at,
    )
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns_of_version() -> _ {
    (
        agents::id,
        agents::business_id,
        agents::status,
        agent_versions::version,
        agents::created_at,
        agents::updated_at,
        agent_versions::name,
        agent_versions::system_prompt,
        agent_versions::output_schema,
        agent_versions::options,
        agent_versions::status,
        agent_versions::created_at,
    )
}

/// Stores a new agent and its first version.
pub(crate) fn insert(conn: &mut Db, row: &AgentRow) -> Result<(), DbError> {
    diesel::insert_into(agents::table)
        .values((
            agents::id.eq(row.id),
            agents::business_id.eq(row.business_id),
            agents::status.eq(&row.status),
            agents::version.eq(row.version),
            agents::created_at.eq(row.created_at),
            agents::updated_at.eq(row.updated_at),
        ))
        .execute(conn)?;
    insert_version(conn, row)
}

fn insert_version(conn: &mut Db, row: &AgentRow) -> Result<(), DbError> {
    diesel::insert_into(agent_versions::table)
        .values((
            agent_versions::agent_id.eq(row.id),
            agent_versions::version.eq(row.version),
            agent_versions::business_id.eq(row.business_id),
            agent_versions::name.eq(&row.name),
            agent_versions::system_prompt.eq(&row.system_prompt),
            agent_versions::output_schema.eq(&row.output_schema),
            agent_versions::options.eq(&row.options),
            agent_versions::status.eq(&row.version_status),
            agent_versions::created_at.eq(row.version_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Stores a changed agent as its next version. [`DbError::Conflict`] when somebody else was faster.
pub(crate) fn save(conn: &mut Db, row: &mut AgentRow, now: Time) -> Result<(), DbError> {
    let next = row.version + 1;
    let touched = diesel::update(agents::table)
        .filter(agents::business_id.eq(row.business_id).and(agents::id.eq(row.id)))
        .filter(agents::version.eq(row.version))
        .set((agents::status.eq(&row.status), agents::version.eq(next), agents::updated_at.eq(now)))
        .execute(conn)?;
    if touched != 1 {
        return Err(DbError::Conflict);
    }
    (row.version, row.updated_at, row.version_at) = (next, now, now);
    row.version_status.clone_from(&row.status);
    insert_version(conn, row)
}

/// One agent of a business in one of its versions: what a notification pins.
pub(crate) fn version(
    conn: &mut Db,
    business: BusinessId,
    id: AgentId,
    version: i32,
) -> Result<Option<AgentRow>, DbError> {
    let named = agent_versions::agent_id.eq(agents::id).and(agent_versions::version.eq(version));
    Ok(agents::table
        .inner_join(agent_versions::table.on(named))
        .filter(agents::business_id.eq(Id::of(business)).and(agents::id.eq(Id::of(id))))
        .select(columns_of_version())
        .first(conn)
        .optional()?)
}

/// At most `limit` versions of an agent, the newest first; older ones than `before`, if that is named.
pub(crate) fn versions(
    conn: &mut Db,
    business: BusinessId,
    id: AgentId,
    before: Option<i32>,
    limit: i64,
) -> Result<Vec<AgentRow>, DbError> {
    let mut query = agents::table
        .inner_join(agent_versions::table.on(agent_versions::agent_id.eq(agents::id)))
        .filter(agents::business_id.eq(Id::of(business)).and(agents::id.eq(Id::of(id))))
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(agent_versions::version.lt(before));
    }
    let newest = query.order(agent_versions::version.desc()).limit(limit);
    Ok(newest.select(columns_of_version()).load(conn)?)
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

/// An agent in one of its versions.
#[derive(Clone, Debug)]
pub(crate) struct Versioned {
    /// The agent as it was then; its status is that of today.
    pub(crate) agent: AgentRow,
    /// Whether it is the newest version.
    pub(crate) newest: bool,
}

/// These agents of a business in their newest version, and in each of `versions` that they have.
pub(crate) fn with_versions(
    conn: &mut Db,
    business: BusinessId,
    ids: &[Id],
    versions: &[i32],
) -> Result<Vec<Versioned>, DbError> {
    let wanted = agent_versions::version.eq(agents::version).or(agent_versions::version.eq_any(versions));
    let rows: Vec<(AgentRow, i32)> = agents::table
        .inner_join(agent_versions::table.on(agent_versions::agent_id.eq(agents::id)))
        .filter(agents::business_id.eq(Id::of(business)).and(agents::id.eq_any(ids)))
        .filter(wanted)
        .select((columns(), agent_versions::version))
        .load(conn)?;
    let versioned = |(agent, version): (AgentRow, i32)| {
        let newest = agent.version == version;
        Versioned { agent: AgentRow { version, ..agent }, newest }
    };
    Ok(rows.into_iter().map(versioned).collect())
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
