//! `echo-sandbox-carrier`: the sandbox carrier as a process of its own.

use common::runtime::Process;

fn main() -> std::process::ExitCode {
    common::runtime::main(Process {
        name: "echo-sandbox-carrier",
        about: "A Twilio-compatible carrier with people who pick up the phone, for development, tests and load.",
        services: &[echo_sandbox_carrier::SERVICE],
        embedded: false,
    })
}
