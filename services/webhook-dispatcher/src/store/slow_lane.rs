//! Turns of the endpoints that keep failing. Each has at most one attempt in flight, whoever makes it: the lease is the
//! endpoint's. `turn_at` says when its next attempt may be made: when the first of its waiting deliveries is due, and not
//! before the end of its last attempt, so that the endpoint that was served last stands last in line. A turn is claimed
//! from an index over those that wait for one; how much waits for an endpoint plays no part.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use common::db::lease::{self, LeaseQuery};
use common::db::{Db, DbError, Id, Time, Tx, sql};
use diesel::prelude::*;

use super::claim::{self, Claimed};
use super::deliveries as rows;
use super::endpoints as all_endpoints;
use super::schema::{deliveries, endpoints};
use crate::domain::admission::{Admission, Lane, Room};

const TURNS: LeaseQuery = LeaseQuery { table: "endpoints", due: "turn_at <= $2", order: "turn_at" };

/// Takes the turns of endpoints that keep failing, as far as there is room, and claims one due delivery of each.
pub(crate) fn claim(tx: &mut Tx<'_>, mut room: Room, hold: Duration) -> Result<Claimed, DbError> {
    let now = tx.now();
    let limit = u32::try_from(room.free).unwrap_or(u32::MAX);
    let ids = lease::claim(tx.conn, &TURNS, now, hold, limit)?;
    let full = ids.len() == room.free;
    let first = first_due(tx.conn, &ids, now)?;
    let (mut start, mut give_up, mut over) = (Vec::new(), Vec::new(), Vec::new());
    for endpoint in all_endpoints::by_ids(tx.conn, &ids)? {
        let due = first.get(&endpoint.id).copied();
        match due.map(|delivery| (delivery, room.admit(endpoint.id.0, &endpoint.health()))) {
            Some((delivery, Admission::Start)) => start.push(delivery),
            Some((delivery, Admission::GiveUp)) => {
                give_up.push(delivery);
                over.push(endpoint.id);
            }
            _ => over.push(endpoint.id),
        }
    }
    rows::lease(tx.conn, &start, now + hold)?;
    rows::give_up(tx.conn, &give_up, now)?;
    for endpoint in over {
        end(tx.conn, endpoint, now)?;
    }
    let more = full && !start.is_empty();
    let due = claim::load(tx.conn, &start)?;
    let started = claim::start(tx.conn, due, Lane::Slow, (now, now + hold))?;
    Ok(Claimed { started, more, ..Claimed::default() })
}

/// Of each endpoint the delivery that has been due longest.
fn first_due(conn: &mut Db, ids: &[Id], now: DateTime<Utc>) -> Result<HashMap<Id, Id>, DbError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let free = deliveries::lease_until.is_null().or(deliveries::lease_until.lt(Time::from(now)));
    let first = deliveries::table
        .filter(deliveries::endpoint_id.eq(endpoints::id).and(deliveries::lane.eq(Lane::Slow.as_str())))
        .filter(deliveries::next_retry_at.le(Time::from(now)).and(free))
        .order(deliveries::next_retry_at)
        .limit(1)
        .select(deliveries::id);
    let found: Vec<(Id, Option<Id>)> = endpoints::table
        .filter(endpoints::id.eq_any(ids))
        .select((endpoints::id, first.single_value()))
        .load(conn)?;
    Ok(found.into_iter().filter_map(|(endpoint, delivery)| Some((endpoint, delivery?))).collect())
}

/// A delivery waits for an endpoint that keeps failing, due at `at`: its turn comes then, if not before. The row is touched
/// in any case: whoever ends the endpoint's turn meanwhile without having seen the delivery is waited for.
pub(crate) fn wake(conn: &mut Db, endpoint: Id, at: DateTime<Utc>) -> Result<(), DbError> {
    let text = "UPDATE endpoints SET turn_at = CASE WHEN turn_at IS NULL OR turn_at > $1 THEN $1 ELSE turn_at END \
                WHERE id = $2";
    diesel::sql_query(text)
        .bind::<sql::UtcTime, _>(Time::from(at))
        .bind::<sql::Uuid, _>(endpoint)
        .execute(conn)?;
    Ok(())
}

/// Ends an endpoint's turn: whatever waits for it has to wait for the next one.
pub(crate) fn end(conn: &mut Db, endpoint: Id, now: DateTime<Utc>) -> Result<(), DbError> {
    // First, as it locks the row: what is read next has everything in it that was woken before.
    diesel::update(endpoints::table.filter(endpoints::id.eq(endpoint)))
        .set(endpoints::lease_until.eq(None::<Time>))
        .execute(conn)?;
    set(conn, endpoint, now)
}

/// Finds out when the next turn of an endpoint is. Its row is locked by this transaction.
pub(crate) fn set(conn: &mut Db, endpoint: Id, now: DateTime<Utc>) -> Result<(), DbError> {
    let first: Option<Option<Time>> = deliveries::table
        .filter(
            deliveries::endpoint_id
                .eq(endpoint)
                .and(deliveries::lane.eq(Lane::Slow.as_str()))
                .and(deliveries::next_retry_at.is_not_null()),
        )
        .order(deliveries::next_retry_at)
        .select(deliveries::next_retry_at)
        .first(conn)
        .optional()?;
    let turn = first.flatten().map(|due| due.max(Time::from(now)));
    diesel::update(endpoints::table.filter(endpoints::id.eq(endpoint)))
        .set(endpoints::turn_at.eq(turn))
        .execute(conn)?;
    Ok(())
}
