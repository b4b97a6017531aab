//! Writes down what became of attempts, as many as ended meanwhile in one transaction: the attempt's line, the delivery if
//! the attempt's number is still its fence, and how the endpoint is doing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use common::db::{DbError, Id, Tx};
use common::service::Task;

use crate::app::App;
use crate::domain::admission::Lane;
use crate::domain::delivery::{self, After, Before};
use crate::domain::health::Health;
use crate::domain::schedule::Jitter;
use crate::domain::writing_down;
use crate::sending::{Answer, Finished};
use crate::store::deliveries::Fence;
use crate::store::endpoints::Endpoint;
use crate::store::{attempts, backlog, deliveries, endpoints, slow_lane};

const EVERY: Duration = Duration::from_secs(1);
/// More in one transaction would hold the writer for long.
const MOST: usize = 128;

/// The task.
pub(crate) fn task(app: &App) -> Task {
    Task::new("finish", EVERY, &app.sending.gate.wanted, app, round)
}

/// At work as long as anything is in flight or about to be.
async fn round(app: App) -> Result<(), DbError> {
    let mut finished = app.sending.finished.lock().await;
    app.sending.gate.open();
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            _ = finished.recv_many(&mut batch, MOST) => {
                write(&app, &batch).await;
                batch.clear();
                app.due.notify_one();
            }
            () = app.sending.gate.idle() => {
                if app.sending.gate.close_if_idle() {
                    return Ok(());
                }
            }
        }
    }
}

/// The part of a finished attempt that the transaction needs.
#[derive(Clone)]
struct Report {
    delivery: Id,
    endpoint: Id,
    number: i32,
    /// It was its endpoint's turn.
    turn: bool,
    answer: Answer,
    jitter: Jitter,
}

impl Report {
    fn of(finished: &Finished) -> Self {
        Self {
            delivery: finished.started.delivery,
            endpoint: finished.started.endpoint.id,
            number: finished.started.attempt_number,
            turn: finished.started.lane == Lane::Slow,
            answer: finished.answer.clone(),
            jitter: finished.jitter,
        }
    }
}

/// Writes a batch down, as long as its leases leave time for it. What could not be written is made again after them.
async fn write(app: &App, batch: &[Finished]) {
    let reports: Arc<Vec<Report>> = Arc::new(batch.iter().map(Report::of).collect());
    // Those whose lease ends sooner are told by their fence that they come too late.
    let Some(until) = batch.iter().map(|f| f.started.lease_until).max() else { return };
    for failed in 1_u32.. {
        let these = Arc::clone(&reports);
        let error = match app.platform.database.write(move |tx| save(tx, &these)).await {
            Ok(late) => return count(app, &reports, &late),
            Err(error) => error,
        };
        app.numbers.unwritten();
        let left = until - app.platform.database.now();
        let Some(pause) = writing_down::pause(failed, error.is_away(), left) else {
            tracing::error!(%error, attempts = reports.len(), "attempts could not be written down; they are made again");
            return;
        };
        tracing::info!(%error, "attempts are written down once more");
        tokio::time::sleep(pause).await;
    }
}

fn count(app: &App, reports: &[Report], late: &[(Id, i32)]) {
    for report in reports {
        let late = late.contains(&(report.delivery, report.number));
        let result = if late { "late" } else { report.answer.verdict.label() };
        app.numbers.attempt(result, report.answer.duration_ms);
    }
}

/// Saves all; answers which came too late to decide about their delivery.
fn save(tx: &mut Tx<'_>, reports: &[Report]) -> Result<Vec<(Id, i32)>, DbError> {
    let ids: Vec<Id> = reports.iter().map(|r| r.delivery).collect();
    let fences: HashMap<Id, Fence> =
        deliveries::fences(tx.conn, &ids)?.into_iter().map(|fence| (fence.id, fence)).collect();
    let mut late = Vec::new();
    let mut by_endpoint: BTreeMap<Id, Vec<(&Report, Before)>> = BTreeMap::new();
    for report in reports {
        let fence = fences.get(&report.delivery);
        let erased = fence.is_some_and(|fence| fence.erased);
        attempts::finish(tx.conn, report.delivery, report.number, (&report.answer, erased))?;
        match fence {
            Some(fence) if fence.is_for(report.number) => {
                by_endpoint.entry(report.endpoint).or_default().push((report, fence.before()));
            }
            _ => late.push((report.delivery, report.number)),
        }
    }
    let touched: Vec<Id> = by_endpoint.keys().copied().collect();
    let mut rows =
        endpoints::by_ids(tx.conn, &touched)?.into_iter().map(|e| (e.id, e)).collect::<BTreeMap<_, _>>();
    let mut settled = Settled::default();
    for (id, reports) in by_endpoint {
        if let Some(row) = rows.remove(&id) {
            settled.endpoint(tx, &row, &reports)?;
        }
    }
    settled.save(tx)?;
    Ok(late)
}

/// Deliveries that ended their attempt alike: by fence, so that what succeeds at once is one statement.
#[derive(Default)]
struct Settled {
    alike: Vec<(i32, After, Lane, Vec<Id>)>,
    moves: Vec<(Id, Health, Health)>,
    /// Endpoints that keep failing or did, and whether a turn of theirs is over.
    turns: Vec<(Id, bool)>,
}

impl Settled {
    /// Decides about the deliveries of one endpoint, and saves how it is doing. Endpoints come before deliveries, and in the
    /// order of their ids: two replicas that lock in the same order never wait for each other in a circle.
    fn endpoint(
        &mut self,
        tx: &mut Tx<'_>,
        row: &Endpoint,
        reports: &[(&Report, Before)],
    ) -> Result<(), DbError> {
        let now = tx.now();
        let before = row.health();
        let mut health = before;
        let mut ends = Vec::new();
        for (report, before) in reports {
            let verdict = report.answer.verdict;
            let after = delivery::after(*before, verdict, health.active, now, report.jitter);
            health = health.after(after.ended(verdict, before.trigger), now);
            ends.push((report, after));
        }
        if health != before {
            endpoints::save_health(tx.conn, row, &health, now)?;
            self.moves.push((row.id, before, health));
        }
        let turn = reports.iter().any(|(report, _)| report.turn);
        if turn || before.is_slow() || health.is_slow() {
            self.turns.push((row.id, turn));
        }
        for (report, after) in ends {
            self.add(report, after, Lane::of(&health));
        }
        Ok(())
    }

    fn add(&mut self, report: &Report, after: After, lane: Lane) {
        let alike =
            self.alike.iter_mut().find(|(fence, a, l, _)| (*fence, *a, *l) == (report.number, after, lane));
        match alike {
            Some((.., ids)) => ids.push(report.delivery),
            None => self.alike.push((report.number, after, lane, vec![report.delivery])),
        }
    }

    fn save(self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        let now = tx.now();
        for (fence, after, lane, ids) in &self.alike {
            deliveries::settle(tx.conn, ids, *fence, (after, *lane), now)?;
        }
        for (endpoint, before, health) in &self.moves {
            if before.active && !health.active {
                tracing::warn!(endpoint = %endpoint.0, "webhook endpoint disabled");
                backlog::give_up(tx.conn, *endpoint, now)?;
            } else if before.is_slow() != health.is_slow() {
                backlog::move_to(tx.conn, *endpoint, Lane::of(health))?;
            }
        }
        for (endpoint, over) in &self.turns {
            if *over {
                slow_lane::end(tx.conn, *endpoint, now)?;
            } else {
                slow_lane::set(tx.conn, *endpoint, now)?; // its health has changed: the row is locked
            }
        }
        Ok(())
    }
}
