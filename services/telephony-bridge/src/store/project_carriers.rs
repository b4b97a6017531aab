//! What projects have chosen to call with: one row in use per project, and for a while those that it replaced.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time};
use contracts::ids::{CarrierId, ProjectId};
use diesel::prelude::*;

use super::schema::project_carriers;

const TWILIO: &str = "twilio";
const SANDBOX: &str = "sandbox";

/// A row of `project_carriers`.
#[derive(Clone, Debug, Queryable, Insertable, Selectable)]
#[diesel(table_name = project_carriers)]
struct Row {
    id: Id,
    project_id: Id,
    kind: String,
    account_sid: String,
    auth_token: String,
    phone_number_sid: String,
    phone_number: String,
    calls_per_second: i32,
    in_use: bool,
    created_at: Time,
    updated_at: Time,
    version: i64,
}

/// What a project calls with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// An account of its own.
    Twilio(OwnAccount),
    /// The sandbox.
    Sandbox,
}

/// An account as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnAccount {
    pub(crate) account_sid: String,
    /// Sealed for this row.
    pub(crate) auth_token: String,
    pub(crate) phone_number_sid: String,
    pub(crate) phone_number: String,
    pub(crate) calls_per_second: u32,
}

/// A project's choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) id: CarrierId,
    pub(crate) project_id: ProjectId,
    pub(crate) choice: Choice,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) version: i64,
}

impl Chosen {
    /// A choice that has not been stored.
    pub(crate) fn new(id: CarrierId, project_id: ProjectId, choice: Choice, now: DateTime<Utc>) -> Self {
        Self { id, project_id, choice, created_at: now, updated_at: now, version: 1 }
    }

    fn from_row(row: Row) -> Result<Self, DbError> {
        let choice = match row.kind.as_str() {
            TWILIO => Choice::Twilio(OwnAccount {
                account_sid: row.account_sid,
                auth_token: row.auth_token,
                phone_number_sid: row.phone_number_sid,
                phone_number: row.phone_number,
                calls_per_second: row.calls_per_second.unsigned_abs(),
            }),
            SANDBOX => Choice::Sandbox,
            other => {
                return Err(DbError::Corrupt(format!("carrier {} is of no known kind: {other}", row.id.0)));
            }
        };
        Ok(Self {
            id: CarrierId(row.id.0),
            project_id: ProjectId(row.project_id.0),
            choice,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
            version: row.version,
        })
    }

    fn to_row(&self) -> Row {
        let (kind, account) = match self.choice.clone() {
            Choice::Twilio(account) => (TWILIO, account),
            Choice::Sandbox => (SANDBOX, OwnAccount::none()),
        };
        Row {
            id: Id::of(self.id),
            project_id: Id::of(self.project_id),
            kind: kind.to_owned(),
            account_sid: account.account_sid,
            auth_token: account.auth_token,
            phone_number_sid: account.phone_number_sid,
            phone_number: account.phone_number,
            calls_per_second: i32::try_from(account.calls_per_second).unwrap_or(i32::MAX),
            in_use: true,
            created_at: self.created_at.into(),
            updated_at: self.updated_at.into(),
            version: self.version,
        }
    }
}

impl OwnAccount {
    /// What stands in the columns of a choice without an account.
    const fn none() -> Self {
        Self {
            account_sid: String::new(),
            auth_token: String::new(),
            phone_number_sid: String::new(),
            phone_number: String::new(),
            calls_per_second: 0,
        }
    }
}

/// What the project calls with; `None` when it has chosen nothing.
pub(crate) fn of_project(db: &mut Db, project: ProjectId) -> Result<Option<Chosen>, DbError> {
    let row: Option<Row> = project_carriers::table
        .filter(project_carriers::project_id.eq(Id::of(project)))
        .filter(project_carriers::in_use.eq(true))
        .select(Row::as_select())
        .first(db)
        .optional()?;
    row.map(Chosen::from_row).transpose()
}

