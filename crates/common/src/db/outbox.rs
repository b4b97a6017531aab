//! Messages wait here, committed together with the state that they tell of, until the bus has confirmed them. The relay
//! leases rows, publishes them in batches with no transaction open, and deletes what was confirmed. What was not is set aside
//! with its reason and tried again by itself, later each time; it holds up nothing behind it. Messages leave in the order in
//! which they were staged as far as the bus takes them; a consumer must not rely on that order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use contracts::message::Message;
use diesel::prelude::*;
use prometheus::{IntCounterVec, IntGaugeVec};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::lease::{self, LeaseQuery};
use super::schema::outbox;
use super::{Database, Db, DbError, Id, Json, Time};
use crate::bus::{Cause, Outgoing, PublishError, Publisher};
use crate::metrics::Metrics;

/// Rows per round. 200 confirms in flight give about ten thousand messages a second.
const BATCH: u32 = 200;
/// Longer than a batch can take to be confirmed.
const HOLD: Duration = Duration::from_secs(15);
/// Sweep for rows whose nudge was lost.
const SWEEP: Duration = Duration::from_secs(1);
/// How often the waiting messages are counted.
const MEASURE: Duration = Duration::from_secs(15);
/// An event carries what its consumers need, and no more than this.
pub const MAX_BODY: usize = 256 * 1024;

const QUERY: LeaseQuery = LeaseQuery { table: "outbox", due: "due_at IS NULL OR due_at <= $2", order: "id" };

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
pub async fn relay(
    database: Database,
    publisher: Arc<dyn Publisher>,
    numbers: OutboxNumbers,
    stop: CancellationToken,
) {
    let mut measured: Option<Instant> = None;
    loop {
        let stopping = tokio::select! {
            () = database.outbox_filled() => false,
            () = tokio::time::sleep(SWEEP) => false,
            () = stop.cancelled() => true,
        };
        drain(&database, &*publisher, &numbers).await;
        if stopping {
            return;
        }
        if measured.is_none_or(|at| at.elapsed() >= MEASURE) {
            measured = Some(Instant::now());
            numbers.measure(&database).await;
        }
    }
}

/// What a batch came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// Nothing was due.
    Empty,
    /// Go on with the next.
    On,
    /// The bus took nothing at all: it is away, and the next batch would fare no better.
    Away,
}

/// Publishes until nothing is due or the bus takes no more.
async fn drain(database: &Database, publisher: &dyn Publisher, numbers: &OutboxNumbers) {
    loop {
        match round(database, publisher, numbers).await {
            Ok(Round::Empty | Round::Away) => return,
            Ok(Round::On) => {}
            Err(e) => {
                tracing::warn!(error = %e, "outbox: the tables are away; will try again");
                return;
            }
        }
    }
}

/// One batch. What the bus did not take is set aside, each by itself, and holds up nothing behind it.
async fn round(
    database: &Database,
    publisher: &dyn Publisher,
    numbers: &OutboxNumbers,
) -> Result<Round, DbError> {
    let batch = database.write(|tx| lease_batch(tx.conn, tx.now())).await?;
    if batch.is_empty() {
        return Ok(Round::Empty);
    }
    let (mut tried, messages): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|leased| ((Id(leased.message.id), leased.attempts), leased.message)).unzip();
    let mut answers = publisher.publish(messages).await;
    // A publisher that answers for fewer than it was given has not confirmed the rest.
    answers.resize(tried.len(), Err(PublishError::Unconfirmed("no answer".to_owned())));
    let away = answers.iter().all(|answer| matches!(answer, Err(PublishError::Unconfirmed(_))));
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for ((id, attempts), answer) in tried.drain(..).zip(answers) {
        match answer {
            Ok(()) => done.push(id),
            Err(problem) => failed.push(Failed { id, attempts: attempts.saturating_add(1), problem }),
        }
    }
    numbers.failed(&failed);
    if let Some(first) = failed.first() {
        let (count, reason) = (failed.len(), first.problem.to_string());
        tracing::warn!(count, reason, "outbox: the bus has not taken these; each is tried again by itself");
    }
    database
        .write(move |tx| {
            let now = tx.now();
            settle(tx.conn, &done, &failed, now)
        })
        .await?;
    Ok(if away { Round::Away } else { Round::On })
}

/// A message that the bus did not take.
struct Failed {
    id: Id,
    /// How often it was tried, this time included.
    attempts: i32,
    problem: PublishError,
}

/// A row on its way out.
struct Leased {
    attempts: i32,
    message: Outgoing,
}

