//! Calls of users' systems in a conversation: written down before they are sent, so that one whose answer was lost is known
//! and not made again.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Json, Time};
use contracts::ids::{CallId, EventId, ProjectId};
use diesel::prelude::*;
use serde_json::{Map, Value};

use super::int;
use super::schema::tool_calls;
use crate::domain::tools::Went;
use crate::domain::turn::TurnNumber;

/// One call of a tool.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ToolCall {
    pub(crate) turn: TurnNumber,
    /// The model's own id for it.
    pub(crate) model_id: String,
    pub(crate) name: String,
    pub(crate) arguments: Map<String, Value>,
    pub(crate) went: Went,
    /// What it answered, or why it failed.
    pub(crate) result: String,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = tool_calls)]
struct Row {
    turn: i32,
    model_id: String,
    name: String,
    arguments: Json,
    outcome: Option<String>,
    result: Option<String>,
}

impl From<Row> for ToolCall {
    fn from(row: Row) -> Self {
        let arguments = match row.arguments.0 {
            Value::Object(arguments) => arguments,
            _ => Map::new(),
        };
        Self {
            turn: TurnNumber(row.turn.unsigned_abs()),
            model_id: row.model_id,
            name: row.name,
            arguments,
            went: Went::parse(row.outcome.as_deref()),
            result: row.result.unwrap_or_default(),
        }
    }
}

/// Notes a call that is about to be made.
pub(crate) fn note(
    db: &mut Db,
    (project, call, turn): (ProjectId, CallId, TurnNumber),
    id: EventId,
    wish: &llm::ToolCall,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::insert_into(tool_calls::table)
        .values((
            tool_calls::id.eq(Id::of(id)),
            tool_calls::project_id.eq(Id::of(project)),
            tool_calls::call_id.eq(Id::of(call)),
            tool_calls::turn.eq(int(turn.0)),
            tool_calls::model_id.eq(&wish.id),
            tool_calls::name.eq(&wish.name),
            tool_calls::arguments.eq(Json(Value::Object(wish.arguments.clone()))),
            tool_calls::asked_at.eq(Time::from(now)),
        ))
        .execute(db)?;
    Ok(())
}

/// Notes what came of it.
pub(crate) fn note_outcome(
    db: &mut Db,
    id: EventId,
    (went, result): (Went, &str),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    // What was blanked meanwhile stays so.
    diesel::update(tool_calls::table.find(Id::of(id)).filter(tool_calls::outcome.is_null()))
        .set((
            tool_calls::outcome.eq(Some(went.as_str())),
            tool_calls::result.eq(Some(result)),
            tool_calls::answered_at.eq(Some(Time::from(now))),
        ))
        .execute(db)?;
    Ok(())
}

/// Blanks what was sent and answered in these phone calls. An answer that is still to come is not kept any more.
pub(super) fn blank(db: &mut Db, calls: &[Id]) -> Result<(), DbError> {
    let of = || tool_calls::call_id.eq_any(calls);
    diesel::update(tool_calls::table.filter(of()).filter(tool_calls::outcome.is_null()))
        .set(tool_calls::outcome.eq(Some(Went::Unknown.as_str())))
        .execute(db)?;
    diesel::update(tool_calls::table.filter(of()))
        .set((
            tool_calls::arguments.eq(Json(Value::Object(Map::new()))),
            tool_calls::result.eq(None::<String>),
        ))
        .execute(db)?;
    Ok(())
}

/// What was called in a phone call, oldest first.
pub(crate) fn of_call(db: &mut Db, call: CallId) -> Result<Vec<ToolCall>, DbError> {
    let rows: Vec<Row> = tool_calls::table
        .filter(tool_calls::call_id.eq(Id::of(call)))
        .order(tool_calls::id)
        .select(Row::as_select())
        .load(db)?;
    Ok(rows.into_iter().map(ToolCall::from).collect())
}
