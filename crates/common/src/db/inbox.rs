//! Consuming once. Where no natural key tells a repeated message apart, its id is noted in the transaction of its effect:
//! at least once on the wire, once in effect.

use std::time::Duration;

use diesel::prelude::*;

use super::schema::inbox;
use super::{Db, DbError, Id, Time, Tx};

/// Longer than any message can wait in a queue, a retry tier or among the dead letters.
const KEPT: Duration = Duration::from_secs(15 * 24 * 3600);

/// Notes that `consumer` has had this message. False: it had it before, and there is nothing to do.
///
/// # Errors
/// When the table cannot be read or written.
pub fn first_time(tx: &mut Tx<'_>, consumer: &str, message_id: uuid::Uuid) -> Result<bool, DbError> {
    let seen: i64 = inbox::table
        .filter(inbox::message_id.eq(Id(message_id)).and(inbox::consumer.eq(consumer)))
        .count()
        .get_result(tx.conn)?;
    if seen > 0 {
        return Ok(false);
    }
    // Two replicas at the same moment: the primary key makes the second one fail, roll back and meet the row on redelivery.
    diesel::insert_into(inbox::table)
        .values((
            inbox::message_id.eq(Id(message_id)),
            inbox::consumer.eq(consumer),
            inbox::seen_at.eq(Time::from(tx.now())),
        ))
        .execute(tx.conn)?;
    Ok(true)
}

/// Forgets what is too old to come again. Answers how many rows went.
///
/// # Errors
/// When the table cannot be written.
pub fn forget_old(conn: &mut Db, now: chrono::DateTime<chrono::Utc>) -> Result<usize, DbError> {
    Ok(diesel::delete(inbox::table.filter(inbox::seen_at.lt(Time::from(now - KEPT)))).execute(conn)?)
}
