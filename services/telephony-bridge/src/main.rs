//! `echo-telephony-bridge`: the telephony-bridge as a process of its own.

use common::runtime::{Cli, Process};

const PROCESS: Process = Process {
    name: "echo-telephony-bridge",
    about: "The only room that knows a carrier: dials, speaks TwiML, hears how calls go.",
    services: &[echo_telephony_bridge::SERVICE],
    embedded: false,
};

fn main() -> std::process::ExitCode {
    Cli::new(PROCESS).commands(&[echo_telephony_bridge::check::CHECK]).main()
}
