//! Endpoints, as the gateway asks for them: made, shown, listed, changed, removed.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use common::clock::to_millis;
use common::db::{DbError, Id, Tx, lease};
use contracts::ids::{EndpointId, ProjectId};
use contracts::rpc::{Context, RpcError};
use contracts::webhooks::{
    CreateEndpointRequest, DeleteEndpointRequest, DeleteEndpointResponse, Endpoint, EndpointsRpc,
    GetEndpointRequest, ListEndpointsRequest, ListEndpointsResponse, RotateEndpointSecretRequest,
    UpdateEndpointRequest,
};

use super::refusals::{away, broken, id, invalid};
use crate::app::App;
use crate::domain::admission::Lane;
use crate::domain::event::EventName;
use crate::domain::health;
use crate::domain::target;
use crate::sending::secrets::{self, Row};
use crate::store::backlog;
use crate::store::endpoints::{self, Change, NewEndpoint};

/// How often a change is decided about anew when somebody else was faster.
const DECISIONS: usize = 3;
/// How long the secret before a new one is good.
const OLD_SECRET: TimeDelta = TimeDelta::hours(24);
/// Most endpoints on one page.
const LARGEST_PAGE: u32 = 100;

#[async_trait]
impl EndpointsRpc for App {
    async fn create_endpoint(
        &self,
        _: Context,
        request: CreateEndpointRequest,
    ) -> Result<Endpoint, RpcError> {
        let new = self.new_endpoint(&request)?;
        let most = self.config.endpoints;
        let stored = self.platform.database.write(move |tx| create(tx, &new, most)).await.map_err(away)??;
        self.shown(&stored)
    }

    async fn get_endpoint(&self, _: Context, request: GetEndpointRequest) -> Result<Endpoint, RpcError> {
        let project = id::<ProjectId>("project_id", &request.project_id)?;
        let endpoint = id::<EndpointId>("endpoint_id", &request.endpoint_id)?;
        let found = self.platform.database.read(move |db| endpoints::find(db, project, endpoint)).await;
        let found = found.map_err(away)?;
        self.shown(&found.ok_or_else(|| unknown(endpoint))?)
    }

    async fn list_endpoints(
        &self,
        _: Context,
        request: ListEndpointsRequest,
    ) -> Result<ListEndpointsResponse, RpcError> {
        let project = id::<ProjectId>("project_id", &request.project_id)?;
        let after = match request.after_id.as_str() {
            "" => None,
            text => Some(id::<EndpointId>("after_id", text)?),
        };
        let limit = if request.limit == 0 { LARGEST_PAGE } else { request.limit.min(LARGEST_PAGE) };
        let page = self
            .platform
            .database
            .read(move |db| endpoints::page(db, project, after, i64::from(limit) + 1))
            .await
            .map_err(away)?;
        let shown = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = page.len() > shown;
        let endpoints: Vec<Endpoint> =
            page.iter().take(shown).map(|row| self.shown(row)).collect::<Result<_, _>>()?;
        let next_after_id = match endpoints.last() {
            Some(last) if more => last.id.clone(),
            _ => String::new(),
        };
        Ok(ListEndpointsResponse { endpoints, next_after_id })
    }

    async fn update_endpoint(
        &self,
        _: Context,
        request: UpdateEndpointRequest,
    ) -> Result<Endpoint, RpcError> {
        let project = id::<ProjectId>("project_id", &request.project_id)?;
        let endpoint = id::<EndpointId>("endpoint_id", &request.endpoint_id)?;
        let (change, most) = (self.change(&request)?, self.config.endpoints);
        for _ in 0..DECISIONS {
            let change = change.clone();
            let write =
                self.platform.database.write(move |tx| update(tx, (project, endpoint), &change, most));
            match write.await {
                Err(DbError::Conflict) => {} // an attempt ended at the same moment
                other => return self.shown(&other.map_err(away)??),
            }
        }
        Err(RpcError::Busy)
    }

    async fn delete_endpoint(
        &self,
        _: Context,
        request: DeleteEndpointRequest,
    ) -> Result<DeleteEndpointResponse, RpcError> {
        let project = id::<ProjectId>("project_id", &request.project_id)?;
        let endpoint = id::<EndpointId>("endpoint_id", &request.endpoint_id)?;
        let deleted = Arc::clone(&self.deleted);
        let write = self.platform.database.write(move |tx| {
            let Some(row) = endpoints::find(tx.conn, project, endpoint)? else { return Ok(false) };
            delete(tx, row.id)?;
            tx.after_commit(move || deleted.notify_one());
            Ok::<_, DbError>(true)
        });
        match write.await.map_err(away)? {
            true => Ok(DeleteEndpointResponse {}),
            false => Err(unknown(endpoint)),
        }
    }

    async fn rotate_endpoint_secret(
        &self,
        _: Context,
        request: RotateEndpointSecretRequest,
    ) -> Result<Endpoint, RpcError> {
        let project = id::<ProjectId>("project_id", &request.project_id)?;
        let endpoint = id::<EndpointId>("endpoint_id", &request.endpoint_id)?;
        let (_, sealed) =
            secrets::make(&self.platform.keys.master, &Row::endpoint(endpoint)).map_err(broken)?;
        for _ in 0..DECISIONS {
            let sealed = sealed.clone();
            let write = self.platform.database.write(move |tx| rotate(tx, project, endpoint, &sealed));
            match write.await {
                Err(DbError::Conflict) => {} // an attempt ended at the same moment
                other => return self.shown(&other.map_err(away)??),
            }
        }
        Err(RpcError::Busy)
    }
}

