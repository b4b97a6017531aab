//! Taking what is due: lease, decide what may be sent now, and write each attempt down before it is sent, all in one
//! transaction, so that a crash leaves an honest line in the log and never a hole. What waits for endpoints that keep failing
//! is claimed by turns: see [`super::slow_lane`].

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use common::db::lease::{self, LeaseQuery};
use common::db::{Db, DbError, Id, Tx};
use diesel::prelude::*;
use uuid::Uuid;

use super::endpoints::Endpoint;
use super::schema::{deliveries, endpoints};
use super::{attempts, backlog, deliveries as rows, slow_lane, targets};
use crate::domain::admission::{Admission, Lane, Room};
use crate::domain::delivery::Trigger;

const NORMAL: LeaseQuery = LeaseQuery {
    table: "deliveries",
    due: "lane = 'normal' AND next_retry_at <= $2",
    order: "next_retry_at",
};

/// Fewer are not worth a transaction: what cannot be sent now is put back.
const FEWEST: usize = 16;
/// More would hold the writer for long.
const MOST: usize = 64;

/// A delivery whose attempt has been written down and is to be sent now.
#[derive(Clone, Debug)]
pub(crate) struct Started {
    pub(crate) delivery: Id,
    pub(crate) event_id: Id,
    pub(crate) payload: String,
    /// Its number, and the fence of its delivery.
    pub(crate) attempt_number: i32,
    /// Until then it belongs to whoever claimed it.
    pub(crate) lease_until: DateTime<Utc>,
    /// The lane that it was claimed from.
    pub(crate) lane: Lane,
    pub(crate) endpoint: Endpoint,
}

/// What came of a claim.
#[derive(Default)]
pub(crate) struct Claimed {
    /// To be sent now.
    pub(crate) started: Vec<Started>,
    /// Endpoints for which deliveries were set aside.
    pub(crate) crowded: Vec<Uuid>,
    /// Endpoints for which nothing is set aside any more.
    pub(crate) drained: Vec<Uuid>,
    /// More may be due.
    pub(crate) more: bool,
}

/// A delivery that is to be sent.
#[derive(Queryable)]
pub(super) struct Due {
    id: Id,
    project_id: Id,
    endpoint_id: Id,
    event_id: Id,
    payload: String,
    attempt_count: i32,
    manual: bool,
}

/// Claims what is due in the normal lane, as far as there is room.
pub(crate) fn claim(tx: &mut Tx<'_>, mut room: Room, hold: Duration) -> Result<Claimed, DbError> {
    let now = tx.now();
    let drained = refill(tx.conn, &room)?;
    let limit = room.free.clamp(FEWEST, MOST);
    let ids = lease::claim(tx.conn, &NORMAL, now, hold, u32::try_from(limit).unwrap_or(u32::MAX))?;
    let mut decided = Decided::default();
    for (due, endpoint) in load(tx.conn, &ids)? {
        decided.known.push(due.id);
        match room.admit(endpoint.id.0, &endpoint.health()) {
            Admission::Start => decided.start.push((due, endpoint)),
            Admission::Aside(Lane::Slow) => {
                decided.to_slow.push(due.id);
                decided.slow.insert(endpoint.id);
            }
            Admission::Aside(_) => {
                decided.to_crowded.push(due.id);
                decided.crowded.insert(endpoint.id.0);
            }
            Admission::Back => decided.back.push(due.id),
            Admission::GiveUp => decided.give_up.push(due.id),
        }
    }
    // Without an endpoint there is nowhere to send it.
    decided.give_up.extend(ids.iter().filter(|id| !decided.known.contains(id)));
    let full = ids.len() == limit;
    let mut claimed = decided.save(tx.conn, now, now + hold)?;
    claimed.more &= full;
    claimed.drained.extend(drained);
    Ok(claimed)
}

/// Brings back what was set aside for endpoints that have places now. Answers for which nothing is left.
fn refill(conn: &mut Db, room: &Room) -> Result<Vec<Uuid>, DbError> {
    let mut drained = Vec::new();
    for (endpoint, places) in &room.refill {
        if backlog::refill(conn, Id(*endpoint), *places)? < *places {
            drained.push(*endpoint);
        }
    }
    Ok(drained)
}

/// The claimed deliveries with their endpoints and what signs there, the longest waiting first.
pub(super) fn load(conn: &mut Db, ids: &[Id]) -> Result<Vec<(Due, Endpoint)>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut due: Vec<(Due, Endpoint)> = deliveries::table
        .inner_join(endpoints::table.on(endpoints::id.eq(deliveries::endpoint_id)))
        .filter(deliveries::id.eq_any(ids))
        .order((deliveries::next_retry_at, deliveries::id))
        .select((
            (
                deliveries::id,
                deliveries::project_id,
                deliveries::endpoint_id,
                deliveries::event_id,
                deliveries::payload,
                deliveries::attempt_count,
                deliveries::manual,
            ),
            Endpoint::as_select(),
        ))
        .load(conn)?;
    targets::lend(conn, due.iter_mut().map(|(_, endpoint)| endpoint))?;
    Ok(due)
}

#[derive(Default)]
struct Decided {
    known: Vec<Id>,
    start: Vec<(Due, Endpoint)>,
    to_slow: Vec<Id>,
    slow: BTreeSet<Id>,
    to_crowded: Vec<Id>,
    crowded: BTreeSet<Uuid>,
    back: Vec<Id>,
    give_up: Vec<Id>,
}

impl Decided {
    fn save(self, conn: &mut Db, now: DateTime<Utc>, lease_until: DateTime<Utc>) -> Result<Claimed, DbError> {
        rows::put_back(conn, &self.back, Lane::Normal)?;
        rows::put_back(conn, &self.to_slow, Lane::Slow)?;
        for endpoint in self.slow {
            slow_lane::wake(conn, endpoint, now)?;
        }
        rows::put_back(conn, &self.to_crowded, Lane::Crowded)?;
        rows::give_up(conn, &self.give_up, now)?;
        Ok(Claimed {
            // What was only put back would be claimed again and again.
            more: self.back.len() < self.known.len(),
            started: start(conn, self.start, Lane::Normal, (now, lease_until))?,
            crowded: self.crowded.into_iter().collect(),
            drained: Vec::new(),
        })
    }
}

/// Raises the fences, closes what a lost lease left open, and writes the attempts down.
pub(super) fn start(
    conn: &mut Db,
    due: Vec<(Due, Endpoint)>,
    lane: Lane,
    (now, lease_until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<Started>, DbError> {
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Id> = due.iter().map(|(due, _)| due.id).collect();
    diesel::update(deliveries::table.filter(deliveries::id.eq_any(&ids)))
        .set(deliveries::attempt_count.eq(deliveries::attempt_count + 1))
        .execute(conn)?;
    let again: Vec<Id> = due.iter().filter(|(due, _)| due.attempt_count > 0).map(|(due, _)| due.id).collect();
    attempts::interrupt(conn, &again)?;
    due.into_iter()
        .map(|(due, endpoint)| {
            let attempt_number = due.attempt_count + 1;
            let trigger = if due.manual { Trigger::Manual { resume: None } } else { Trigger::Auto };
            attempts::start(conn, due.project_id, due.id, (attempt_number, trigger.as_str()), now)?;
            debug_assert_eq!(due.endpoint_id, endpoint.id);
            Ok(Started {
                delivery: due.id,
                event_id: due.event_id,
                payload: due.payload,
                attempt_number,
                lease_until,
                lane,
                endpoint,
            })
        })
        .collect()
}
