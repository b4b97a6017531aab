//! The webhook dispatcher as a process of its own.

use std::process::ExitCode;

use common::runtime::{self, Process};

fn main() -> ExitCode {
    runtime::main(Process {
        name: "echo-webhook-dispatcher",
        about: "Delivers signed webhooks: endpoints, attempts, the retry schedule and its log.",
        services: &[echo_webhook_dispatcher::SERVICE],
        embedded: false,
    })
}