/// Changes an endpoint as its project wants it.
fn update(
    tx: &mut Tx<'_>,
    (project, id): (ProjectId, EndpointId),
    change: &Change,
    most: usize,
) -> Result<Result<endpoints::Endpoint, RpcError>, DbError> {
    let Some(row) = endpoints::find(tx.conn, project, id)? else { return Ok(Err(unknown(id))) };
    let (before, now) = (row.health(), tx.now());
    let health = before.switched(change.active);
    if health.active && !before.active {
        lease::exclusive(tx.conn, &format!("endpoints of {project}"))?;
        if endpoints::count_active(tx.conn, project)? >= most {
            return Ok(Err(limit_reached(most)));
        }
    }
    endpoints::change(tx.conn, &row, change, &health, now)?;
    match (before.active, health.active) {
        (true, false) => backlog::give_up(tx.conn, row.id, now)?,
        (false, true) => backlog::move_to(tx.conn, row.id, Lane::of(&health))?,
        _ => {}
    }
    Ok(endpoints::find(tx.conn, project, id)?.ok_or_else(|| unknown(id)))
}

/// Hides an endpoint from everybody and ends what waits for it. What is in flight ends by itself.
pub(super) fn delete(tx: &mut Tx<'_>, endpoint: Id) -> Result<(), DbError> {
    let now = tx.now();
    endpoints::delete(tx.conn, endpoint, now)?;
    backlog::give_up(tx.conn, endpoint, now)
}

fn rotate(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: EndpointId,
    sealed: &str,
) -> Result<Result<endpoints::Endpoint, RpcError>, DbError> {
    let Some(row) = endpoints::find(tx.conn, project, id)? else { return Ok(Err(unknown(id))) };
    let now = tx.now();
    endpoints::rotate(tx.conn, &row, sealed, now + OLD_SECRET, now)?;
    Ok(endpoints::find(tx.conn, project, id)?.ok_or_else(|| unknown(id)))
}

fn unknown(id: EndpointId) -> RpcError {
    RpcError::NotFound(format!("webhook endpoint {id}"))
}

fn limit_reached(most: usize) -> RpcError {
    RpcError::Conflict {
        code: "webhook_limit_reached".to_owned(),
        message: format!("a project may have {most} active webhook endpoints"),
    }
}

/// Stores a new endpoint, or answers the one that the same request made before.
fn create(
    tx: &mut Tx<'_>,
    new: &NewEndpoint,
    most: usize,
) -> Result<Result<endpoints::Endpoint, RpcError>, DbError> {
    let conflict = || RpcError::Conflict {
        code: "endpoint_exists".to_owned(),
        message: format!("another webhook endpoint has the id {}", new.id),
    };
    if let Some(there) = endpoints::find(tx.conn, new.project, new.id)? {
        let wanted: Vec<&str> = new.events.iter().map(|event| event.as_str()).collect();
        let same = there.url == new.url && there.event_names() == wanted;
        return Ok(if same { Ok(there) } else { Err(conflict()) });
    }
    if endpoints::exists(tx.conn, new.id)? {
        return Ok(Err(conflict()));
    }
    // Of two requests for the last place, the second one waits here and finds it taken.
    lease::exclusive(tx.conn, &format!("endpoints of {}", new.project))?;
    if endpoints::count_active(tx.conn, new.project)? >= most {
        return Ok(Err(limit_reached(most)));
    }
    endpoints::insert(tx.conn, new, tx.now())?;
    Ok(Ok(endpoints::find(tx.conn, new.project, new.id)?.ok_or(DbError::NotFound)?))
}

impl App {
    fn new_endpoint(&self, request: &CreateEndpointRequest) -> Result<NewEndpoint, RpcError> {
        let project = id::<ProjectId>("project_id", &request.project_id)?;
        let endpoint = id::<EndpointId>("endpoint_id", &request.endpoint_id)?;
        target::check(&self.platform.egress, &request.url).map_err(|e| invalid("url", &e))?;
        let events = EventName::list(&request.events).map_err(|e| invalid("events", &e))?;
        let row = Row::endpoint(endpoint);
        let (_, sealed_secret) = secrets::make(&self.platform.keys.master, &row).map_err(broken)?;
        Ok(NewEndpoint { id: endpoint, project, url: request.url.clone(), sealed_secret, events })
    }

    fn change(&self, request: &UpdateEndpointRequest) -> Result<Change, RpcError> {
        let mut change = Change::default();
        if !request.url.is_empty() {
            target::check(&self.platform.egress, &request.url).map_err(|e| invalid("url", &e))?;
            change.url = Some(request.url.clone());
        }
        if !request.events.is_empty() {
            change.events = Some(EventName::list(&request.events).map_err(|e| invalid("events", &e))?);
        }
        change.active = health::switch(&request.status).map_err(|e| invalid("status", &e))?;
        Ok(change)
    }

    fn shown(&self, row: &endpoints::Endpoint) -> Result<Endpoint, RpcError> {
        let own = Row::endpoint(EndpointId(row.id.0));
        let secret = secrets::open(&self.platform.keys.master, &own, &row.secret).map_err(broken)?;
        Ok(Endpoint {
            id: row.id.0.to_string(),
            project_id: row.project_id.0.to_string(),
            url: row.url.clone(),
            signing_secret: secret.reveal().to_owned(),
            status: row.status.clone(),
            events: row.event_names(),
            consecutive_failures: row.consecutive_failures.unsigned_abs(),
            created_at_ms: to_millis(row.created_at.0),
            updated_at_ms: to_millis(row.updated_at.0),
        })
    }
}
