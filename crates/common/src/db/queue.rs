//! The queues of the in-process bus: rows in the consumer's own database. Inserting is the publisher's confirm; a row goes
//! when its message has had its effect, and stays with a reason when it is dead.

use std::time::Duration;

use diesel::prelude::*;
use uuid::Uuid;

use super::lease::{self, LeaseQuery};
use super::schema::bus_queue;
use super::{Db, DbError, Id, Json, Time, Tx};
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
                bury(tx.conn, *id, &format!("given up after {MAX_ATTEMPTS} attempts"))?;
            }
            Outcome::RetryAfter(delay) => postpone(tx, *id, attempts + 1, *delay)?,
            Outcome::Unavailable(_) => postpone(tx, *id, *attempts, UNAVAILABLE_PAUSE)?,
            Outcome::Dead(reason) => bury(tx.conn, *id, reason)?,
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

fn bury(conn: &mut Db, id: Id, reason: &str) -> Result<(), DbError> {
    diesel::update(bus_queue::table.find(id)).set(bus_queue::dead_reason.eq(reason)).execute(conn)?;
    Ok(())
}
