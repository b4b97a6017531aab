//! Calls that bots have answered: what each was for stands among the notifications, under the id of the call.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Json, Time};
use contracts::ids::{BotId, BusinessId, CallId, ProjectId};
use diesel::dsl::exists;
use diesel::prelude::*;

use super::notifications::{BotPart, Found, HIDDEN, Options};
use super::schema::{calls, notifications};
use super::word;
use crate::domain::bot_load::Load;

/// What a call to a bot was for, as its business sees it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BotCall {
    pub(crate) call_id: CallId,
    pub(crate) project_id: ProjectId,
    pub(crate) bot_id: BotId,
    /// Empty where it is hidden or forgotten.
    pub(crate) from: String,
    pub(crate) part: BotPart,
    pub(crate) found: Found,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = notifications)]
struct Row {
    id: Id,
    project_id: Id,
    phone: String,
    outcome: Option<Json>,
    options: Option<Json>,
    bot_id: Option<Id>,
}

impl BotCall {
    fn from_row(row: Row) -> Result<Self, DbError> {
        let missing = || DbError::Corrupt("a call to a bot without its bot".to_owned());
        let found: Option<Found> = word(row.outcome.map(|o| serde_json::from_value(o.0)).transpose())?;
        Ok(Self {
            call_id: CallId(row.id.0),
            project_id: ProjectId(row.project_id.0),
            bot_id: BotId::of(row.bot_id.ok_or_else(missing)?.0),
            from: if row.phone == HIDDEN { String::new() } else { row.phone },
            part: Options::read(row.options)?.bot.ok_or_else(missing)?,
            found: found.unwrap_or_default(),
        })
    }
}

/// Which calls of a business a page shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) bot: Option<BotId>,
    /// Status of the call.
    pub(crate) status: Option<String>,
}

/// A page of the calls to the bots of a business, newest first.
pub(crate) fn list(
    db: &mut Db,
    business: BusinessId,
    filter: &Filter,
    (after, limit): (Option<CallId>, u32),
) -> Result<Vec<BotCall>, DbError> {
    let mut query = notifications::table
        .filter(notifications::business_id.eq(Id::of(business)))
        .filter(notifications::bot_id.is_not_null())
        .order(notifications::id.desc())
        .limit(i64::from(limit))
        .select(Row::as_select())
        .into_boxed();
    if let Some(bot) = filter.bot {
        query = query.filter(notifications::bot_id.eq(Id::of(bot)));
    }
    if let Some(status) = &filter.status {
        let with = calls::table.filter(calls::id.eq(notifications::id)).filter(calls::status.eq(status));
        query = query.filter(exists(with));
    }
    if let Some(after) = after {
        query = query.filter(notifications::id.lt(Id::of(after)));
    }
    query.load(db)?.into_iter().map(BotCall::from_row).collect()
}

/// One call to a bot of a business.
pub(crate) fn find(db: &mut Db, business: BusinessId, call: CallId) -> Result<Option<BotCall>, DbError> {
    let row: Option<Row> = notifications::table
        .filter(notifications::business_id.eq(Id::of(business)))
        .filter(notifications::bot_id.is_not_null())
        .filter(notifications::id.eq(Id::of(call)))
        .select(Row::as_select())
        .first(db)
        .optional()?;
    row.map(BotCall::from_row).transpose()
}

/// The same, by the carrier's own id of the call; of several of one id, the latest.
pub(crate) fn find_by_sid(db: &mut Db, business: BusinessId, sid: &str) -> Result<Option<BotCall>, DbError> {
    let named = calls::table.filter(calls::carrier_sid.eq(sid)).select(calls::id);
    let row: Option<Row> = notifications::table
        .filter(notifications::business_id.eq(Id::of(business)))
        .filter(notifications::bot_id.is_not_null())
        .filter(notifications::id.eq_any(named))
        .order(notifications::id.desc())
        .select(Row::as_select())
        .first(db)
        .optional()?;
    row.map(BotCall::from_row).transpose()
}

/// How busy a caller and a bot are, with what was begun since `since`: no call is alive for longer. Callers who hide their number
/// count as one, of each bot.
pub(crate) fn load(
    db: &mut Db,
    project: ProjectId,
    (bot, phone): (BotId, &str),
    since: DateTime<Utc>,
) -> Result<Load, DbError> {
    let mut theirs = notifications::table
        .filter(notifications::project_id.eq(Id::of(project)))
        .filter(notifications::phone.eq(phone))
        .filter(notifications::created_at.ge(Time::from(since)))
        .filter(notifications::bot_id.is_not_null())
        .select(notifications::id)
        .into_boxed();
    if phone == HIDDEN {
        theirs = theirs.filter(notifications::bot_id.eq(Id::of(bot)));
    }
    let theirs: Vec<Id> = theirs.load(db)?;
    let alive = || calls::table.filter(calls::ended_at.is_null()).filter(calls::bot_id.is_not_null());
    let of_caller: i64 = alive().filter(calls::id.eq_any(&theirs)).count().get_result(db)?;
    let of_bot: i64 = alive().filter(calls::bot_id.eq(Id::of(bot))).count().get_result(db)?;
    let count = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(Load {
        of_caller: count(of_caller),
        of_caller_an_hour: u32::try_from(theirs.len()).unwrap_or(u32::MAX),
        of_bot: count(of_bot),
    })
}
