//! Status reports of the carrier, each noted once.

use chrono::{DateTime, Utc};
use common::db::{Db, DbError, Id, Time};
use contracts::ids::AttemptId;
use diesel::prelude::*;

use super::schema::carrier_reports;

/// Notes a report. False: it has been noted before.
pub(crate) fn first_time(
    db: &mut Db,
    attempt: AttemptId,
    sequence: u32,
    status: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let sequence =
        i32::try_from(sequence).map_err(|_| DbError::Corrupt(format!("report number {sequence}")))?;
    let seen: i64 = carrier_reports::table
        .filter(carrier_reports::attempt_id.eq(Id::of(attempt)))
        .filter(carrier_reports::sequence.eq(sequence))
        .count()
        .get_result(db)?;
    if seen > 0 {
        return Ok(false);
    }
    diesel::insert_into(carrier_reports::table)
        .values((
            carrier_reports::attempt_id.eq(Id::of(attempt)),
            carrier_reports::sequence.eq(sequence),
            carrier_reports::status.eq(status),
            carrier_reports::received_at.eq(Time::from(now)),
        ))
        .execute(db)?;
    Ok(true)
}