/// How long a message waits that the bus has not taken so often: from a second, doubled each time. An outage of the bus is
/// over sooner than a consumer is started for the first time, so its messages wait less long.
fn pause(problem: &PublishError, attempts: i32) -> Duration {
    let longest = match problem {
        PublishError::Unroutable(_) => 30,
        PublishError::Unconfirmed(_) => 4,
    };
    let doublings = attempts.saturating_sub(1).clamp(0, 16).unsigned_abs();
    Duration::from_secs((1_u64 << doublings).min(longest))
}

fn lease_batch(conn: &mut Db, now: chrono::DateTime<chrono::Utc>) -> Result<Vec<Leased>, DbError> {
    let ids = lease::claim(conn, &QUERY, now, HOLD, BATCH)?;
    let rows: Vec<(Id, String, Json, Vec<u8>, i32)> = outbox::table
        .filter(outbox::id.eq_any(&ids))
        .order(outbox::id)
        .select((outbox::id, outbox::routing_key, outbox::headers, outbox::body, outbox::attempts))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, routing_key, headers, body, attempts)| Leased {
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

/// Deletes what was confirmed and sets aside what was not.
fn settle(
    conn: &mut Db,
    done: &[Id],
    failed: &[Failed],
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), DbError> {
    diesel::delete(outbox::table.filter(outbox::id.eq_any(done))).execute(conn)?;
    for Failed { id, attempts, problem } in failed {
        diesel::update(outbox::table.find(id))
            .set((
                outbox::lease_until.eq(None::<Time>),
                outbox::due_at.eq(Some(Time::from(now + pause(problem, *attempts)))),
                outbox::attempts.eq(attempts),
                outbox::reason.eq(Some(problem.to_string())),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// How many messages wait, and how many of them because the bus has not taken them yet: `echo_outbox_…`, by service.
#[derive(Clone, Default)]
pub struct OutboxNumbers {
    service: &'static str,
    waiting: Option<IntGaugeVec>,
    set_aside: Option<IntGaugeVec>,
    failures: Option<IntCounterVec>,
}

impl OutboxNumbers {
    /// Registers them, once for a process.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        Self {
            service: "",
            waiting: metrics.gauge(
                "echo_outbox_waiting",
                "Messages that are not confirmed yet",
                &["service"],
            ),
            set_aside: metrics.gauge(
                "echo_outbox_set_aside",
                "Messages that the bus did not take and that are tried again by themselves",
                &["service"],
            ),
            failures: metrics.counter(
                "echo_outbox_failures_total",
                "Times that the bus did not take a message",
                &["service", "reason"],
            ),
        }
    }

    /// The same for one service.
    #[must_use]
    pub fn of(&self, service: &'static str) -> Self {
        Self { service, ..self.clone() }
    }

    fn failed(&self, failed: &[Failed]) {
        let Some(failures) = &self.failures else { return };
        for Failed { problem, .. } in failed {
            let reason = match problem {
                PublishError::Unroutable(_) => "unroutable",
                PublishError::Unconfirmed(_) => "unconfirmed",
            };
            failures.with_label_values(&[self.service, reason]).inc();
        }
    }

    async fn measure(&self, database: &Database) {
        let counted = database.read(|db| Ok::<_, DbError>((depth(db)?, set_aside(db)?))).await;
        let Ok((waiting, aside)) = counted else { return }; // the relay says it if the tables are away
        for (gauge, value) in [(&self.waiting, waiting), (&self.set_aside, aside)] {
            if let Some(gauge) = gauge {
                gauge.with_label_values(&[self.service]).set(value);
            }
        }
    }
}

/// How many messages wait.
///
/// # Errors
/// When the table cannot be read.
pub fn depth(conn: &mut Db) -> Result<i64, DbError> {
    Ok(outbox::table.count().get_result(conn)?)
}

/// How many messages wait because the bus has not taken them when they were tried.
///
/// # Errors
/// When the table cannot be read.
pub fn set_aside(conn: &mut Db) -> Result<i64, DbError> {
    Ok(outbox::table.filter(outbox::attempts.gt(0)).count().get_result(conn)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_doubles_from_a_second_to_its_longest() {
        let unroutable = PublishError::Unroutable(String::new());
        let pauses = [1, 2, 3, 4, 5, 6, i32::MAX].map(|attempts| pause(&unroutable, attempts).as_secs());
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(pause(&PublishError::Unconfirmed(String::new()), 40).as_secs(), 4);
    }
}
