//! `echo-standalone`: all of Echo in one process.

use common::runtime::Cli;

fn main() -> std::process::ExitCode {
    Cli::new(echo_standalone::PROCESS)
        .prepare(echo_standalone::prepare)
        .commands(echo_standalone::COMMANDS)
        .main()
}
