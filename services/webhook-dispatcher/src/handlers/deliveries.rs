//! The log of deliveries, and deliveries that a person asks for.

use std::sync::Arc;

use async_trait::async_trait;
use common::clock::to_millis;
use common::db::{DbError, Tx};
use contracts::ids::{DeliveryId, EndpointId, EventId, ProjectId};
use contracts::rpc::{Context, RpcError};
use contracts::webhooks::{
    Attempt, DeliveriesRpc, Delivery, GetDeliveryRequest, ListDeliveriesRequest, ListDeliveriesResponse,
    LoggedDelivery, RetryDeliveryRequest, SendTestRequest,
};

use super::fan_out;
use super::refusals::{away, broken, id, invalid, not_found};
use crate::app::App;
use crate::domain::admission::Lane;
use crate::domain::delivery::{self, NoRetry, Status};
use crate::domain::envelope;
use crate::domain::event::{Event, EventName};
use crate::domain::page::{self, BadFilter};
use crate::store::endpoints::Endpoint;
use crate::store::log::{self, Wanted};
use crate::store::{attempts, endpoints, slow_lane};

/// Most attempts that are shown of one delivery.
const ATTEMPTS: i64 = 100;

#[async_trait]
impl DeliveriesRpc for App {
    async fn list_deliveries(
        &self,
        _: Context,
        request: ListDeliveriesRequest,
    ) -> Result<ListDeliveriesResponse, RpcError> {
        let (project, endpoint) = path(&request.project_id, &request.endpoint_id)?;
        let limit = page::limit(request.limit);
        let wanted = wanted(&request, limit)?;
        let read = self.platform.database.read(move |db| {
            let known = endpoints::find(db, project, endpoint)?.is_some();
            if known { log::page(db, project, endpoint, wanted).map(Some) } else { Ok::<_, DbError>(None) }
        });
        let rows = read.await.map_err(away)?.ok_or_else(|| not_found::<EndpointId>(endpoint))?;
        let shown = page::shown(rows.iter().map(|row| row.payload.len()), limit);
        let deliveries = rows.iter().take(shown).map(of).collect::<Result<Vec<_>, _>>()?;
        let last = deliveries.last().filter(|_| rows.len() > shown);
        Ok(ListDeliveriesResponse {
            next_after_id: last.map(|d| d.id.clone()).unwrap_or_default(),
            deliveries,
        })
    }

    async fn get_delivery(
        &self,
        _: Context,
        request: GetDeliveryRequest,
    ) -> Result<LoggedDelivery, RpcError> {
        let (project, endpoint) = path(&request.project_id, &request.endpoint_id)?;
        let id = id::<DeliveryId>("delivery_id", &request.delivery_id)?;
        let read = self.platform.database.read(move |db| {
            if endpoints::find(db, project, endpoint)?.is_none() {
                return Ok(None);
            }
            let Some(found) = log::find(db, project, endpoint, id)? else { return Ok(None) };
            let attempts = attempts::of(db, found.id, ATTEMPTS)?;
            Ok::<_, DbError>(Some((found, attempts)))
        });
        let (found, attempts) = read.await.map_err(away)?.ok_or_else(|| not_found::<DeliveryId>(id))?;
        Ok(LoggedDelivery {
            delivery: Some(of(&found)?),
            attempts: attempts.into_iter().map(attempt).collect(),
        })
    }

    async fn retry_delivery(&self, _: Context, request: RetryDeliveryRequest) -> Result<Delivery, RpcError> {
        let (project, endpoint) = path(&request.project_id, &request.endpoint_id)?;
        let id = id::<DeliveryId>("delivery_id", &request.delivery_id)?;
        let due = Arc::clone(&self.due);
        let write = self.platform.database.write(move |tx| {
            let row = endpoints::find(tx.conn, project, endpoint)?;
            let Some(row) = row else { return Ok(Err(not_found::<EndpointId>(endpoint))) };
            let asked = ask_for(tx, &row, id)?;
            tx.after_commit(move || due.notify_one());
            Ok::<_, DbError>(asked)
        });
        match write.await {
            Ok(asked) => of(&asked?),
            // It has just been claimed, or settled.
            Err(DbError::Conflict) => Err(refused(NoRetry::InProgress)),
            Err(other) => Err(away(other)),
        }
    }

    async fn send_test(&self, _: Context, request: SendTestRequest) -> Result<Delivery, RpcError> {
        let (project, endpoint) = path(&request.project_id, &request.endpoint_id)?;
        let id = id::<DeliveryId>("delivery_id", &request.delivery_id)?;
        let event = envelope::test(project, EventId::new()).map_err(broken)?;
        let due = Arc::clone(&self.due);
        let write = self.platform.database.write(move |tx| {
            let sent = test(tx, &event, endpoint, id)?;
            tx.after_commit(move || due.notify_one());
            Ok::<_, DbError>(sent)
        });
        of(&write.await.map_err(away)??)
    }
}

