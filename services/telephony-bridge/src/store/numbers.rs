//! Numbers of customers, and what was heard of them, in calls that are over: found and blanked. That there was a call, and how it
//! ended at the carrier, stays.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time};
use contracts::ids::{CustomerId, ProjectId};
use diesel::dsl::exists;
use diesel::prelude::*;

use super::schema::{dial_attempts, own_words};
use crate::domain::attempt::AttemptState;

/// What was heard in an attempt's call and kept. It may be there without a number: a caller may hide theirs, and the carrier need
/// not say which one they rang.
#[diesel::dsl::auto_type]
fn heard() -> _ {
    own_words::table
        .filter(own_words::attempt_id.eq(dial_attempts::id))
        .filter(own_words::heard.is_not_null())
}

/// Blanks up to `limit` calls with a customer, or of a whole project. Answers how many.
pub(crate) fn forget(
    db: &mut Db,
    (project, customer): (ProjectId, Option<CustomerId>),
    limit: i64,
) -> Result<usize, DbError> {
    let mut query = dial_attempts::table
        .filter(dial_attempts::project_id.eq(Id::of(project)))
        .filter(dial_attempts::state.eq(AttemptState::Over.as_str()))
        .filter(dial_attempts::to_number.ne("").or(dial_attempts::from_number.ne("")).or(exists(heard())))
        .limit(limit)
        .select(dial_attempts::id)
        .into_boxed();
    if let Some(customer) = customer {
        query = query.filter(dial_attempts::customer_id.eq(Id::of(customer)));
    }
    let found: Vec<Id> = query.load(db)?;
    blank(db, &found)
}

/// The same with calls that were over before `before`, of whatever project.
pub(crate) fn forget_over_before(db: &mut Db, before: DateTime<Utc>, limit: i64) -> Result<usize, DbError> {
    let mut found: Vec<Id> = dial_attempts::table
        .filter(dial_attempts::state.eq(AttemptState::Over.as_str()))
        .filter(dial_attempts::to_number.ne("").or(dial_attempts::from_number.ne("")))
        .filter(dial_attempts::updated_at.lt(Time::from(before)))
        .order(dial_attempts::updated_at)
        .limit(limit)
        .select(dial_attempts::id)
        .load(db)?;
    let said: Vec<Id> = own_words::table
        .inner_join(dial_attempts::table.on(dial_attempts::id.eq(own_words::attempt_id)))
        .filter(own_words::heard.is_not_null())
        .filter(dial_attempts::state.eq(AttemptState::Over.as_str()))
        .filter(dial_attempts::updated_at.lt(Time::from(before)))
        .limit(limit)
        .select(dial_attempts::id)
        .load(db)?;
    found.extend(said);
    blank(db, &found)
}

/// Is a call with this customer, or of this project, not over yet?
pub(crate) fn any_left(
    db: &mut Db,
    project: ProjectId,
    customer: Option<CustomerId>,
) -> Result<bool, DbError> {
    let mut query = dial_attempts::table
        .filter(dial_attempts::project_id.eq(Id::of(project)))
        .filter(dial_attempts::to_number.ne("").or(dial_attempts::from_number.ne("")).or(exists(heard())))
        .limit(1)
        .select(dial_attempts::id)
        .into_boxed();
    if let Some(customer) = customer {
        query = query.filter(dial_attempts::customer_id.eq(Id::of(customer)));
    }
    let left: Vec<Id> = query.load(db)?;
    Ok(!left.is_empty())
}

fn blank(db: &mut Db, attempts: &[Id]) -> Result<usize, DbError> {
    if attempts.is_empty() {
        return Ok(0);
    }
    // Which of the two is the customer's depends on who rang; neither is needed any more.
    let blanked = diesel::update(dial_attempts::table.filter(dial_attempts::id.eq_any(attempts)))
        .set((
            dial_attempts::to_number.eq(""),
            dial_attempts::from_number.eq(""),
            dial_attempts::version.eq(dial_attempts::version + 1),
        ))
        .execute(db)?;
    diesel::update(own_words::table.filter(own_words::attempt_id.eq_any(attempts)))
        .set(own_words::heard.eq(None::<Vec<u8>>))
        .execute(db)?;
    Ok(blanked)
}
