//! `echo-call-orchestrator`: the call-orchestrator as a process of its own.

use common::runtime::Process;

fn main() -> std::process::ExitCode {
    common::runtime::main(Process {
        name: "echo-call-orchestrator",
        about: "The life of a notification and of a call: states, rules, prompts, turns, extraction, outcome.",
        services: &[echo_call_orchestrator::SERVICE],
        embedded: false,
    })
}