fn path(project: &str, endpoint: &str) -> Result<(ProjectId, EndpointId), RpcError> {
    Ok((id("project_id", project)?, id("endpoint_id", endpoint)?))
}

fn wanted(request: &ListDeliveriesRequest, limit: u32) -> Result<Wanted, RpcError> {
    let status = page::filter(&request.status, Status::parse, BadFilter::Status);
    let event = page::filter(&request.event_name, EventName::parse, BadFilter::Event);
    Ok(Wanted {
        status: status.map_err(|e| invalid("status", &e))?,
        event: event.map_err(|e| invalid("event_name", &e))?,
        events: &EventName::ALL,
        after: match request.after_id.as_str() {
            "" => None,
            text => Some(id("after_id", text)?),
        },
        limit: i64::from(limit) + 1,
    })
}

/// Asks for one more attempt.
pub(super) fn ask_for(
    tx: &mut Tx<'_>,
    to: &Endpoint,
    id: DeliveryId,
) -> Result<Result<log::Delivery, RpcError>, DbError> {
    let (project, endpoint) = (ProjectId(to.project_id.0), EndpointId(to.id.0));
    let found = log::find(tx.conn, project, endpoint, id)?;
    let Some(found) = found else { return Ok(Err(not_found::<DeliveryId>(id))) };
    let status = Status::parse(&found.status)
        .ok_or_else(|| DbError::Corrupt(format!("delivery {id} has the status {}", found.status)))?;
    let health = to.health();
    let due = found.next_retry_at.map(|at| at.0);
    let decided = delivery::retry(
        status,
        (due, found.lease_until.is_some()),
        (health.active, found.payload.is_empty()),
    );
    let trigger = match decided {
        Ok(trigger) => trigger,
        Err(reason) => return Ok(Err(refused(reason))),
    };
    let (lane, now) = (Lane::of(&health), tx.now());
    log::ask_for(tx.conn, &found, (trigger, lane), now)?;
    if lane == Lane::Slow {
        slow_lane::wake(tx.conn, to.id, now)?;
    }
    Ok(log::find(tx.conn, project, endpoint, id)?.ok_or_else(|| not_found::<DeliveryId>(id)))
}

/// Makes the delivery of a test, or answers the one that the same request made before.
fn test(
    tx: &mut Tx<'_>,
    event: &Event,
    endpoint: EndpointId,
    id: DeliveryId,
) -> Result<Result<log::Delivery, RpcError>, DbError> {
    let there = endpoints::find(tx.conn, event.project, endpoint)?;
    let Some(row) = there else { return Ok(Err(not_found::<EndpointId>(endpoint))) };
    if let Some(made) = log::find(tx.conn, event.project, endpoint, id)? {
        return Ok(Ok(made));
    }
    if !row.health().active {
        return Ok(Err(refused(NoRetry::Disabled)));
    }
    fan_out::add(tx, event, id, &row)?;
    Ok(log::find(tx.conn, event.project, endpoint, id)?.ok_or_else(|| not_found::<DeliveryId>(id)))
}

pub(super) fn refused(reason: NoRetry) -> RpcError {
    RpcError::Conflict { code: reason.code().to_owned(), message: reason.to_string() }
}

/// A row as it is shown.
pub(super) fn of(row: &log::Delivery) -> Result<Delivery, RpcError> {
    let event_id = row.event_id.0.to_string();
    let payload_json = match row.payload.as_str() {
        "" => envelope::forgotten(&event_id, &row.event_name).map_err(broken)?,
        text => text.to_owned(),
    };
    // What is due at once is not what a schedule has planned.
    let waits = row.status == Status::Retrying.as_str() && row.lease_until.is_none();
    let planned = row.next_retry_at.filter(|_| waits);
    Ok(Delivery {
        id: row.id.0.to_string(),
        endpoint_id: row.endpoint_id.0.to_string(),
        project_id: row.project_id.0.to_string(),
        event_id,
        event_name: row.event_name.clone(),
        payload_json,
        status: row.status.clone(),
        attempt_count: row.attempt_count.unsigned_abs(),
        next_retry_at_ms: planned.map(|at| to_millis(at.0)),
        created_at_ms: to_millis(row.created_at.0),
        updated_at_ms: to_millis(row.updated_at.0),
    })
}

pub(super) fn attempt(row: attempts::Attempt) -> Attempt {
    Attempt {
        id: row.id.0.to_string(),
        delivery_id: row.delivery_id.0.to_string(),
        attempt_number: row.attempt_number.unsigned_abs(),
        triggered_by: row.triggered_by,
        http_status: row.http_status.map(i32::unsigned_abs),
        response_body: row.response_body,
        duration_ms: row.duration_ms,
        success: row.success,
        error_message: row.error_message,
        created_at_ms: to_millis(row.started_at.0),
    }
}
