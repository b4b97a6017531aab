//! The rpc service `Carriers`: whether a project's calls can be placed, asked before one is accepted.

use async_trait::async_trait;
use contracts::rpc::{Context, RpcError};
use contracts::telephony::{CarriersRpc, FindCarrierRequest, FindCarrierResponse};

use crate::app::App;

/// Answers `Carriers`.
pub(crate) struct Carriers(pub(crate) App);

#[async_trait]
impl CarriersRpc for Carriers {
    /// Every project calls with the operator's account.
    async fn find_carrier(&self, _: Context, _: FindCarrierRequest) -> Result<FindCarrierResponse, RpcError> {
        Ok(FindCarrierResponse { found: self.0.carrier.is_some() })
    }
}
