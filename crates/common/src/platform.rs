//! All that a service is ever handed. Everything arrives through here, so two Echos fit into one process.

use std::sync::Arc;

use contracts::ServiceName;
use contracts::rpc::Caller;

use crate::clock::Clock;
use crate::crypto::Keys;
use crate::db::Database;
use crate::egress::EgressPolicy;
use crate::metrics::Metrics;

/// What a service stands on. Cloning shares it.
#[derive(Clone)]
pub struct Platform {
    /// Whose platform this is.
    pub service: ServiceName,
    /// The service's own tables.
    pub database: Database,
    /// Sends rpcs; the generated clients are made from it.
    pub caller: Arc<dyn Caller>,
    /// The time.
    pub clock: Clock,
    /// Numbers.
    pub metrics: Metrics,
    /// Key rings.
    pub keys: Keys,
    /// The guard before addresses that tenants give.
    pub egress: EgressPolicy,
}
