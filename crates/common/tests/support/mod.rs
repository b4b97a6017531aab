//! What the tests of the bus stand on: services with tables of their own, a bus over them, and handlers that note what they
//! hear and answer as a test wants.

mod broker;
mod hearing;
mod world;

pub(crate) use broker::{Broker, amqp_address, amqp_url};
pub(crate) use hearing::Hearing;
pub(crate) use world::{Letter, Process, World};

use std::time::Duration;

/// Much longer than anything here takes; only a failing test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
