//! Messages wait here, committed together with the state that they tell of, until the bus has confirmed them. The relay
//! leases rows, publishes them in batches with no transaction open, and deletes what was confirmed; what was not comes
//! round again when the lease runs out.

use std::sync::Arc;
use std::time::Duration;

use contracts::message::Message;
use diesel::prelude::*;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::lease::{self, LeaseQuery};
use super::schema::outbox;
use super::{Database, Db, DbError, Id, Json, Time};
use crate::bus::{Cause, Outgoing, Publisher};

/// Rows per round. 200 confirms in flight give about ten thousand messages a second.
const BATCH: u32 = 200;
/// Longer than a batch can take to be confirmed.
const HOLD: Duration = Duration::from_secs(15);
/// Sweep for rows whose nudge was lost.
const SWEEP: Duration = Duration::from_secs(1);
/// An event carries what its consumers need, and no more than this.
pub const MAX_BODY: usize = 256 * 1024;

const QUERY: LeaseQuery = LeaseQuery { table: "outbox", due: "TRUE", order: "id" };

pub(super) fn stage<M: Message>(
    conn: &mut Db,
    now: chrono::DateTime<chrono::Utc>,
    message: &M,
    cause: &Cause,
) -> Result<(), DbError> {
    let body = message.encode_to_vec();
    if body.len() > MAX_BODY {
        return Err(DbError::Corrupt(format!(
            "{} of {} bytes is too large for the bus",
            M::NAME,
            body.len()
        )));
    }
    diesel::insert_into(outbox::table)
        .values((
            outbox::id.eq(Id(Uuid::now_v7())),
            outbox::routing_key.eq(M::routing_key()),
            outbox::headers.eq(Json(cause.to_json())),
            outbox::body.eq(body),
            outbox::created_at.eq(Time::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Publishes staged messages until `stop`, and once more then.
pub async fn relay(database: Database, publisher: Arc<dyn Publisher>, stop: CancellationToken) {
    loop {
        let stopping = tokio::select! {
            () = database.outbox_filled() => false,
            () = tokio::time::sleep(SWEEP) => false,
            () = stop.cancelled() => true,
        };
        drain(&database, &*publisher).await;
        if stopping {
            return;
        }
    }
}

/// Publishes until the table is empty or the bus takes no more.
async fn drain(database: &Database, publisher: &dyn Publisher) {
    loop {
        match round(database, publisher).await {
            Ok(0) => return,
            Ok(_) => {}
            Err(e) => {
                tracing::warn!(error = %e, "outbox: the bus or the database takes nothing now; will try again");
                return;
            }
        }
    }
}

/// One batch. Answers how many were confirmed.
async fn round(database: &Database, publisher: &dyn Publisher) -> Result<usize, DbError> {
    let batch = database.write(|tx| lease_batch(tx.conn, tx.now())).await?;
    if batch.is_empty() {
        return Ok(0);
    }
    let ids: Vec<Uuid> = batch.iter().map(|m| m.id).collect();
    let confirmed = publisher.publish(batch).await;
    let (done, failed): (Vec<_>, Vec<_>) =
        ids.into_iter().zip(confirmed).partition(|(_, outcome)| outcome.is_ok());
    let (done, back): (Vec<Id>, Vec<Id>) =
        (done.into_iter().map(|(id, _)| Id(id)).collect(), failed.iter().map(|(id, _)| Id(*id)).collect());
    let count = done.len();
    database.write(move |tx| settle(tx.conn, &done, &back)).await?;
    match failed.into_iter().find_map(|(_, outcome)| outcome.err()) {
        Some(reason) => Err(DbError::Unavailable(reason.to_string())),
        None => Ok(count),
    }
}

fn lease_batch(conn: &mut Db, now: chrono::DateTime<chrono::Utc>) -> Result<Vec<Outgoing>, DbError> {
    let ids = lease::claim(conn, &QUERY, now, HOLD, BATCH)?;
    let rows: Vec<(Id, String, Json, Vec<u8>)> = outbox::table
        .filter(outbox::id.eq_any(&ids))
        .order(outbox::id)
        .select((outbox::id, outbox::routing_key, outbox::headers, outbox::body))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, routing_key, headers, body)| Outgoing {
            id: id.0,
            routing_key,
            cause: Cause::from_json(&headers.0),
            body: body.into(),
        })
        .collect())
}

/// Deletes what was confirmed and gives back what was not.
fn settle(conn: &mut Db, done: &[Id], back: &[Id]) -> Result<(), DbError> {
    diesel::delete(outbox::table.filter(outbox::id.eq_any(done))).execute(conn)?;
    if !back.is_empty() {
        diesel::update(outbox::table.filter(outbox::id.eq_any(back)))
            .set(outbox::lease_until.eq(None::<Time>))
            .execute(conn)?;
    }
    Ok(())
}

/// How many messages wait.
///
/// # Errors
/// When the table cannot be read.
pub fn depth(conn: &mut Db) -> Result<i64, DbError> {
    Ok(outbox::table.count().get_result(conn)?)
}
