//! The knowledge service as a process of its own.

use std::process::ExitCode;

use common::runtime::Process;

fn main() -> ExitCode {
    common::runtime::main(Process {
        name: "echo-knowledge-service",
        about: "Echo's knowledge service: answers what an app's documents say.",
        services: &[echo_knowledge_service::SERVICE],
        embedded: false,
    })
}
