//! The gateway as a process of its own.

use std::process::ExitCode;

use common::runtime::{self, Process};

fn main() -> ExitCode {
    runtime::main(Process {
        name: "echo-gateway",
        about: "The public HTTP edge of Echo: identity, and the configuration of everything.",
        services: &[echo_gateway::SERVICE],
        embedded: false,
    })
}