/// What the project called with before, as long as it is kept.
pub(crate) fn replaced(db: &mut Db, project: ProjectId) -> Result<Vec<Chosen>, DbError> {
    let rows: Vec<Row> = project_carriers::table
        .filter(project_carriers::project_id.eq(Id::of(project)))
        .filter(project_carriers::in_use.eq(false))
        .order(project_carriers::updated_at.desc())
        .select(Row::as_select())
        .load(db)?;
    rows.into_iter().map(Chosen::from_row).collect()
}

/// The choice with which an attempt was made, also when another one has replaced it.
pub(crate) fn find(db: &mut Db, id: CarrierId) -> Result<Option<Chosen>, DbError> {
    let row: Option<Row> =
        project_carriers::table.find(Id::of(id)).select(Row::as_select()).first(db).optional()?;
    row.map(Chosen::from_row).transpose()
}

/// All that name this account, those in use first: the carrier names an account and no project.
pub(crate) fn with_account(db: &mut Db, account_sid: &str) -> Result<Vec<Chosen>, DbError> {
    let rows: Vec<Row> = project_carriers::table
        .filter(project_carriers::account_sid.eq(account_sid))
        .order((project_carriers::in_use.desc(), project_carriers::updated_at.desc()))
        .select(Row::as_select())
        .load(db)?;
    rows.into_iter().map(Chosen::from_row).collect()
}

/// Does another project call from this number?
pub(crate) fn number_taken(db: &mut Db, but: ProjectId, phone_number: &str) -> Result<bool, DbError> {
    let others: i64 = project_carriers::table
        .filter(project_carriers::phone_number.eq(phone_number))
        .filter(project_carriers::kind.eq(TWILIO))
        .filter(project_carriers::in_use.eq(true))
        .filter(project_carriers::project_id.ne(Id::of(but)))
        .count()
        .get_result(db)?;
    Ok(others > 0)
}

/// Stores a new choice. The project must have none in use.
pub(crate) fn insert(db: &mut Db, chosen: &Chosen) -> Result<(), DbError> {
    diesel::insert_into(project_carriers::table).values(chosen.to_row()).execute(db)?;
    Ok(())
}

/// Stores what is new about a choice ([`DbError::Conflict`] when somebody else did in the meantime).
pub(crate) fn save(db: &mut Db, chosen: Chosen, now: DateTime<Utc>) -> Result<Chosen, DbError> {
    let row = chosen.to_row();
    let touched = diesel::update(
        project_carriers::table
            .filter(project_carriers::project_id.eq(row.project_id))
            .filter(project_carriers::id.eq(row.id))
            .filter(project_carriers::version.eq(row.version)),
    )
    .set((
        project_carriers::auth_token.eq(row.auth_token),
        project_carriers::calls_per_second.eq(row.calls_per_second),
        project_carriers::updated_at.eq(Time::from(now)),
        project_carriers::version.eq(row.version + 1),
    ))
    .execute(db)?;
    if touched == 1 {
        Ok(Chosen { updated_at: now, version: chosen.version + 1, ..chosen })
    } else {
        Err(DbError::Conflict)
    }
}

/// The project calls with none of its own any more. What it had is kept for the calls that were made with it.
pub(crate) fn retire(db: &mut Db, project: ProjectId, now: DateTime<Utc>) -> Result<(), DbError> {
    diesel::update(
        project_carriers::table
            .filter(project_carriers::project_id.eq(Id::of(project)))
            .filter(project_carriers::in_use.eq(true)),
    )
    .set((project_carriers::in_use.eq(false), project_carriers::updated_at.eq(Time::from(now))))
    .execute(db)?;
    Ok(())
}

/// Forgets what was replaced before `before`, tokens and all.
pub(crate) fn forget_replaced(db: &mut Db, before: DateTime<Utc>) -> Result<usize, DbError> {
    Ok(diesel::delete(
        project_carriers::table
            .filter(project_carriers::in_use.eq(false))
            .filter(project_carriers::updated_at.lt(Time::from(before))),
    )
    .execute(db)?)
}
