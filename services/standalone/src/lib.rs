#![doc = include_str!("../README.md")]

mod account;
mod demo;

use common::config::{ConfigError, Settings};
use common::runtime::{ExtraCommand, Process};

/// All services in one process.
pub const PROCESS: Process = Process {
    name: "echo-standalone",
    about: "Echo in one process: rings a customer, talks, and sends the structured result back as a signed webhook.",
    services: &[
        echo_sandbox_carrier::SERVICE,
        echo_gateway::SERVICE,
        echo_call_orchestrator::SERVICE,
        echo_telephony_bridge::SERVICE,
        echo_webhook_dispatcher::SERVICE,
        echo_knowledge_service::SERVICE,
    ],
    embedded: true,
};

/// Commands beside the usual ones.
pub const COMMANDS: &[ExtraCommand] = &[DEMO, echo_telephony_bridge::check::CHECK];

const DEMO: ExtraCommand = ExtraCommand {
    name: "demo",
    about: "Make a business, an agent and a customer, ring the customer, show the conversation and the signed webhook, then keep serving",
    help: "",
    run: |process, settings| Box::pin(demo::run(process, settings)),
};

/// Completes the settings: the sandbox is the default carrier, and its account is made on the first start.
///
/// # Errors
/// When the data folder cannot be used.
pub fn prepare(settings: &mut Settings) -> Result<(), ConfigError> {
    account::prepare(settings)
}
