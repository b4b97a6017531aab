//! Who answers the calls to users' own numbers.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time};
use contracts::ids::{BotId, BusinessId, ProjectId};
use diesel::prelude::*;

use super::schema::bots;

/// A bot that answers.
pub(crate) const ACTIVE: &str = "active";
/// A bot that answers nobody.
pub(crate) const DISABLED: &str = "disabled";

/// A row of `bots`. Where there is none of something, it is empty.
#[derive(Clone, Debug, Queryable, Insertable, Selectable)]
#[diesel(table_name = bots)]
pub(crate) struct Bot {
    pub(crate) id: Id,
    pub(crate) business_id: Id,
    pub(crate) goal: String,
    pub(crate) webhook: String,
    pub(crate) context: String,
    /// BCP-47 tag.
    pub(crate) language: String,
    /// The carrier's name for it.
    pub(crate) voice: String,
    pub(crate) greeting: String,
    /// E.164.
    pub(crate) transfer_number: String,
    pub(crate) knowledge_app_id: String,
    /// [`ACTIVE`] or [`DISABLED`].
    pub(crate) status: String,
    pub(crate) created_at: Time,
    /// The project whose carrier its calls come in by.
    pub(crate) project_id: Option<Id>,
}

impl Bot {
    /// Its id.
    pub(crate) const fn id(&self) -> BotId {
        BotId::of(self.id.0)
    }

    /// When it was made.
    pub(crate) const fn created_at(&self) -> DateTime<Utc> {
        self.created_at.0
    }
}

/// What changes about a bot; what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = bots)]
pub(crate) struct Change {
    pub(crate) goal: Option<String>,
    pub(crate) webhook: Option<String>,
    pub(crate) context: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) voice: Option<String>,
    pub(crate) greeting: Option<String>,
    pub(crate) transfer_number: Option<String>,
    pub(crate) knowledge_app_id: Option<String>,
    pub(crate) status: Option<String>,
}

/// A bot of a business.
pub(crate) fn find(db: &mut Db, business: BusinessId, bot: BotId) -> Result<Option<Bot>, DbError> {
    let row = bots::table
        .filter(bots::business_id.eq(Id::of(business)))
        .filter(bots::id.eq(Id::of(bot)))
        .select(Bot::as_select())
        .first(db)
        .optional()?;
    Ok(row)
}

/// The bot with this id, if it answers calls, and the project by whose carrier they come in. A bridge knows a call by its bot alone.
pub(crate) fn answering(db: &mut Db, bot: BotId) -> Result<Option<(Bot, ProjectId)>, DbError> {
    let row: Option<Bot> = bots::table.find(Id::of(bot)).select(Bot::as_select()).first(db).optional()?;
    let row = row.filter(|bot| bot.status == ACTIVE);
    Ok(row.and_then(|bot| bot.project_id.map(|project| (bot, ProjectId(project.0)))))
}

/// A bot that has no project yet belongs to this one from now on.
pub(crate) fn adopt(
    db: &mut Db,
    business: BusinessId,
    bot: BotId,
    project: ProjectId,
) -> Result<(), DbError> {
    let row = bots::table
        .filter(bots::business_id.eq(Id::of(business)))
        .filter(bots::id.eq(Id::of(bot)))
        .filter(bots::project_id.is_null());
    diesel::update(row).set(bots::project_id.eq(Some(Id::of(project)))).execute(db)?;
    Ok(())
}

/// The bots of a project that is gone belong to none: with its next change each belongs to the project of whoever changes it.
pub(crate) fn release(db: &mut Db, project: ProjectId) -> Result<(), DbError> {
    let theirs = bots::table.filter(bots::project_id.eq(Some(Id::of(project))));
    diesel::update(theirs).set(bots::project_id.eq(None::<Id>)).execute(db)?;
    Ok(())
}

/// Writes a new one.
pub(crate) fn insert(db: &mut Db, bot: &Bot) -> Result<(), DbError> {
    diesel::insert_into(bots::table).values(bot.clone()).execute(db)?;
    Ok(())
}

/// A page of a business's bots, newest first.
pub(crate) fn list(
    db: &mut Db,
    business: BusinessId,
    (after, limit): (Option<BotId>, u32),
) -> Result<Vec<Bot>, DbError> {
    let mut query = bots::table
        .filter(bots::business_id.eq(Id::of(business)))
        .order(bots::id.desc())
        .limit(i64::from(limit))
        .select(Bot::as_select())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(bots::id.lt(Id::of(after)));
    }
    Ok(query.load(db)?)
}

/// How many bots a business has.
pub(crate) fn count(db: &mut Db, business: BusinessId) -> Result<i64, DbError> {
    Ok(bots::table.filter(bots::business_id.eq(Id::of(business))).count().get_result(db)?)
}

/// Changes a bot: columns that two requests change at once are all changed.
pub(crate) fn update(db: &mut Db, business: BusinessId, bot: BotId, change: &Change) -> Result<(), DbError> {
    if *change == Change::default() {
        return Ok(());
    }
    let row = bots::table.filter(bots::business_id.eq(Id::of(business))).filter(bots::id.eq(Id::of(bot)));
    diesel::update(row).set(change.clone()).execute(db)?;
    Ok(())
}

/// Removes a bot. False: it was not there.
pub(crate) fn remove(db: &mut Db, business: BusinessId, bot: BotId) -> Result<bool, DbError> {
    let row = bots::table.filter(bots::business_id.eq(Id::of(business))).filter(bots::id.eq(Id::of(bot)));
    Ok(diesel::delete(row).execute(db)? > 0)
}
