//! The queues of the in-process bus: rows in the consumer's own database. Inserting is the publisher's confirm; a row goes
//! when its message has had its effect, and stays with a reason when it is dead.

use std::time::Duration;

use diesel::prelude::*;
use uuid::Uuid;

use super::lease::{self, LeaseQuery};
use super::schema::bus_queue;
use super::{Db, DbError, Id, Json, Time, Tx};
use crate::bus::dead_letters::{DeadLetter, Fate, Which};
use crate::bus::topology::DEAD_KEPT;
use crate::bus::{Cause, MAX_ATTEMPTS, Outcome, Outgoing};

/// Longer than a handler may take.
const HOLD: Duration = Duration::from_secs(60);
/// How soon a message comes again whose handler lacked something.
const UNAVAILABLE_PAUSE: Duration = Duration::from_secs(1);

/// A leased message.
pub(crate) struct Queued {
    pub(crate) row: Id,
    pub(crate) attempts: i32,
    pub(crate) message: Outgoing,
}

/// Queues `message`, unless it is there already.
pub(crate) fn push(tx: &mut Tx<'_>, queue: &str, message: &Outgoing) -> Result<(), DbError> {
    let there: i64 = bus_queue::table
        .filter(bus_queue::message_id.eq(Id(message.id)).and(bus_queue::queue.eq(queue)))
        .count()
        .get_result(tx.conn)?;
    if there > 0 {
        return Ok(());
    }
    diesel::insert_into(bus_queue::table)
        .values((
            bus_queue::id.eq(Id(Uuid::now_v7())),
            bus_queue::message_id.eq(Id(message.id)),
            bus_queue::queue.eq(queue),
            bus_queue::routing_key.eq(&message.routing_key),
            bus_queue::headers.eq(Json(message.cause.to_json())),
            bus_queue::body.eq(message.body.to_vec()),
            bus_queue::due_at.eq(Time::from(tx.now())),
            bus_queue::attempts.eq(0),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// Gives back what a process that died had leased. Only where no other process can hold a lease: a file of tables belongs to
/// one process.
pub(crate) fn give_back(conn: &mut Db) -> Result<(), DbError> {
    if !conn.is_pg() {
        diesel::update(bus_queue::table.filter(bus_queue::lease_until.is_not_null()))
            .set(bus_queue::lease_until.eq(None::<Time>))
            .execute(conn)?;
    }
    Ok(())
}

/// Leases due messages of one queue.
pub(crate) fn claim(tx: &mut Tx<'_>, query: &LeaseQuery, limit: usize) -> Result<Vec<Queued>, DbError> {
    let now = tx.now();
    let ids = lease::claim(tx.conn, query, now, HOLD, u32::try_from(limit).unwrap_or(u32::MAX))?;
    let rows: Vec<(Id, Id, String, Json, Vec<u8>, i32)> = bus_queue::table
        .filter(bus_queue::id.eq_any(&ids))
        .order(bus_queue::id)
        .select((
            bus_queue::id,
            bus_queue::message_id,
            bus_queue::routing_key,
            bus_queue::headers,
            bus_queue::body,
            bus_queue::attempts,
        ))
        .load(tx.conn)?;
    Ok(rows
        .into_iter()
        .map(|(row, id, routing_key, headers, body, attempts)| Queued {
            row,
            attempts,
            message: Outgoing {
                id: id.0,
                routing_key,
                cause: Cause::from_json(&headers.0),
                body: body.into(),
            },
        })
        .collect())
}

/// Writes down what became of leased messages.
pub(crate) fn settle(tx: &mut Tx<'_>, settled: &[(Id, i32, Outcome)]) -> Result<(), DbError> {
    let done: Vec<Id> =
        settled.iter().filter(|(_, _, outcome)| *outcome == Outcome::Done).map(|(id, ..)| *id).collect();
    diesel::delete(bus_queue::table.filter(bus_queue::id.eq_any(done))).execute(tx.conn)?;
    for (id, attempts, outcome) in settled {
        match outcome {
            Outcome::Done => {}
            Outcome::RetryAfter(_) if attempts.unsigned_abs() + 1 >= MAX_ATTEMPTS => {
                bury(tx, *id, &format!("given up after {MAX_ATTEMPTS} attempts"))?;
            }
            Outcome::RetryAfter(delay) => postpone(tx, *id, attempts + 1, *delay)?,
            Outcome::Unavailable(_) => postpone(tx, *id, *attempts, UNAVAILABLE_PAUSE)?,
            Outcome::Dead(reason) => bury(tx, *id, reason)?,
        }
    }
    Ok(())
}

fn postpone(tx: &mut Tx<'_>, id: Id, attempts: i32, delay: Duration) -> Result<(), DbError> {
    let due = Time::from(tx.now() + delay);
    diesel::update(bus_queue::table.find(id))
        .set((
            bus_queue::due_at.eq(due),
            bus_queue::attempts.eq(attempts),
            bus_queue::lease_until.eq(None::<Time>),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// What is dead is not due any more; that column says since when.
fn bury(tx: &mut Tx<'_>, id: Id, reason: &str) -> Result<(), DbError> {
    let now = Time::from(tx.now());
    diesel::update(bus_queue::table.find(id))
        .set((
            bus_queue::dead_reason.eq(reason),
            bus_queue::due_at.eq(now),
            bus_queue::lease_until.eq(None::<Time>),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// The oldest dead letters.
pub(crate) fn dead(db: &mut Db, limit: i64) -> Result<Vec<DeadLetter>, DbError> {
    let rows: Vec<(Id, String, String, i32, Option<String>, Json)> = bus_queue::table
        .filter(bus_queue::dead_reason.is_not_null())
        .order((bus_queue::due_at, bus_queue::id))
        .limit(limit)
        .select((
            bus_queue::message_id,
            bus_queue::queue,
            bus_queue::routing_key,
            bus_queue::attempts,
            bus_queue::dead_reason,
            bus_queue::headers,
        ))
        .load(db)?;
    let letter =
        |(id, queue, routing_key, attempts, reason, headers): (Id, _, _, i32, Option<_>, Json)| DeadLetter {
            message_id: Some(id.0),
            queue,
            routing_key,
            attempts: attempts.unsigned_abs(),
            reason: reason.unwrap_or_default(),
            cause: Cause::from_json(&headers.0),
        };
    Ok(rows.into_iter().map(letter).collect())
}

/// Replays or drops dead letters, and says how many.
pub(crate) fn settle_dead(tx: &mut Tx<'_>, which: &Which, fate: Fate) -> Result<u64, DbError> {
    let dead: Vec<(Id, Id)> = bus_queue::table
        .filter(bus_queue::dead_reason.is_not_null())
        .select((bus_queue::id, bus_queue::message_id))
        .load(tx.conn)?;
    let now = Time::from(tx.now());
    let mut settled = 0;
    for (row, _) in dead.into_iter().filter(|(_, message)| which.holds(Some(message.0))) {
        match fate {
            Fate::Drop => diesel::delete(bus_queue::table.find(row)).execute(tx.conn)?,
            Fate::Replay => diesel::update(bus_queue::table.find(row))
                .set((
                    bus_queue::dead_reason.eq(None::<String>),
                    bus_queue::due_at.eq(now),
                    bus_queue::attempts.eq(0),
                    bus_queue::lease_until.eq(None::<Time>),
                ))
                .execute(tx.conn)?,
        };
        settled += 1;
    }
    Ok(settled)
}

/// Lets dead letters go that are older than they are kept, and says how many are left.
pub(crate) fn forget_old_dead(tx: &mut Tx<'_>) -> Result<i64, DbError> {
    let old = Time::from(tx.now() - DEAD_KEPT);
    diesel::delete(
        bus_queue::table.filter(bus_queue::dead_reason.is_not_null().and(bus_queue::due_at.lt(old))),
    )
    .execute(tx.conn)?;
    Ok(bus_queue::table.filter(bus_queue::dead_reason.is_not_null()).count().get_result(tx.conn)?)
}
