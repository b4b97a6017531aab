//! Endpoints, as the gateway asks for them: made, shown, listed.

use async_trait::async_trait;
use common::clock::to_millis;
use common::db::{DbError, Tx, lease};
use contracts::ids::{EndpointId, ProjectId};
use contracts::rpc::{Context, RpcError};
use contracts::webhooks::{
    CreateEndpointRequest, Endpoint, EndpointsRpc, GetEndpointRequest, ListEndpointsRequest,
    ListEndpointsResponse,
};

use super::refusals::{away, broken, id, invalid};
use crate::app::App;
use crate::domain::event::EventName;
use crate::domain::target;
use crate::sending::secrets::{self, Row};
use crate::store::endpoints::{self, NewEndpoint};

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
        self.shown(&found.ok_or_else(|| RpcError::NotFound(format!("webhook endpoint {endpoint}")))?)
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
        return Ok(Err(RpcError::Conflict {
            code: "webhook_limit_reached".to_owned(),
            message: format!("a project may have {most} active webhook endpoints"),
        }));
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
