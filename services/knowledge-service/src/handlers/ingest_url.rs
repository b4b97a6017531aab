//! `Knowledge.IngestUrl`: an address is fetched and read, and what it says is taken in like a text that was given. Nothing is stored
//! of one that cannot be read.

use contracts::knowledge::{IngestResponse, IngestUrlRequest};
use contracts::rpc::RpcError;

use super::ingest::take_in;
use crate::app::App;
use crate::domain::document::Address;
use crate::domain::query::invalid;
use crate::fetch::Problem;

pub(super) async fn ingest_url(app: &App, request: IngestUrlRequest) -> Result<IngestResponse, RpcError> {
    let address = Address::try_from(request)?;
    let page = app.fetching.page(&address.url).await.map_err(refusal)?;
    take_in(app, address.document(&page)?).await
}

fn refusal(problem: Problem) -> RpcError {
    match problem {
        // Whoever gave the address can do something about it: `Unavailable` would say that we are away.
        Problem::Unusable(why) | Problem::Away(why) => invalid("url", why),
        Problem::Busy => RpcError::Busy,
    }
}
