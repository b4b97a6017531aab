//! Where in Slack an app's tickets are told, as the gateway says it. May come before the app has said anything of itself.

use async_trait::async_trait;
use common::db::{DbError, Tx};
use contracts::ids::{AppId, BusinessId};
use contracts::rpc::{Context, RpcError};
use contracts::webhooks::{PutSlackRequest, PutSlackResponse, TicketNoticesRpc};

use super::refusals::{away, broken, id, invalid, not_found};
use crate::app::App;
use crate::domain::slack;
use crate::sending::secrets::{self, Row};
use crate::store::apps;

/// As the public edge calls it.
const FIELD: &str = "slack_webhook_url";

#[async_trait]
impl TicketNoticesRpc for App {
    async fn put_slack(&self, _: Context, request: PutSlackRequest) -> Result<PutSlackResponse, RpcError> {
        let business = id::<BusinessId>("business_id", &request.business_id)?;
        let app = id::<AppId>("app_id", &request.app_id)?;
        let sealed = match request.url.as_str() {
            "" => None,
            url => {
                slack::address(&self.platform.egress, url).map_err(|bad| invalid(FIELD, &bad))?;
                Some(secrets::seal_text(&self.platform.keys.master, &Row::slack(app), url).map_err(broken)?)
            }
        };
        let put = self.platform.database.write(move |tx| put(tx, (business, app), sealed.as_deref()));
        put.await.map_err(away)??;
        Ok(PutSlackResponse {})
    }
}

/// Keeps the address, unless the app is another business's or gone.
fn put(
    tx: &mut Tx<'_>,
    (business, app): (BusinessId, AppId),
    sealed: Option<&str>,
) -> Result<Result<(), RpcError>, DbError> {
    apps::lock(tx.conn, app)?;
    let known = apps::find(tx.conn, app)?;
    if known.as_ref().is_some_and(|known| known.is_removed() || !known.is_of(business)) {
        return Ok(Err(not_found(app)));
    }
    apps::put_slack(tx.conn, (business, app), sealed, known.is_some())?;
    Ok(Ok(()))
}
